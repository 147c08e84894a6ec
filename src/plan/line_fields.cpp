// Fields and axes of a line: what is given, what is wrong with it, and what needs what.
#include <algorithm>

#include "base/nearest.h"
#include "plan/hardware_terms.h"
#include "plan/line_sweep.h"
#include "quantity/print.h"

namespace floptally {

void LineSweep::collect_fields() {
  for (const PlanEntry& each : plan_.fields) use_field(each);
  bool tokens_here = false, flop_here = false, steps_here = false;
  const auto seen = [&](const std::string& field) {
    tokens_here = tokens_here || field == "tokens";
    flop_here = flop_here || field == "flop";
    steps_here = steps_here || field == "steps";
  };
  for (const PlanEntry& each : line_.set) {
    if (!field_named(each.name) && hardware_field(each.name)) continue;  // a term of the hardware, not of the runs
    if (!known_field(each.name, each.key, "set")) continue;
    use_field(each);
    seen(each.name);
  }
  for (const PlanEntry& each : line_.over) seen(each.name);
  for (const auto& group : line_.zip)
    for (const PlanEntry& each : group) seen(each.name);
  for (const std::string& column : line_.columns) seen(column);
  // What a line says about the length of its runs takes the place of what the plan says.
  if (steps_here && !tokens_here && !flop_here) slots_[slot_of(FieldId::tokens)] = {};
  if ((steps_here || tokens_here) && !flop_here) slots_[slot_of(FieldId::flop)] = {};
  if (counter_ != nullptr)
    for (std::size_t i = 0; i <= slot_of(FieldId::window); ++i)
      if (slots_[i].from == SweepSlot::From::none && counter_->own(static_cast<FieldId>(i)) > 0) {
        slots_[i].from = SweepSlot::From::model;
        nums_[i] = Num(Integer(static_cast<long>(counter_->own(static_cast<FieldId>(i)))));
      }
}

bool LineSweep::known_field(const std::string& name, const Span& key, const char* where) {
  if (field_named(name)) {
    if (counter_ == nullptr || counter_->sweepable(*field_named(name))) return true;
    return fail(error("unknown-axis", "'" + name + "' of this model cannot be changed", key,
                      "a model read from a file keeps its sizes; a config.json's can be swept"));
  }
  std::vector<std::string_view> known(std::begin(kFieldNames), std::end(kFieldNames));
  const std::string_view near = nearest(name, known);
  std::string help = near.empty() ? "" : "did you mean '" + std::string(near) + "'? ";
  if (std::string_view(where) == "over") help += "what only multiplies the cost stands under 'times'";
  return fail(error("unknown-axis", "'" + name + "' is no field of the model or the run", key, help));
}

void LineSweep::use_field(const PlanEntry& entry) {
  SweepSlot& slot = slots_[slot_of(*field_named(entry.name))];
  slot.from = SweepSlot::From::expression;
  slot.expression = &entry.value;
  slot.place = entry.value.place;
}

void LineSweep::collect_axes() {
  for (const PlanEntry& each : line_.over) {
    if (!known_field(each.name, each.key, "over")) continue;
    SweepAxis axis;
    axis.name = each.name;
    if (add_member(axis, each)) axes_.push_back(std::move(axis));
  }
  for (const auto& group : line_.zip) {
    SweepAxis axis;
    bool ok = !group.empty();
    for (const PlanEntry& each : group) ok = add_zip_member(axis, each) && ok;
    if (ok) axes_.push_back(std::move(axis));
  }
  if (!line_.table.empty() || !line_.table_counts.empty()) table_axis();
  // The model's axes outermost (layers last of them), so that a model is counted once for all its runs.
  std::stable_sort(axes_.begin(), axes_.end(),
                   [](const SweepAxis& a, const SweepAxis& b) { return rank(a) < rank(b); });
  for (std::size_t k = 0; k < axes_.size(); ++k)
    for (std::size_t m = 0; m < axes_[k].slots.size(); ++m) {
      SweepSlot& slot = slots_[axes_[k].slots[m]];
      if (slot.from == SweepSlot::From::axis) {
        fail(error("given-twice", "'" + std::string(kFieldNames[axes_[k].slots[m]]) + "' is an axis twice",
                   axes_[k].values[m].place));
        continue;
      }
      slot.from = SweepSlot::From::axis;
      slot.code = {};
      slot.expression = nullptr;
      slot.level = static_cast<int>(k) + 1;
      slot.place = axes_[k].values[m].place;
      if (!by_.empty() && kFieldNames[axes_[k].slots[m]] == by_) {
        axes_[k].by = true;
        axes_[k].by_member = m;
        by_axis_ = static_cast<int>(k);
      }
    }
}

int LineSweep::rank(const SweepAxis& axis) {
  int best = 2;
  for (const std::size_t slot : axis.slots)
    best = std::min(best, slot == slot_of(FieldId::layers) ? 1 : is_model_field(slot) ? 0 : 2);
  return best;
}

bool LineSweep::values_of(const PlanEntry& entry, PlanValue& value) {
  LetScope scope(names_, name_ + ": " + entry.name, entry.value, false, name_);
  if (!evaluate(entry.value, scope, value)) return failed_ = true, false;
  if (!value.is_list) value.is_list = true;  // one value is an axis of one
  return true;
}

bool LineSweep::add_member(SweepAxis& axis, const PlanEntry& entry) {
  PlanValue value;
  if (!values_of(entry, value)) return false;
  const std::size_t slot = slot_of(*field_named(entry.name));
  const std::int64_t size = value.size().to_int64();
  if (!axis.slots.empty() && size != axis.size)
    return fail(error("lists-differ",
                      "'" + entry.name + "' has " + std::to_string(size) + " values, '" + axis.name + "' " +
                          std::to_string(axis.size),
                      entry.value.place, "axes in 'zip' go together, element by element"));
  if (axis.slots.empty() && axis.counts.empty()) axis.size = size;
  std::vector<Num> plain;
  if (!value.lazy) {
    plain.reserve(value.items.size());
    for (const PlanItem& item : value.items) {
      if (!check_value(entry.name, slot, item)) return false;
      plain.push_back(Num::of(item.number));
    }
  } else if (!check_value(entry.name, slot, value.at(0)) ||
             !check_value(entry.name, slot,
                          PlanItem{Traced(value.start + value.step * (value.count - Integer(1))), {}, value.place})) {
    return false;
  }
  check_units(slot, entry.value);
  if (axis.name.empty()) axis.name = entry.name;
  axis.slots.push_back(slot);
  axis.values.push_back(std::move(value));
  axis.plain.push_back(std::move(plain));
  return true;
}

bool LineSweep::check_value(const std::string& name, std::size_t slot, const PlanItem& item) {
  if (!item.word.empty())
    return fail(error("not-a-number", "'" + name + "' expects numbers, found '" + item.word + "'", item.place));
  const double value = item.number.value();
  if (value < 0) return fail(error("negative-count", "'" + name + "' cannot be " + shortest(value), item.place));
  if (is_model_field(slot)) return check_size(name, Num::of(item.number), item.place);
  return true;
}

bool LineSweep::check_size(const std::string& name, const Num& value, const Span& place) {
  if (!value.exact)
    return fail(
        error("not-whole", "'" + name + "' is " + shortest(value.value()) + ", a whole number was expected", place));
  if (value.whole < Integer(0))
    return fail(error("negative-count", "'" + name + "' cannot be " + value.whole.to_string(), place));
  if (value.whole > Integer(static_cast<long>(kLargestSize)))
    return fail(error("shape-overflow", "'" + name + "' is " + value.whole.to_string() + ", past 2^40", place));
  return true;
}

bool LineSweep::add_zip_member(SweepAxis& axis, const PlanEntry& entry) {
  if (entry.name != "times") return known_field(entry.name, entry.key, "zip") && add_member(axis, entry);
  PlanValue value;
  if (!values_of(entry, value)) return false;
  const std::int64_t size = value.size().to_int64();
  if (size > kLongestList)
    return fail(error("grid-too-large", "'times' has " + std::to_string(size) + " values", entry.value.place));
  if (axis.slots.empty()) axis.size = size;
  if (size != axis.size)
    return fail(
        error("lists-differ",
              "'times' has " + std::to_string(size) + " values, '" + axis.name + "' " + std::to_string(axis.size),
              entry.value.place, "axes in 'zip' go together, element by element"));
  for (std::int64_t i = 0; i < size; ++i) {
    const PlanItem item = value.at(static_cast<std::size_t>(i));
    if (!item.word.empty() || item.number.value() < 0)
      return fail(error("negative-count", "a count was expected", item.place));
    axis.counts.push_back(item.number);
  }
  return true;
}

void LineSweep::table_axis() {
  SweepAxis axis;
  const std::size_t columns = line_.columns.size();
  axis.name = columns > 0 ? line_.columns.front() : "runs";
  axis.size = static_cast<std::int64_t>(columns > 0 ? line_.table.size() / columns : line_.table_counts.size());
  axis.table = &line_;
  if (counter_ != nullptr) counter_->expect_table();
  for (std::size_t c = 0; c < columns; ++c) {
    axis.slots.push_back(slot_of(*field_named(line_.columns[c])));
    PlanValue value;
    value.place = line_.place;
    axis.values.push_back(value);
    axis.plain.emplace_back();
  }
  axes_.push_back(std::move(axis));
}

void LineSweep::compile() {
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    SweepSlot& slot = slots_[i];
    if (slot.from != SweepSlot::From::expression) continue;
    if (slot.expression->root < 0) {
      failed_ = true;
      continue;
    }
    check_units(i, *slot.expression);
    slot.code = FieldCode::compile(*slot.expression, names_, given_parameters_);
    if (!slot.code && is_model_field(i)) {
      Probe probe(*this, i);
      PlanValue value;
      const std::size_t before = probe.problems;
      if (!evaluate(*slot.expression, probe, value) || probe.problems != before) {
        failed_ = true;
      } else if (value.is_list) {
        fail(error("list-needs-axis", "'" + std::string(kFieldNames[i]) + "' is a list here", slot.place,
                   "put it under 'over' in a line"));
      } else {
        fail(error("uncertain-size", "'" + std::string(kFieldNames[i]) + "' must be a certain whole number",
                   slot.place));
      }
    }
  }
}

