// LineSweep: the work behind sweep_line() (plan/sweep.h). Fields and axes are collected and ordered by what needs what
// (line_fields.cpp), runs are walked and summed as plain numbers (line_runs.cpp) or as named steps (line_traced.cpp).
//
// Always holds: a slot is one field of the model or the run (or a count of the finished model); its level says with
// which axis it changes, so that nothing is computed more often than it changes.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "plan/field_code.h"
#include "plan/sweep.h"

namespace floptally {

inline constexpr std::int64_t kLookedAt = 16;          // values of an axis, where there is a mistake already
inline constexpr std::int64_t kMostRuns = 20'000'000;  // distinct runs counted one by one
inline constexpr std::int64_t kMostTraced = 50'000;    // of runs whose size is uncertain
inline constexpr std::int64_t kMostCostly = 20'000;    // of runs whose model is built from a file
inline constexpr std::int64_t kExplained = 64;         // so many distinct runs are explained each by itself
inline constexpr std::int64_t kLargestSize = std::int64_t{1} << 40;

constexpr std::size_t slot_of(FieldId id) { return static_cast<std::size_t>(id); }
constexpr bool is_model_field(std::size_t slot) {
  return slot <= slot_of(FieldId::window) || slot == slot_of(FieldId::sequence);
}
inline constexpr std::size_t kParameters = kFieldCount;  // the model's, counted

// Which of a model's fields an axis sets, and its values.
struct SweepAxis {
  std::string name;
  std::vector<std::size_t> slots;
  std::vector<PlanValue> values;        // one list per slot
  std::vector<std::vector<Num>> plain;  // the same as plain numbers, where they are not a long range
  std::vector<Traced> counts;           // zip's "times"; empty: 1 each
  const PlanLine* table = nullptr;      // a table of runs, row by row, instead of `plain` and `counts`
  std::int64_t size = 0;
  bool by = false;
  std::size_t by_member = 0;
  std::optional<Traced> factor;  // the axis was summed in closed form

  [[nodiscard]] bool counted() const { return table != nullptr ? !table->table_counts.empty() : !counts.empty(); }
  // Of a counted axis: how many runs its element stands for.
  [[nodiscard]] Traced count(std::size_t i) const {
    return table != nullptr ? Traced(Integer(table->table_counts[i])) : counts[i];
  }
};

struct SweepSlot {
  enum class From { none, axis, expression, model } from = From::none;
  const Expression* expression = nullptr;
  FieldCode code;  // empty: traced
  int level = 0;   // 0: the same for all runs; k: changes with axis k
  bool visiting = false, placed = false;
  Span place;
};

// A whole number as part of a name, losing nothing: "10B", "300M", "50000".
std::string short_count(const Integer& value);

class LineSweep {
 public:
  LineSweep(const Plan& plan, const PlanLine& line, const std::string& name, const std::string& by,
            ModelCounter* counter, const PlanConvention& convention, LetNames& names, SweepCache& cache)
      : plan_(plan),
        line_(line),
        name_(name),
        by_(by),
        counter_(counter),
        convention_(convention),
        names_(names),
        cache_(cache),
        trace_(names.trace()) {
    given_parameters_ = counter == nullptr;
  }
  std::optional<SweepResult> run();

 private:
  bool fail(Diagnostic problem);

  // Fields of the plan, then those that the line sets.
  void collect_fields();
  bool known_field(const std::string& name, const Span& key, const char* where);
  void use_field(const PlanEntry& entry);
  void collect_axes();
  static int rank(const SweepAxis& axis);
  bool values_of(const PlanEntry& entry, PlanValue& value);
  bool add_member(SweepAxis& axis, const PlanEntry& entry);
  bool check_value(const std::string& name, std::size_t slot, const PlanItem& item);
  bool check_size(const std::string& name, const Num& value, const Span& place);
  bool add_zip_member(SweepAxis& axis, const PlanEntry& entry);

  // A CSV of runs is one long zip.
  void table_axis();
  void compile();

  // A field takes numbers without a unit, or with its own.
  [[nodiscard]] bool reads_samples() const { return counter_ != nullptr && counter_->reads_samples(); }
  [[nodiscard]] Dim example_dim() const { return reads_samples() ? dim::kSample : dim::kToken; }
  void check_units(std::size_t slot, const Expression& expression);

