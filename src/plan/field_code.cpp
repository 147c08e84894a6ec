#include "plan/field_code.h"

namespace floptally {

std::optional<std::size_t> slot_named(std::string_view name, bool given_parameters) {
  if (const auto field = field_named(name);
      field && (given_parameters || (*field != FieldId::parameters && *field != FieldId::active_parameters)))
    return static_cast<std::size_t>(*field);
  for (std::size_t i = 0; i < static_cast<std::size_t>(ModelName::count_); ++i)
    if (kModelNames[i] == name) return kFieldCount + i;
  return std::nullopt;
}

std::vector<std::size_t> slots_of(const Expression& expression, bool given_parameters) {
  std::vector<std::size_t> out;
  for (const ExprNode& node : expression.nodes)
    if (node.op == ExprOp::name)
      if (const auto slot = slot_named(node.name, given_parameters)) out.push_back(*slot);
  return out;
}

FieldCode FieldCode::compile(const Expression& expression, LetNames& names, bool given_parameters) {
  FieldCode code;
  if (expression.root < 0) return code;
  if (!emit(expression, expression.root, names, given_parameters, code.steps_) || code.steps_.size() > 31)
    code.steps_.clear();
  return code;
}

bool FieldCode::emit(const Expression& expression, int index, LetNames& names, bool given_parameters,
                     std::vector<Step>& steps) {
  const ExprNode& node = expression.nodes[static_cast<std::size_t>(index)];
  switch (node.op) {
    case ExprOp::amount:
      if (node.amount.form != Amount::Form::point) return false;
      steps.push_back({ExprOp::amount, 0, node.amount.exact ? Num(*node.amount.exact) : Num(node.amount.best)});
      return true;
    case ExprOp::name: {
      if (const auto slot = slot_named(node.name, given_parameters)) {
        steps.push_back({ExprOp::name, *slot, {}});
        return true;
      }
      if (!names.known(node.name)) return false;
      const PlanValue* value = names.find(node, false, {});
      if (value == nullptr || value->is_list || value->items.size() != 1 || !value->items[0].word.empty()) return false;
      const Traced& number = value->items[0].number;
      if (number.trace() != nullptr) {
        const TraceNode& at = number.trace()->node(number.id());
        if (at.uncertain || at.at_least || at.unknown) return false;
      }
      steps.push_back({ExprOp::amount, 0, Num::of(number)});
      return true;
    }
    case ExprOp::negate:
      steps.push_back({ExprOp::amount, 0, Num(Integer(0))});
      if (!emit(expression, node.a, names, given_parameters, steps)) return false;
      steps.push_back({ExprOp::subtract, 0, {}});
      return true;
    case ExprOp::add:
    case ExprOp::subtract:
    case ExprOp::multiply:
    case ExprOp::divide:
      if (!emit(expression, node.a, names, given_parameters, steps) ||
          !emit(expression, node.b, names, given_parameters, steps))
        return false;
      steps.push_back({node.op, 0, {}});
      return true;
    case ExprOp::power: {
      const ExprNode& exponent = expression.nodes[static_cast<std::size_t>(node.b)];
      if (exponent.op != ExprOp::amount || !exponent.amount.exact || *exponent.amount.exact < Integer(1) ||
          *exponent.amount.exact > Integer(8))
        return false;
      const std::int64_t times = exponent.amount.exact->to_int64();
      for (std::int64_t i = 0; i < times; ++i) {
        if (!emit(expression, node.a, names, given_parameters, steps)) return false;
        if (i > 0) steps.push_back({ExprOp::multiply, 0, {}});
      }
      return true;
    }
    default:
      return false;
  }
}

Num FieldCode::run(const std::array<Num, kSlotCount>& slots) const {
  auto& stack = stack_;
  std::size_t top = 0;
  for (const Step& step : steps_) {
    switch (step.op) {
      case ExprOp::amount:
        stack[top++] = step.constant;
        break;
      case ExprOp::name:
        stack[top++] = slots[step.slot];
        break;
      case ExprOp::add:
        --top, stack[top - 1] = stack[top - 1] + stack[top];
        break;
      case ExprOp::subtract:
        --top, stack[top - 1] = stack[top - 1] - stack[top];
        break;
      case ExprOp::multiply:
        --top, stack[top - 1] = stack[top - 1] * stack[top];
        break;
      default:
        --top, stack[top - 1] = stack[top - 1] / stack[top];
        break;
    }
  }
  return top == 1 ? stack[0] : Num();
}

}  // namespace floptally
