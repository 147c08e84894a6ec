#include "network/formats/tensorflow/ops.h"

#include <algorithm>
#include <unordered_map>

#include "network/formats/graph/names.h"

namespace floptally::tensorflow {

using graph::FlowId;
using graph::FlowValue;
using graph::Kind;
using graph::kNothing;
using graph::Sizes;
using graph::Work;

FlowValue& OpCall::make() {
  const FlowId id = flow.id(std::string(node.name) + "#" + std::to_string(outputs.size()) + "@" +
                            std::to_string(reinterpret_cast<std::uintptr_t>(node.bytes.data())));
  FlowId fresh = id;
  for (int again = 0; flow.value(fresh).ranked || flow.value(fresh).weight; ++again)  // a function that is called twice
    fresh = flow.id(flow.value(id).name + "'" + std::to_string(again));
  outputs.push_back(fresh);
  return flow.value(fresh);
}

namespace {

std::int64_t times(std::int64_t a, std::int64_t b) {
  std::int64_t r = 0;
  return a < 0 || b < 0 || __builtin_mul_overflow(a, b, &r) ? -1 : r;
}

std::int64_t divided(std::int64_t a, std::int64_t b) { return a < 0 || b <= 0 ? -1 : a / b; }

// Shapes by rule; false where only the file can say.
using ShapeRule = bool (*)(OpCall&, FlowValue&);

bool like_first(OpCall& c, FlowValue& v) {
  if (!c.has(0) || !c.in(0).ranked) return false;
  v.dims = c.in(0).dims;
  return v.ranked = true;
}

bool broadcast(OpCall& c, FlowValue& v) {
  std::vector<std::int64_t> dims;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    if (!c.has(i) || !c.in(i).ranked) return false;
    const std::vector<std::int64_t>& x = c.in(i).dims;
    if (x.size() > dims.size()) dims.insert(dims.begin(), x.size() - dims.size(), 1);
    for (std::size_t k = 0; k < x.size(); ++k) {
      std::int64_t& d = dims[dims.size() - 1 - k];
      const std::int64_t other = x[x.size() - 1 - k];
      if (d == 1 || (d < 0 && other > 1)) d = other;
    }
  }
  v.dims = dims;
  return v.ranked = true;
}

bool channels_first(const OpCall& c) { return c.reader.text(c.attribute("data_format")).substr(0, 2) == "NC"; }

// Windows of Conv2D, MaxPool ...: spatial sizes from strides, padding and the window.
bool window(OpCall& c, FlowValue& v, const std::vector<std::int64_t>& kernel, std::int64_t channels) {
  const FlowValue& x = c.in(0);
  const std::vector<std::int64_t> strides = c.reader.integers(c.attribute("strides")),
                                  dilations = c.reader.integers(c.attribute("dilations")),
                                  pads = c.reader.integers(c.attribute("explicit_paddings"));
  const std::string_view padding = c.reader.text(c.attribute("padding"));
  const int first = channels_first(c) ? 2 : 1;
  if (!x.ranked || x.rank() < 3 || static_cast<int>(strides.size()) != x.rank() ||
      static_cast<int>(kernel.size()) != x.rank() - 2)
    return false;
  v.dims = x.dims;
  v.dims[channels_first(c) ? 1 : static_cast<std::size_t>(x.rank()) - 1] = channels;
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    const auto axis = static_cast<std::size_t>(first) + i;
    const std::int64_t stride = strides[axis], dilation = dilations.size() == strides.size() ? dilations[axis] : 1;
    std::int64_t size = x.dims[axis];
    constexpr std::int64_t kMost = 1 << 20, kMostSize = std::int64_t{1} << 40;
    if (stride <= 0 || stride > kMost || dilation <= 0 || dilation > kMost || kernel[i] <= 0 || kernel[i] > kMost ||
        size < 0 || size > kMostSize)
      return false;
    if (padding == "EXPLICIT" && pads.size() == 2 * strides.size())
      for (const std::size_t side : {2 * axis, 2 * axis + 1}) size += std::clamp<std::int64_t>(pads[side], 0, kMost);
    const std::int64_t reach = dilation * (kernel[i] - 1) + 1;
    v.dims[axis] = padding == "SAME" ? (size + stride - 1) / stride : size < reach ? 0 : (size - reach) / stride + 1;
  }
  return v.ranked = true;
}

