// Element by element: one, two or more inputs that broadcast. Small constants are computed along.
#include <algorithm>
#include <cmath>

#include "network/formats/onnx/eval.h"

namespace floptally::onnx {
namespace {

enum Function : std::int16_t {
  kPlain,
  kAbs,
  kNeg,
  kFloor,
  kCeil,
  kRound,
  kSqrt,
  kExp,
  kLog,
  kSign,
  kReciprocal,
  kNot,
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
  kMin,
  kMax,
  kEqual,
  kGreater,
  kLess,
  kGreaterEqual,
  kLessEqual,
  kAnd,
  kOr,
  kXor,
  kMean,
  kSame,  // the type of the first input, whatever else comes in
};

double rounded(double value, std::uint8_t elem) {
  return elem == kDouble ? value : static_cast<double>(static_cast<float>(value));
}

double unary_real(Function f, double x) {
  switch (f) {
    case kAbs:
      return std::fabs(x);
    case kNeg:
      return -x;
    case kFloor:
      return std::floor(x);
    case kCeil:
      return std::ceil(x);
    case kRound:
      return std::nearbyint(x);
    case kSqrt:
      return std::sqrt(x);
    case kExp:
      return std::exp(x);
    case kLog:
      return std::log(x);
    case kSign:
      return x > 0 ? 1 : x < 0 ? -1 : x;
    case kReciprocal:
      return 1 / x;
    default:
      return std::nan("");
  }
}

std::int64_t unary_integer(Function f, std::int64_t x) {
  if (!is_known(x)) return kDataUnknown;
  switch (f) {
    case kAbs:
      return x < 0 ? -x : x;
    case kNeg:
      return -x;
    case kSign:
      return x > 0 ? 1 : x < 0 ? -1 : 0;
    case kNot:
      return x == 0 ? 1 : 0;
    case kFloor:
    case kCeil:
    case kRound:
      return x;
    default:
      return kDataUnknown;
  }
}

bool unary(Eval& e) {
  const Type& x = e.in(0);
  e.shape_like(0, x.elem, x);
  const auto f = static_cast<Function>(e.rule().choice);
  if (const Data* from = x.known(); from != nullptr && f != kPlain) {
    Data* to = e.data(0, from->count, from->real);
    for (std::uint32_t i = 0; i < from->count; ++i) {
      if (from->real)
        to->reals()[i] = rounded(unary_real(f, from->reals()[i]), x.elem);
      else
        to->integers()[i] = unary_integer(f, from->integers()[i]);
    }
  }
  e.elementwise(e.rule().flop);
  return true;
}

bool boolean_unary(Eval& e) {
  e.shape_like(0, kBool, e.in(0));
  return true;
}

std::int64_t floor_mod(std::int64_t a, std::int64_t b) {
  const std::int64_t r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

std::int64_t integer_power(std::int64_t base, std::int64_t exponent) {
  std::int64_t result = 1;
  for (std::int64_t i = 0; i < exponent; ++i)
    if (i > 63 || __builtin_mul_overflow(result, base, &result)) return kDataUnknown;
  return result;
}

std::int64_t binary_integer(Function f, std::int64_t a, std::int64_t b) {
  std::int64_t r = 0;
  if (!is_known(a) || !is_known(b)) {  // what one operand alone decides
    if (f == kMul && (a == 0 || b == 0)) return 0;
    if (f == kMul && a == 1) return b;
    if ((f == kMul || f == kDiv) && b == 1) return a;
    if ((f == kAdd || f == kSub) && b == 0) return a;
    if (f == kAdd && a == 0) return b;
    if (f == kEqual && a == b && a != kDataUnknown) return 1;                         // one symbol
    if (f == kEqual && ((is_known(a) && a < 0) || (is_known(b) && b < 0))) return 0;  // a size is never negative
    if (f == kAnd && (a == 0 || b == 0)) return 0;
    return kDataUnknown;
  }
  switch (f) {
    case kAdd:
      return __builtin_add_overflow(a, b, &r) || r < kDataFloor ? kDataUnknown : r;
    case kSub:
      return __builtin_sub_overflow(a, b, &r) || r < kDataFloor ? kDataUnknown : r;
    case kMul:
      return __builtin_mul_overflow(a, b, &r) || r < kDataFloor ? kDataUnknown : r;
    case kDiv:
      return b == 0 ? kDataUnknown : a / b;
    case kMod:
      return b == 0 ? kDataUnknown : floor_mod(a, b);
    case kPow:
      return b < 0 ? kDataUnknown : integer_power(a, b);
    case kMin:
      return std::min(a, b);
    case kMax:
      return std::max(a, b);
    case kEqual:
      return a == b ? 1 : 0;
    case kGreater:
      return a > b ? 1 : 0;
    case kLess:
      return a < b ? 1 : 0;
    case kGreaterEqual:
      return a >= b ? 1 : 0;
    case kLessEqual:
      return a <= b ? 1 : 0;
    case kAnd:
      return a != 0 && b != 0 ? 1 : 0;
    case kOr:
      return a != 0 || b != 0 ? 1 : 0;
    case kXor:
      return (a != 0) != (b != 0) ? 1 : 0;
    default:
      return kDataUnknown;
  }
}

double binary_real(Function f, double a, double b) {
  switch (f) {
    case kAdd:
      return a + b;
    case kSub:
      return a - b;
    case kMul:
      return a * b;
    case kDiv:
      return a / b;
    case kMod:
      return std::fmod(a, b);
    case kPow:
      return std::pow(a, b);
    case kMin:
      return a < b ? a : b;
    case kMax:
      return a > b ? a : b;
    default:
      return std::nan("");
  }
}

std::int64_t compare_real(Function f, double a, double b) {
  if (a != a || b != b) return kDataUnknown;
  switch (f) {
    case kEqual:
      return a == b ? 1 : 0;
    case kGreater:
      return a > b ? 1 : 0;
    case kLess:
      return a < b ? 1 : 0;
    case kGreaterEqual:
      return a >= b ? 1 : 0;
    case kLessEqual:
      return a <= b ? 1 : 0;
    default:
      return kDataUnknown;
  }
}

bool is_comparison(Function f) { return f >= kEqual && f <= kXor; }

// Element index of a broadcast operand.
std::uint32_t source_index(std::uint32_t flat, const Dims& shape, const Type& operand) {
  std::uint32_t index = 0, stride = 1;
  for (int axis = shape.n - 1, from = operand.rank - 1; from >= 0; --axis, --from) {
    const auto size = static_cast<std::uint32_t>(shape.v[axis]);
    const std::uint32_t at = size == 0 ? 0 : flat % size;
    if (size != 0) flat /= size;
    if (operand.dims[from] != 1) index += at * stride;
    stride *= static_cast<std::uint32_t>(operand.dims[from]);
  }
  return index;
}

void fold(Eval& e, const Type& a, const Type& b, const Dims& shape, Function f, std::uint8_t elem, int slot) {
  const Data *x = a.known(), *y = b.known();
  if (x == nullptr || y == nullptr || x->real != y->real) return;
  std::int64_t count = 1;
  for (int i = 0; i < shape.n; ++i) count = size_times(count, shape.v[i] < 0 ? kUnknown : shape.v[i]);
  if (count < 0 || count > kMaxData) return;
  Data* to = e.data(slot, static_cast<std::uint32_t>(count), x->real && !is_comparison(f));
  for (std::uint32_t i = 0; i < to->count; ++i) {
    const std::uint32_t p = source_index(i, shape, a), q = source_index(i, shape, b);
    if (p >= x->count || q >= y->count) {
      e.out(slot).data = nullptr;
      return;
    }
    if (to->real)
      to->reals()[i] = rounded(binary_real(f, x->reals()[p], y->reals()[q]), elem);
    else if (x->real)
      to->integers()[i] = compare_real(f, x->reals()[p], y->reals()[q]);
    else
      to->integers()[i] = binary_integer(f, x->integers()[p], y->integers()[q]);
  }
}

bool variadic(Eval& e) {
  const auto f = static_cast<Function>(e.rule().choice);
  if (e.inputs() == 0) return e.fail("onnx-malformed", "has no inputs");
  Type left = e.in(0);
  const std::uint8_t elem = is_comparison(f) ? std::uint8_t{kBool} : left.elem;
  bool ranked = left.ranked();
  if (e.inputs() == 1) {
    e.shape_like(0, elem, left);
    e.out(0).data = left.known();
    return true;
  }
  for (int i = 1; i < e.inputs(); ++i) {
    const Type right = e.in(i);
    ranked = ranked && right.ranked();
    if (!ranked) break;
    Dims shape;
    // before opset 7 a second operand could be aligned at an axis; such graphs say broadcast = 1
    if (!e.broadcast(left, right, shape)) return false;
    const std::uint16_t flags = e.out(0).flags;
    e.out(0).data = nullptr;
    fold(e, left, right, shape, f, elem, 0);
    const Data* folded = e.out(0).data;
    if (left.ranked() && left.rank == shape.n && std::equal(shape.v, shape.v + shape.n, left.dims))
      e.shape_like(0, elem, left);
    else
      e.shape(0, elem, shape);
    e.out(0).flags |= flags;
    e.out(0).data = folded;
    left = e.out(0);
    left.origin = 0;
  }
  if (!ranked) e.unranked(0, elem);
  e.elementwise(std::int64_t{e.rule().flop} * std::max(1, e.inputs() - 1));
  return true;
}

bool where(Eval& e) {
  const Type condition = e.in(0), x = e.in(1), y = e.in(2);
  if (!condition.ranked() || !x.ranked() || !y.ranked()) {
    e.unranked(0, x.elem);
    return true;
  }
  Dims both, shape;
  if (!e.broadcast(x, y, both)) return false;
  Type mixed;
  mixed.dims = both.v;
  mixed.rank = static_cast<std::uint8_t>(both.n);
  if (!e.broadcast(condition, mixed, shape)) return false;
  e.shape(0, x.elem, shape);
  const Data *c = condition.known(), *p = x.known(), *q = y.known();
  const std::int64_t count = Eval::elements(e.out(0));
  if (c != nullptr && p != nullptr && q != nullptr && p->real == q->real && !c->real && count >= 0 &&
      count <= kMaxData) {
    Data* to = e.data(0, static_cast<std::uint32_t>(count), p->real);
    for (std::uint32_t i = 0; i < to->count; ++i) {
      const std::uint32_t k = source_index(i, shape, condition), a = source_index(i, shape, x),
                          b = source_index(i, shape, y);
      if (k >= c->count || a >= p->count || b >= q->count) {
        e.out(0).data = nullptr;
        break;
      }
      const std::int64_t chosen = c->integers()[k];
      if (p->real)
        to->reals()[i] = !is_known(chosen) ? std::nan("") : chosen != 0 ? p->reals()[a] : q->reals()[b];
      else
        to->integers()[i] = !is_known(chosen) ? kDataUnknown : chosen != 0 ? p->integers()[a] : q->integers()[b];
    }
  }
  e.elementwise(0);
  return true;
}

bool cast(Eval& e) {
  const Type& x = e.in(0);
  const auto to = e.rule().choice == 1 ? e.in(1).elem : static_cast<std::uint8_t>(e.integer("to", kFloat) & 0x3f);
  e.shape_like(0, to, x);
  if (is_float(to) && is_float(x.elem)) {  // the same learned numbers in another format
    e.out(0).origin = x.origin;
    e.out(0).flags |= x.flags & kWeight;
  }
  const Data* from = x.known();
  if (from == nullptr || to == kString) return true;
  Data* data = e.data(0, from->count, is_float(to));
  for (std::uint32_t i = 0; i < from->count; ++i) {
    if (from->real && data->real) {
      data->reals()[i] = rounded(from->reals()[i], to);
    } else if (from->real) {
      const double real = from->reals()[i];
      const bool fits = real > -9e18 && real < 9e18;
      data->integers()[i] = !fits ? kDataUnknown : to == kBool ? (real != 0 ? 1 : 0) : static_cast<std::int64_t>(real);
    } else {
      const std::int64_t whole = from->integers()[i];
      if (data->real)
        data->reals()[i] = is_known(whole) ? rounded(static_cast<double>(whole), to) : std::nan("");
      else
        data->integers()[i] = to == kBool && is_known(whole) ? (whole != 0 ? 1 : 0) : whole;
    }
  }
  return true;
}

bool clip(Eval& e) {
  const Type& x = e.in(0);
  e.shape_like(0, x.elem, x);
  double low = -HUGE_VAL, high = HUGE_VAL;
  if (e.attribute("min") != nullptr) low = e.real("min", low);
  if (e.attribute("max") != nullptr) high = e.real("max", high);
  bool bounded = true;
  if (e.has(1)) bounded = Eval::scalar(e.in(1), low);
  if (e.has(2)) bounded = Eval::scalar(e.in(2), high) && bounded;
  if (const Data* from = x.known(); from != nullptr && bounded) {
    Data* to = e.data(0, from->count, from->real);
    for (std::uint32_t i = 0; i < from->count; ++i) {
      if (from->real) {
        to->reals()[i] = std::min(std::max(from->reals()[i], low), high);
      } else {
        const std::int64_t v = from->integers()[i];
        to->integers()[i] = !is_known(v)                    ? kDataUnknown
                            : static_cast<double>(v) < low  ? static_cast<std::int64_t>(low)
                            : static_cast<double>(v) > high ? static_cast<std::int64_t>(high)
                                                            : v;
      }
    }
  }
  e.elementwise(1);
  return true;
}

bool identity(Eval& e) {
  const std::uint16_t flags = e.out(0).flags;
  e.out(0) = e.in(0);
  e.out(0).flags |= flags;
  return true;
}

bool dropout(Eval& e) {
  const Type& x = e.in(0);
  e.shape_like(0, x.elem, x);
  e.shape_like(1, kBool, x);
  return true;
}

}  // namespace

// FLOP an element follow the table of network/ops (one for an addition or a comparison, four for a transcendental).
const Rule kElementwiseRules[] = {
    {"Abs", unary, 0, kAll, kAll, 1, kAbs},
    {"Acos", unary, 0, kAll, kAll, 4},
    {"Acosh", unary, 0, kAll, kAll, 4},
    {"Asin", unary, 0, kAll, kAll, 4},
    {"Asinh", unary, 0, kAll, kAll, 4},
    {"Atan", unary, 0, kAll, kAll, 4},
    {"Atanh", unary, 0, kAll, kAll, 4},
    {"Cos", unary, 0, kAll, kAll, 4},
    {"Cosh", unary, 0, kAll, kAll, 4},
    {"Sin", unary, 0, kAll, kAll, 4},
    {"Sinh", unary, 0, kAll, kAll, 4},
    {"Tan", unary, 0, kAll, kAll, 4},
    {"Tanh", unary, 0, kAll, kAll, 4},
    {"Ceil", unary, 0, 0, kAll, 1, kCeil},
    {"Floor", unary, 0, 0, kAll, 1, kFloor},
    {"Round", unary, 0, 0, kAll, 1, kRound},
    {"Sign", unary, 0, 0, kAll, 1, kSign},
    {"Neg", unary, 0, kAll, kAll, 1, kNeg},
    {"Sqrt", unary, 0, kAll, kAll, 1, kSqrt},
    {"Exp", unary, 0, kAll, kAll, 4, kExp},
    {"Log", unary, 0, kAll, kAll, 4, kLog},
    {"Reciprocal", unary, 0, kAll, kAll, 1, kReciprocal},
    {"Not", unary, 0, 0, 0, 0, kNot},
    {"Celu", unary, 0, kAll, kAll, 4},
    {"Elu", unary, 0, kAll, kAll, 4},
    {"Selu", unary, 0, kAll, kAll, 4},
    {"Erf", unary, 0, kAll, kAll, 4},
    {"Gelu", unary, 0, kAll, kAll, 8},
    {"Mish", unary, 0, kAll, kAll, 8},
    {"HardSigmoid", unary, 0, kAll, kAll, 3},
    {"HardSwish", unary, 0, kAll, kAll, 4},
    {"Swish", unary, 0, kAll, kAll, 5},
    {"LeakyRelu", unary, 0, kAll, kAll, 1},
    {"Relu", unary, 0, kAll, kAll, 1},
    {"ThresholdedRelu", unary, 0, kAll, kAll, 1},
    {"Shrink", unary, 0, kAll, kAll, 2},
    {"Sigmoid", unary, 0, kAll, kAll, 4},
    {"Softplus", unary, 0, kAll, kAll, 8},
    {"Softsign", unary, 0, kAll, kAll, 2},
    {"Softmax", unary, 0, kAll, kAll, 5},
    {"LogSoftmax", unary, 0, kAll, kAll, 5},
    {"Hardmax", unary, 0, 0, kAll, 1},
    {"LpNormalization", unary, 0, kAll, kAll, 3},
    {"MeanVarianceNormalization", unary, 0, kAll, kAll, 5},
    {"LRN", unary, 0, kAll, kAll, 5},
    {"CumSum", unary, 2, 1, kAll, 1},
    {"CumProd", unary, 2, 1, kAll, 1},
    {"Trilu", unary, 2, 1, kAll, 0},
    {"Trilu", unary, 2, 1, kAll, 0, 0, false, "com.microsoft"},
    {"BitwiseNot", unary, 0, 0, 0, 0},
    {"Bernoulli", unary, 0, 0, kAll, 1},
    {"IsInf", boolean_unary, 0, 0, 0},
    {"IsNaN", boolean_unary, 0, 0, 0},
    {"Add", variadic, 0, kAll, kAll, 1, kAdd},
    {"Sub", variadic, 0, kAll, kAll, 1, kSub},
    {"Mul", variadic, 0, kAll, kAll, 1, kMul},
    {"Div", variadic, 0, kAll, kAll, 1, kDiv},
    {"Mod", variadic, 0, kAll, kAll, 1, kMod},
    {"Pow", variadic, 0, kAll, kAll, 1, kPow},
    {"PRelu", variadic, 0, kAll, kAll, 2, kPlain},
    {"Min", variadic, 0, kAll, kAll, 1, kMin},
    {"Max", variadic, 0, kAll, kAll, 1, kMax},
    {"Sum", variadic, 0, kAll, kAll, 1, kAdd},
    {"Mean", variadic, 0, kAll, kAll, 1, kMean},
    {"Equal", variadic, 0, 0, 0, 0, kEqual},
    {"Greater", variadic, 0, 0, 0, 0, kGreater},
    {"Less", variadic, 0, 0, 0, 0, kLess},
    {"GreaterOrEqual", variadic, 0, 0, 0, 0, kGreaterEqual},
    {"LessOrEqual", variadic, 0, 0, 0, 0, kLessEqual},
    {"And", variadic, 0, 0, 0, 0, kAnd},
    {"Or", variadic, 0, 0, 0, 0, kOr},
    {"Xor", variadic, 0, 0, 0, 0, kXor},
    {"BitShift", variadic, 0, 0, 0, 0, kPlain},
    {"BitwiseAnd", variadic, 0, 0, 0, 0, kPlain},
    {"BitwiseOr", variadic, 0, 0, 0, 0, kPlain},
    {"BitwiseXor", variadic, 0, 0, 0, 0, kPlain},
    {"Where", where, 0, 6, kAll, 0},
    {"Cast", cast},
    {"CastLike", cast, 2, 1, kAll, 0, 1},
    {"Clip", clip, 6, 1, kAll, 1},
    {"Identity", identity},
    {"Dropout", dropout, 6, 1, 1},
    {"", nullptr},
};

}  // namespace floptally::onnx