void LineSweep::check_units(std::size_t slot, const Expression& expression) {
  if (slot == slot_of(FieldId::batch) && names_.speaks_of(dim::kToken, expression)) {
    batch_in_tokens_ = true;
    for (const int item : expression.top().items) {
      const ExprNode& node = expression.nodes[static_cast<std::size_t>(item)];
      if (node.op == ExprOp::amount && node.amount.dim != dim::kToken)
        fail(error("mixed-units", "a batch in tokens stands beside one in sequences", node.place,
                   "write all of them with their unit, such as [2M tokens, 4M tokens]"));
    }
  }
  const bool of_tokens =
      slot == slot_of(FieldId::tokens) || slot == slot_of(FieldId::batch) || slot == slot_of(FieldId::sequence);
  for (const ExprNode& node : expression.nodes) {
    if (node.op != ExprOp::amount) continue;
    const Dim d = node.amount.dim;
    const bool fits = d == Dim{} || (of_tokens && d == dim::kToken) ||
                      (slot == slot_of(FieldId::batch) && d == dim::kSample) ||
                      (slot == slot_of(FieldId::flop) && d == dim::kFlop) || d == dim::kParameter ||
                      (slot == slot_of(FieldId::flop_per_token) && d == dim::kFlopPerToken);
    if (!fits)
      fail(error(
          "wrong-unit",
          "'" + std::string(kFieldNames[slot]) + "' is a plain number, found " + quantity_text(node.amount.best, d),
          node.place));
    if (node.amount.best < 0) refuse_negative(slot, node.amount.best);
  }
}

