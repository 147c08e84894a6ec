// The small language of a plan's scalars: quantities with units and ranges, lists, names, arithmetic and slices.
//
//   15 (10 to 22)    800+    350 TFLOP/s    20 * parameters    128 * [1, 2, 4]    D[-6:]    each lrs    range(0, 10, 2)
//
// A text is parsed once into an Expression; it is evaluated over Traced (uncertain inputs stay uncertain and explain
// themselves), or over plain numbers where a million runs are counted. Nothing here knows what the names mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "book/trace.h"
#include "document/document.h"
#include "quantity/quantity_text.h"

namespace floptally {

enum class ExprOp : std::uint8_t {
  amount,
  name,
  each,
  list,
  add,
  subtract,
  multiply,
  divide,
  negate,
  power,
  slice,
  index,
  range
};

struct ExprNode {
  ExprOp op = ExprOp::amount;
  int a = -1, b = -1, c = -1;  // operands; slices and ranges: from, to, step (-1: left out), the list in `list`
  int list = -1;
  std::vector<int> items;  // of a list
  std::string name;        // of a name, or a word that stands alone in a list
  Amount amount;
  Span place;
};

struct Expression {  // without a root: it could not be parsed, which has been reported
  std::vector<ExprNode> nodes;
  int root = -1;
  Span place;
  std::string text;

  // Whether it is one quantity as written, without names or operators.
  [[nodiscard]] bool is_amount() const {
    return root >= 0 && nodes[static_cast<std::size_t>(root)].op == ExprOp::amount;
  }
  [[nodiscard]] const ExprNode& top() const { return nodes[static_cast<std::size_t>(root)]; }
};

// Errors, each at its place inside `at`: those of the quantity grammar; bad-expression (what was expected where).
Result<Expression> parse_expression(std::string_view text, Span at, Suffix suffix = Suffix::decimal);
// A scalar or a list of scalars (lists inside lists are refused: wrong-type).
Result<Expression> parse_expression(const Node& node, Suffix suffix = Suffix::decimal);

// What an expression stands for: one number or word, a list of them, or an arithmetic sequence that is never written
// out.
struct PlanItem {
  Traced number;
  std::string word;  // not empty: a word, not a number
  Span place;
};
struct PlanValue {
  std::vector<PlanItem> items;
  bool is_list = false;
  bool lazy = false;  // start, start + step, ... `count` times; items is empty
  Integer start, step = 1, count;
  Span place;
  [[nodiscard]] Integer size() const { return lazy ? count : Integer(static_cast<long>(items.size())); }
  [[nodiscard]] PlanItem at(std::size_t index) const;
};

// Where names get their meaning. The functions report what is wrong themselves and return false.
class PlanScope {
 public:
  virtual ~PlanScope() = default;
  // The value of a name; `fresh` for `each NAME`. Unknown names are reported as unknown-name.
  virtual bool lookup(const ExprNode& name, bool fresh, PlanValue& out) = 0;
  // An uncertain input for a quantity that stands in an expression.
  virtual Traced leaf(const ExprNode& amount) = 0;
  // Words that stand alone ("SGD") are taken as words rather than as unknown names.
  [[nodiscard]] virtual bool words_allowed() const { return false; }
  [[nodiscard]] virtual bool known(std::string_view name) const = 0;
  virtual void report(Diagnostic problem) = 0;
};

// False if anything was wrong (and reported). Errors: unknown-name, empty-list, slice-out-of-range, not-a-list,
// lists-differ (element by element with unequal lengths), division-by-zero, list-too-long.
bool evaluate(const Expression& expression, PlanScope& scope, PlanValue& out);

// An arithmetic sequence longer than this is never written out.
inline constexpr std::int64_t kLongestList = 4'000'000;

}  // namespace floptally
