#include "plan/sweep.h"

#include <algorithm>

#include "base/nearest.h"
#include "plan/field_code.h"
#include "plan/hardware_terms.h"
#include "quantity/print.h"

namespace floptally {
namespace {

constexpr std::int64_t kMostRuns = 20'000'000;      // distinct runs counted one by one
constexpr std::int64_t kMostTraced = 50'000;        // of runs whose size is uncertain
constexpr std::int64_t kMostCostly = 20'000;        // of runs whose model is built from a file
constexpr std::int64_t kExplained = 64;             // so many distinct runs are explained each by itself
constexpr std::int64_t kLargestSize = std::int64_t{1} << 40;

constexpr std::size_t at(FieldId id) { return static_cast<std::size_t>(id); }
constexpr bool is_model_field(std::size_t slot) { return slot <= at(FieldId::window) || slot == at(FieldId::sequence); }
constexpr std::size_t kParameters = kFieldCount;  // the model's, counted

// Which of a model's fields an axis sets, and its values.
struct Axis {
  std::string name;
  std::vector<std::size_t> slots;
  std::vector<PlanValue> values;         // one list per slot
  std::vector<std::vector<Num>> plain;   // the same as plain numbers, where they are not a long range
  std::vector<Traced> counts;            // zip's "times"; empty: 1 each
  const std::vector<std::int64_t>* table = nullptr;  // a table of runs, row by row, instead of `plain`
  std::int64_t size = 0;
  bool by = false;
  std::size_t by_member = 0;
  std::optional<Traced> factor;  // the axis was summed in closed form
};

struct Slot {
  enum class From { none, axis, expression, model } from = From::none;
  const Expression* expression = nullptr;
  FieldCode code;  // empty: traced
  int level = 0;                  // 0: the same for all runs; k: changes with axis k
  bool visiting = false, placed = false;
  Span place;
};

class LineSweep {
 public:
  LineSweep(const Plan& plan, const PlanLine& line, const std::string& name, const std::string& by, ModelCounter* counter,
            const PlanConvention& convention, LetNames& names, SweepCache& cache)
      : plan_(plan), line_(line), name_(name), by_(by), counter_(counter), convention_(convention), names_(names), cache_(cache),
        trace_(names.trace()) {
    given_parameters_ = counter == nullptr;
  }

  std::optional<SweepResult> run() {
    collect_fields();
    collect_axes();
    if (failed_) return std::nullopt;
    compile();
    if (failed_ || !plan_levels() || !choose_mode()) return std::nullopt;
    groups_.resize(static_cast<std::size_t>(by_axis_ >= 0 ? axes_[static_cast<std::size_t>(by_axis_)].size : 1));
    plan_steps();
    evaluate_level(0);
    if (!failed_) walk(0);
    if (failed_) return std::nullopt;
    return finish();
  }

 private:
  bool fail(Diagnostic problem) {
    names_.report(std::move(problem));
    failed_ = true;
    return false;
  }

