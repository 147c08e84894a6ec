// Trace: numbers that know themselves. A directed acyclic graph of expressions in which every node has a value at the
// best guesses, the exact integer where it is one, its dimension, whether it is a floor, and (through its uncertain
// leaves) a value in every world.
//
// Always holds: a leaf's name stands for one draw, so x - x is 0 and a shared assumption stays shared; equal
// expressions are one node; a node's operands come before it. Nothing here throws; mixing dimensions in a sum is a bug
// of ours.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/integer.h"
#include "floptally/book.h"
#include "floptally/quantity.h"

namespace floptally {

using NodeId = std::uint32_t;

// What is known of an uncertain leaf. `low` and `high` are its 5th and 95th percentile.
struct Distribution {
  enum class Shape : std::uint8_t {
    point,      // certain
    lognormal,  // median `best`, log-normal pieces below and above it that hit `low` and `high`
    normal,     // the same with normal pieces, for ranges that touch or cross zero
    either,     // one of `values`, equally likely
    samples,    // the empirical distribution of `values`, its quantiles interpolated
  };
  Shape shape = Shape::point;
  double best = 0, low = 0, high = 0;
  std::vector<double> values;
  bool fraction = false;  // clipped to [0, 1]

  static Distribution point(double value);
  // A 90% range with a best guess inside it; log-normal when low > 0, else normal.
  static Distribution range(double best, double low, double high, bool fraction = false);
  // A 90% range alone: the best guess is its geometric (or arithmetic) middle.
  static Distribution range(double low, double high, bool fraction = false);
  static Distribution either(std::vector<double> values);
  static Distribution samples(std::vector<double> values);
  [[nodiscard]] double quantile(double u) const;  // u in (0, 1)
  void quantiles(const double* u, double* out, std::size_t count) const;
  // Log-normal throughout: a product of such leaves can be drawn as a sum.
  [[nodiscard]] bool multiplicative() const { return shape == Shape::lognormal && !fraction; }
  // Of a multiplicative leaf: the logarithms of its quantiles over `best`, and the quantiles from those.
  void log_ratios(const double* u, double* out, std::size_t count) const;
  void from_log_ratios(const double* logs, double* out, std::size_t count) const;
};

struct Leaf {
  std::string name;  // one name, one draw
  Distribution distribution;
  std::optional<Integer> exact;  // when it is a certain integer
  Dim dim;
  bool floor = false;    // "800+": every total that holds it is "at least"
  bool unknown = false;  // no value at all; counts 0 in sums and makes them "at least"
  Mark mark = Mark::given;
  std::string stated;  // the user's words
  std::string source;
  Span place;
};

enum class NodeOp : std::uint8_t {
  constant,
  leaf,
  named,
  sum,
  subtract,
  multiply,
  divide,
  power,
  minimum,
  maximum,
  ceiling,
  floor,
  logarithm,
  exponential
};

class Trace;

// A node of a trace, or a bare constant that has not met one yet. Estimators written as templates over their number
// type run unchanged over double, Integer and Traced.
class Traced {
 public:
  Traced() = default;
  Traced(double value);
  Traced(int value) : Traced(Integer(value)) {}
  Traced(long value) : Traced(Integer(value)) {}
  Traced(Integer value);
  Traced(Trace* trace, NodeId id) : trace_(trace), id_(id) {}

  [[nodiscard]] Trace* trace() const { return trace_; }
  [[nodiscard]] NodeId id() const { return id_; }
  [[nodiscard]] double value() const;
  [[nodiscard]] std::optional<Integer> exact() const;
  [[nodiscard]] Dim dim() const;
  // This number as a node of `trace`.
  [[nodiscard]] NodeId in(Trace& trace) const;