  // A scope that only finds out what is wrong with an expression.
  struct Probe : LetScope {
    Probe(LineSweep& s, std::size_t index)
        : LetScope(s.names_, s.field_name(index), *s.slots_[index].expression, false, s.name_), sweep(s) {}
    bool lookup(const ExprNode& name, bool fresh, PlanValue& out) override {
      return sweep.field_value(name, fresh, out);
    }
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
  std::string field_name(std::size_t slot);
  bool field_value(const ExprNode& name, bool fresh, PlanValue& out);

  // Levels by dependence; refuses fields that need each other.
  bool plan_levels();
  bool visit(std::size_t index);
  [[nodiscard]] bool has(FieldId id) const { return slots_[slot_of(id)].from != SweepSlot::From::none; }
  [[nodiscard]] bool uncertain(std::size_t slot) const;

  // Which slots make the cost, what can be summed in closed form, and whether runs are traced one by one.
  [[nodiscard]] Diagnostic no_model() const;
  bool choose_mode();
  static bool certain(const Traced& t);

  // Steps, batch and tokens multiply: an axis of one of them that nothing else needs is its own sum.
  void sum_in_closed_form();
  void evaluate_level(int level);

  // What is to be computed when the axis of a level moves on: what shapes the model, then what follows from it.
  void plan_steps();
  void set_slot(std::size_t i) {
    nums_[i] = slots_[i].code.run(nums_);
    if (nums_[i].negative()) refuse_negative(i, nums_[i].value());
  }
  void refuse_negative(std::size_t slot, double value);
  bool needs_model(std::size_t i);
  void set_size(std::size_t i);
  void count_model();

  // Where the size stands that a problem is about: the axis it names, else the first field, else the model.
  [[nodiscard]] Span place_of_sizes(const std::string& message) const;
  void walk(std::size_t k);

  // Exact sums of the plain runs.
  struct Sum {
    Num runs{Integer(0)}, flop{Integer(0)}, tokens{Integer(0)};
    std::vector<Traced> traced_runs, traced_flop, traced_tokens;
    std::string label;
    double order = 0;
    bool used = false;
  };
  void add_run();

  // One run as a product of named steps.
  void add_traced(Sum& sum);

  // The same step under the same name is one step, whichever line it stands in.
  Traced named(const std::string& name, const Traced& value, const std::string& source);
  Traced flop_per_token();
  Traced counted(const std::string& name, Integer value);

  // Two models may share a label ("width 1024" of two plans' lines with other depths): then the second gets its sizes.
  Traced unique_leaf(Leaf leaf);

  // ", width 1024, layers 8": the values that differ within the line; model_label() those that shape the model.
  std::string label(bool model_only);
  std::string run_label() { return label(false); }
  std::string model_label() { return label(true); }

  // The value of a slot in this run, as a traced number.
  Traced traced_slot(std::size_t slot);
  SweepResult finish();
  Traced total(const char* what, const std::string& group, const Num& value, const Num& runs, Dim dim);
  const Plan& plan_;
  const PlanLine& line_;
  const std::string& name_;
  const std::string& by_;
  ModelCounter* counter_;
  const PlanConvention& convention_;
  LetNames& names_;
  SweepCache& cache_;
  Trace& trace_;
  bool given_parameters_ = false, failed_ = false, traced_ = false, explained_ = false, batch_in_tokens_ = false,
       at_least_ = false;
  std::array<SweepSlot, kFieldCount> slots_{};
  std::array<Num, kSlotCount> nums_{};
  std::array<bool, kFieldCount> tracing_{};  // fields whose value is being found
  std::array<int, kFieldCount> needs_model_ = [] {
    std::array<int, kFieldCount> a{};
    a.fill(-1);
    return a;
  }();
  std::vector<SweepAxis> axes_;
  std::vector<std::size_t> order_;
  std::vector<FieldId> cost_;
  std::array<std::size_t, 64> position_{};
  struct Steps {
    std::vector<std::size_t> before, sizes, after;  // sizes: the model's, which go into fields_
  };
  std::vector<Steps> steps_;
  Num amount_;  // FLOP or tokens of a run: the product of cost_
  int cost_level_ = 0;
  FieldValues fields_{};
  ModelCount model_;
  bool divides_ = false, counted_ = false;
  int arch_level_ = 0, by_axis_ = -1;
  std::size_t group_ = 0;
  std::vector<Sum> groups_;
  double least_ = -1, most_ = 0;
};

}  // namespace floptally