  // Fields of the plan, then those that the line sets.
  void collect_fields() {
    for (const PlanEntry& each : plan_.fields) use_field(each);
    bool tokens_here = false, steps_here = false;
    const auto seen = [&](const std::string& field) {
      tokens_here = tokens_here || field == "tokens" || field == "flop";
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
    if (steps_here && !tokens_here) slots_[at(FieldId::tokens)] = slots_[at(FieldId::flop)] = {};
    if (counter_ != nullptr)
      for (std::size_t i = 0; i <= at(FieldId::window); ++i)
        if (slots_[i].from == Slot::From::none && counter_->own(static_cast<FieldId>(i)) > 0) {
          slots_[i].from = Slot::From::model;
          nums_[i] = Num(Integer(static_cast<long>(counter_->own(static_cast<FieldId>(i)))));
        }
  }

  bool known_field(const std::string& name, const Span& key, const char* where) {
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

  void use_field(const PlanEntry& entry) {
    Slot& slot = slots_[at(*field_named(entry.name))];
    slot.from = Slot::From::expression;
    slot.expression = &entry.value;
    slot.place = entry.value.place;
  }

  void collect_axes() {
    for (const PlanEntry& each : line_.over) {
      if (!known_field(each.name, each.key, "over")) continue;
      Axis axis;
      axis.name = each.name;
      if (add_member(axis, each)) axes_.push_back(std::move(axis));
    }
    for (const auto& group : line_.zip) {
      Axis axis;
      bool ok = !group.empty();
      for (const PlanEntry& each : group) ok = add_zip_member(axis, each) && ok;
      if (ok) axes_.push_back(std::move(axis));
    }
    if (!line_.columns.empty()) table_axis();
    // The model's axes outermost (layers last of them), so that a model is counted once for all its runs.
    std::stable_sort(axes_.begin(), axes_.end(), [](const Axis& a, const Axis& b) { return rank(a) < rank(b); });
    for (std::size_t k = 0; k < axes_.size(); ++k)
      for (std::size_t m = 0; m < axes_[k].slots.size(); ++m) {
        Slot& slot = slots_[axes_[k].slots[m]];
        if (slot.from == Slot::From::axis) {
          fail(error("given-twice", "'" + std::string(kFieldNames[axes_[k].slots[m]]) + "' is an axis twice", axes_[k].values[m].place));
          continue;
        }
        slot.from = Slot::From::axis;
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

  static int rank(const Axis& axis) {
    int best = 2;
    for (const std::size_t slot : axis.slots) best = std::min(best, slot == at(FieldId::layers) ? 1 : is_model_field(slot) ? 0 : 2);
    return best;
  }

  bool values_of(const PlanEntry& entry, PlanValue& value) {
    LetScope scope(names_, name_ + ": " + entry.name, entry.value, false, name_);
    if (!evaluate(entry.value, scope, value)) return failed_ = true, false;
    if (!value.is_list) value.is_list = true;  // one value is an axis of one
    return true;
  }

  bool add_member(Axis& axis, const PlanEntry& entry) {
    PlanValue value;
    if (!values_of(entry, value)) return false;
    const std::size_t slot = at(*field_named(entry.name));
    const std::int64_t size = value.size().to_int64();
    if (!axis.slots.empty() && size != axis.size)
      return fail(error("lists-differ", "'" + entry.name + "' has " + std::to_string(size) + " values, '" + axis.name + "' " + std::to_string(axis.size),
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
               !check_value(entry.name, slot, PlanItem{Traced(value.start + value.step * (value.count - Integer(1))), {}, value.place})) {
      return false;
    }
    if (axis.name.empty()) axis.name = entry.name;
    axis.slots.push_back(slot);
    axis.values.push_back(std::move(value));
    axis.plain.push_back(std::move(plain));
    return true;
  }

  bool check_value(const std::string& name, std::size_t slot, const PlanItem& item) {
    if (!item.word.empty()) return fail(error("not-a-number", "'" + name + "' expects numbers, found '" + item.word + "'", item.place));
    const double value = item.number.value();
    if (value < 0) return fail(error("negative-count", "'" + name + "' cannot be " + shortest(value), item.place));
    if (is_model_field(slot)) return check_size(name, Num::of(item.number), item.place);
    return true;
  }

  bool check_size(const std::string& name, const Num& value, const Span& place) {
    if (!value.exact) return fail(error("not-whole", "'" + name + "' is " + shortest(value.value()) + ", a whole number was expected", place));
    if (value.whole < Integer(0)) return fail(error("negative-count", "'" + name + "' cannot be " + value.whole.to_string(), place));
    if (value.whole > Integer(static_cast<long>(kLargestSize)))
      return fail(error("shape-overflow", "'" + name + "' is " + value.whole.to_string() + ", past 2^40", place));
    return true;
  }

  bool add_zip_member(Axis& axis, const PlanEntry& entry) {
    if (entry.name != "times") return known_field(entry.name, entry.key, "zip") && add_member(axis, entry);
    PlanValue value;
    if (!values_of(entry, value)) return false;
    const std::int64_t size = value.size().to_int64();
    if (size > kLongestList) return fail(error("grid-too-large", "'times' has " + std::to_string(size) + " values", entry.value.place));
    if (axis.slots.empty()) axis.size = size;
    if (size != axis.size)
      return fail(error("lists-differ", "'times' has " + std::to_string(size) + " values, '" + axis.name + "' " + std::to_string(axis.size),
                        entry.value.place, "axes in 'zip' go together, element by element"));
    for (std::int64_t i = 0; i < size; ++i) {
      const PlanItem item = value.at(static_cast<std::size_t>(i));
      if (!item.word.empty() || item.number.value() < 0) return fail(error("negative-count", "a count was expected", item.place));
      axis.counts.push_back(item.number);
    }
    return true;
  }

  // A CSV of runs is one long zip.
  void table_axis() {
    Axis axis;
    axis.name = line_.columns.front();
    const std::size_t columns = line_.columns.size();
    const std::size_t rows = line_.table.size() / columns;
    axis.size = static_cast<std::int64_t>(rows);
    axis.table = &line_.table;
    if (counter_ != nullptr) counter_->expect_table();
    for (std::size_t c = 0; c < columns; ++c) {
      axis.slots.push_back(at(*field_named(line_.columns[c])));
      PlanValue value;
      value.place = line_.place;
      axis.values.push_back(value);
      axis.plain.emplace_back();
    }
    for (const std::int64_t count : line_.table_counts) axis.counts.emplace_back(Integer(count));
    axes_.push_back(std::move(axis));
  }

  void compile() {
    for (std::size_t i = 0; i < kFieldCount; ++i) {
      Slot& slot = slots_[i];
      if (slot.from != Slot::From::expression) continue;
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
          fail(error("list-needs-axis", "'" + std::string(kFieldNames[i]) + "' is a list here", slot.place, "put it under 'over' in a line"));
        } else {
          fail(error("uncertain-size", "'" + std::string(kFieldNames[i]) + "' must be a certain whole number", slot.place));
        }
      }
    }
  }

  // A field takes numbers without a unit, or with its own.
  void check_units(std::size_t slot, const Expression& expression) {
    const bool of_tokens = slot == at(FieldId::tokens) || slot == at(FieldId::batch) || slot == at(FieldId::sequence);
    for (const ExprNode& node : expression.nodes) {
      if (node.op != ExprOp::amount) continue;
      const Dim d = node.amount.dim;
      const bool fits = d == Dim{} || (of_tokens && d == dim::kToken) || (slot == at(FieldId::batch) && d == dim::kSample) ||
                        (slot == at(FieldId::flop) && d == dim::kFlop) || d == dim::kParameter ||
                        (slot == at(FieldId::flop_per_token) && d == dim::kFlopPerToken);
      if (!fits)
        fail(error("wrong-unit", "'" + std::string(kFieldNames[slot]) + "' is a plain number, found " + quantity_text(node.amount.best, d), node.place));
      if (slot == at(FieldId::batch) && d == dim::kToken) batch_in_tokens_ = true;
      if (node.amount.best < 0) fail(error("negative-count", "'" + std::string(kFieldNames[slot]) + "' cannot be negative", node.place));
    }
  }

  // A scope that only finds out what is wrong with an expression.
  struct Probe : LetScope {
    Probe(LineSweep& s, std::size_t index)
        : LetScope(s.names_, s.field_name(index), *s.slots_[index].expression, false, s.name_), sweep(s) {}
    bool lookup(const ExprNode& name, bool fresh, PlanValue& out) override { return sweep.field_value(name, fresh, out); }
    [[nodiscard]] bool known(std::string_view name) const override {
      return slot_named(name, sweep.given_parameters_).has_value() || names_.known(name);
    }
    void report(Diagnostic problem) override {
      ++problems;
      names_.report(std::move(problem));
    }
    LineSweep& sweep;
    std::size_t problems = 0;
  };

  // Inputs of a field are the plan's where the line does not set it.
  std::string field_name(std::size_t slot) {
    for (const PlanEntry& each : line_.set)
      if (each.name == kFieldNames[slot]) return name_ + ": " + each.name;
    return std::string(kFieldNames[slot]);
  }

  bool field_value(const ExprNode& name, bool fresh, PlanValue& out) {
    const auto slot = slot_named(name.name, given_parameters_);
    if (!slot) {
      std::vector<std::string_view> known = names_.names();
      known.insert(known.end(), std::begin(kFieldNames), std::end(kFieldNames));
      known.insert(known.end(), std::begin(kModelNames), std::end(kModelNames));
      if (!names_.known(name.name)) {
        names_.report(error("unknown-name", "'" + name.name + "' is not defined", name.place, suggestion(name.name, known)));
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

  // Levels by dependence; refuses fields that need each other.
  bool plan_levels() {
    for (std::size_t i = 0; i < kFieldCount; ++i)
      if (!visit(i)) return false;
    arch_level_ = 0;
    for (std::size_t i = 0; i < kFieldCount; ++i)
      if (is_model_field(i)) arch_level_ = std::max(arch_level_, slots_[i].level);
    return true;
  }

  bool visit(std::size_t index) {
    if (index >= kFieldCount) {  // parameters of the counted model: known once the model is
      int level = 0;
      for (std::size_t i = 0; i < kFieldCount; ++i)
        if (is_model_field(i)) {
          if (slots_[i].visiting)
            return fail(error("circular-field", "'" + std::string(kFieldNames[i]) + "' shapes the model and cannot be found from it", slots_[i].place));
          if (!visit(i)) return false;
          level = std::max(level, slots_[i].level);
        }
      return true;
    }
    Slot& slot = slots_[index];
    if (slot.placed) return true;
    if (slot.visiting)
      return fail(error("circular-field", "'" + std::string(kFieldNames[index]) + "' is found from itself", slot.place));
    slot.visiting = true;
    if (slot.from == Slot::From::expression) {
      for (const std::size_t need : slots_of(*slot.expression, given_parameters_)) {
        if (!visit(need)) return slot.visiting = false, false;
        if (need >= kFieldCount) {
          for (std::size_t i = 0; i < kFieldCount; ++i)
            if (is_model_field(i)) slot.level = std::max(slot.level, slots_[i].level);
        } else {
          if (slots_[need].from == Slot::From::none) {
            // heads and the like may be left out of the plan; nothing can be computed from them then
            slot.visiting = false;
            return fail(error("missing-key", "'" + std::string(kFieldNames[index]) + "' needs '" + std::string(kFieldNames[need]) + "', which is not given",
                              slot.place));
          }
          slot.level = std::max(slot.level, slots_[need].level);
          if (!slots_[need].code && slots_[need].from == Slot::From::expression) slot.code = {};
        }
      }
    }
    slot.visiting = false;
    slot.placed = true;
    order_.push_back(index);
    return true;
  }

  [[nodiscard]] bool has(FieldId id) const { return slots_[at(id)].from != Slot::From::none; }
  [[nodiscard]] bool uncertain(std::size_t slot) const {
    return slots_[slot].from == Slot::From::expression && !slots_[slot].code;
  }

  // Which slots make the cost, what can be summed in closed form, and whether runs are traced one by one.
  bool choose_mode() {
    if (has(FieldId::flop)) cost_ = {FieldId::flop};
    else if (has(FieldId::tokens)) cost_ = {FieldId::tokens};
    else if (batch_in_tokens_) cost_ = {FieldId::steps, FieldId::batch};
    else cost_ = {FieldId::steps, FieldId::batch, FieldId::sequence};
    if (!has(FieldId::flop) && counter_ == nullptr && !has(FieldId::parameters) && !has(FieldId::flop_per_token))
      return fail(error("missing-key", "no model: the FLOP of a run cannot be counted", plan_.model_place ? plan_.model_place : line_.place,
                        "model: {kind: decoder, layers: 8, width: ...}, model: {from: config.json}, model: {parameters: 7B}, or train: {flop: ...}"));
    for (const FieldId id : cost_)
      if (!has(id)) {
        const std::string name(kFieldNames[at(id)]);
        return fail(error("missing-key", "'" + name + "' of the run is not given", line_.place, "train: {" + name + ": ...}, or give 'tokens'"));
      }
    bool traced = false;
    for (std::size_t i = 0; i < kFieldCount; ++i) traced = traced || uncertain(i);
    Integer runs(1);
    for (Axis& axis : axes_) {
      runs = runs * Integer(static_cast<long>(axis.size));
      counted_ = counted_ || !axis.counts.empty();
      for (const Traced& count : axis.counts) traced = traced || count.trace() != nullptr;
      for (const PlanValue& value : axis.values)
        for (const PlanItem& item : value.items) traced = traced || (item.number.trace() != nullptr && !certain(item.number));
    }
    explained_ = runs.valid() && runs <= Integer(static_cast<long>(kExplained));
    if (!explained_) sum_in_closed_form();
    Integer left(1);
    for (const Axis& axis : axes_)
      if (!axis.factor) left = left * Integer(static_cast<long>(axis.size));
    traced_ = explained_ || traced;
    const std::int64_t most = traced_ ? kMostTraced : kMostRuns;
    if (!left.valid() || left > Integer(static_cast<long>(most)))
      return fail(error("grid-too-large",
                        "this line has " + (left.valid() ? grouped(left.to_string()) : "more than 10^38") + " distinct runs" +
                            (traced_ ? " of uncertain size" : "") + "; at most " + grouped(std::to_string(most)) + " are counted one by one",
                        line_.place, "axes that do not change the model or the tokens stand under 'times', which multiplies"));
    if (counter_ != nullptr && !counter_->cheap() && left > Integer(static_cast<long>(kMostCostly)))
      return fail(error("grid-too-large", "this line has " + grouped(left.to_string()) + " distinct models from a file; at most " +
                                              grouped(std::to_string(kMostCostly)) + " are built", line_.place));
    return true;
  }

  static bool certain(const Traced& t) {
    if (t.trace() == nullptr) return true;
    const TraceNode& node = t.trace()->node(t.id());
    return !node.uncertain && !node.at_least && !node.unknown;
  }

  // Steps, batch and tokens multiply: an axis of one of them that nothing else needs is its own sum.
  void sum_in_closed_form() {
    for (std::size_t k = 0; k < axes_.size(); ++k) {
      Axis& axis = axes_[k];
      if (axis.slots.size() != 1 || !axis.counts.empty() || axis.by) continue;
      const auto id = static_cast<FieldId>(axis.slots[0]);
      const bool multiplies = std::find(cost_.begin(), cost_.end(), id) != cost_.end() && id != FieldId::sequence;
      bool needed = false;
      for (const Slot& slot : slots_)
        if (slot.from == Slot::From::expression)
          for (const std::size_t use : slots_of(*slot.expression, given_parameters_)) needed = needed || use == axis.slots[0];
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

  void evaluate_level(int level) {
    const Steps& steps = steps_[static_cast<std::size_t>(level)];
    for (const std::size_t i : steps.before) set_slot(i);
    if (level == arch_level_) count_model();
    for (const std::size_t i : steps.after) set_slot(i);
  }

  // What is to be computed when the axis of a level moves on: what shapes the model, then what follows from it.
  void plan_steps() {
    steps_.resize(axes_.size() + 1);
    for (const std::size_t i : order_) {
      if (slots_[i].from != Slot::From::expression || !slots_[i].code) continue;
      Steps& steps = steps_[static_cast<std::size_t>(slots_[i].level)];
      (needs_model(i) ? steps.after : steps.before).push_back(i);
    }
    for (std::size_t i = 0; i < kFieldCount; ++i)
      if (is_model_field(i) && slots_[i].from != Slot::From::none) shaping_.push_back(i);
    fields_.fill(-1);
  }

  void set_slot(std::size_t i) { nums_[i] = slots_[i].code.run(nums_); }

  bool needs_model(std::size_t i) {
    if (needs_model_[i] < 0) {
      needs_model_[i] = 0;
      for (const std::size_t use : slots_of(*slots_[i].expression, given_parameters_))
        if (use >= kFieldCount || (slots_[use].from == Slot::From::expression && needs_model(use))) needs_model_[i] = 1;
    }
    return needs_model_[i] == 1;
  }

  void count_model() {
    if (failed_) return;
    for (const std::size_t i : shaping_) {
      const Num& size = nums_[i];
      const bool fits = size.exact && size.whole.fits_int64() && size.whole.to_int64() >= 0 && size.whole.to_int64() <= kLargestSize;
      if (!fits && !check_size(std::string(kFieldNames[i]), size, slots_[i].place)) return;
      fields_[i] = size.whole.to_int64();
    }
    if (counter_ == nullptr) return;
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

  // Where the size stands that a problem is about: the axis it names, else the first field, else the model.
  [[nodiscard]] Span place_of_sizes(const std::string& message) const {
    Span any;
    for (std::size_t i = 0; i < kFieldCount; ++i)
      if (slots_[i].place && message.find(std::string(kFieldNames[i]) + " ") != std::string::npos) {
        if (slots_[i].from != Slot::From::axis) {
          if (any) continue;
          any = slots_[i].place;
          continue;
        }
        const auto k = static_cast<std::size_t>(slots_[i].level - 1);  // the value that does not fit
        for (std::size_t m = 0; m < axes_[k].slots.size(); ++m)
          if (axes_[k].slots[m] == i && position_[k] < axes_[k].values[m].items.size()) return axes_[k].values[m].items[position_[k]].place;
        return slots_[i].place;
      }
    if (any) return any;
    return plan_.model_place ? plan_.model_place : line_.place;
  }

  void walk(std::size_t k) {
    if (failed_) return;
    if (k == axes_.size()) {
      add_run();
      return;
    }
    Axis& axis = axes_[k];
    if (axis.factor) {
      evaluate_level(static_cast<int>(k) + 1);
      walk(k + 1);
      return;
    }
    for (std::int64_t i = 0; i < axis.size && !failed_; ++i) {
      const auto index = static_cast<std::size_t>(i);
      for (std::size_t m = 0; m < axis.slots.size(); ++m)
        nums_[axis.slots[m]] = axis.table != nullptr ? Num(Integer((*axis.table)[index * axis.slots.size() + m]))
                               : axis.plain[m].empty() ? Num(axis.values[m].start + axis.values[m].step * Integer(static_cast<long>(i)))
                                                     : axis.plain[m][index];
      if (static_cast<std::size_t>(by_axis_) == k && by_axis_ >= 0) group_ = index;
      position_[k] = index;
      evaluate_level(static_cast<int>(k) + 1);
      walk(k + 1);
    }
  }

  // Exact sums of the plain runs.
  struct Sum {
    Num runs{Integer(0)}, flop{Integer(0)}, tokens{Integer(0)};
    std::vector<Traced> traced_runs, traced_flop, traced_tokens;
    std::string label;
    double order = 0;
    bool used = false;
  };

  void add_run() {
    Sum& sum = groups_[group_];
    if (!sum.used) {
      sum.used = true;
      if (by_axis_ >= 0) {
        const Axis& axis = axes_[static_cast<std::size_t>(by_axis_)];
        const Num& value = nums_[axis.slots[axis.by_member]];
        sum.order = value.value();
        sum.label = value.exact ? value.whole.to_string() : shortest(value.value());
      }
    }
    if (counter_ != nullptr || has(FieldId::parameters)) {
      const double p = counter_ != nullptr ? model_.parameters.to_double() : nums_[at(FieldId::parameters)].value();
      least_ = least_ < 0 ? p : std::min(least_, p);
      most_ = std::max(most_, p);
    }
    if (traced_) return add_traced(sum);
    Num weight(Integer(1));
    for (std::size_t k = 0; counted_ && k < axes_.size(); ++k)
      if (!axes_[k].counts.empty()) weight = weight * Num::of(axes_[k].counts[position_[k]]);
    sum.runs = sum.runs + weight;
    Num flop = Num(Integer(1));
    if (has(FieldId::flop)) {
      flop = nums_[at(FieldId::flop)];
    } else {
      Num tokens(Integer(1));
      for (const FieldId id : cost_) tokens = tokens * nums_[at(id)];
      if (has(FieldId::flop_per_token)) flop = tokens * nums_[at(FieldId::flop_per_token)];
      else if (counter_ == nullptr) flop = tokens * Num(Integer(6)) * nums_[at(has(FieldId::active_parameters) ? FieldId::active_parameters : FieldId::parameters)];
      else if (divides_) flop = tokens * Num(model_.flop_per_token);
      else flop = tokens * Num(model_.flop_per_sample) / Num(model_.sequence);
      sum.tokens = sum.tokens + (counted_ ? tokens * weight : tokens);
    }
    sum.flop = sum.flop + (counted_ ? flop * weight : flop);
  }

  // One run as a product of named steps.
  void add_traced(Sum& sum) {
    Traced weight(1);
    for (std::size_t k = 0; k < axes_.size(); ++k)
      if (!axes_[k].counts.empty()) weight = weight * axes_[k].counts[position_[k]];
    sum.traced_runs.push_back(weight);
    const std::string run = run_label();
    if (has(FieldId::flop)) {
      sum.traced_flop.push_back(weight * trace_.as(traced_slot(at(FieldId::flop)), dim::kFlop));
      return;
    }
    Traced tokens(1);
    for (const FieldId id : cost_) tokens = tokens * traced_slot(at(id));
    if (failed_) return;
    tokens = trace_.as(tokens, dim::kToken);
    sum.traced_tokens.push_back(weight * tokens);
    Traced flop;
    if (counter_ == nullptr && !has(FieldId::flop_per_token)) {
      const Traced n = traced_slot(at(has(FieldId::active_parameters) ? FieldId::active_parameters : FieldId::parameters));
      flop = tokens * named("FLOP per token" + model_label(), trace_.as(Traced(6) * n, dim::kFlopPerToken),
                            "6 FLOP per parameter and token: 2 forward, 4 backward (Kaplan et al. 2020, arXiv:2001.08361, 2.1)");
    } else {
      flop = tokens * flop_per_token();
    }
    sum.traced_flop.push_back(weight * named("FLOP of one run" + run, flop, {}));
  }

  // The same step under the same name is one step, whichever line it stands in.
  Traced named(const std::string& name, const Traced& value, const std::string& source) {
    const std::string key = name + "@" + std::to_string(value.in(trace_));
    const auto found = cache_.steps.find(key);
    if (found != cache_.steps.end()) return found->second;
    const Traced result = trace_.name(name, value, source);
    cache_.steps.emplace(key, result);
    return result;
  }

  Traced flop_per_token() {
    if (has(FieldId::flop_per_token)) return trace_.as(traced_slot(at(FieldId::flop_per_token)), dim::kFlopPerToken);
    const std::string name = "FLOP per token" + model_label();
    std::string key = name + "#";
    for (const std::int64_t f : fields_) key += std::to_string(f) + ",";
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
        parts.push_back(counted(std::string(part.component) + " FLOP per token" + model_label(), part.flop_per_sample / model_.sequence));
      }
    }
    Traced result;
    const std::string source = std::string(counter_->source()) + "; counts " + convention_.flop_words;
    if (!parts.empty()) result = trace_.name(name, trace_.sum(parts), source);
    else if (model_.flop_per_sample % model_.sequence == Integer(0)) result = counted(name, model_.flop_per_sample / model_.sequence);
    else result = trace_.name(name, counted("FLOP per sequence" + model_label(), model_.flop_per_sample) / trace_.constant(model_.sequence), source);
    cache_.steps.emplace(key, result);
    return result;
  }

  Traced counted(const std::string& name, Integer value) {
    Leaf leaf;
    leaf.name = name;
    leaf.distribution = Distribution::point(value.to_double());
    leaf.exact = value;
    leaf.dim = dim::kFlopPerToken;
    leaf.floor = model_.at_least;
    leaf.mark = Mark::derived;
    leaf.source = std::string(counter_->source()) + "; counts " + convention_.flop_words;
    return unique_leaf(std::move(leaf));
  }

  // Two models may share a label ("width 1024" of two plans' lines with other depths): then the second gets its sizes.
  Traced unique_leaf(Leaf leaf) {
    const std::string key = leaf.name + "=" + leaf.exact->to_string();
    const auto found = cache_.steps.find(key);
    if (found != cache_.steps.end()) return found->second;
    int& uses = cache_.uses[leaf.name];
    if (uses++ > 0) leaf.name += " (" + std::to_string(uses) + ")";
    const Traced result = trace_.leaf(std::move(leaf));
    cache_.steps.emplace(key, result);
    return result;
  }

  // ", width 1024, layers 8": the values that differ within the line; model_label() those that shape the model.
  std::string label(bool model_only) {
    std::string out;
    for (const Axis& axis : axes_)
      for (const std::size_t slot : axis.slots)
        if (!axis.factor && (!model_only || is_model_field(slot) || slot == at(FieldId::parameters) || slot == at(FieldId::active_parameters)))
          out += ", " + std::string(kFieldNames[slot]) + " " + (nums_[slot].exact ? nums_[slot].whole.to_string() : shortest(nums_[slot].value()));
    return out;
  }
  std::string run_label() { return label(false); }
  std::string model_label() { return label(true); }

  // The value of a slot in this run, as a traced number.
  Traced traced_slot(std::size_t slot) {
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
    const Slot& s = slots_[slot];
    if (s.from == Slot::From::axis) {
      const Axis& axis = axes_[static_cast<std::size_t>(s.level - 1)];
      if (axis.factor) return Traced(1);
      for (std::size_t m = 0; m < axis.slots.size(); ++m)
        if (axis.slots[m] == slot && !axis.values[m].items.empty()) return axis.values[m].items[position_[static_cast<std::size_t>(s.level - 1)]].number;
      return nums_[slot].traced();
    }
    if (s.from != Slot::From::expression) return nums_[slot].traced();
    if (explained_ && s.expression->is_amount()) {
      Amount amount = s.expression->top().amount;
      ExprNode node = s.expression->top();
      node.amount.dim = {};
      return input_of(trace_, node, field_name(slot), true);
    }
    if (s.code && !explained_) return nums_[slot].traced();
    Probe scope(*this, slot);
    PlanValue value;
    if (!evaluate(*s.expression, scope, value) || value.is_list || value.items.size() != 1 || !value.items[0].word.empty()) {
      if (scope.problems == 0 && value.is_list)
        names_.report(error("list-needs-axis", "'" + std::string(kFieldNames[slot]) + "' is a list here", s.place, "put it under 'over' in a line"));
      failed_ = true;
      return Traced(0);
    }
    const Traced& number = value.items[0].number;
    if (number.dim() == Dim{}) return number;
    return trace_.as(number, Dim{});
  }

  SweepResult finish() {
    SweepResult result;
    result.least_parameters = least_;
    result.most_parameters = most_;
    Traced factor(1);
    Integer copies(1);
    for (const Axis& axis : axes_)
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
        group.tokens = trace_.sum(sum.traced_tokens, dim::kToken) * factor;
      } else {
        group.runs = sum.runs.traced() * Traced(copies);
        group.flop = total("FLOP", sum.label, sum.flop, sum.runs, dim::kFlop) * factor;
        group.tokens = total("tokens", sum.label, sum.tokens, sum.runs, dim::kToken) * factor;
      }
      result.has_tokens = !has(FieldId::flop);
      result.groups.push_back(std::move(group));
    }
    return result;
  }

  Traced total(const char* what, const std::string& group, const Num& value, const Num& runs, Dim dim) {
    Leaf leaf;
    leaf.name = name_ + ": " + what + " of " + count_text(runs.value()) + " runs" + (group.empty() ? "" : ", " + by_ + " " + group);
    leaf.distribution = Distribution::point(value.value());
    if (value.exact) leaf.exact = value.whole;
    leaf.dim = dim;
    leaf.floor = at_least_;
    leaf.mark = Mark::derived;
    leaf.source = counter_ != nullptr ? std::string(counter_->source()) + "; counts " + convention_.flop_words : "6 FLOP per parameter and token";
    leaf.place = line_.place;
    return trace_.leaf(std::move(leaf));
  }

  const Plan& plan_;
  const PlanLine& line_;
  const std::string& name_;
  const std::string& by_;
  ModelCounter* counter_;
  const PlanConvention& convention_;
  LetNames& names_;
  SweepCache& cache_;
  Trace& trace_;
  bool given_parameters_ = false, failed_ = false, traced_ = false, explained_ = false, batch_in_tokens_ = false, at_least_ = false;
  std::array<Slot, kFieldCount> slots_{};
  std::array<Num, kSlotCount> nums_{};
  std::array<int, kFieldCount> needs_model_ = [] {
    std::array<int, kFieldCount> a{};
    a.fill(-1);
    return a;
  }();
  std::vector<Axis> axes_;
  std::vector<std::size_t> order_;
  std::vector<FieldId> cost_;
  std::array<std::size_t, 64> position_{};
  struct Steps {
    std::vector<std::size_t> before, after;
  };
  std::vector<Steps> steps_;
  std::vector<std::size_t> shaping_;
  FieldValues fields_{};
  ModelCount model_;
  bool divides_ = false, counted_ = false;
  int arch_level_ = 0, by_axis_ = -1;
  std::size_t group_ = 0;
  std::vector<Sum> groups_;
  double least_ = -1, most_ = 0;
};

}  // namespace

std::optional<SweepResult> sweep_line(const Plan& plan, const PlanLine& line, const std::string& line_name, const std::string& by,
                                      ModelCounter* counter, const PlanConvention& convention, LetNames& names, SweepCache& cache) {
  if (line.over.size() + line.zip.size() > 32) {
    names.report(error("grid-too-large", "a line has at most 32 axes", line.place));
    return std::nullopt;
  }
  return LineSweep(plan, line, line_name, by, counter, convention, names, cache).run();
}

}  // namespace floptally
