// Convolutions, pooling and the normalizations that go with them.
#include <algorithm>

#include "network/formats/onnx/eval.h"
#include "network/formats/onnx/rules_shared.h"

namespace floptally::onnx {

using graph::Kind;

bool window_sizes(Eval& e, const Type& x, const std::int64_t* kernel, Dims& dims) {
  Integers strides, pads, dilations, shape;
  e.integers("strides", strides);
  e.integers("pads", pads);
  e.integers("dilations", dilations);
  e.integers("kernel_shape", shape);
  const std::string_view automatic = e.text("auto_pad", "NOTSET");
  const bool ceiling = e.integer("ceil_mode", 0) != 0;
  const int spatial = x.rank - 2;
  const auto n = static_cast<std::uint32_t>(spatial);
  if ((strides.present && strides.n != n) || (dilations.present && dilations.n != n) ||
      (pads.present && pads.n != 2 * n) || (shape.present && shape.n != n) || (kernel == nullptr && !shape.present))
    return e.fail("shape-mismatch", "its window has another number of dimensions than its input");
  for (std::uint32_t i = 0; i < n; ++i) {
    const std::int64_t size = x.dims[i + 2], k = kernel != nullptr ? kernel[i] : shape.v[i];
    const std::int64_t stride = strides.present ? strides.v[i] : 1, dilation = dilations.present ? dilations.v[i] : 1;
    std::int64_t padding = 0, before = 0;
    if (pads.present && automatic == "NOTSET") {
      before = pads.v[i];
      if (__builtin_add_overflow(pads.v[i], pads.v[i + n], &padding)) padding = kDataUnknown;
    }
    constexpr std::int64_t kMost = std::int64_t{1} << 40;
    if (stride <= 0 || dilation <= 0 || stride > kMost || dilation > kMost || padding > kMost || padding < -kMost ||
        k == 0 || k > kMost || size > kMost || (k > 1 && dilation > kMost / (k - 1)))
      return e.fail("shape-mismatch", "its window has an impossible size, stride, padding or dilation");
    if (size < 0 || k < 0) {
      dims.push(kUnknown);
      continue;
    }
    if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
      dims.push((size + stride - 1) / stride);
      continue;
    }
    const std::int64_t reach = size + padding - (dilation * (k - 1) + 1);
    if (reach < 0)
      return e.fail("shape-mismatch",
                    "a window of " + std::to_string(dilation * (k - 1) + 1) + " does not fit into " +
                        std::to_string(size + padding),
                    "check --input: the graph may need a larger image");
    std::int64_t count = (ceiling ? (reach + stride - 1) / stride : reach / stride) + 1;
    if (ceiling && (count - 1) * stride >= size + before)
      --count;  // a window that starts in the padding after the input
    dims.push(count);
  }
  return true;
}

bool convolve(Eval& e, int xi, int wi, std::uint8_t elem, bool last) {
  Type x = e.in(xi);
  const Type w = e.in(wi);
  if (!x.ranked() || !w.ranked()) {
    e.unranked(0, elem);
    e.product(Kind::convolution, xi, wi, kUnknown, 1, 1, 1);
    return true;
  }
  if (x.rank < 3 || x.rank != w.rank)
    return e.fail("shape-mismatch", "convolves a tensor of rank " + std::to_string(x.rank) + " with a kernel of rank " +
                                        std::to_string(w.rank));
  std::int64_t channels_first[kMaxRank];
  if (last) {
    for (int i = 0; i < x.rank; ++i) channels_first[i] = x.dims[i == 0 ? 0 : i == 1 ? x.rank - 1 : i - 1];
    x.dims = channels_first;
  }
  const std::int64_t groups = e.integer("group", 1);
  if (groups <= 0 || (x.dims[1] >= 0 && w.dims[1] >= 0 && size_times(w.dims[1], groups) != x.dims[1]))
    return e.fail("shape-mismatch", "has " + std::to_string(x.dims[1]) + " channels; its kernel has " +
                                        std::to_string(w.dims[1]) + " in each of " + std::to_string(groups) +
                                        " groups");
  Dims dims;
  dims.push(x.dims[0]);
  dims.push(w.dims[0]);
  if (!window_sizes(e, x, w.dims + 2, dims)) return false;
  Dims out = dims;
  for (int i = 1; last && i < dims.n; ++i) out.v[i] = dims.v[i + 1 < dims.n ? i + 1 : 1];
  e.shape(0, elem, out);
  std::int64_t positions = dims.v[0], kernel = 1;
  for (int i = 2; i < dims.n; ++i) positions = size_times(positions, dims.v[i] < 0 ? kUnknown : dims.v[i]);
  for (int i = 2; i < w.rank; ++i) kernel = size_times(kernel, w.dims[i]);
  e.product(Kind::convolution, xi, wi, groups, positions, w.dims[0] < 0 ? kUnknown : w.dims[0] / groups,
            size_times(w.dims[1], kernel), kAll, kernel);
  return true;
}

