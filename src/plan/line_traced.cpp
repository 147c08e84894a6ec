// One run as a product of named steps, for explanations and for runs whose size is uncertain.
#include <algorithm>

#include "book/leaf.h"
#include "plan/line_sweep.h"
#include "quantity/print.h"

namespace floptally {

void LineSweep::add_traced(Sum& sum) {
  Traced weight(1);
  for (std::size_t k = 0; k < axes_.size(); ++k)
    if (axes_[k].counted()) weight = weight * axes_[k].count(position_[k]);
  sum.traced_runs.push_back(weight);
  const std::string run = run_label();
  if (has(FieldId::flop)) {
    sum.traced_flop.push_back(weight * trace_.as(traced_slot(slot_of(FieldId::flop)), dim::kFlop));
    return;
  }
  Traced tokens(1);
  for (const FieldId id : cost_) tokens = tokens * traced_slot(slot_of(id));
  if (failed_) return;
  tokens = trace_.as(tokens, example_dim());
  sum.traced_tokens.push_back(weight * tokens);
  Traced flop;
  if (counter_ == nullptr && !has(FieldId::flop_per_token)) {
    const Traced n =
        traced_slot(slot_of(has(FieldId::active_parameters) ? FieldId::active_parameters : FieldId::parameters));
    flop = tokens *
           named("FLOP per token" + model_label(), trace_.as(Traced(6) * n, dim::kFlopPerToken),
                 "6 FLOP per parameter and token: 2 forward, 4 backward (Kaplan et al. 2020, arXiv:2001.08361, 2.1)");
  } else {
    flop = tokens * flop_per_token();
  }
  sum.traced_flop.push_back(weight * named("FLOP of one run" + run, flop, {}));
}

Traced LineSweep::named(const std::string& name, const Traced& value, const std::string& source) {
  const std::string key = name + "@" + std::to_string(value.in(trace_));
  const auto found = cache_.steps.find(key);
  if (found != cache_.steps.end()) return found->second;
  const Traced result = trace_.name(name, value, source);
  cache_.steps.emplace(key, result);
  return result;
}

Traced LineSweep::flop_per_token() {
  if (has(FieldId::flop_per_token)) return trace_.as(traced_slot(slot_of(FieldId::flop_per_token)), dim::kFlopPerToken);
  const std::string per = reads_samples() ? "FLOP per sample" : "FLOP per token";
  const std::string name = per + model_label();
  std::string key = name + "#";
  key.append(reinterpret_cast<const char*>(fields_.data()), sizeof fields_);
  const auto found = cache_.steps.find(key);
  if (found != cache_.steps.end()) return found->second;
  std::vector<Traced> parts;
  if (explained_) {
    for (const ModelPart& part : counter_->parts(fields_)) {
      if (part.flop_per_sample == Integer(0)) continue;
      if (!(part.flop_per_sample % model_.sequence == Integer(0))) {
        parts.clear();
        break;
      }
      parts.push_back(
          counted(std::string(part.component) + " " + per + model_label(), part.flop_per_sample / model_.sequence));
    }
  }
  Traced result;
  const std::string source = std::string(counter_->source()) + "; counts " + convention_.flop_words;
  if (!parts.empty())
    result = trace_.name(name, trace_.sum(parts), source);
  else if (model_.flop_per_sample % model_.sequence == Integer(0))
    result = counted(name, model_.flop_per_sample / model_.sequence);
  else
    result = trace_.name(
        name, counted("FLOP per sequence" + model_label(), model_.flop_per_sample) / trace_.constant(model_.sequence),
        source);
  cache_.steps.emplace(key, result);
  return result;
}

Traced LineSweep::counted(const std::string& name, Integer value) {
  Leaf leaf;
  leaf.name = name;
  leaf.distribution = Distribution::point(value.to_double());
  leaf.exact = value;
  leaf.dim = dim::kFlop / example_dim();
  leaf.floor = model_.at_least;
  leaf.mark = Mark::derived;
  leaf.source = std::string(counter_->source()) + "; counts " + convention_.flop_words;
  return unique_leaf(std::move(leaf));
}

Traced LineSweep::unique_leaf(Leaf leaf) {
  const std::string key = leaf.name + "=" + leaf.exact->to_string();
  const auto found = cache_.steps.find(key);
  if (found != cache_.steps.end()) return found->second;
  int& uses = cache_.uses[leaf.name];
  if (uses++ > 0) leaf.name += " (" + std::to_string(uses) + ")";
  const Traced result = trace_.leaf(std::move(leaf));
  cache_.steps.emplace(key, result);
  return result;
}

std::string LineSweep::label(bool model_only) {
  std::string out;
  for (const SweepAxis& axis : axes_)
    for (const std::size_t slot : axis.slots)
      if (!axis.factor && (!model_only || is_model_field(slot) || slot == slot_of(FieldId::parameters) ||
                           slot == slot_of(FieldId::active_parameters)))
        out += ", " + std::string(kFieldNames[slot]) + " " +
               (nums_[slot].exact ? short_count(nums_[slot].whole) : shortest(nums_[slot].value()));
  return out;
}

Traced LineSweep::traced_slot(std::size_t slot) {
  if (slot >= kFieldCount) {
    if (counter_ == nullptr) return nums_[slot].traced();
    Leaf leaf;
    leaf.name = std::string(kModelNames[slot - kFieldCount]) + model_label();
    std::replace(leaf.name.begin(), leaf.name.end(), '_', ' ');
    leaf.distribution = Distribution::point(nums_[slot].value());
    leaf.exact = nums_[slot].whole;
    leaf.mark = Mark::derived;
    leaf.source = std::string(counter_->source()) + "; counts " + convention_.parameter_words;
    return unique_leaf(std::move(leaf));
  }
  const SweepSlot& s = slots_[slot];
  if (s.from == SweepSlot::From::axis) {
    const SweepAxis& axis = axes_[static_cast<std::size_t>(s.level - 1)];
    if (axis.factor) return Traced(1);
    for (std::size_t m = 0; m < axis.slots.size(); ++m)
      if (axis.slots[m] == slot && !axis.values[m].items.empty())
        return axis.values[m].items[position_[static_cast<std::size_t>(s.level - 1)]].number;
    return nums_[slot].traced();
  }
  if (s.from != SweepSlot::From::expression) return nums_[slot].traced();
  if (explained_ && s.expression->is_amount()) {
    Amount amount = s.expression->top().amount;
    ExprNode node = s.expression->top();
    node.amount.dim = {};
    return input_of(trace_, node, field_name(slot), true);
  }
  if (s.code && !explained_) return nums_[slot].traced();
  if (tracing_[slot]) {  // asked for before plan_levels() has looked for circles
    fail(error("circular-field", "'" + std::string(kFieldNames[slot]) + "' is found from itself", s.place));
    return Traced(0);
  }
  Probe scope(*this, slot);
  PlanValue value;
  tracing_[slot] = true;
  const bool evaluated = evaluate(*s.expression, scope, value);
  tracing_[slot] = false;
  if (!evaluated || value.is_list || value.items.size() != 1 || !value.items[0].word.empty()) {
    if (scope.problems == 0 && value.is_list)
      names_.report(error("list-needs-axis", "'" + std::string(kFieldNames[slot]) + "' is a list here", s.place,
                          "put it under 'over' in a line"));
    failed_ = true;
    return Traced(0);
  }
  const Traced& number = value.items[0].number;
  if (number.value() < 0) refuse_negative(slot, number.value());
  if (number.dim() == Dim{}) return number;
  return trace_.as(number, Dim{});
}

}  // namespace floptally