bool pooled(OpCall& c, FlowValue& v) {
  if (!c.has(0)) return false;
  std::vector<std::int64_t> size = c.reader.integers(c.attribute("ksize"));
  if (static_cast<int>(size.size()) != c.in(0).rank() || size.size() < 3) return false;
  const std::size_t first = channels_first(c) ? 2 : 1;
  return window(c, v,
                {size.begin() + static_cast<std::ptrdiff_t>(first),
                 size.begin() + static_cast<std::ptrdiff_t>(first + size.size() - 2)},
                c.in(0).dim(channels_first(c) ? 1 : -1));
}

bool reduced(OpCall& c, FlowValue& v) {
  const auto* axes = c.known(1);
  if (!c.has(0) || !c.in(0).ranked || axes == nullptr) return false;
  const bool keep = c.reader.integer(c.attribute("keep_dims"), 0) != 0;
  for (int i = 0; i < c.in(0).rank(); ++i) {
    const bool gone = std::find(axes->begin(), axes->end(), i) != axes->end() ||
                      std::find(axes->begin(), axes->end(), i - c.in(0).rank()) != axes->end();
    if (!gone)
      v.dims.push_back(c.in(0).dim(i));
    else if (keep)
      v.dims.push_back(1);
  }
  return v.ranked = true;
}

bool reshaped(OpCall& c, FlowValue& v) {
  const auto* shape = c.known(1);
  if (!c.has(0) || shape == nullptr || shape->size() > 32) return false;
  std::int64_t rest = 1;
  int open = -1;
  v.dims = *shape;
  for (std::size_t i = 0; i < v.dims.size(); ++i) {
    if (v.dims[i] < 0)
      open = static_cast<int>(i);
    else
      rest = times(rest, v.dims[i]);
  }
  if (open >= 0) v.dims[static_cast<std::size_t>(open)] = divided(c.in(0).elements(), rest);
  return v.ranked = true;
}

bool transposed(OpCall& c, FlowValue& v) {
  const auto* perm = c.known(1);
  if (!c.has(0) || perm == nullptr) return false;
  for (std::int64_t axis : *perm) v.dims.push_back(c.in(0).dim(axis));
  return v.ranked = true;
}

bool squeezed(OpCall& c, FlowValue& v) {
  if (!c.has(0) || !c.in(0).ranked) return false;
  const std::vector<std::int64_t> axes = c.reader.integers(c.attribute("squeeze_dims"));
  for (int i = 0; i < c.in(0).rank(); ++i) {
    const bool named = std::find(axes.begin(), axes.end(), i) != axes.end() ||
                       std::find(axes.begin(), axes.end(), i - c.in(0).rank()) != axes.end();
    if (axes.empty() ? c.in(0).dim(i) != 1 : !named) v.dims.push_back(c.in(0).dim(i));
  }
  return v.ranked = true;
}

bool expanded(OpCall& c, FlowValue& v) {
  const auto* axis = c.known(1);
  if (!c.has(0) || !c.in(0).ranked || axis == nullptr || axis->size() != 1) return false;
  v.dims = c.in(0).dims;
  const std::int64_t at = (*axis)[0] < 0 ? (*axis)[0] + c.in(0).rank() + 1 : (*axis)[0];
  if (at < 0 || at > c.in(0).rank()) return false;
  v.dims.insert(v.dims.begin() + at, 1);
  return v.ranked = true;
}

bool joined(OpCall& c, FlowValue& v) {
  const auto* axis = c.inputs.empty() ? nullptr : c.known(c.inputs.size() - 1);
  if (!c.has(0) || !c.in(0).ranked || axis == nullptr || axis->size() != 1) return false;
  v.dims = c.in(0).dims;
  const std::int64_t at = (*axis)[0] < 0 ? (*axis)[0] + c.in(0).rank() : (*axis)[0];
  if (at < 0 || at >= c.in(0).rank()) return false;
  for (std::size_t i = 1; i + 1 < c.inputs.size(); ++i) {
    std::int64_t& d = v.dims[static_cast<std::size_t>(at)];
    const std::int64_t more = c.has(i) ? c.in(i).dim(at) : -1;
    d = d < 0 || more < 0 || d > (std::int64_t{1} << 60) || more > (std::int64_t{1} << 60) ? -1 : d + more;
  }
  return v.ranked = true;
}

