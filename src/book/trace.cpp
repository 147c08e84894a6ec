#include "book/trace.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/elementary.h"

namespace floptally {
namespace {

std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
  h ^= v + 0x9E3779B97F4A7C15ull + (h << 6) + (h >> 2);
  return h * 0xFF51AFD7ED558CCDull;
}

bool constant_like(const TraceNode& node) { return node.op == NodeOp::constant; }

Dim without_kind(Dim d) {
  d.kind = Kind::any;
  return d;
}

}  // namespace

Traced::Traced(double value) : constant_(value), exact_(Integer::from_double(value)) {
  // A double that happens to be integral is taken as exact only while doubles count exactly.
  if (exact_ && std::abs(value) > 9007199254740992.0) exact_.reset();
}
Traced::Traced(Integer value) : constant_(value.to_double()) {
  if (value.valid())
    exact_ = value;
  else
    exact_.reset();
}

double Traced::value() const { return trace_ != nullptr ? trace_->node(id_).value : constant_; }
Dim Traced::dim() const { return trace_ != nullptr ? trace_->node(id_).dim : Dim{}; }
std::optional<Integer> Traced::exact() const {
  if (trace_ == nullptr) return exact_;
  const TraceNode& node = trace_->node(id_);
  return node.is_exact ? std::optional(node.exact) : std::nullopt;
}

NodeId Traced::in(Trace& trace) const {
  if (trace_ != nullptr) return id_;
  return exact_ ? trace.constant(*exact_).id() : trace.constant(constant_).id();
}

namespace {
Traced combine(NodeOp op, const Traced& a, const Traced& b) {
  Trace* trace = a.trace() != nullptr ? a.trace() : b.trace();
  if (trace != nullptr) return {trace, trace->binary(op, a.in(*trace), b.in(*trace))};
  const auto x = a.exact();
  const auto y = b.exact();
  switch (op) {
    case NodeOp::sum:
      return x && y && (*x + *y).valid() ? Traced(*x + *y) : Traced(a.value() + b.value());
    case NodeOp::subtract:
      return x && y && (*x - *y).valid() ? Traced(*x - *y) : Traced(a.value() - b.value());
    case NodeOp::multiply:
      return x && y && (*x * *y).valid() ? Traced(*x * *y) : Traced(a.value() * b.value());
    case NodeOp::divide:
      return x && y && (*x % *y).valid() && *x % *y == Integer(0) ? Traced(*x / *y) : Traced(a.value() / b.value());
    case NodeOp::minimum:
      return b.value() < a.value() ? b : a;
    default:
      return a.value() < b.value() ? b : a;
  }
}
Traced apply(NodeOp op, const Traced& a, double (*f)(double)) {
  if (a.trace() != nullptr) return {a.trace(), a.trace()->unary(op, a.id())};
  return Traced(f(a.value()));
}
}  // namespace

Traced operator+(const Traced& a, const Traced& b) { return combine(NodeOp::sum, a, b); }
Traced operator-(const Traced& a, const Traced& b) { return combine(NodeOp::subtract, a, b); }
Traced operator*(const Traced& a, const Traced& b) { return combine(NodeOp::multiply, a, b); }
Traced operator/(const Traced& a, const Traced& b) { return combine(NodeOp::divide, a, b); }
Traced min(const Traced& a, const Traced& b) { return combine(NodeOp::minimum, a, b); }
Traced max(const Traced& a, const Traced& b) { return combine(NodeOp::maximum, a, b); }
Traced ceil(const Traced& a) {
  return apply(NodeOp::ceiling, a, [](double x) { return std::ceil(x); });
}
Traced floor(const Traced& a) {
  return apply(NodeOp::floor, a, [](double x) { return std::floor(x); });
}
Traced floor_div(const Traced& a, const Traced& b) {
  const auto x = a.exact();
  const auto y = b.exact();
  if (a.trace() == nullptr && b.trace() == nullptr && x && y) return Traced(*x / *y);
  const Traced quotient = a / b;
  return quotient.exact() ? quotient : floor(quotient);
}
Traced log(const Traced& a) {
  return apply(NodeOp::logarithm, a, [](double x) { return portable_log(x); });
}
Traced exp(const Traced& a) {
  return apply(NodeOp::exponential, a, [](double x) { return portable_exp(x); });
}
Traced pow(const Traced& a, int exponent) {
  if (a.trace() != nullptr) return {a.trace(), a.trace()->unary(NodeOp::power, a.id(), exponent)};
  return Traced(std::pow(a.value(), exponent));
}

NodeId Trace::add(TraceNode node) {
  nodes_.push_back(node);
  return static_cast<NodeId>(nodes_.size() - 1);
}

