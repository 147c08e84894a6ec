// Operators that move elements: cut, join, gather, scatter, pad, resize.
#include <algorithm>
#include <cmath>

#include "network/formats/onnx/eval.h"

namespace floptally::onnx {
namespace {

bool first_unranked(Eval& e) {
  e.unranked(0, e.in(0).elem);
  return true;
}

bool concat(Eval& e) {
  if (e.inputs() == 0) return e.fail("onnx-malformed", "has no inputs");
  const std::uint8_t elem = e.in(0).elem;
  int axis = 0, rank = -1;
  for (int i = 0; i < e.inputs(); ++i)
    if (e.in(i).ranked()) rank = e.in(i).rank;
  if (rank < 0) return first_unranked(e);
  if (!e.to_axis(e.integer("axis", 1), rank, axis)) return false;
  Dims dims;
  dims.n = rank;
  std::fill(dims.v, dims.v + rank, kUnknown);
  dims.v[axis] = 0;
  std::uint32_t count = 0;
  bool known = rank == 1, real = false;
  for (int i = 0; i < e.inputs(); ++i) {
    const Type& x = e.in(i);
    if (!x.ranked()) {
      dims.v[axis] = kUnknown;
      known = false;
      continue;
    }
    if (x.rank != rank) return e.fail("shape-mismatch", "joins tensors of different rank");
    for (int d = 0; d < rank; ++d) {
      if (d == axis)
        dims.v[d] = size_plus(dims.v[d], x.dims[d]);
      else if (dims.v[d] < 0)
        dims.v[d] = x.dims[d];
      else if (x.dims[d] >= 0 && x.dims[d] != dims.v[d])
        return e.fail("shape-mismatch",
                      "joins sizes " + std::to_string(dims.v[d]) + " and " + std::to_string(x.dims[d]));
    }
    const Data* data = x.known();
    known = known && data != nullptr && (i == 0 || data->real == real) && count + data->count <= kMaxData;
    if (known) real = data->real, count += data->count;
  }
  e.shape(0, elem, dims);
  if (known) {
    Data* to = e.data(0, count, real);
    std::uint32_t at = 0;
    for (int i = 0; i < e.inputs(); ++i) {
      const Data* data = e.in(i).known();
      for (std::uint32_t k = 0; k < data->count; ++k) to->integers()[at++] = data->integers()[k];
    }
  }
  return true;
}

bool split(Eval& e) {
  const Type x = e.in(0);
  Integers parts;
  e.list(1, "split", parts);
  int axis = 0;
  if (!x.ranked()) {
    for (int i = 0; i < e.outputs(); ++i) e.unranked(i, x.elem);
    return true;
  }
  if (!e.to_axis(e.integer("axis", 0), x.rank, axis)) return false;
  if (e.outputs() == 0) return true;
  const std::int64_t whole = x.dims[axis];
  const std::int64_t pieces = std::max<std::int64_t>(e.integer("num_outputs", e.outputs()), 1);
  const std::int64_t each = whole < 0 ? kUnknown : whole / pieces + (whole % pieces > 0 ? 1 : 0);
  const Data* from = x.known();
  std::int64_t start = 0;
  for (int i = 0; i < e.outputs(); ++i) {
    std::int64_t size = each < 0 ? kUnknown : std::clamp<std::int64_t>(whole - start, 0, each);
    if (parts.present)
      size = parts.known && static_cast<std::uint32_t>(i) < parts.n ? element_as_size(parts.v[i]) : kUnknown;
    Dims dims;
    for (int d = 0; d < x.rank; ++d) dims.push(d == axis ? size : x.dims[d]);
    e.shape(i, x.elem, dims);
    if (from != nullptr && x.rank == 1 && size >= 0 && size <= static_cast<std::int64_t>(from->count) - start) {
      Data* to = e.data(i, static_cast<std::uint32_t>(size), from->real);
      std::copy(from->integers() + start, from->integers() + start + size, to->integers());
    }
    if (size < 0 || __builtin_add_overflow(start, size, &start)) from = nullptr;  // who knows what follows
  }
  return true;
}

// Elements that start:end:step takes of `size`, with Python's rules for clamping; `step` is not 0.
std::int64_t slice_count(std::int64_t size, std::int64_t& start, std::int64_t end, std::int64_t step) {
  auto clamp = [&](std::int64_t at, std::int64_t low, std::int64_t high) {
    if (at < 0) at = at < -size ? low - 1 : at + size;
    return std::clamp(at, low, high);
  };
  if (step > 0) {
    start = clamp(start, 0, size);
    end = clamp(end, 0, size);
    return end <= start ? 0 : (end - start - 1) / step + 1;
  }
  start = start < 0 ? std::max<std::int64_t>(start < -size ? -1 : start + size, -1) : std::min(start, size - 1);
  end = end < 0 ? (end < -size ? -1 : end + size) : std::min(end, size - 1);
  return end >= start ? 0 : (start - end - 1) / -step + 1;
}

// Element by element, where the input's are known.
void copy_slice(Eval& e, const Type& x, const Dims& dims, const std::int64_t* first, const std::int64_t* stride) {
  const Data* from = x.known();
  const std::int64_t count = Eval::elements(e.out(0));
  if (from == nullptr || count < 0 || count > kMaxData || Eval::elements(x) != static_cast<std::int64_t>(from->count))
    return;
  Data* to = e.data(0, static_cast<std::uint32_t>(count), from->real);
  for (std::uint32_t flat = 0; flat < to->count; ++flat) {
    std::int64_t left = flat, index = 0, span = 1;
    for (int axis = x.rank - 1; axis >= 0; --axis) {
      index += (first[axis] + left % dims.v[axis] * stride[axis]) * span;
      left /= dims.v[axis];
      span *= x.dims[axis];
    }
    if (index < 0 || index >= static_cast<std::int64_t>(from->count)) {  // only where a bound was not known
      e.out(0).data = nullptr;
      return;
    }
    to->integers()[flat] = from->integers()[index];
  }
}

bool slice(Eval& e) {
  const Type x = e.in(0);
  if (!x.ranked()) return first_unranked(e);
  Integers starts, ends, axes, steps;
  e.list(1, "starts", starts);
  e.list(2, "ends", ends);
  e.list(3, "axes", axes);
  e.list(4, "steps", steps);
  Dims dims;
  for (int i = 0; i < x.rank; ++i) dims.push(x.dims[i]);
  if (axes.present && !axes.known) {
    std::fill(dims.v, dims.v + dims.n, kUnknown);
    e.shape(0, x.elem, dims);
    return true;
  }
  const std::uint32_t n = axes.present ? axes.n : starts.n;
  std::int64_t from_at[kMaxRank] = {}, stride[kMaxRank];
  std::fill(stride, stride + kMaxRank, std::int64_t{1});
  bool exact = true;  // which elements are taken is known
  for (std::uint32_t i = 0; i < n; ++i) {
    int axis = 0;
    if (!e.to_axis(axes.present ? axes.v[i] : static_cast<std::int64_t>(i), x.rank, axis)) return false;
    std::int64_t step = steps.present ? (steps.known && i < steps.n ? steps.v[i] : kDataUnknown) : 1;
    const std::int64_t start = i < starts.n ? starts.v[i] : kDataUnknown, end = i < ends.n ? ends.v[i] : kDataUnknown;
    const std::int64_t size = x.dims[axis];
    if (step == 0) return e.fail("shape-mismatch", "slices with a step of 0");
    std::int64_t first = start;
    if (is_known(start) && is_known(end) && is_known(step) && step > -(std::int64_t{1} << 62) && size >= 0) {
      dims.v[axis] = slice_count(size, first, end, step);
    } else if (start == 0 && step == 1 &&
               (is_known(end) ? size < 0 && end >= (std::int64_t{1} << 31) - 1 : element_as_size(end) == size)) {
      dims.v[axis] = size;  // all of it
    } else if (start == 0 && step == 1 && !is_known(end) && size >= 0) {
      dims.v[axis] = element_as_size(end);  // up to a size that comes out of data
    } else {
      dims.v[axis] = size == 0 ? 0 : e.new_size(0, axis);
      exact = false;
    }
    from_at[axis] = first;
    stride[axis] = step;
  }
  e.shape(0, x.elem, dims);
  if (exact) copy_slice(e, x, dims, from_at, stride);
  return true;
}

bool gather(Eval& e) {
  const Type x = e.in(0), index = e.in(1);
  if (!x.ranked() || !index.ranked()) return first_unranked(e);
  int axis = 0;
  if (!e.to_axis(e.integer("axis", 0), x.rank, axis)) return false;
  Dims dims;
  for (int i = 0; i < axis; ++i) dims.push(x.dims[i]);
  for (int i = 0; i < index.rank; ++i) dims.push(index.dims[i]);
  for (int i = axis + 1; i < x.rank; ++i) dims.push(x.dims[i]);
  if (dims.overflow) return e.fail("shape-mismatch", "makes more than 32 dimensions");
  e.shape(0, x.elem, dims);
  const Data *from = x.known(), *at = index.known();
  const std::int64_t count = Eval::elements(e.out(0));
  if (from != nullptr && at != nullptr && !at->real && axis == 0 && count >= 0 && count <= kMaxData && x.rank > 0 &&
      Eval::elements(x) == static_cast<std::int64_t>(from->count) && x.dims[0] > 0) {
    const std::int64_t row = static_cast<std::int64_t>(from->count) / x.dims[0];
    Data* to = e.data(0, static_cast<std::uint32_t>(count), from->real);
    for (std::uint32_t i = 0; i < to->count; ++i) {
      const std::int64_t entry = row == 0 ? 0 : i / row, within = row == 0 ? 0 : i % row;
      std::int64_t k = entry < at->count ? at->integers()[entry] : kDataUnknown;
      if (is_known(k) && k < 0) k += x.dims[0];
      const bool inside = is_known(k) && k >= 0 && k < x.dims[0];
      if (is_known(k) && !inside)
        return e.fail("shape-mismatch", "gathers element " + std::to_string(k) + " of " + std::to_string(x.dims[0]));
      if (inside)
        to->integers()[i] = from->integers()[k * row + within];
      else if (from->real)
        to->reals()[i] = std::nan("");
      else
        to->integers()[i] = kDataUnknown;
    }
  }
  if (x.origin != 0 && is_float(x.elem)) {
    graph::Step s = e.step(graph::Kind::lookup);
    s.written = std::max<std::int64_t>(Eval::elements(e.out(0)), 0);
    s.right_gradient = e.gradient(0);
    s.columns = x.rank == 2 && axis == 0 && x.dims[1] > 0 ? x.dims[1] : 0;
    e.record(s);
  }
  return true;
}

bool gather_elements(Eval& e) {
  e.shape_like(0, e.in(0).elem, e.in(1));
  return true;
}

bool gather_nd(Eval& e) {
  const Type x = e.in(0), index = e.in(1);
  const std::int64_t batch = e.integer("batch_dims", 0);
  if (!x.ranked() || !index.ranked() || index.rank == 0 || batch < 0 || batch >= index.rank ||
      index.dims[index.rank - 1] < 0)
    return first_unranked(e);
  const std::int64_t depth = index.dims[index.rank - 1];
  if (batch + depth > x.rank) return e.fail("shape-mismatch", "indexes more dimensions than there are");
  Dims dims;
  for (int i = 0; i + 1 < index.rank; ++i) dims.push(index.dims[i]);
  for (auto i = static_cast<int>(batch + depth); i < x.rank; ++i) dims.push(x.dims[i]);
  if (dims.overflow) return e.fail("shape-mismatch", "makes more than 32 dimensions");
  e.shape(0, x.elem, dims);
  e.elementwise(0);
  return true;
}

bool like_first(Eval& e) {
  e.shape_like(0, e.in(0).elem, e.in(0));
  e.elementwise(0);
  return true;
}

bool pad(Eval& e) {
  const Type x = e.in(0);
  if (!x.ranked()) return first_unranked(e);
  Integers pads, axes;
  e.list(1, e.attribute("pads") != nullptr ? "pads" : "paddings", pads);
  e.list(3, {}, axes);
  Dims dims;
  for (int i = 0; i < x.rank; ++i) dims.push(x.dims[i]);
  const std::uint32_t n = axes.present ? axes.n : x.rank;
  if (!pads.known || pads.n != 2 * n || (axes.present && !axes.known)) {
    const bool usable = pads.n == 2 * n && !axes.present;
    for (int i = 0; i < x.rank; ++i) {
      const bool zero = usable && pads.v[i] == 0 && pads.v[static_cast<unsigned>(i) + n] == 0;
      if (!zero) dims.v[i] = kUnknown;
    }
    e.shape(0, x.elem, dims);
    return true;
  }
  for (std::uint32_t i = 0; i < n; ++i) {
    int axis = static_cast<int>(i);
    if (axes.present && !e.to_axis(axes.v[i], x.rank, axis)) return false;
    const std::int64_t before = pads.v[i], after = pads.v[i + n];
    if (dims.v[axis] < 0 || !is_known(before) || !is_known(after)) {
      if (before != 0 || after != 0) dims.v[axis] = kUnknown;
      continue;
    }
    Integer size = Integer(dims.v[axis]) + before + after;
    if (size < Integer(0) || !size.fits_int64())
      return e.fail("shape-mismatch", "pads a dimension to an impossible size");
    dims.v[axis] = size.to_int64();
  }
  e.shape(0, x.elem, dims);
  const Data* from = x.known();
  if (from != nullptr && x.rank == 1 && dims.v[0] >= 0 && dims.v[0] <= kMaxData && !from->real &&
      e.text("mode", "constant") == "constant" && pads.v[0] >= 0 && pads.v[1] >= 0) {
    std::int64_t fill = 0;
    if (e.has(2)) Eval::scalar(e.in(2), fill);
    Data* to = e.data(0, static_cast<std::uint32_t>(dims.v[0]), false);
    std::fill(to->integers(), to->integers() + to->count, fill);
    std::copy(from->integers(), from->integers() + from->count, to->integers() + pads.v[0]);
  }
  return true;
}

// Sizes from `scales`, or given outright.
bool resize(Eval& e) {
  const Type x = e.in(0);
  if (!x.ranked()) return first_unranked(e);
  const bool old = e.rule().choice == 1 || e.inputs() == 2;  // Upsample, and Resize of opset 10: (X, scales)
  Integers sizes, axes;
  e.list(old ? 99 : 3, {}, sizes);
  e.integers("axes", axes);
  const Type& scale_type = e.in(old ? 1 : 2);
  const Data* scales = scale_type.known();
  Data* from_attribute = nullptr;
  if (scales == nullptr && e.attribute("scales") != nullptr) from_attribute = e.model().new_data(x.rank, true);
  if (from_attribute != nullptr) {
    std::uint32_t at = 0;
    e.floats("scales", from_attribute->reals(), x.rank, at);
    scales = at == x.rank ? from_attribute : nullptr;
  }
  Dims dims;
  for (int i = 0; i < x.rank; ++i) dims.push(x.dims[i]);
  const std::uint32_t n = axes.present ? axes.n : x.rank;
  for (std::uint32_t i = 0; i < n; ++i) {
    int axis = static_cast<int>(i);
    if (axes.present && !e.to_axis(axes.v[i], x.rank, axis)) return false;
    if (sizes.present) {
      dims.v[axis] = i < sizes.n ? element_as_size(sizes.v[i]) : kUnknown;
    } else if (scales != nullptr && scales->real && scales->count == n) {
      const double scale = scales->reals()[i];
      if (scale == 1) continue;
      const double size = std::floor(static_cast<double>(dims.v[axis]) * scale);
      dims.v[axis] = dims.v[axis] >= 0 && size >= 0 && size < 1e15 ? static_cast<std::int64_t>(size) : kUnknown;
    } else {
      dims.v[axis] = kUnknown;
    }
  }
  const std::string_view policy = e.text("keep_aspect_ratio_policy", "stretch");
  if (policy != "stretch" && sizes.present && n > 0) {
    double best = policy == "not_larger" ? HUGE_VAL : 0;
    bool known = true;
    for (std::uint32_t i = 0; i < n; ++i) {
      const int axis =
          axes.present ? static_cast<int>(axes.v[i] < 0 ? axes.v[i] + x.rank : axes.v[i]) : static_cast<int>(i);
      known = known && x.dims[axis] > 0 && dims.v[axis] >= 0;
      const double ratio = static_cast<double>(dims.v[axis]) / static_cast<double>(x.dims[axis]);
      best = policy == "not_larger" ? std::min(best, ratio) : std::max(best, ratio);
    }
    for (std::uint32_t i = 0; i < n; ++i) {
      const int axis =
          axes.present ? static_cast<int>(axes.v[i] < 0 ? axes.v[i] + x.rank : axes.v[i]) : static_cast<int>(i);
      dims.v[axis] = known ? static_cast<std::int64_t>(std::round(best * static_cast<double>(x.dims[axis]))) : kUnknown;
    }
  }
  e.shape(0, x.elem, dims);
  const std::string_view mode = e.text("mode", "nearest");
  e.elementwise(mode == "nearest" ? 0 : mode == "cubic" ? 32 : 8);
  return true;
}

bool depth_to_space(Eval& e) {
  const Type x = e.in(0);
  const std::int64_t block = e.integer("blocksize", 1);
  if (!x.ranked()) return first_unranked(e);
  if (x.rank != 4 || block <= 0 || block > 1 << 20)
    return e.fail("shape-mismatch", "needs four dimensions and a positive block size");
  const bool to_space = e.rule().choice == 0;
  Dims dims;
  dims.push(x.dims[0]);
  auto divided = [&](std::int64_t size, std::int64_t by) { return size < 0 ? kUnknown : size / by; };
  dims.push(to_space ? divided(x.dims[1], block * block) : size_times(x.dims[1], block * block));
  for (int i = 2; i < 4; ++i) dims.push(to_space ? size_times(x.dims[i], block) : divided(x.dims[i], block));
  e.shape(0, x.elem, dims);
  return true;
}

bool non_zero(Eval& e) {
  const Type x = e.in(0);
  Dims dims;
  dims.push(x.ranked() ? static_cast<std::int64_t>(x.rank) : kUnknown);
  const Data* from = x.known();
  std::uint32_t hits = 0;
  bool known = from != nullptr;
  for (std::uint32_t i = 0; known && i < from->count; ++i) {
    known = from->real ? from->reals()[i] == from->reals()[i] : is_known(from->integers()[i]);
    if (known && (from->real ? from->reals()[i] != 0 : from->integers()[i] != 0)) ++hits;
  }
  dims.push(known ? static_cast<std::int64_t>(hits) : e.new_size(0, 1));
  e.shape(0, kInt64, dims);
  if (known && x.rank == 1) {
    Data* to = e.data(0, hits, false);
    std::uint32_t at = 0;
    for (std::uint32_t i = 0; i < from->count; ++i)
      if (from->real ? from->reals()[i] != 0 : from->integers()[i] != 0) to->integers()[at++] = i;
  }
  return true;
}

bool compress(Eval& e) {
  const Type x = e.in(0);
  Dims dims;
  if (e.attribute("axis") == nullptr) {
    dims.push(e.new_size(0, 0));
  } else {
    if (!x.ranked()) return first_unranked(e);
    int axis = 0;
    if (!e.to_axis(e.integer("axis", 0), x.rank, axis)) return false;
    for (int i = 0; i < x.rank; ++i) dims.push(i == axis ? e.new_size(0, axis) : x.dims[i]);
  }
  e.shape(0, x.elem, dims);
  return true;
}

bool unique(Eval& e) {
  const std::int64_t size = e.new_size(0, 0);
  Dims dims;
  dims.push(size);
  std::int64_t looked_at = Eval::elements(e.in(0));
  const Type x = e.in(0);
  if (e.attribute("axis") != nullptr && x.ranked() && x.rank > 0) {
    int axis = 0;
    if (!e.to_axis(e.integer("axis", 0), x.rank, axis)) return false;
    dims = Dims{};
    for (int i = 0; i < x.rank; ++i) dims.push(i == axis ? size : x.dims[i]);
    looked_at = x.dims[axis];
  }
  e.shape(0, x.elem, dims);
  for (int i = 1; i < 4; ++i) {
    Dims list;
    list.push(i == 2 ? looked_at : size);
    e.shape(i, kInt64, list);
  }
  return true;
}

bool top_k(Eval& e) {
  const Type x = e.in(0);
  Integers k;
  e.list(1, {}, k);
  std::int64_t size = k.n == 1 ? element_as_size(k.v[0]) : kUnknown;
  if (!e.has(1)) size = e.integer("k", kUnknown);
  if (!x.ranked()) {
    e.unranked(0, x.elem);
    e.unranked(1, kInt64);
    return true;
  }
  int axis = 0;
  if (!e.to_axis(e.integer("axis", -1), x.rank, axis)) return false;
  if (size == kUnknown) size = e.new_size(0, axis);
  Dims dims;
  for (int i = 0; i < x.rank; ++i) dims.push(i == axis ? size : x.dims[i]);
  e.shape(0, x.elem, dims);
  e.shape(1, kInt64, dims);
  return true;
}

bool center_crop_pad(Eval& e) {
  const Type x = e.in(0);
  Integers sizes, axes;
  e.list(1, {}, sizes);
  e.integers("axes", axes);
  if (!x.ranked()) return first_unranked(e);
  Dims dims;
  for (int i = 0; i < x.rank; ++i) dims.push(x.dims[i]);
  for (std::uint32_t i = 0; i < sizes.n; ++i) {
    int axis = 0;
    if (!e.to_axis(axes.present && i < axes.n ? axes.v[i] : static_cast<std::int64_t>(i), x.rank, axis)) return false;
    dims.v[axis] = element_as_size(sizes.v[i]);
  }
  e.shape(0, x.elem, dims);
  return true;
}

bool grid_sample(Eval& e) {
  const Type x = e.in(0), grid = e.in(1);
  if (!x.ranked() || !grid.ranked() || x.rank != grid.rank || x.rank < 3) return first_unranked(e);
  Dims dims;
  dims.push(x.dims[0]);
  dims.push(x.dims[1]);
  for (int i = 1; i + 1 < grid.rank; ++i) dims.push(grid.dims[i]);
  e.shape(0, x.elem, dims);
  e.elementwise(8);
  return true;
}

bool affine_grid(Eval& e) {
  Integers sizes;
  e.list(1, {}, sizes);
  if (sizes.n < 3 || sizes.n > 8) return first_unranked(e);
  Dims dims;
  dims.push(element_as_size(sizes.v[0]));
  for (std::uint32_t i = 2; i < sizes.n; ++i) dims.push(element_as_size(sizes.v[i]));
  dims.push(static_cast<std::int64_t>(sizes.n) - 2);
  e.shape(0, e.in(0).elem, dims);
  return true;
}

bool col_to_im(Eval& e) {
  const Type x = e.in(0);
  Integers image, block;
  e.list(1, {}, image);
  e.list(2, {}, block);
  if (!x.ranked() || x.rank != 3 || !image.known || !block.known || image.n > 8) return first_unranked(e);
  std::int64_t kernel = 1;
  for (std::uint32_t i = 0; i < block.n; ++i) kernel = size_times(kernel, element_as_size(block.v[i]));
  Dims dims;
  dims.push(x.dims[0]);
  dims.push(x.dims[1] < 0 || kernel <= 0 ? kUnknown : x.dims[1] / kernel);
  for (std::uint32_t i = 0; i < image.n; ++i) dims.push(element_as_size(image.v[i]));
  e.shape(0, x.elem, dims);
  return true;
}

}  // namespace

const Rule kMovementRules[] = {
    {"Concat", concat},
    {"Split", split, 2, 1},
    {"Slice", slice, 30, 1},
    {"Gather", gather, 2, 1},
    {"GatherElements", gather_elements, 2, 1},
    {"GatherND", gather_nd, 2, 1},
    {"Scatter", like_first, 2, 5},
    {"ScatterElements", like_first, 2, 5},
    {"ScatterND", like_first, 2, 5},
    {"TensorScatter", like_first, 4, 3},
    {"GatherND", gather_nd, 2, 1, kAll, 0, 0, false, "com.microsoft"},
    {"Pad", pad, 14, 1},
    {"Pad", pad, 14, 1, kAll, 0, 0, false, "com.microsoft"},
    {"GridSample", grid_sample, 0, 3, kAll, 0, 0, false, "com.microsoft"},
    {"Resize", resize, 14, 1},
    {"Upsample", resize, 2, 1, kAll, 0, 1},
    {"DepthToSpace", depth_to_space},
    {"SpaceToDepth", depth_to_space, 0, kAll, kAll, 0, 1},
    {"ReverseSequence", like_first, 2, 1},
    {"NonZero", non_zero, 0, 0, 0},
    {"Compress", compress, 2, 1},
    {"Unique", unique, 0, 1, 1},
    {"TopK", top_k, 2, 1, 1},
    {"CenterCropPad", center_crop_pad, 2, 1},
    {"GridSample", grid_sample, 0, 3},
    {"AffineGrid", affine_grid, 2, 1},
    {"Col2Im", col_to_im, 6, 1},
    {"", nullptr},
};

}  // namespace floptally::onnx
