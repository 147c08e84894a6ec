// What names mean while a plan is tallied: `let` values (evaluated once, on first use, in any order) and the uncertain
// inputs that quantities stand for. One name is one draw; `each NAME` is a draw of its own per line.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "plan/plan.h"

namespace floptally {

class LetNames {
 public:
  LetNames(const Plan& plan, Trace& trace, Diagnostics& problems);

  // The value of a `let`; null after a problem (unknown-name with the nearest, circular-let), which is reported once
  // per use.
  const PlanValue* find(const ExprNode& use, bool fresh, const std::string& line);
  [[nodiscard]] bool known(std::string_view name) const { return index_.count(std::string(name)) != 0; }
  // Whether a quantity of dimension `dim` stands in the expression or in the values that it names.
  [[nodiscard]] bool speaks_of(Dim dim, const Expression& expression) const;
  void evaluate_all();  // so that mistakes in values nobody uses are found too
  Trace& trace() { return trace_; }
  void report(Diagnostic problem) { problems_.push_back(std::move(problem)); }
  [[nodiscard]] bool any_problem() const { return !problems_.empty(); }
  // Names for did-you-mean, besides those of the let section.
  [[nodiscard]] std::vector<std::string_view> names() const;

 private:
  struct Entry {
    int state = 0;  // 0 not yet, 1 under way, 2 done, 3 failed
    PlanValue value;
  };
  const PlanValue* at(std::size_t index, const Span& use);

  const Plan& plan_;
  Trace& trace_;
  Diagnostics& problems_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, PlanValue> fresh_;
};

// The input that a quantity stands for: a certain whole number without a unit is itself, unless `own_name` asks for a
// leaf.
Traced input_of(Trace& trace, const ExprNode& amount, std::string name, bool own_name);

// A scope of `let` names only: axes, factors, shares, hardware.
class LetScope : public PlanScope {
 public:
  // `what` names inputs ("hardware.price"); the whole of a quantity takes it as it is.
  LetScope(LetNames& names, std::string what, const Expression& expression, bool words = false, std::string line = {})
      : names_(names), what_(std::move(what)), expression_(expression), words_(words), line_(std::move(line)) {}
  bool lookup(const ExprNode& name, bool fresh, PlanValue& out) override;
  Traced leaf(const ExprNode& amount) override;
  [[nodiscard]] bool words_allowed() const override { return words_; }
  [[nodiscard]] bool known(std::string_view name) const override { return names_.known(name); }
  void report(Diagnostic problem) override { names_.report(std::move(problem)); }

 protected:
  LetNames& names_;
  std::string what_;
  const Expression& expression_;
  bool words_;
  std::string line_;
};

// One number from an expression, checked to measure `expected` (bare numbers pass where `bare_scale` > 0 and are
// multiplied by it). Errors: wrong-unit (with `what` was expected), not-a-number. Nothing after a problem.
std::optional<Traced> scalar_of(LetNames& names, const Expression& expression, const std::string& name, Dim expected,
                                const std::string& what, double bare_scale, const std::string& line = {});

}  // namespace floptally