NodeId Trace::intern(TraceNode node) {
  std::uint64_t key = mix(static_cast<std::uint64_t>(node.op), static_cast<std::uint64_t>(node.exponent));
  key = mix(mix(key, node.a), node.b);
  if (node.op == NodeOp::constant) key = mix(key, std::bit_cast<std::uint64_t>(node.value));
  const auto [begin, end] = interned_.equal_range(key);
  for (auto it = begin; it != end; ++it) {
    const TraceNode& other = nodes_[it->second];
    if (other.op == node.op && other.a == node.a && other.b == node.b && other.exponent == node.exponent &&
        other.dim == node.dim &&
        (node.op != NodeOp::constant || (other.value == node.value && other.is_exact == node.is_exact &&
                                         (!node.is_exact || other.exact == node.exact))))
      return it->second;
  }
  const NodeId id = add(node);
  interned_.emplace(key, id);
  return id;
}

Traced Trace::leaf(Leaf leaf) {
  const auto found = leaf_by_name_.find(leaf.name);
  if (found != leaf_by_name_.end()) return {this, found->second};
  TraceNode node;
  node.op = NodeOp::leaf;
  node.dim = leaf.dim;
  node.value = leaf.unknown ? 0 : leaf.distribution.best;
  node.unknown = leaf.unknown;
  node.at_least = leaf.floor || leaf.unknown;
  node.uncertain = leaf.distribution.shape != Distribution::Shape::point && !leaf.unknown;
  if (leaf.exact && leaf.exact->valid()) {
    node.is_exact = true;
    node.exact = *leaf.exact;
    node.value = leaf.exact->to_double();
  }
  node.a = static_cast<std::uint32_t>(leaves_.size());
  leaves_.push_back(std::move(leaf));
  const NodeId id = add(node);
  leaf_by_name_.emplace(leaves_.back().name, id);
  return {this, id};
}

Traced Trace::given(std::string name, Integer value, Dim dim, Span place) {
  Leaf result;
  result.name = std::move(name);
  result.distribution = Distribution::point(value.to_double());
  result.exact = value;
  result.dim = dim;
  result.place = place;
  return leaf(std::move(result));
}

Traced Trace::given(std::string name, double value, Dim dim, Span place) {
  Leaf result;
  result.name = std::move(name);
  result.distribution = Distribution::point(value);
  result.dim = dim;
  result.place = place;
  return leaf(std::move(result));
}

Traced Trace::constant(double value, Dim dim) {
  TraceNode node;
  node.dim = dim;
  node.value = value;
  return {this, intern(node)};
}

Traced Trace::constant(Integer value, Dim dim) {
  if (!value.valid()) return constant(value.to_double(), dim);
  TraceNode node;
  node.dim = dim;
  node.value = value.to_double();
  node.is_exact = true;
  node.exact = value;
  return {this, intern(node)};
}

Traced Trace::name(std::string name, const Traced& value, std::string source, Span place) {
  const NodeId inner = value.in(*this);
  TraceNode node = nodes_[inner];
  node.op = NodeOp::named;
  node.a = inner;
  node.b = static_cast<std::uint32_t>(names_.size());
  node.exponent = 0;
  names_.push_back({std::move(name), std::move(source), place});
  return {this, add(node)};
}

Traced Trace::as(const Traced& value, Dim dim) {
  const NodeId id = value.in(*this);
  TraceNode node = nodes_[id];
  if (node.dim == dim) return {this, id};
  node.dim = dim;
  if (node.op == NodeOp::constant) return {this, intern(node)};
  if (node.op == NodeOp::sum || node.op == NodeOp::maximum) return {this, add(node)};
  // The same expression, measured in `dim`: a product with the unit of `dim` keeps derivations intact.
  const Traced unit = constant(Integer(1), dim / nodes_[id].dim);
  return Traced(this, id) * unit;
}

Traced Trace::sum(const std::vector<Traced>& parts, Dim dim_if_empty) {
  if (parts.empty()) return constant(Integer(0), dim_if_empty);
  if (parts.size() == 1) return {this, parts.front().in(*this)};
  if (parts.size() == 2) {  // x + 0 is x: keeps formulas readable
    for (const std::size_t i : {0u, 1u}) {
      const TraceNode& zero = nodes_[parts[i].in(*this)];
      if (constant_like(zero) && zero.is_exact && zero.exact == Integer(0)) return {this, parts[1 - i].in(*this)};
    }
  }
  TraceNode node;
  node.op = NodeOp::sum;
  std::vector<NodeId> ids;
  ids.reserve(parts.size());
  node.is_exact = true;
  node.unknown = true;
  for (const Traced& part : parts) {
    const NodeId id = part.in(*this);
    const TraceNode& each = nodes_[id];
    ids.push_back(id);
    if (ids.size() == 1)
      node.dim = each.dim;
    else if (each.dim.kind != node.dim.kind)
      node.dim.kind = Kind::any;
    node.value += each.value;
    node.at_least = node.at_least || each.at_least || each.unknown;
    node.at_most = node.at_most || each.at_most;
    node.uncertain = node.uncertain || each.uncertain;
    node.unknown = node.unknown && each.unknown;
    if (!each.unknown) {
      node.is_exact = node.is_exact && each.is_exact;
      if (node.is_exact) node.exact += each.exact;
    }
  }
  node.is_exact = node.is_exact && node.exact.valid() && !node.unknown;
  if (node.is_exact) node.value = node.exact.to_double();
  node.a = static_cast<std::uint32_t>(arguments_.size());
  node.b = static_cast<std::uint32_t>(ids.size());
  arguments_.insert(arguments_.end(), ids.begin(), ids.end());
  return {this, add(node)};
}

