#include "plan/expression.h"

#include <cmath>

namespace floptally {
namespace {

class Evaluator {
 public:
  Evaluator(const Expression& expression, PlanScope& scope) : expression_(expression), scope_(scope) {}

  bool value(int index, PlanValue& out) {
    const ExprNode& node = expression_.nodes[static_cast<std::size_t>(index)];
    out = {};
    out.place = node.place;
    switch (node.op) {
      case ExprOp::amount:
        out.items.push_back({scope_.leaf(node), {}, node.place});
        return true;
      case ExprOp::name:
      case ExprOp::each:
        return name(node, out);
      case ExprOp::list:
        return list(node, out);
      case ExprOp::negate: {
        PlanValue zero;
        zero.items.push_back({Traced(0), {}, node.place});
        PlanValue inner;
        return value(node.a, inner) && combine(node, ExprOp::subtract, zero, inner, out);
      }
      case ExprOp::slice:
      case ExprOp::index:
        return slice(node, out);
      case ExprOp::range:
        return range(node, out);
      case ExprOp::power:
        return power(node, out);
      default: {
        PlanValue left, right;
        const bool ok = value(node.a, left);
        return value(node.b, right) && ok && combine(node, node.op, left, right, out);
      }
    }
  }

 private:
  bool fail(const char* code, std::string message, Span place, std::string help = {}) {
    scope_.report(error(code, std::move(message), place, std::move(help)));
    return false;
  }

  bool name(const ExprNode& node, PlanValue& out) {
    const bool word =
        node.op == ExprOp::name && scope_.words_allowed() && (node.amount.bare || !scope_.known(node.name));
    if (word) {
      out.items.push_back({Traced(), node.name, node.place});
      return true;
    }
    if (!scope_.lookup(node, node.op == ExprOp::each, out)) return false;
    out.place = node.place;
    return true;
  }

  bool list(const ExprNode& node, PlanValue& out) {
    out.is_list = true;
    if (node.items.empty())
      return fail("empty-list", "this list is empty", node.place, "an axis needs at least one value");
    out.items.reserve(node.items.size());
    bool ok = true;
    for (const int item : node.items) {
      PlanValue inner;
      if (!value(item, inner)) {
        ok = false;
        continue;
      }
      if (inner.lazy) {
        ok = fail("wrong-type", "a range cannot stand inside a list", inner.place);
        continue;
      }
      for (PlanItem& each : inner.items) out.items.push_back(std::move(each));  // a list inside a list is joined to it
    }
    return ok;
  }

  bool scalar(const PlanValue& value, Span place) {
    if (!value.is_list && value.items.size() == 1 && value.items[0].word.empty()) return true;
    return fail("not-a-number", "a number was expected here", place);
  }

  static Traced apply(ExprOp op, const Traced& a, const Traced& b) {
    switch (op) {
      case ExprOp::add:
        return a + b;
      case ExprOp::subtract:
        return a - b;
      case ExprOp::multiply:
        return a * b;
      default:
        return a / b;
    }
  }

  bool same_dim(const ExprNode& node, ExprOp op, const Traced& a, const Traced& b) {
    if ((op != ExprOp::add && op != ExprOp::subtract) || a.dim() == b.dim()) return true;
    const bool zero = a.value() == 0 && a.dim() == Dim{};
    return zero || fail("mixed-units", "a sum of different units", node.place);
  }

  bool combine(const ExprNode& node, ExprOp op, PlanValue& left, PlanValue& right, PlanValue& out) {
    if (left.lazy || right.lazy) return combine_lazy(node, op, left, right, out);
    for (const PlanValue* side : {&left, &right})
      for (const PlanItem& each : side->items)
        if (!each.word.empty()) return fail("not-a-number", "'" + each.word + "' is a word, not a number", each.place);
    if (left.is_list && right.is_list && left.items.size() != right.items.size())
      return fail(
          "lists-differ",
          "a list of " + std::to_string(left.items.size()) + " meets a list of " + std::to_string(right.items.size()),
          node.place);
    out.is_list = left.is_list || right.is_list;
    const std::size_t count = left.is_list ? left.items.size() : right.items.size();
    for (std::size_t i = 0; i < count; ++i) {
      const PlanItem& a = left.items[left.is_list ? i : 0];
      const PlanItem& b = right.items[right.is_list ? i : 0];
      if (op == ExprOp::divide && b.number.value() == 0)
        return fail("division-by-zero", "a division by zero", node.place);
      if (!same_dim(node, op, a.number, b.number)) return false;
      out.items.push_back({apply(op, a.number, b.number), {}, left.is_list ? a.place : b.place});
    }
    return true;
  }