namespace {

bool conv(Eval& e) { return convolve(e, 0, 1, e.in(0).elem); }
bool conv_integer(Eval& e) { return convolve(e, 0, 1, kInt32); }

bool conv_transpose(Eval& e) {
  const Type x = e.in(0), w = e.in(1);
  if (!x.ranked() || !w.ranked()) {
    e.unranked(0, x.elem);
    e.product(Kind::convolution, 0, 1, kUnknown, 1, 1, 1);
    return true;
  }
  if (x.rank < 3 || x.rank != w.rank) return e.fail("shape-mismatch", "its input and its kernel differ in rank");
  Integers strides, pads, dilations, extra, wanted;
  e.integers("strides", strides);
  e.integers("pads", pads);
  e.integers("dilations", dilations);
  e.integers("output_padding", extra);
  e.integers("output_shape", wanted);
  const std::string_view automatic = e.text("auto_pad", "NOTSET");
  const std::int64_t groups = e.integer("group", 1);
  const auto n = static_cast<std::uint32_t>(x.rank - 2);
  if (groups <= 0 || (x.dims[1] >= 0 && w.dims[0] >= 0 && x.dims[1] != w.dims[0]))
    return e.fail("shape-mismatch", "its input and its kernel differ in channels");
  if ((strides.present && strides.n != n) || (pads.present && pads.n != 2 * n) ||
      (dilations.present && dilations.n != n))
    return e.fail("shape-mismatch", "its window has another number of dimensions than its input");
  Dims dims;
  dims.push(x.dims[0]);
  dims.push(size_times(w.dims[1], groups));
  for (std::uint32_t i = 0; i < n; ++i) {
    const std::int64_t stride = strides.present ? strides.v[i] : 1, dilation = dilations.present ? dilations.v[i] : 1;
    const std::int64_t size = x.dims[i + 2], k = w.dims[i + 2];
    if (wanted.present && wanted.n >= n) {
      dims.push(element_as_size(wanted.v[wanted.n - n + i]));
    } else if (size < 0 || k < 0) {
      dims.push(kUnknown);
    } else {
      Integer length = Integer(stride) * (size - 1) + Integer(dilation) * (k - 1) + 1;
      if (extra.present && i < extra.n) length += extra.v[i];
      if (pads.present && automatic == "NOTSET") length = length - pads.v[i] - pads.v[i + n];
      if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") length = Integer(size) * stride;
      if (!length.fits_int64() || length < Integer(0)) return e.fail("shape-mismatch", "makes an impossible size");
      dims.push(length.to_int64());
    }
  }
  e.shape(0, x.elem, dims);
  std::int64_t positions = x.dims[0], kernel = 1;
  for (int i = 2; i < x.rank; ++i) {
    positions = size_times(positions, x.dims[i] < 0 ? kUnknown : x.dims[i]);
    kernel = size_times(kernel, w.dims[i]);
  }
  e.product(Kind::convolution, 0, 1, groups, positions, size_times(w.dims[1], kernel),
            w.dims[0] < 0 ? kUnknown : w.dims[0] / groups, kAll, kernel, true);
  return true;
}

bool pool(Eval& e) {
  const Type x = e.in(0);
  if (!x.ranked()) {
    e.unranked(0, x.elem);
    return true;
  }
  if (x.rank < 3) return e.fail("shape-mismatch", "pools a tensor of rank " + std::to_string(x.rank));
  Dims dims;
  dims.push(x.dims[0]);
  dims.push(x.dims[1]);
  if (!window_sizes(e, x, nullptr, dims)) return false;
  e.shape(0, x.elem, dims);
  e.shape(1, kInt64, dims);
  Integers kernel;
  e.integers("kernel_shape", kernel);
  std::int64_t window = 1;
  for (std::uint32_t i = 0; i < kernel.n; ++i) window = size_times(window, kernel.v[i]);
  e.elementwise(std::max<std::int64_t>(window, 0));
  return true;
}

bool global_pool(Eval& e) {
  const Type x = e.in(0);
  if (!x.ranked() || x.rank < 2) {
    e.unranked(0, x.elem);
    return true;
  }
  Dims dims;
  std::int64_t window = 1;
  for (int i = 0; i < x.rank; ++i) {
    dims.push(i < 2 ? x.dims[i] : 1);
    if (i >= 2) window = size_times(window, x.dims[i]);
  }
  e.shape(0, x.elem, dims);
  e.elementwise(std::max<std::int64_t>(window, 0));
  return true;
}

bool max_unpool(Eval& e) {
  const Type x = e.in(0);
  Integers wanted, kernel, strides, pads;
  e.list(2, {}, wanted);
  e.integers("kernel_shape", kernel);
  e.integers("strides", strides);
  e.integers("pads", pads);
  if (!x.ranked() || x.rank < 3) {
    e.unranked(0, x.elem);
    return true;
  }
  Dims dims;
  for (int i = 0; i < x.rank; ++i) {
    const auto s = static_cast<std::uint32_t>(i - 2);
    if (wanted.present) {
      dims.push(static_cast<std::uint32_t>(i) < wanted.n ? element_as_size(wanted.v[i]) : kUnknown);
    } else if (i < 2) {
      dims.push(x.dims[i]);
    } else if (x.dims[i] > 0 && s < kernel.n) {
      const auto half = pads.n / 2;
      Integer size = Integer(x.dims[i] - 1) * (strides.present && s < strides.n ? strides.v[s] : 1) + kernel.v[s];
      if (pads.present && s + half < pads.n) size = size - pads.v[s] - pads.v[s + half];
      dims.push(size.fits_int64() && size > Integer(0) ? size.to_int64() : kUnknown);
    } else {
      dims.push(kUnknown);
    }
  }
  e.shape(0, x.elem, dims);
  return true;
}

// Statistics over channels or rows: the output has the input's shape; further outputs are statistics.
bool normalization(Eval& e) {
  const Type x = e.in(0);
  e.shape_like(0, x.elem, x);
  graph::Step s = e.step(Kind::normalization);
  s.flop_per_element = e.rule().flop;
  s.written = s.read = std::max<std::int64_t>(Eval::elements(x), 0);
  s.columns = std::max<std::int64_t>(1, Eval::elements(e.in(1)));
  s.left_gradient = e.gradient(0);
  s.kept = s.left_gradient ? e.hold_input(0) : 0;
  if (e.rule().choice == 1) {  // batch norm: running statistics
    for (int i = 1; i < e.outputs(); ++i) e.shape_like(i, e.in(3).elem, e.in(3));
  } else if (e.rule().choice == 2 && x.ranked() && x.rank > 0) {  // layer norm: mean and inverse deviation of each row
    int axis = 0;
    if (!e.to_axis(e.integer("axis", -1), x.rank, axis)) return false;
    Dims dims;
    for (int i = 0; i < x.rank; ++i) dims.push(i < axis ? x.dims[i] : 1);
    e.shape(1, kFloat, dims);
    e.shape(2, kFloat, dims);
  }
  e.record(s);
  return true;
}

}  // namespace

