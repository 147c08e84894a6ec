// Walking the runs of a line and adding them up.
#include <algorithm>

#include "plan/line_sweep.h"
#include "quantity/print.h"

namespace floptally {

std::string short_count(const Integer& value) {
  std::string digits = value.to_string();
  static constexpr std::pair<std::string_view, const char*> kEnds[] = {
      {"000000000000", "T"}, {"000000000", "B"}, {"000000", "M"}};
  for (const auto& [zeros, name] : kEnds)
    if (digits.size() > zeros.size() && digits.ends_with(zeros))
      return digits.substr(0, digits.size() - zeros.size()) + name;
  return digits;
}

bool LineSweep::uncertain(std::size_t slot) const {
  return slots_[slot].from == SweepSlot::From::expression && !slots_[slot].code;
}

Diagnostic LineSweep::no_model() const {
  Diagnostic problem = error("missing-key", "no model: the FLOP of a run cannot be counted",
                             plan_.model_place ? plan_.model_place : line_.place,
                             "model: {kind: decoder, layers: 8, width: ...}, model: {from: config.json}, model: "
                             "{parameters: 7B}, or train: {flop: ...}");
  if (plan_.imported) problem.help = "what a run is (hardware, model, train) stands in a plan: --plan plan.yaml";
  return problem;
}

bool LineSweep::choose_mode() {
  if (has(FieldId::flop))
    cost_ = {FieldId::flop};
  else if (has(FieldId::tokens))
    cost_ = {FieldId::tokens};
  else if (batch_in_tokens_ || reads_samples())
    cost_ = {FieldId::steps, FieldId::batch};
  else
    cost_ = {FieldId::steps, FieldId::batch, FieldId::sequence};
  if (!has(FieldId::flop) && counter_ == nullptr && !has(FieldId::parameters) && !has(FieldId::flop_per_token))
    return fail(no_model());
  for (const FieldId id : cost_)
    if (!has(id)) {
      const std::string name(kFieldNames[slot_of(id)]);
      return fail(error("missing-key", "'" + name + "' of the run is not given", line_.place,
                        "train: {" + name + ": ...}, or give 'tokens'"));
    }
  bool traced = false;
  for (std::size_t i = 0; i < kFieldCount; ++i) traced = traced || uncertain(i);
  Integer runs(1);
  for (SweepAxis& axis : axes_) {
    runs = runs * Integer(static_cast<long>(axis.size));
    counted_ = counted_ || axis.counted();
    for (const Traced& count : axis.counts) traced = traced || count.trace() != nullptr;
    for (const PlanValue& value : axis.values)
      for (const PlanItem& item : value.items)
        traced = traced || (item.number.trace() != nullptr && !certain(item.number));
  }
  explained_ = runs.valid() && runs <= Integer(static_cast<long>(kExplained));
  if (!explained_) sum_in_closed_form();
  Integer left(1);
  for (const SweepAxis& axis : axes_)
    if (!axis.factor) left = left * Integer(static_cast<long>(axis.size));
  traced_ = explained_ || traced;
  const std::int64_t most = traced_ ? kMostTraced : kMostRuns;
  if (!left.valid() || left > Integer(static_cast<long>(most)))
    return fail(error("grid-too-large",
                      "this line has " + (left.valid() ? grouped(left.to_string()) : "more than 10^38") +
                          " distinct runs" + (traced_ ? " of uncertain size" : "") + "; at most " +
                          grouped(std::to_string(most)) + " are counted one by one",
                      line_.place,
                      "axes that do not change the model or the tokens stand under 'times', which multiplies"));
  if (counter_ != nullptr && !counter_->cheap() && left > Integer(static_cast<long>(kMostCostly)))
    return fail(error("grid-too-large",
                      "this line has " + grouped(left.to_string()) + " distinct models from a file; at most " +
                          grouped(std::to_string(kMostCostly)) + " are built",
                      line_.place));
  return true;
}

bool LineSweep::certain(const Traced& t) {
  if (t.trace() == nullptr) return true;
  const TraceNode& node = t.trace()->node(t.id());
  return !node.uncertain && !node.at_least && !node.unknown;
}

void LineSweep::sum_in_closed_form() {
  for (SweepAxis& axis : axes_) {
    if (axis.slots.size() != 1 || axis.counted() || axis.by) continue;
    const auto id = static_cast<FieldId>(axis.slots[0]);
    const bool multiplies = std::find(cost_.begin(), cost_.end(), id) != cost_.end() && id != FieldId::sequence;
    bool needed = false;
    for (const SweepSlot& slot : slots_)
      if (slot.from == SweepSlot::From::expression)
        for (const std::size_t use : slots_of(*slot.expression, given_parameters_))
          needed = needed || use == axis.slots[0];
    if (!multiplies || needed) continue;
    const PlanValue& value = axis.values[0];
    if (value.lazy) {
      const Integer last = value.start + value.step * (value.count - Integer(1));
      axis.factor = Traced((value.start + last) * value.count / Integer(2));
    } else if (!value.items.empty()) {
      std::vector<Traced> parts;
      for (const PlanItem& item : value.items) parts.push_back(item.number);
      Num sum(Integer(0));
      for (const PlanItem& item : value.items) sum = sum + Num::of(item.number);
      bool all_certain = true;
      for (const PlanItem& item : value.items) all_certain = all_certain && certain(item.number);
      axis.factor = all_certain ? sum.traced() : trace_.sum(parts);
    } else {
      continue;
    }
    nums_[axis.slots[0]] = Num(Integer(1));
  }
}

void LineSweep::evaluate_level(int level) {
  const Steps& steps = steps_[static_cast<std::size_t>(level)];
  for (const std::size_t i : steps.before) set_slot(i);
  for (const std::size_t i : steps.sizes) set_size(i);
  if (level == arch_level_) count_model();
  for (const std::size_t i : steps.after) set_slot(i);
  if (level != cost_level_) return;
  amount_ = Num(Integer(1));
  for (const FieldId id : cost_) amount_ = amount_ * nums_[slot_of(id)];
}

void LineSweep::plan_steps() {
  steps_.resize(axes_.size() + 1);
  for (const std::size_t i : order_) {
    if (slots_[i].from != SweepSlot::From::expression || !slots_[i].code) continue;
    Steps& steps = steps_[static_cast<std::size_t>(slots_[i].level)];
    (needs_model(i) ? steps.after : steps.before).push_back(i);
  }
  for (std::size_t i = 0; i < kFieldCount; ++i)
    if (is_model_field(i) && slots_[i].from != SweepSlot::From::none)
      steps_[static_cast<std::size_t>(slots_[i].level)].sizes.push_back(i);
  for (const FieldId id : cost_) cost_level_ = std::max(cost_level_, slots_[slot_of(id)].level);
  fields_.fill(-1);
}

bool LineSweep::needs_model(std::size_t i) {
  if (needs_model_[i] < 0) {
    needs_model_[i] = 0;
    for (const std::size_t use : slots_of(*slots_[i].expression, given_parameters_))
      if (use >= kFieldCount || (slots_[use].from == SweepSlot::From::expression && needs_model(use)))
        needs_model_[i] = 1;
  }
  return needs_model_[i] == 1;
}

void LineSweep::set_size(std::size_t i) {
  const Num& size = nums_[i];
  const bool fits = size.exact && Integer(0) <= size.whole && size.whole <= Integer(kLargestSize);
  if (fits || check_size(std::string(kFieldNames[i]), size, slots_[i].place)) fields_[i] = size.whole.to_int64();
}

void LineSweep::count_model() {
  if (failed_ || counter_ == nullptr) return;
  if (counter_->count(fields_, model_, nullptr)) {
    divides_ = model_.flop_per_token.valid();
  } else {
    Diagnostics problems;
    counter_->count(fields_, model_, &problems);
    for (Diagnostic& each : problems) {
      if (each.labels.empty()) each.labels.push_back({place_of_sizes(each.message), {}});
      fail(std::move(each));
    }
    failed_ = true;
    return;
  }
  nums_[kParameters] = Num(model_.parameters);
  nums_[kParameters + 1] = Num(model_.non_embedding);
  nums_[kParameters + 2] = Num(model_.active);
  at_least_ = at_least_ || model_.at_least;
}

Span LineSweep::place_of_sizes(const std::string& message) const {
  Span any;
  for (std::size_t i = 0; i < kFieldCount; ++i)
    if (slots_[i].place && message.find(std::string(kFieldNames[i]) + " ") != std::string::npos) {
      if (slots_[i].from != SweepSlot::From::axis) {
        if (any) continue;
        any = slots_[i].place;
        continue;
      }
      const auto k = static_cast<std::size_t>(slots_[i].level - 1);  // the value that does not fit
      for (std::size_t m = 0; m < axes_[k].slots.size(); ++m)
        if (axes_[k].slots[m] == i && position_[k] < axes_[k].values[m].items.size())
          return axes_[k].values[m].items[position_[k]].place;
      return slots_[i].place;
    }
  if (any) return any;
  return plan_.model_place ? plan_.model_place : line_.place;
}

void LineSweep::walk(std::size_t k) {
  if (failed_) return;
  if (k == axes_.size()) {
    add_run();
    return;
  }
  SweepAxis& axis = axes_[k];
  if (axis.factor) {
    evaluate_level(static_cast<int>(k) + 1);
    walk(k + 1);
    return;
  }
  const std::int64_t size = names_.any_problem() ? std::min(axis.size, kLookedAt) : axis.size;
  for (std::int64_t i = 0; i < size && !failed_; ++i) {
    const auto index = static_cast<std::size_t>(i);
    for (std::size_t m = 0; m < axis.slots.size(); ++m)
      nums_[axis.slots[m]] = axis.table != nullptr ? Num(Integer(axis.table->table[index * axis.slots.size() + m]))
                             : axis.plain[m].empty()
                                 ? Num(axis.values[m].start + axis.values[m].step * Integer(static_cast<long>(i)))
                                 : axis.plain[m][index];
    if (static_cast<std::size_t>(by_axis_) == k && by_axis_ >= 0) group_ = index;
    position_[k] = index;
    evaluate_level(static_cast<int>(k) + 1);
    walk(k + 1);
  }
}

void LineSweep::add_run() {
  Sum& sum = groups_[group_];
  if (!sum.used) {
    sum.used = true;
    if (by_axis_ >= 0) {
      const SweepAxis& axis = axes_[static_cast<std::size_t>(by_axis_)];
      const Num& value = nums_[axis.slots[axis.by_member]];
      sum.order = value.value();
      sum.label = value.exact ? short_count(value.whole) : shortest(value.value());
    }
  }
  if (counter_ != nullptr || has(FieldId::parameters)) {
    const std::size_t given = slot_of(FieldId::parameters);
    const double p = counter_ != nullptr ? model_.parameters.to_double()
                     : uncertain(given)  ? traced_slot(given).value()
                                         : nums_[given].value();
    least_ = least_ < 0 ? p : std::min(least_, p);
    most_ = std::max(most_, p);
  }
  if (traced_) return add_traced(sum);
  Num weight(Integer(1));
  for (std::size_t k = 0; counted_ && k < axes_.size(); ++k)
    if (axes_[k].counted()) weight = weight * Num::of(axes_[k].count(position_[k]));
  sum.runs = sum.runs + weight;
  Num flop = amount_;
  if (!has(FieldId::flop)) {
    if (has(FieldId::flop_per_token))
      flop = amount_ * nums_[slot_of(FieldId::flop_per_token)];
    else if (counter_ == nullptr)
      flop = amount_ * Num(Integer(6)) *
             nums_[slot_of(has(FieldId::active_parameters) ? FieldId::active_parameters : FieldId::parameters)];
    else if (divides_)
      flop = amount_ * Num(model_.flop_per_token);
    else
      flop = amount_ * Num(model_.flop_per_sample) / Num(model_.sequence);
    sum.tokens = sum.tokens + (counted_ ? amount_ * weight : amount_);
  }
  sum.flop = sum.flop + (counted_ ? flop * weight : flop);
}

SweepResult LineSweep::finish() {
  SweepResult result;
  result.least_parameters = least_;
  result.most_parameters = most_;
  Traced factor(1);
  Integer copies(1);
  for (const SweepAxis& axis : axes_)
    if (axis.factor) {
      factor = factor * *axis.factor;
      copies = copies * Integer(static_cast<long>(axis.size));
    }
  for (Sum& sum : groups_) {
    if (!sum.used) continue;
    SweepGroup group;
    group.label = sum.label;
    group.order = sum.order;
    if (traced_) {
      group.runs = trace_.sum(sum.traced_runs) * Traced(copies);
      group.flop = trace_.sum(sum.traced_flop, dim::kFlop) * factor;
      group.tokens = trace_.sum(sum.traced_tokens, example_dim()) * factor;
    } else {
      group.runs = sum.runs.traced() * Traced(copies);
      group.flop = total("FLOP", sum.label, sum.flop, sum.runs, dim::kFlop) * factor;
      group.tokens =
          total(reads_samples() ? "samples" : "tokens", sum.label, sum.tokens, sum.runs, example_dim()) * factor;
    }
    result.has_tokens = !has(FieldId::flop);
    result.of_samples = reads_samples();
    result.groups.push_back(std::move(group));
  }
  return result;
}

Traced LineSweep::total(const char* what, const std::string& group, const Num& value, const Num& runs, Dim dim) {
  Leaf leaf;
  leaf.name = name_ + ": " + what + " of " + count_text(runs.value()) + " runs" +
              (group.empty() ? "" : ", " + by_ + " " + group);
  leaf.distribution = Distribution::point(value.value());
  if (value.exact) leaf.exact = value.whole;
  leaf.dim = dim;
  leaf.floor = at_least_;
  leaf.mark = Mark::derived;
  leaf.source = counter_ != nullptr ? std::string(counter_->source()) + "; counts " + convention_.flop_words
                                    : "6 FLOP per parameter and token";
  leaf.place = line_.place;
  return trace_.leaf(std::move(leaf));
}

}  // namespace floptally
