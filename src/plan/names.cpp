#include "plan/names.h"

#include "base/nearest.h"
#include "book/leaf.h"
#include "quantity/unit.h"

namespace floptally {

LetNames::LetNames(const Plan& plan, Trace& trace, Diagnostics& problems)
    : plan_(plan), trace_(trace), problems_(problems) {
  entries_.resize(plan.let.size());
  for (std::size_t i = 0; i < plan.let.size(); ++i) index_.emplace(plan.let[i].name, i);
}

std::vector<std::string_view> LetNames::names() const {
  std::vector<std::string_view> out;
  for (const PlanEntry& each : plan_.let) out.push_back(each.name);
  return out;
}

bool LetNames::speaks_of(Dim dim, const Expression& expression) const {
  std::vector<const Expression*> open{&expression};
  std::vector<bool> seen(plan_.let.size());
  while (!open.empty()) {
    const Expression& one = *open.back();
    open.pop_back();
    for (const ExprNode& node : one.nodes) {
      if (node.op == ExprOp::amount && node.amount.dim == dim) return true;
      if (node.op != ExprOp::name && node.op != ExprOp::each) continue;
      const auto let = index_.find(node.name);
      if (let == index_.end() || seen[let->second]) continue;
      seen[let->second] = true;
      open.push_back(&plan_.let[let->second].value);
    }
  }
  return false;
}

const PlanValue* LetNames::at(std::size_t index, const Span& use) {
  Entry& entry = entries_[index];
  const PlanEntry& let = plan_.let[index];
  if (entry.state == 1) {
    Diagnostic loop = error("circular-let", "'" + let.name + "' is defined by itself", let.key);
    if (use && !(use.begin == let.key.begin && use.source == let.key.source))
      loop.labels.push_back({use, "it is needed here"});
    report(std::move(loop));
    entry.state = 3;
    return nullptr;
  }
  if (entry.state == 0) {
    entry.state = 1;
    LetScope scope(*this, let.name, let.value);
    const bool ok = evaluate(let.value, scope, entry.value);
    entries_[index].state = ok && entries_[index].state != 3 ? 2 : 3;
  }
  return entries_[index].state == 2 ? &entries_[index].value : nullptr;
}

const PlanValue* LetNames::find(const ExprNode& use, bool fresh, const std::string& line) {
  const auto found = index_.find(use.name);
  if (found == index_.end()) {
    report(error("unknown-name", "'" + use.name + "' is not defined", use.place, suggestion(use.name, names())));
    return nullptr;
  }
  const PlanValue* value = at(found->second, use.place);
  if (value == nullptr || !fresh) return value;
  const std::string key = use.name + " (" + line + ")";
  const auto known = fresh_.find(key);
  if (known != fresh_.end()) return &known->second;
  LetScope scope(*this, key, plan_.let[found->second].value);
  PlanValue& own = fresh_[key];
  return evaluate(plan_.let[found->second].value, scope, own) ? &own : nullptr;
}

void LetNames::evaluate_all() {
  for (std::size_t i = 0; i < entries_.size(); ++i) at(i, {});
}

Traced input_of(Trace& trace, const ExprNode& node, std::string name, bool own_name) {
  const Amount& amount = node.amount;
  if (!own_name && amount.form == Amount::Form::point) {
    if (amount.exact) return amount.dim == Dim{} ? Traced(*amount.exact) : trace.constant(*amount.exact, amount.dim);
    return trace.constant(amount.best, amount.dim);
  }
  return trace.leaf(leaf_of(std::move(name), amount, node.place));
}

bool LetScope::lookup(const ExprNode& name, bool fresh, PlanValue& out) {
  const PlanValue* value = names_.find(name, fresh, line_.empty() ? what_ : line_);
  if (value == nullptr) return false;
  out = *value;
  return true;
}

Traced LetScope::leaf(const ExprNode& amount) {
  const bool whole = &amount == &expression_.top();
  const auto index = static_cast<std::size_t>(&amount - expression_.nodes.data());
  return input_of(names_.trace(), amount, whole ? what_ : what_ + " #" + std::to_string(index + 1), whole);
}

std::optional<Traced> scalar_of(LetNames& names, const Expression& expression, const std::string& name, Dim expected,
                                const std::string& what, double bare_scale, const std::string& line) {
  const auto wrong = [&](const std::string& found) {
    names.report(error("wrong-unit", "expected " + what + ", found " + found, expression.place,
                       "this is measured in " + name_of(expected)));
    return std::nullopt;
  };
  if (expression.root < 0) return std::nullopt;
  if (expression.is_amount()) {
    Amount amount = expression.top().amount;
    const bool bare = amount.bare && bare_scale > 0;
    if (!bare && !(amount.dim == expected)) {
      Dim plain = amount.dim;
      plain.kind = expected.kind;
      if (!(plain == expected)) return wrong(amount.bare ? "a number without a unit" : name_of(amount.dim));
    }
    if (bare && bare_scale != 1) {  // "price: 2" is USD per device-hour
      amount.exact.reset();
      for (double* each : {&amount.best, &amount.low, &amount.high}) *each *= bare_scale;
      for (double& each : amount.values) each *= bare_scale;
    }
    amount.dim = expected;
    return names.trace().leaf(leaf_of(name, amount, expression.place));
  }
  LetScope scope(names, name, expression, false, line);
  PlanValue value;
  if (!evaluate(expression, scope, value)) return std::nullopt;
  if (value.is_list || value.items.size() != 1 || !value.items[0].word.empty()) {
    names.report(error("not-a-number", "one value was expected, found a list", expression.place));
    return std::nullopt;
  }
  Traced result = value.items[0].number;
  if (result.dim() == expected) return result;
  if (result.dim() == Dim{} && bare_scale > 0) {
    if (bare_scale != 1) result = result * names.trace().constant(bare_scale);
    return names.trace().as(result, expected);
  }
  return wrong(name_of(result.dim()));
}

}  // namespace floptally