bool padded(OpCall& c, FlowValue& v) {
  const auto* pads = c.known(1);
  if (!c.has(0) || pads == nullptr || pads->size() != 2 * static_cast<std::size_t>(c.in(0).rank())) return false;
  for (int i = 0; i < c.in(0).rank(); ++i) {
    const auto at = std::size_t{2} * static_cast<std::size_t>(i);
    const std::int64_t more = std::clamp<std::int64_t>((*pads)[at] + (*pads)[at + 1], 0, std::int64_t{1} << 40);
    v.dims.push_back(c.in(0).dim(i) < 0 ? -1 : c.in(0).dim(i) + more);
  }
  return v.ranked = true;
}

bool from_file(OpCall&, FlowValue&) { return false; }

enum Cost : std::int8_t {
  kView = -1,
  kConvolution = -2,
  kMatmul = -3,
  kNorm = -4,
  kLookup = -5,
  kConstant = -6,
  kVariable = -7,
  kMaker = -8
};

struct Group {
  std::string_view names;  // separated by spaces
  ShapeRule shape;
  std::int8_t cost;  // FLOP for each element written, or a Cost
};

// clang-format off
constexpr Group kGroups[] = {
    {"Conv2D DepthwiseConv2dNative Conv3D Conv2DBackpropInput _FusedConv2D", nullptr, kConvolution},
    {"MatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 _FusedMatMul", nullptr, kMatmul},
    {"Const", nullptr, kConstant}, {"VarHandleOp VariableV2 Variable", nullptr, kVariable},
    {"FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3", like_first, kNorm},
    {"Identity ReadVariableOp Cast StopGradient PreventGradient Snapshot CheckNumerics Enter Exit", like_first, kView},
    {"Reshape", reshaped, kView}, {"Transpose", transposed, kView}, {"Squeeze", squeezed, kView}, {"ExpandDims", expanded, kView},
    {"Add AddV2 Sub Mul Div RealDiv Maximum Minimum BiasAdd AddN SquaredDifference DivNoNan FloorMod", broadcast, 1},
    {"Pow Atan2", broadcast, 3}, {"Relu Relu6 LeakyRelu Neg Abs Sqrt Rsqrt Square Sign Reciprocal Inv Cumsum ClipByValue", like_first, 1},
    {"Sigmoid Tanh Exp Log Log1p Erf Sin Cos Elu Selu Expm1", like_first, 4}, {"Softmax LogSoftmax", like_first, 5}, {"Softplus Softsign", like_first, 8},
    {"MaxPool AvgPool MaxPool3D AvgPool3D", pooled, 1}, {"Mean Sum Max Min Prod", reduced, 1}, {"All Any", reduced, kMaker},
    {"ConcatV2", joined, 0}, {"Pad PadV2 MirrorPad", padded, 0}, {"GatherV2 Gather ResourceGather", from_file, kLookup},
    {"Pack Unpack Split SplitV StridedSlice Slice Tile GatherNd ScatterNd SpaceToBatchND BatchToSpaceND SpaceToDepth DepthToSpace ResizeNearestNeighbor "
     "Select SelectV2 Where TopKV2 ReverseV2 BroadcastTo OneHot Roll Einsum_", from_file, 0},
    {"ResizeBilinear ResizeBicubic", from_file, 8},
    {"Shape ShapeN Size Rank Fill Range ZerosLike OnesLike ArgMax ArgMin Equal NotEqual Less LessEqual Greater GreaterEqual LogicalAnd LogicalOr "
     "LogicalNot Floor Ceil Round FloorDiv RandomUniform RandomStandardNormal", from_file, kMaker},
    {"NoOp Assert Placeholder_ ControlTrigger", from_file, kMaker}};
// clang-format on

const std::unordered_map<std::string_view, const Group*>& table() {
  static const std::unordered_map<std::string_view, const Group*> rows = [] {
    std::unordered_map<std::string_view, const Group*> t;
    graph::each_name(kGroups, [&](std::string_view name, const Group& group) { t.emplace(name, &group); });
    return t;
  }();
  return rows;
}

// Outputs as the file states them (_output_shapes), a free first dimension being the batch.
void stated_outputs(OpCall& c, std::int64_t batch) {
  const std::vector<Shape> shapes = c.reader.shapes(c.attribute("_output_shapes"));
  const std::int64_t type = c.reader.integer(c.attribute("T"), c.reader.integer(c.attribute("dtype"), 1));
  for (std::size_t i = 0; i < std::max<std::size_t>(shapes.size(), 1); ++i) {
    FlowValue& v = c.make();
    v.dtype = ProtoReader::dtype_of(type);
    if (i >= shapes.size()) continue;
    v.ranked = shapes[i].ranked;
    v.dims = shapes[i].dims;
    if (!v.dims.empty() && v.dims[0] < 0 && batch >= 0) v.dims[0] = batch;
  }
}

