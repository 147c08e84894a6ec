// Operators that look at shapes, make tensors from shapes, or give a tensor another shape.
#include <algorithm>
#include <cmath>

#include "network/formats/onnx/eval.h"

namespace floptally::onnx {
namespace {

// What a reshaping keeps: elements, and which weight it is a view of.
void keep_contents(Eval& e, const Type& x) {
  Type& y = e.out(0);
  y.elem = x.elem;
  y.data = x.known();
  y.origin = x.origin;
  y.flags = static_cast<std::uint16_t>(y.flags | (x.flags & kWeight));
}

bool shape_of(Eval& e) {
  const Type x = e.in(0);
  if (!x.ranked()) {
    e.unranked(0, kInt64);
    return true;
  }
  const auto rank = static_cast<std::int64_t>(x.rank);
  auto clamp = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const std::int64_t start = clamp(e.integer("start", 0)), end = std::max(start, clamp(e.integer("end", rank)));
  Dims dims;
  dims.push(end - start);
  e.shape(0, kInt64, dims);
  Data* to = e.data(0, static_cast<std::uint32_t>(end - start), false);
  for (std::int64_t i = start; i < end; ++i) to->integers()[i - start] = size_as_element(x.dims[i]);
  e.out(0).flags |= kConstant;
  return true;
}

bool size_of(Eval& e) {
  const std::int64_t n = Eval::elements(e.in(0));
  e.shape(0, kInt64, Dims{});
  e.data(0, 1, false)->integers()[0] = size_as_element(n);
  e.out(0).flags |= kConstant;
  return true;
}

// Some exporters write weights as Constant nodes: the matrices, and where no initializer holds weights, biases and the
// like too. PyTorch never does: there a constant is a constant.
void literal_weight(Eval& e, const TensorHeader& header) {
  Model& m = e.model();
  const ValueId id = e.output_id(0);
  if (id == kNoValue || !is_float(header.elem) || header.elements < 2 || m.producer == "pytorch") return;
  const std::uint8_t flags = m.values[id].flags;
  if ((flags & kMatrix) == 0 && (!m.weights_are_literals || (flags & kSetting) != 0)) return;
  std::uint32_t& origin = m.literals[id];
  if (origin == 0) {
    Initializer w;
    w.name = m.values[id].name;
    w.value = id;
    w.elements = header.elements;
    w.elem = header.elem;
    w.trained = true;
    m.initializers.push_back(w);
    origin = static_cast<std::uint32_t>(m.initializers.size());
  }
  Type& type = e.out(0);
  type.origin = origin;
  type.flags = static_cast<std::uint16_t>(type.flags | kWeight | kGradient);
}

bool constant(Eval& e) {
  TensorHeader header;
  const Data* data = nullptr;
  Integers list;
  Dims dims;
  Type& y = e.out(0);
  y.flags |= kConstant;
  if (e.attribute("value") != nullptr) {
    if (!e.tensor("value", header, &data)) return false;
    for (int i = 0; i < header.rank; ++i) dims.push(header.dims[i]);
    e.shape(0, header.elem, dims);
    e.out(0).data = data;
    literal_weight(e, header);
  } else if (const Attribute* real = e.attribute("value_float")) {
    e.shape(0, kFloat, dims);
    e.data(0, 1, true)->reals()[0] = static_cast<double>(real->f);
  } else if (const Attribute* whole = e.attribute("value_int")) {
    e.shape(0, kInt64, dims);
    e.data(0, 1, false)->integers()[0] = element(whole->i);
  } else if (e.attribute("value_ints") != nullptr) {
    e.integers("value_ints", list);
    dims.push(list.known ? static_cast<std::int64_t>(list.n) : kUnknown);
    e.shape(0, kInt64, dims);
    if (list.known) std::copy(list.v, list.v + list.n, e.data(0, list.n, false)->integers());
  } else {
    e.unranked(0, kNone);
  }
  return true;
}

// A list of sizes as dims; elements that are not known become unknown sizes.
bool sizes(Eval& e, const Integers& list, Dims& dims) {
  if (list.n > kMaxRank) return e.fail("shape-mismatch", "asks for more than 32 dimensions");
  for (std::uint32_t i = 0; i < list.n; ++i) dims.push(element_as_size(list.v[i]));
  return true;
}

bool constant_of_shape(Eval& e) {
  Integers list;
  e.list(0, {}, list);
  TensorHeader header;
  header.elem = kFloat;
  const Data* value = nullptr;
  if (e.attribute("value") != nullptr && !e.tensor("value", header, &value)) return false;
  if (!list.known && list.n == 0 && !(e.in(0).ranked() && e.in(0).rank == 1 && e.in(0).dims[0] == 0)) {
    e.unranked(0, header.elem);
    return true;
  }
  Dims dims;
  if (!sizes(e, list, dims)) return false;
  e.shape(0, header.elem, dims);
  e.out(0).flags |= kConstant;
  const std::int64_t n = Eval::elements(e.out(0));
  if (n >= 0 && n <= kMaxData && (value == nullptr || value->count == 1)) {
    Data* to = e.data(0, static_cast<std::uint32_t>(n), is_float(header.elem));
    for (std::uint32_t i = 0; i < to->count; ++i) {
      if (to->real)
        to->reals()[i] = value == nullptr ? 0 : value->reals()[0];
      else
        to->integers()[i] = value == nullptr ? 0 : value->integers()[0];
    }
  }
  return true;
}

bool range(Eval& e) {
  double start = 0, limit = 0, delta = 1;
  const std::uint8_t elem = e.in(0).elem;
  Dims dims;
  if (Eval::scalar(e.in(0), start) && Eval::scalar(e.in(1), limit) && Eval::scalar(e.in(2), delta) && delta != 0) {
    const double count = std::max(0.0, std::ceil((limit - start) / delta));
    if (count > 1e15) return e.fail("shape-mismatch", "makes more than 1e15 elements");
    dims.push(static_cast<std::int64_t>(count));
    e.shape(0, elem, dims);
    if (count <= kMaxData) {
      Data* to = e.data(0, static_cast<std::uint32_t>(count), is_float(elem));
      for (std::uint32_t i = 0; i < to->count; ++i) {
        if (to->real)
          to->reals()[i] = start + i * delta;
        else
          to->integers()[i] =
              static_cast<std::int64_t>(start) + static_cast<std::int64_t>(i) * static_cast<std::int64_t>(delta);
      }
    }
  } else {
    // from 0 in steps of 1 up to a size that is not known: that size
    const Data* to = e.in(1).known();
    std::int64_t zero = -1, one = -1;
    const bool plain = Eval::scalar(e.in(0), zero) && zero == 0 && Eval::scalar(e.in(2), one) && one == 1;
    dims.push(plain && to != nullptr && to->count == 1 && !to->real ? element_as_size(to->integers()[0])
                                                                    : e.new_size(0, 0));
    e.shape(0, elem, dims);
  }
  return true;
}

// The open size of a reshape whose other sizes are not all known: equal symbols on both sides cancel.
std::int64_t cancelled(const Type& x, const Dims& dims, int open) {
  std::int64_t in_known = 1, out_known = 1, in_symbol = 0, out_symbol = 0;
  int in_open = 0, out_open = 0;
  for (int i = 0; i < x.rank; ++i) {
    if (x.dims[i] >= 0)
      in_known = size_times(in_known, x.dims[i]);
    else
      ++in_open, in_symbol = x.dims[i];
  }
  for (int i = 0; i < dims.n; ++i) {
    if (i == open) continue;
    if (dims.v[i] >= 0)
      out_known = size_times(out_known, dims.v[i]);
    else
      ++out_open, out_symbol = dims.v[i];
  }
  const bool cancels = in_open == 1 && out_open == 1 && in_symbol == out_symbol && in_symbol < kUnknown;
  if (cancels && in_known > 0 && out_known > 0 && in_known % out_known == 0) return in_known / out_known;
  return in_open == 1 && out_open == 0 && in_known == out_known ? in_symbol : kUnknown;
}

// One size that is not known follows from `have` elements and the others.
void fill_one(Dims& dims, std::int64_t have) {
  std::int64_t known = 1;
  int unknown_at = -1, unknowns = 0;
  for (int i = 0; i < dims.n; ++i) {
    if (dims.v[i] >= 0)
      known = size_times(known, dims.v[i]);
    else
      ++unknowns, unknown_at = i;
  }
  if (unknowns == 1 && known > 0 && have % known == 0) dims.v[unknown_at] = have / known;
}

bool reshape(Eval& e) {
  const Type x = e.in(0);
  Integers target;
  e.list(1, "shape", target);
  if (!target.known && target.n == 0) {
    const Type& s = e.in(1);
    if (!(s.ranked() && s.rank == 1 && s.dims[0] == 0)) {
      e.unranked(0, x.elem);
      return true;
    }
  }
  if (target.n > kMaxRank) return e.fail("shape-mismatch", "asks for more than 32 dimensions");
  const bool allow_zero = e.integer("allowzero", 0) != 0;
  Dims dims;
  int open = -1;
  std::int64_t rest = 1;
  for (std::uint32_t i = 0; i < target.n; ++i) {
    std::int64_t size = target.v[i];
    if (is_known(size) && size < -1) return e.fail("shape-mismatch", "asks for a size of " + std::to_string(size));
    if (size == 0 && !allow_zero) {
      if (x.ranked() && i >= x.rank) return e.fail("shape-mismatch", "copies a dimension that the input does not have");
      size = x.ranked() ? x.dims[i] : kUnknown;
    } else if (size == -1) {
      if (open >= 0) return e.fail("shape-mismatch", "leaves two sizes open");
      open = static_cast<int>(i);
      size = 1;
    } else {
      size = element_as_size(size);
    }
    dims.push(size);
    rest = size_times(rest, size < 0 ? kUnknown : size);
  }
  const std::int64_t have = Eval::elements(x);
  if (open >= 0) {
    dims.v[open] = kUnknown;
    if (have >= 0 && rest > 0) {
      if (have % rest != 0)
        return e.fail("shape-mismatch",
                      std::to_string(have) + " elements do not divide into rows of " + std::to_string(rest));
      dims.v[open] = have / rest;
    } else if (have == 0 && rest == 0) {
      dims.v[open] = 0;
    } else if (x.ranked()) {
      dims.v[open] = cancelled(x, dims, open);
    }
  } else if (have >= 0 && rest >= 0 && have != rest) {
    return e.fail("shape-mismatch", "gives " + std::to_string(have) + " elements a shape of " + std::to_string(rest));
  } else if (have >= 0 && rest < 0) {  // one size that is not known follows from the others
    fill_one(dims, have);
  }
  e.shape(0, x.elem, dims);
  keep_contents(e, x);
  return true;
}

bool flatten(Eval& e) {
  const Type x = e.in(0);
  if (!x.ranked()) {
    e.unranked(0, x.elem);
    return true;
  }
  std::int64_t axis = e.integer("axis", 1);
  if (axis < -static_cast<std::int64_t>(x.rank) || axis > x.rank)
    return e.fail("shape-mismatch", "flattens at an axis that is not there");
  if (axis < 0) axis += x.rank;
  std::int64_t rows = 1, columns = 1;
  for (int i = 0; i < x.rank; ++i) {
    std::int64_t& side = i < axis ? rows : columns;
    side = side == 1 ? x.dims[i] : size_times(side, x.dims[i]);
  }
  Dims dims;
  dims.push(rows);
  dims.push(columns);
  e.shape(0, x.elem, dims);
  keep_contents(e, x);
  return true;
}

bool squeeze(Eval& e) {
  const Type x = e.in(0);
  Integers axes;
  e.list(1, "axes", axes);
  if (!x.ranked() || (axes.present && !axes.known)) {
    e.unranked(0, x.elem);
    return true;
  }
  std::uint64_t drop = 0;
  for (std::uint32_t i = 0; i < axes.n; ++i) {
    int axis = 0;
    if (!e.to_axis(axes.v[i], x.rank, axis)) return false;
    if (x.dims[axis] > 1)
      return e.fail("shape-mismatch", "squeezes a dimension of size " + std::to_string(x.dims[axis]));
    drop |= std::uint64_t{1} << axis;
  }
  Dims dims;
  for (int i = 0; i < x.rank; ++i) {
    const bool gone = axes.present ? (drop >> i & 1) != 0 : x.dims[i] == 1;
    if (!gone) dims.push(x.dims[i]);
  }
  e.shape(0, x.elem, dims);
  keep_contents(e, x);
  return true;
}

bool unsqueeze(Eval& e) {
  const Type x = e.in(0);
  Integers axes;
  e.list(1, "axes", axes);
  if (!x.ranked() || !axes.known) {
    e.unranked(0, x.elem);
    return true;
  }
  const int rank = x.rank + static_cast<int>(axes.n);
  if (axes.n > kMaxRank || rank > kMaxRank) return e.fail("shape-mismatch", "asks for more than 32 dimensions");
  std::uint64_t fresh = 0;
  for (std::uint32_t i = 0; i < axes.n; ++i) {
    int axis = 0;
    if (!e.to_axis(axes.v[i], rank, axis)) return false;
    if ((fresh >> axis & 1) != 0) return e.fail("shape-mismatch", "inserts one axis twice");
    fresh |= std::uint64_t{1} << axis;
  }
  Dims dims;
  for (int i = 0, from = 0; i < rank; ++i) dims.push((fresh >> i & 1) != 0 ? 1 : x.dims[from++]);
  e.shape(0, x.elem, dims);
  keep_contents(e, x);
  return true;
}

bool transpose(Eval& e) {
  const Type x = e.in(0);
  if (!x.ranked()) {
    e.unranked(0, x.elem);
    return true;
  }
  Integers perm;
  e.integers("perm", perm);
  if (perm.present && perm.n != x.rank)
    return e.fail("shape-mismatch",
                  "permutes " + std::to_string(perm.n) + " axes of a tensor with " + std::to_string(x.rank));
  Dims dims;
  std::uint64_t seen = 0;
  for (int i = 0; i < x.rank; ++i) {
    int axis = x.rank - 1 - i;
    if (perm.present && !e.to_axis(perm.v[i], x.rank, axis)) return false;
    if ((seen >> axis & 1) != 0) return e.fail("shape-mismatch", "uses one axis twice");
    seen |= std::uint64_t{1} << axis;
    dims.push(x.dims[axis]);
  }
  e.shape(0, x.elem, dims);
  Type& y = e.out(0);
  y.origin = x.origin;
  y.flags = static_cast<std::uint16_t>(y.flags | (x.flags & kWeight));
  if (x.rank <= 1) {
    y.data = x.known();
    return true;
  }
  const Data* from = x.known();
  if (from == nullptr || from->count == 0 || Eval::elements(x) != static_cast<std::int64_t>(from->count)) return true;
  Data* to = e.data(0, from->count, from->real);
  for (std::uint32_t flat = 0; flat < from->count; ++flat) {  // flat: index in the output
    std::uint32_t left = flat, index = 0;
    for (int i = x.rank - 1; i >= 0; --i) {
      const int axis = perm.present ? static_cast<int>(perm.v[i] < 0 ? perm.v[i] + x.rank : perm.v[i]) : x.rank - 1 - i;
      const auto size = static_cast<std::uint32_t>(x.dims[axis]);
      std::uint32_t stride = 1;
      for (int j = axis + 1; j < x.rank; ++j) stride *= static_cast<std::uint32_t>(x.dims[j]);
      index += left % size * stride;
      left /= size;
    }
    if (to->real)
      to->reals()[flat] = from->reals()[index];
    else
      to->integers()[flat] = from->integers()[index];
  }
  return true;
}

bool expand(Eval& e) {
  const Type x = e.in(0);
  Integers list;
  e.list(1, {}, list);
  if (!x.ranked() || (!list.known && list.n == 0)) {
    e.unranked(0, x.elem);
    return true;
  }
  Dims target, dims;
  if (!sizes(e, list, target)) return false;
  Type wanted;
  wanted.dims = target.v;
  wanted.rank = static_cast<std::uint8_t>(target.n);
  if (!e.broadcast(x, wanted, dims)) return false;
  e.shape(0, x.elem, dims);
  const Data* from = x.known();
  const std::int64_t n = Eval::elements(e.out(0));
  if (from != nullptr && from->count == 1 && n >= 0 && n <= kMaxData) {
    Data* to = e.data(0, static_cast<std::uint32_t>(n), from->real);
    for (std::uint32_t i = 0; i < to->count; ++i) to->integers()[i] = from->integers()[0];
  } else if (from != nullptr && n == static_cast<std::int64_t>(from->count)) {
    e.out(0).data = from;
  }
  e.elementwise(0);
  return true;
}

bool tile(Eval& e) {
  const Type x = e.in(0);
  Integers repeats;
  e.list(1, {}, repeats);
  if (!x.ranked() || repeats.n != x.rank) {
    e.unranked(0, x.elem);
    return true;
  }
  Dims dims;
  for (int i = 0; i < x.rank; ++i) {
    const std::int64_t times = element_as_size(repeats.v[i]);
    dims.push(x.dims[i] == 1 ? times : size_times(x.dims[i], times));
  }
  e.shape(0, x.elem, dims);
  const Data* from = x.known();
  const std::int64_t n = Eval::elements(e.out(0));
  if (from != nullptr && x.rank == 1 && n >= 0 && n <= kMaxData && from->count > 0) {
    Data* to = e.data(0, static_cast<std::uint32_t>(n), from->real);
    for (std::uint32_t i = 0; i < to->count; ++i) to->integers()[i] = from->integers()[i % from->count];
  }
  e.elementwise(0);
  return true;
}

bool random_by_attribute(Eval& e) {
  Integers list;
  e.integers("shape", list);
  Dims dims;
  if (!sizes(e, list, dims)) return false;
  e.shape(0, static_cast<std::uint8_t>(e.integer("dtype", kFloat) & 0x3f), dims);
  return true;
}

bool like(Eval& e) {
  const Type& x = e.in(0);
  e.shape_like(0, static_cast<std::uint8_t>(e.integer("dtype", x.elem) & 0x3f), x);
  return true;
}

bool one_hot(Eval& e) {
  const Type x = e.in(0);
  std::int64_t depth = 0;
  const bool known = Eval::scalar(e.in(1), depth) && depth >= 0;
  if (!x.ranked()) {
    e.unranked(0, e.in(2).elem);
    return true;
  }
  int axis = 0;
  if (!e.to_axis(e.integer("axis", -1), x.rank + 1, axis)) return false;
  Dims dims;
  for (int i = 0, from = 0; i <= x.rank; ++i) dims.push(i == axis ? (known ? depth : kUnknown) : x.dims[from++]);
  e.shape(0, e.in(2).elem, dims);
  return true;
}

bool window(Eval& e) {
  std::int64_t n = 0;
  Dims dims;
  dims.push(Eval::scalar(e.in(0), n) && n >= 0 ? n : e.new_size(0, 0));
  e.shape(0, static_cast<std::uint8_t>(e.integer("output_datatype", kFloat) & 0x3f), dims);
  return true;
}

}  // namespace

const Rule kShapeRules[] = {
    {"Shape", shape_of, 0, 0, 0},
    {"Size", size_of, 0, 0, 0},
    {"Constant", constant},
    {"ConstantOfShape", constant_of_shape, 0, 0, 0},
    {"Range", range, 7, 0, 0},
    {"Reshape", reshape, 2, 1},
    {"Flatten", flatten},
    {"Squeeze", squeeze, 2, 1},
    {"Unsqueeze", unsqueeze, 2, 1},
    {"ExpandDims", unsqueeze, 2, 1, kAll, 0, 0, false, "com.microsoft"},
    {"Range", range, 7, 0, 0, 0, 0, false, "com.microsoft"},
    {"Transpose", transpose},
    {"Expand", expand, 2, 1},
    {"Tile", tile, 2, 1},
    {"RandomNormal", random_by_attribute, 0, 0, 0},
    {"RandomUniform", random_by_attribute, 0, 0, 0},
    {"RandomNormalLike", like, 0, 0, 0},
    {"RandomUniformLike", like, 0, 0, 0},
    {"EyeLike", like, 0, 0, 0},
    {"OneHot", one_hot, 6, 0, 0},
    {"BlackmanWindow", window, 1, 0, 0},
    {"HammingWindow", window, 1, 0, 0},
    {"HannWindow", window, 1, 0, 0},
    {"", nullptr},
};

}  // namespace floptally::onnx