void LineSweep::refuse_negative(std::size_t slot, double value) {
  fail(error("negative-count", "'" + std::string(kFieldNames[slot]) + "' cannot be " + shortest(value),
             slots_[slot].place));
}

std::string LineSweep::field_name(std::size_t slot) {
  for (const PlanEntry& each : line_.set)
    if (each.name == kFieldNames[slot]) return name_ + ": " + each.name;
  return std::string(kFieldNames[slot]);
}

bool LineSweep::field_value(const ExprNode& name, bool fresh, PlanValue& out) {
  const auto slot = slot_named(name.name, given_parameters_);
  if (!slot) {
    std::vector<std::string_view> known = names_.names();
    known.insert(known.end(), std::begin(kFieldNames), std::end(kFieldNames));
    known.insert(known.end(), std::begin(kModelNames), std::end(kModelNames));
    if (!names_.known(name.name)) {
      names_.report(
          error("unknown-name", "'" + name.name + "' is not defined", name.place, suggestion(name.name, known)));
      return false;
    }
    const PlanValue* value = names_.find(name, fresh, name_);
    if (value == nullptr) return false;
    out = *value;
    return true;
  }
  out.items.push_back({traced_slot(*slot), {}, name.place});
  return true;
}

bool LineSweep::plan_levels() {
  for (std::size_t i = 0; i < kFieldCount; ++i)
    if (!visit(i)) return false;
  arch_level_ = 0;
  for (std::size_t i = 0; i < kFieldCount; ++i)
    if (is_model_field(i)) arch_level_ = std::max(arch_level_, slots_[i].level);
  return true;
}