void convolution(OpCall& c, std::int64_t batch) {
  const bool back = c.node.op == "Conv2DBackpropInput", depthwise = c.node.op == "DepthwiseConv2dNative";
  const std::size_t image = back ? 2 : 0;
  if (!c.has(image) || !c.has(1)) return;
  const FlowValue& w = c.in(1);  // [H, W, I, O]; depthwise [H, W, C, m]; backwards [H, W, O, I]
  const int spatial = w.rank() - 2;
  Sizes s;
  std::vector<std::int64_t> kernel;
  for (int i = 0; i < spatial; ++i) {
    kernel.push_back(w.dim(i));
    s.kernel = times(s.kernel, w.dim(i));
  }
  const std::int64_t channels = c.in(image).dim(channels_first(c) ? 1 : -1);
  const std::int64_t made = depthwise ? times(w.dim(-2), w.dim(-1)) : w.dim(back ? -2 : -1);
  FlowValue shaped;
  if (!back && window(c, shaped, kernel, made)) {
    FlowValue& v = c.make();
    v.dims = shaped.dims;
    v.ranked = true;
    v.dtype = c.in(0).dtype;
  } else {
    stated_outputs(c, batch);
    const auto* wanted = back ? c.known(0) : nullptr;
    if (wanted != nullptr) c.flow.value(c.outputs[0]).dims = *wanted, c.flow.value(c.outputs[0]).ranked = true;
  }
  const FlowValue& out = c.flow.value(c.outputs[0]);
  s.transposed = back;
  s.batch = depthwise ? channels : divided(channels, w.dim(back ? -1 : -2));
  s.columns = depthwise ? w.dim(-1) : back ? times(w.dim(-2), s.kernel) : divided(made, s.batch);
  s.inner = depthwise ? s.kernel : back ? w.dim(-1) : times(w.dim(-2), s.kernel);
  s.rows = divided((back ? c.in(image) : out).elements(), back ? channels : made);
  Work& work = c.flow.product(Kind::convolution, c.node.op, c.node.name, c.inputs[image], c.inputs[1], s);
  for (std::size_t i = 2; i < c.inputs.size() && !back; ++i)
    if (c.has(i)) work.inputs.push_back(c.inputs[i]);
  work.outputs = c.outputs;
}

void matmul(OpCall& c) {
  if (!c.has(0) || !c.has(1)) return;
  const bool batch = c.node.op.substr(0, 5) == "Batch";
  const bool ta = c.reader.integer(c.attribute(batch ? "adj_x" : "transpose_a"), 0) != 0;
  const bool tb = c.reader.integer(c.attribute(batch ? "adj_y" : "transpose_b"), 0) != 0;
  const FlowId left = c.inputs[0], right = c.inputs[1];
  Work& work = c.flow.matmul(c.node.op, c.node.name, left, right, ta, tb);
  FlowValue& v = c.make();
  const FlowValue &a = c.flow.value(left), &b = c.flow.value(right);
  v.dtype = a.dtype;
  v.ranked = a.ranked && b.ranked && a.rank() >= 2 && b.rank() >= 2;
  if (v.ranked) {
    v.dims.assign(a.rank() >= b.rank() ? a.dims.begin() : b.dims.begin(),
                  (a.rank() >= b.rank() ? a.dims.end() : b.dims.end()) - 2);
    v.dims.push_back(a.dim(ta ? -1 : -2));
    v.dims.push_back(b.dim(tb ? -2 : -1));
  }
  for (std::size_t i = 2; i < c.inputs.size(); ++i)
    if (c.has(i)) work.inputs.push_back(c.inputs[i]);
  work.outputs = c.outputs;
}