Traced Trace::maximum(const std::vector<Traced>& parts, Dim dim_if_empty) {
  if (parts.empty()) return constant(Integer(0), dim_if_empty);
  Traced result = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i) result = max(result, parts[i]);
  return {this, result.in(*this)};
}

namespace {

bool is_whole_constant(const TraceNode& node, std::int64_t value) {
  return node.is_exact && constant_like(node) && node.exact == Integer(value);
}

}  // namespace

NodeId Trace::binary(NodeOp op, NodeId left, NodeId right) {
  if (op == NodeOp::sum) return sum({Traced(this, left), Traced(this, right)}).id();
  const TraceNode a = nodes_[left];
  const TraceNode b = nodes_[right];
  TraceNode node;
  node.op = op;
  node.a = left;
  node.b = right;
  node.uncertain = a.uncertain || b.uncertain;
  node.unknown = a.unknown || b.unknown;
  const bool both = a.is_exact && b.is_exact;
  switch (op) {
    case NodeOp::subtract:
      node.dim = a.dim;
      node.value = a.value - b.value;
      node.at_least = a.at_least || b.at_most;
      node.at_most = a.at_most || b.at_least;
      if (both) node.exact = a.exact - b.exact;
      node.is_exact = both && node.exact.valid();
      break;
    case NodeOp::multiply:
      // One times something is that thing; keeps formulas readable.
      if (is_whole_constant(a, 1) && a.dim == Dim{}) return right;
      if (is_whole_constant(b, 1) && b.dim == Dim{}) return left;
      node.dim = a.dim * b.dim;
      if (is_whole_constant(a, 0) || is_whole_constant(b, 0))
        return constant(Integer(0), node.dim).id();  // nothing times something is nothing, known or not
      node.value = a.value * b.value;
      node.at_least = a.at_least || b.at_least;
      node.at_most = a.at_most || b.at_most;
      if (both) node.exact = a.exact * b.exact;
      node.is_exact = both && node.exact.valid();
      break;
    case NodeOp::divide:
      node.dim = a.dim / b.dim;
      node.value = a.value / b.value;
      node.at_least = a.at_least || b.at_most;
      node.at_most = a.at_most || b.at_least;
      if (both) {
        const Integer rest = a.exact % b.exact;
        node.is_exact = rest.valid() && rest == Integer(0);
        if (node.is_exact) node.exact = a.exact / b.exact;
      }
      break;
    default: {
      const bool second = op == NodeOp::minimum ? b.value < a.value : a.value < b.value;
      node.dim = without_kind(a.dim) == without_kind(b.dim) ? a.dim : (second ? b.dim : a.dim);
      node.value = second ? b.value : a.value;
      node.at_least = op == NodeOp::minimum ? a.at_least && b.at_least : a.at_least || b.at_least;
      node.at_most = op == NodeOp::minimum ? a.at_most || b.at_most : a.at_most && b.at_most;
      node.is_exact = both;
      if (both)
        node.exact = op == NodeOp::minimum ? floptally::min(a.exact, b.exact) : floptally::max(a.exact, b.exact);
      break;
    }
  }
  if (node.is_exact) node.value = node.exact.to_double();
  return intern(node);
}

NodeId Trace::unary(NodeOp op, NodeId of, int exponent) {
  const TraceNode a = nodes_[of];
  TraceNode node = a;
  node.op = op;
  node.a = of;
  node.b = 0;
  node.exponent = static_cast<std::int16_t>(exponent);
  node.is_exact = false;
  switch (op) {
    case NodeOp::ceiling:
      node.value = std::ceil(a.value);
      break;
    case NodeOp::floor:
      node.value = std::floor(a.value);
      break;
    case NodeOp::logarithm:
      node.value = portable_log(a.value);
      break;
    case NodeOp::exponential:
      node.value = portable_exp(a.value);
      break;
    default:
      node.value = std::pow(a.value, exponent);
      node.dim = a.dim.scaled(exponent);
      if (exponent < 0) std::swap(node.at_least, node.at_most);
      break;
  }
  if (op == NodeOp::ceiling || op == NodeOp::floor) {
    node.is_exact = a.is_exact;
    if (a.op == NodeOp::divide && nodes_[a.a].is_exact && nodes_[a.b].is_exact) {  // a quotient of integers, rounded
      const Integer over = nodes_[a.a].exact;
      const Integer under = nodes_[a.b].exact;
      node.exact = op == NodeOp::floor ? over / under : ceil_div(over, under);
      node.is_exact = Integer(0) <= over && Integer(0) < under && node.exact.valid();
      if (node.is_exact) node.value = node.exact.to_double();
    }
  }
  return intern(node);
}

}  // namespace floptally