bool LineSweep::visit(std::size_t index) {
  if (index >= kFieldCount) {  // parameters of the counted model: known once the model is
    int level = 0;
    for (std::size_t i = 0; i < kFieldCount; ++i)
      if (is_model_field(i)) {
        if (slots_[i].visiting)
          return fail(error("circular-field",
                            "'" + std::string(kFieldNames[i]) + "' shapes the model and cannot be found from it",
                            slots_[i].place));
        if (!visit(i)) return false;
        level = std::max(level, slots_[i].level);
      }
    return true;
  }
  SweepSlot& slot = slots_[index];
  if (slot.placed) return true;
  if (slot.visiting)
    return fail(error("circular-field", "'" + std::string(kFieldNames[index]) + "' is found from itself", slot.place));
  slot.visiting = true;
  if (slot.from == SweepSlot::From::expression) {
    for (const std::size_t need : slots_of(*slot.expression, given_parameters_)) {
      if (!visit(need)) return slot.visiting = false, false;
      if (need >= kFieldCount) {
        for (std::size_t i = 0; i < kFieldCount; ++i)
          if (is_model_field(i)) slot.level = std::max(slot.level, slots_[i].level);
      } else {
        if (slots_[need].from == SweepSlot::From::none) {
          // heads and the like may be left out of the plan; nothing can be computed from them then
          slot.visiting = false;
          return fail(error("missing-key",
                            "'" + std::string(kFieldNames[index]) + "' needs '" + std::string(kFieldNames[need]) +
                                "', which is not given",
                            slot.place));
        }
        slot.level = std::max(slot.level, slots_[need].level);
        if (!slots_[need].code && slots_[need].from == SweepSlot::From::expression) slot.code = {};
      }
    }
  }
  slot.visiting = false;
  slot.placed = true;
  order_.push_back(index);
  return true;
}

}  // namespace floptally