// A constant of several numbers in a frozen graph is a weight; a few whole numbers are axes and shapes.
void constant(OpCall& c) {
  Dtype dtype = Dtype::unspecified;
  std::vector<std::int64_t> elements;
  const Shape shape = c.reader.tensor(c.attribute("value"), dtype, elements);
  FlowValue& v = c.make();
  v.dims = shape.dims;
  v.ranked = shape.ranked;
  v.dtype = dtype;
  v.path = std::string(c.node.name.substr(0, 400));
  std::replace(v.path.begin(), v.path.end(), '/', '.');
  if (graph::is_float(dtype) && v.rank() > 0 && v.elements() > 1) v.weight = v.trained = true;
  const std::int64_t count = v.elements();
  if (!graph::is_float(dtype) && !elements.empty() && count >= 0 && count <= 64) {
    elements.resize(static_cast<std::size_t>(count), elements.back());  // trailing equal numbers are left out
    c.elements[c.outputs[0]] = elements;
  }
  if (count == 0 && !graph::is_float(dtype)) c.elements[c.outputs[0]] = {};
}

void variable(OpCall& c) {
  const Shape shape = c.reader.shape_attribute(c.attribute("shape"));
  const std::string_view shared = c.reader.text(c.attribute("shared_name"));
  FlowValue& v = c.make();
  v.dims = shape.dims;
  v.ranked = shape.ranked;
  v.dtype = ProtoReader::dtype_of(c.reader.integer(c.attribute("dtype"), 1));
  v.path = std::string((shared.empty() ? c.node.name : shared).substr(0, 400));
  std::replace(v.path.begin(), v.path.end(), '/', '.');
  v.weight = true;
  v.trained = graph::is_float(v.dtype) && v.path.find("moving_mean") == std::string::npos &&
              v.path.find("moving_variance") == std::string::npos;
}

void norm(OpCall& c) {
  FlowValue& v = c.make();
  const bool shaped = like_first(c, v);
  if (shaped) v.dtype = c.in(0).dtype;
  for (std::size_t i : {3u, 4u}) {  // running statistics
    if (!c.has(i)) continue;
    FlowValue& statistic = c.flow.value(c.inputs[i]);
    statistic.trained = false;
    if (statistic.source != kNothing) c.flow.value(statistic.source).trained = false;
  }
  Work& w = c.flow.work(Kind::normalization, c.node.op, c.node.name);
  for (FlowId id : c.inputs)
    if (id != kNothing) w.inputs.push_back(id);
  w.step.columns = std::max<std::int64_t>(c.has(1) ? c.in(1).elements() : 1, 1);
  w.step.flop_per_element = 2;
  w.outputs = {c.outputs[0]};
  for (int i = 0; i < 5; ++i) c.make();
}

}  // namespace

void apply_op(OpCall& c, std::int64_t batch) {
  const auto row = table().find(c.node.op);
  std::vector<FlowId> present;
  for (FlowId id : c.inputs)
    if (id != kNothing) present.push_back(id);
  if (row == table().end()) {
    stated_outputs(c, batch);
    return c.flow.unknown(c.node.op, c.node.name, present, c.outputs);
  }
  const Group& group = *row->second;
  switch (group.cost) {
    case kConvolution:
      convolution(c, batch);
      break;
    case kMatmul:
      matmul(c);
      break;
    case kConstant:
      return constant(c);
    case kVariable:
      return variable(c);
    case kNorm:
      return norm(c);
    default:
      break;
  }
  if (group.cost == kConvolution || group.cost == kMatmul) {
    if (!c.outputs.empty()) return;
    stated_outputs(c, batch);
    return c.flow.unknown(c.node.op, c.node.name, present, c.outputs);
  }
  FlowValue shaped;
  if (group.shape(c, shaped)) {
    FlowValue& v = c.make();
    v.dims = shaped.dims;
    v.ranked = true;
    v.dtype = c.node.op == "Cast" ? ProtoReader::dtype_of(c.reader.integer(c.attribute("DstT"), 1))
              : c.has(0)          ? c.in(0).dtype
                                  : Dtype::unspecified;
  } else {
    stated_outputs(c, batch);
  }
  if (group.cost == kView && c.known(0) != nullptr) c.elements[c.outputs[0]] = *c.known(0);
  if (c.node.op == "Shape" && c.has(0) && c.in(0).ranked && c.in(0).elements() >= 0)
    c.elements[c.outputs[0]] = c.in(0).dims;
  Work& w = c.flow.work(group.cost == kLookup ? Kind::lookup
                        : group.cost == kView ? Kind::movement
                                              : Kind::elementwise,
                        c.node.op, c.node.name);
  w.inputs = present;
  w.outputs = c.outputs;
  w.view = group.cost == kView;
  if (group.cost == kMaker) w.carries = 0;
  w.step.flop_per_element = std::max<std::int64_t>(group.cost, 0);
}

}  // namespace floptally::tensorflow