  // range(...) times, plus or minus a whole number stays a range.
  bool combine_lazy(const ExprNode& node, ExprOp op, PlanValue& left, PlanValue& right, PlanValue& out) {
    const bool left_is_range = left.lazy;
    PlanValue& range = left_is_range ? left : right;
    PlanValue& other = left_is_range ? right : left;
    const auto k =
        !other.lazy && !other.is_list && other.items.size() == 1 ? other.items[0].number.exact() : std::nullopt;
    const bool fits = k && op != ExprOp::divide && (op != ExprOp::subtract || left_is_range);
    if (!fits) return fail("not-a-number", "a range can be multiplied by or added to a whole number only", node.place);
    out = range;
    out.place = node.place;
    if (op == ExprOp::multiply) {
      out.start = range.start * *k;
      out.step = range.step * *k;
    } else {
      out.start = op == ExprOp::add ? range.start + *k : range.start - *k;
    }
    return true;
  }

  bool power(const ExprNode& node, PlanValue& out) {
    PlanValue base, exponent;
    const bool ok = value(node.a, base);
    if (!value(node.b, exponent) || !ok || !scalar(exponent, expression_.nodes[static_cast<std::size_t>(node.b)].place))
      return false;
    const auto e = exponent.items[0].number.exact();
    if (!e || *e < Integer(0) || *e > Integer(64) || base.lazy)
      return fail("bad-expression", "a power needs a whole exponent from 0 to 64", node.place);
    out.is_list = base.is_list;
    for (PlanItem& each : base.items) {
      if (!each.word.empty()) return fail("not-a-number", "'" + each.word + "' is a word, not a number", each.place);
      Traced result(1);
      for (std::int64_t i = 0; i < e->to_int64(); ++i) result = result * each.number;
      out.items.push_back({result, {}, each.place});
    }
    return true;
  }

  bool whole(int index, std::int64_t& out) {
    PlanValue v;
    const Span place = expression_.nodes[static_cast<std::size_t>(index)].place;
    if (!value(index, v) || !scalar(v, place)) return false;
    const auto exact = v.items[0].number.exact();
    if (!exact || !exact->fits_int64() || exact->to_int64() > (1ll << 60) || exact->to_int64() < -(1ll << 60))
      return fail("not-a-number", "a whole number was expected here", place);
    out = exact->to_int64();
    return true;
  }

  bool slice(const ExprNode& node, PlanValue& out) {
    PlanValue list;
    if (!value(node.list, list)) return false;
    const ExprNode& what = expression_.nodes[static_cast<std::size_t>(node.list)];
    if (!list.is_list)
      return fail("not-a-list",
                  "only a list has elements" + (what.name.empty() ? "" : ", '" + what.name + "' is one value"),
                  node.place);
    const std::int64_t size = list.size().to_int64();
    std::int64_t from = 0, to = size, step = 1;
    if (node.a >= 0 && !whole(node.a, from)) return false;
    if (node.b >= 0 && !whole(node.b, to)) return false;
    if (node.c >= 0 && !whole(node.c, step)) return false;
    if (step <= 0) return fail("slice-out-of-range", "a slice steps forward", node.place);
    const bool one = node.op == ExprOp::index;
    const auto outside = [&](std::int64_t i, std::int64_t most) { return i > most || i < -size; };
    if (outside(from, one ? size - 1 : size) || outside(to, size))
      return fail(
          "slice-out-of-range",
          (what.name.empty() ? "the list" : "'" + what.name + "'") + " has " + std::to_string(size) + " elements",
          node.place, one ? "elements are numbered from 0" : "D[-6:] takes the last six, D[:11] the first eleven");
    if (from < 0) from += size;
    if (to < 0) to += size;
    if (one) to = from + 1;
    if (to <= from) return fail("empty-list", "this slice is empty", node.place);
    out.is_list = !one;
    if (list.lazy) {
      out.lazy = !one;
      out.start = list.start + Integer(from) * list.step;
      out.step = list.step * Integer(step);
      out.count = Integer((to - from + step - 1) / step);
      if (one) out.items.push_back({Traced(out.start), {}, node.place});
      return true;
    }
    for (std::int64_t i = from; i < to; i += step) out.items.push_back(list.items[static_cast<std::size_t>(i)]);
    return true;
  }

  bool range(const ExprNode& node, PlanValue& out) {
    std::int64_t from = 0, to = 0, step = 1;
    if (node.b < 0) {
      if (!whole(node.a, to)) return false;
    } else if (!whole(node.a, from) || !whole(node.b, to) || (node.c >= 0 && !whole(node.c, step))) {
      return false;
    }
    if (step == 0) return fail("bad-expression", "a range cannot step by 0", node.place);
    const std::int64_t count = step > 0 ? (to - from + step - 1) / step : (from - to - step - 1) / -step;
    if (count <= 0) return fail("empty-list", "this range is empty", node.place);
    out.is_list = out.lazy = true;
    out.start = from;
    out.step = step;
    out.count = count;
    return true;
  }

  const Expression& expression_;
  PlanScope& scope_;
};

}  // namespace

PlanItem PlanValue::at(std::size_t index) const {
  if (!lazy) return items[index];
  return {Traced(start + step * Integer(static_cast<long>(index))), {}, place};
}

bool evaluate(const Expression& expression, PlanScope& scope, PlanValue& out) {
  return expression.root >= 0 && Evaluator(expression, scope).value(expression.root, out);
}

}  // namespace floptally