const Rule kConvolutionRules[] = {
    {"Conv", conv},
    {"ConvTranspose", conv_transpose},
    {"ConvInteger", conv_integer, 12, 0, 0},
    {"DeformConv", conv},
    {"MaxPool", pool, 0, kAll, 1},
    {"AveragePool", pool},
    {"LpPool", pool},
    {"GlobalAveragePool", global_pool},
    {"GlobalMaxPool", global_pool},
    {"GlobalLpPool", global_pool},
    {"MaxUnpool", max_unpool, 6, 1},
    {"BatchNormalization", normalization, 24, 7, 1, 2, 1},
    {"InstanceNormalization", normalization, 0, kAll, 1, 7},
    {"LayerNormalization", normalization, 0, kAll, 1, 7, 2},
    {"GroupNormalization", normalization, 0, kAll, 1, 7},
    {"RMSNormalization", normalization, 0, kAll, 1, 4},
    {"SimplifiedLayerNormalization", normalization, 0, kAll, 1, 4, 2},
    {"LayerNormalization", normalization, 0, kAll, 1, 7, 2, false, "com.microsoft"},
    {"GroupNorm", normalization, 0, kAll, 1, 7, 0, false, "com.microsoft"},
    {"MaxpoolWithMask", pool, 2, 1, 1, 0, 0, false, "com.microsoft"},
    {"FusedConv", conv, 0, kAll, kAll, 0, 0, false, "com.microsoft"},
    {"", nullptr},
};

}  // namespace floptally::onnx