  friend Traced operator+(const Traced& a, const Traced& b);
  friend Traced operator-(const Traced& a, const Traced& b);
  friend Traced operator*(const Traced& a, const Traced& b);
  friend Traced operator/(const Traced& a, const Traced& b);
  Traced& operator+=(const Traced& b) { return *this = *this + b; }
  Traced& operator*=(const Traced& b) { return *this = *this * b; }
  friend bool operator<(const Traced& a, const Traced& b) { return a.value() < b.value(); }
  friend bool operator==(const Traced& a, const Traced& b) { return a.value() == b.value(); }

 private:
  Trace* trace_ = nullptr;
  NodeId id_ = 0;
  double constant_ = 0;
  std::optional<Integer> exact_ = Integer(0);
};

Traced min(const Traced& a, const Traced& b);
Traced max(const Traced& a, const Traced& b);
Traced ceil(const Traced& a);
Traced floor(const Traced& a);
Traced floor_div(const Traced& a, const Traced& b);  // floor(a / b), exact for integers
Traced log(const Traced& a);
Traced exp(const Traced& a);
Traced pow(const Traced& a, int exponent);

struct TraceNode {
  NodeOp op = NodeOp::constant;
  bool at_least = false;
  bool at_most = false;
  bool unknown = false;
  bool uncertain = false;  // depends on a leaf with a spread
  bool is_exact = false;
  std::int16_t exponent = 0;
  Dim dim;
  std::uint32_t a = 0, b = 0;  // operands; leaf or name index; for sums the range [a, a+b) of `arguments`
  double value = 0;
  Integer exact;
};

class Trace {
 public:
  Trace() = default;
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  // A leaf by its name; the first definition of a name wins, so one name is one draw.
  Traced leaf(Leaf leaf);
  // A certain input.
  Traced given(std::string name, Integer value, Dim dim = {}, Span place = {});
  Traced given(std::string name, double value, Dim dim = {}, Span place = {});
  // A constant with a dimension and no name (a unit conversion, a formula's coefficient).
  Traced constant(double value, Dim dim = {});
  Traced constant(Integer value, Dim dim = {});
  // Gives a formula's result a name: explanations stop here and open it on request. `source` cites the formula.
  Traced name(std::string name, const Traced& value, std::string source = {}, Span place = {});
  // Adds up any number of parts; an unknown part counts 0 and makes the sum "at least".
  Traced sum(const std::vector<Traced>& parts, Dim dim_if_empty = {});
  // The largest of the parts.
  Traced maximum(const std::vector<Traced>& parts, Dim dim_if_empty = {});
  // States that `value` measures `dim` (templates that count in bare numbers attach a dimension here).
  Traced as(const Traced& value, Dim dim);

  [[nodiscard]] const TraceNode& node(NodeId id) const { return nodes_[id]; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] const Leaf& leaf_of(const TraceNode& node) const { return leaves_[node.a]; }
  [[nodiscard]] const std::deque<Leaf>& leaves() const { return leaves_; }
  [[nodiscard]] const NodeId* arguments(const TraceNode& node) const { return arguments_.data() + node.a; }

  struct Name {
    std::string text;
    std::string source;
    Span place;
  };
  [[nodiscard]] const Name& name_of(const TraceNode& node) const { return names_[node.b]; }

  // The formula of a node in words and numbers ("steps * batch * FLOP per sequence"), stopping at names; the named
  // nodes and leaves it mentions go to `inputs`. For a named node: the formula behind the name.
  std::string formula(NodeId id, std::vector<NodeId>* inputs = nullptr) const;

  // Used by the operators above.
  NodeId binary(NodeOp op, NodeId a, NodeId b);
  NodeId unary(NodeOp op, NodeId a, int exponent = 0);

 private:
  NodeId add(TraceNode node);
  NodeId intern(TraceNode node);
  void print(NodeId id, int precedence, bool top, std::string& out, std::vector<NodeId>* inputs) const;

  std::deque<TraceNode> nodes_;
  std::deque<Leaf> leaves_;
  std::deque<Name> names_;
  std::vector<NodeId> arguments_;
  std::unordered_map<std::string, NodeId> leaf_by_name_;
  std::unordered_multimap<std::uint64_t, NodeId> interned_;
};

}  // namespace floptally
