#include "network/formats/tflite/model.h"

#include <algorithm>

#include "network/formats/wire/flatbuffer.h"

namespace floptally::tflite {
namespace {

using graph::Flow;
using graph::FlowId;
using graph::FlowValue;
using graph::Kind;
using graph::kNothing;
using graph::Sizes;
using graph::Work;
using wire::FlatError;
using wire::FlatTable;
using wire::FlatVector;

enum Cost : std::int8_t {
  kView = -1,
  kConv = -2,
  kDepthwise = -3,
  kDense = -4,
  kBatchMatmul = -5,
  kTransposeConv = -6,
  kConv3d = -7,
  kLookup = -8,
  kSequence = -9,
  kMaker = -10,
  kSvdf = -12,
  kUnknown = -11
};

struct Builtin {
  std::int32_t code;
  std::string_view name;
  std::int8_t cost;  // FLOP for each element written, or a Cost
};

// clang-format off
// BuiltinOperator by number. What is not here is named by its number and unknown.
constexpr Builtin kBuiltins[] = {
    {0, "ADD", 1}, {1, "AVERAGE_POOL_2D", 1}, {2, "CONCATENATION", 0}, {3, "CONV_2D", kConv}, {4, "DEPTHWISE_CONV_2D", kDepthwise},
    {5, "DEPTH_TO_SPACE", 0}, {6, "DEQUANTIZE", kView}, {7, "EMBEDDING_LOOKUP", kLookup}, {8, "FLOOR", 1}, {9, "FULLY_CONNECTED", kDense},
    {11, "L2_NORMALIZATION", 3}, {12, "L2_POOL_2D", 2}, {13, "LOCAL_RESPONSE_NORMALIZATION", 5}, {14, "LOGISTIC", 4}, {17, "MAX_POOL_2D", 1},
    {18, "MUL", 1}, {19, "RELU", 1}, {20, "RELU_N1_TO_1", 1}, {21, "RELU6", 1}, {22, "RESHAPE", kView}, {23, "RESIZE_BILINEAR", 8},
    {25, "SOFTMAX", 5}, {26, "SPACE_TO_DEPTH", 0}, {27, "SVDF", kSvdf}, {28, "TANH", 4}, {34, "PAD", 0}, {36, "GATHER", kLookup}, {37, "BATCH_TO_SPACE_ND", 0},
    {38, "SPACE_TO_BATCH_ND", 0}, {39, "TRANSPOSE", kView}, {40, "MEAN", 1}, {41, "SUB", 1}, {42, "DIV", 1}, {43, "SQUEEZE", kView},
    {44, "UNIDIRECTIONAL_SEQUENCE_LSTM", kSequence}, {45, "STRIDED_SLICE", 0}, {47, "EXP", 4}, {48, "TOPK_V2", 0}, {49, "SPLIT", 0},
    {50, "LOG_SOFTMAX", 5}, {53, "CAST", kView}, {54, "PRELU", 2}, {55, "MAXIMUM", 1}, {56, "ARG_MAX", kMaker}, {57, "MINIMUM", 1},
    {58, "LESS", kMaker}, {59, "NEG", 1}, {60, "PADV2", 0}, {61, "GREATER", kMaker}, {62, "GREATER_EQUAL", kMaker}, {63, "LESS_EQUAL", kMaker},
    {64, "SELECT", 0}, {65, "SLICE", 0}, {66, "SIN", 4}, {67, "TRANSPOSE_CONV", kTransposeConv}, {69, "TILE", 0}, {70, "EXPAND_DIMS", kView},
    {71, "EQUAL", kMaker}, {72, "NOT_EQUAL", kMaker}, {73, "LOG", 4}, {74, "SUM", 1}, {75, "SQRT", 1}, {76, "RSQRT", 1}, {77, "SHAPE", kMaker},
    {78, "POW", 3}, {79, "ARG_MIN", kMaker}, {80, "FAKE_QUANT", 0}, {81, "REDUCE_PROD", 1}, {82, "REDUCE_MAX", 1}, {83, "PACK", 0},
    {84, "LOGICAL_OR", kMaker}, {85, "ONE_HOT", kMaker}, {86, "LOGICAL_AND", kMaker}, {87, "LOGICAL_NOT", kMaker}, {88, "UNPACK", 0},
    {89, "REDUCE_MIN", 1}, {90, "FLOOR_DIV", kMaker}, {92, "SQUARE", 1}, {93, "ZEROS_LIKE", kMaker}, {94, "FILL", kMaker}, {95, "FLOOR_MOD", kMaker},
    {96, "RANGE", kMaker}, {97, "RESIZE_NEAREST_NEIGHBOR", 0}, {98, "LEAKY_RELU", 1}, {99, "SQUARED_DIFFERENCE", 2}, {100, "MIRROR_PAD", 0},
    {101, "ABS", 1}, {102, "SPLIT_V", 0}, {104, "CEIL", 1}, {105, "REVERSE_V2", 0}, {106, "ADD_N", 1}, {107, "GATHER_ND", 0}, {108, "COS", 4},
    {110, "RANK", kMaker}, {111, "ELU", 4}, {114, "QUANTIZE", kView}, {116, "ROUND", 1}, {117, "HARD_SWISH", 4}, {122, "SCATTER_ND", 0},
    {123, "SELECT_V2", 0}, {126, "BATCH_MATMUL", kBatchMatmul}, {128, "CUMSUM", 1}, {130, "BROADCAST_TO", 0}, {132, "CONV_3D", kConv3d},
    {143, "READ_VARIABLE", kView}, {145, "BROADCAST_ARGS", kMaker}, {150, "GELU", 8}, {151, "DYNAMIC_UPDATE_SLICE", 0}, {152, "RELU_0_TO_1", 1},
    {156, "ATAN2", 4}, {158, "SIGN", 1}};
// clang-format on

Dtype dtype_of(int type) {
  constexpr Dtype kTypes[] = {Dtype::float32,   Dtype::float16,     Dtype::int32,       Dtype::uint8,
                              Dtype::int64,     Dtype::unspecified, Dtype::boolean,     Dtype::int16,
                              Dtype::complex64, Dtype::int8,        Dtype::float64,     Dtype::complex128,
                              Dtype::uint64,    Dtype::unspecified, Dtype::unspecified, Dtype::uint32,
                              Dtype::uint16,    Dtype::int4,        Dtype::bfloat16};
  return type >= 0 && type < static_cast<int>(std::size(kTypes)) ? kTypes[type] : Dtype::unspecified;
}

std::int64_t times(std::int64_t a, std::int64_t b) {
  std::int64_t r = 0;
  return a < 0 || b < 0 || __builtin_mul_overflow(a, b, &r) ? -1 : r;
}

std::int64_t divided(std::int64_t a, std::int64_t b) { return a < 0 || b <= 0 ? -1 : a / b; }

class Reader {
 public:
  Reader(std::string_view file, const Source* source, Flow& flow) : file_(file), source_(source), flow_(flow) {}

  Result<bool> run() {
    const FlatTable model = FlatTable::root(file_, error_);
    const FlatVector graphs = model.vector(2);
    if (graphs.size() == 0 && error_.reason == nullptr) error_ = {"the model has no subgraph", 0};
    const FlatTable graph = graphs.table(0);
    codes_ = model.vector(1);
    buffers_ = model.vector(4);
    read_tensors(graph.vector(0));
    const FlatVector operators = graph.vector(3);
    for (std::uint32_t i = 0; i < operators.size() && error_.reason == nullptr; ++i) read_operator(operators.table(i));
    const FlatVector outputs = graph.vector(2);
    for (std::uint32_t i = 0; i < outputs.size(); ++i)
      if (const FlowId id = tensor(outputs, i); id != kNothing) flow_.output(id);
    if (error_.reason != nullptr)
      return error("tflite-malformed", std::string(error_.reason) + " (byte " + std::to_string(error_.offset) + ")",
                   Span{source_, error_.offset, error_.offset},
                   "the file is damaged or cut short, or is no TFLite model");
    return true;
  }

 private:
  void read_tensors(const FlatVector& tensors) {
    for (std::uint32_t i = 0; i < tensors.size() && error_.reason == nullptr; ++i) {
      const FlatTable t = tensors.table(i);
      const FlowId id = flow_.id("t" + std::to_string(i));
      FlowValue& v = flow_.value(id);
      const FlatVector shape = t.vector(0);
      for (std::uint32_t d = 0; d < std::min<std::uint32_t>(shape.size(), 32); ++d)
        v.dims.push_back(std::max(shape.int32(d), -1));
      v.ranked = true;
      v.dtype = dtype_of(t.number<std::int8_t>(1));
      v.path = std::string(t.text(3).substr(0, 400));
      std::replace(v.path.begin(), v.path.end(), '/', '.');
      const auto buffer = t.number<std::uint32_t>(2);
      const FlatTable held = buffer == 0 ? FlatTable{} : buffers_.table(buffer);
      v.weight = held.ok() && (held.vector(0, 1).size() > 0 || held.number<std::uint64_t>(2) > 1);
      // One number is a constant of the arithmetic, not a weight.
      v.trained = v.weight && graph::is_float(v.dtype) && v.elements() != 1;
      ids_.push_back(id);
    }
  }

  FlowId tensor(const FlatVector& list, std::uint32_t i) const {
    const std::int32_t index = i < list.size() ? list.int32(i) : -1;
    return index < 0 || static_cast<std::size_t>(index) >= ids_.size() ? kNothing
                                                                       : ids_[static_cast<std::size_t>(index)];
  }

  void read_operator(const FlatTable& op) {
    const FlatTable code = codes_.table(op.number<std::uint32_t>(0));
    const std::int32_t builtin = std::max<std::int32_t>(code.number<std::int8_t>(0), code.number<std::int32_t>(3));
    in_.clear();
    out_.clear();
    const FlatVector inputs = op.vector(1), outputs = op.vector(2);
    for (std::uint32_t i = 0; i < inputs.size(); ++i) in_.push_back(tensor(inputs, i));
    for (std::uint32_t i = 0; i < outputs.size(); ++i)
      if (const FlowId id = tensor(outputs, i); id != kNothing) out_.push_back(id);
    const auto row = std::lower_bound(std::begin(kBuiltins), std::end(kBuiltins), builtin,
                                      [](const Builtin& b, std::int32_t c) { return b.code < c; });
    const bool known = row != std::end(kBuiltins) && row->code == builtin;
    const std::string_view custom = code.text(1);
    name_ = out_.empty() ? std::string_view("?") : std::string_view(flow_.value(out_[0]).path);
    op_ = known ? row->name
                : flow_.keep(custom.empty() ? "builtin operator " + std::to_string(builtin)
                                            : std::string(custom.substr(0, 100)));
    if (!known || !product(row->cost, op)) {
      if (!known) return flow_.unknown(op_, name_, present(), out_);
      Work& w = flow_.work(row->cost == kLookup ? Kind::lookup : Kind::elementwise, op_, name_);
      w.inputs = present();
      w.outputs = out_;
      w.view = row->cost == kView;
      if (row->cost == kMaker) w.carries = 0;
      w.step.flop_per_element = std::max<std::int64_t>(row->cost, 0);
    }
  }

  [[nodiscard]] std::vector<FlowId> present() const {
    std::vector<FlowId> list;
    for (FlowId id : in_)
      if (id != kNothing) list.push_back(id);
    return list;
  }

  void add(Kind kind, FlowId left, FlowId right, const Sizes& sizes) {
    Work& w = flow_.product(kind, op_, name_, left, right, sizes);
    w.outputs = out_;
    for (FlowId id : present())
      if (id != left && id != right) {
        w.inputs.push_back(id);
        FlowValue& v = flow_.value(id);  // a bias, even of one number
        v.trained = v.trained || (v.weight && graph::is_float(v.dtype));
      }
  }

  // Operators with a matrix product; false for the others and for those whose inputs are not there.
  bool product(std::int8_t cost, const FlatTable& op) {
    if (cost > kConv || (cost < kSequence && cost != kSvdf) || cost == kLookup || in_.size() < 2 ||
        in_[0] == kNothing || in_[1] == kNothing || out_.empty())
      return false;
    const FlowValue &x = flow_.value(in_[0]), &w = flow_.value(in_[1]), &y = flow_.value(out_[0]);
    Sizes s;
    switch (cost) {
      case kConv:  // [O, H, W, I]
        s.kernel = times(w.dim(1), w.dim(2));
        s.batch = divided(x.dim(-1), w.dim(3));
        s.columns = divided(w.dim(0), s.batch);
        s.inner = times(w.dim(3), s.kernel);
        s.rows = divided(y.elements(), w.dim(0));
        add(Kind::convolution, in_[0], in_[1], s);
        return true;
      case kDepthwise:  // [1, H, W, C m]
        s.kernel = s.inner = times(w.dim(1), w.dim(2));
        s.batch = x.dim(-1);
        s.columns = divided(w.dim(3), s.batch);
        s.rows = divided(y.elements(), w.dim(3));
        add(Kind::convolution, in_[0], in_[1], s);
        return true;
      case kConv3d:  // [D, H, W, I, O]
        s.kernel = times(times(w.dim(0), w.dim(1)), w.dim(2));
        s.columns = w.dim(4);
        s.inner = times(w.dim(3), s.kernel);
        s.rows = divided(y.elements(), w.dim(4));
        add(Kind::convolution, in_[0], in_[1], s);
        return true;
      case kTransposeConv: {  // (output shape, [O, H, W, I], input)
        if (in_.size() < 3 || in_[2] == kNothing) return false;
        const FlowValue& image = flow_.value(in_[2]);
        s.transposed = true;
        s.kernel = times(w.dim(1), w.dim(2));
        s.columns = times(w.dim(0), s.kernel);
        s.inner = w.dim(3);
        s.rows = divided(image.elements(), w.dim(3));
        add(Kind::convolution, in_[2], in_[1], s);
        return true;
      }
      case kDense:  // [O, I]
        s.columns = w.dim(0);
        s.inner = w.dim(1);
        s.rows = divided(x.elements(), w.dim(1));
        add(Kind::product, in_[0], in_[1], s);
        return true;
      case kBatchMatmul: {
        const FlatTable options = op.table(4);
        Work& work = flow_.matmul(op_, name_, in_[0], in_[1], options.number<std::uint8_t>(0) != 0,
                                  options.number<std::uint8_t>(1) != 0);
        work.outputs = out_;
        return true;
      }
      case kSvdf:
        return filters(x);
      default:
        return sequence(x);
    }
  }

  // Filters of rank one: a product with each frame by [filters, in], then with what is remembered of it by [filters,
  // time].
  bool filters(const FlowValue& x) {
    if (in_.size() < 3 || in_[2] == kNothing) return false;
    const FlowValue &feature = flow_.value(in_[1]), &time = flow_.value(in_[2]);
    Sizes s;
    s.columns = feature.dim(0);
    s.inner = feature.dim(1);
    s.rows = divided(x.elements(), x.dim(-1));
    Sizes then;
    then.batch = time.dim(0);
    then.columns = 1;
    then.inner = time.dim(1);
    then.rows = s.rows;
    flow_.product(Kind::recurrent, op_, name_, in_[0], in_[1], s).outputs = out_;
    Work& w = flow_.product(Kind::recurrent, op_, name_, out_[0], in_[2], then);
    w.outputs = out_;
    for (std::size_t i = 3; i < in_.size(); ++i)
      if (in_[i] != kNothing) w.inputs.push_back(in_[i]);
    return true;
  }

  // Inputs 1..4: [units, in] of the four gates; 5..8: [units, state].
  bool sequence(const FlowValue& x) {
    bool any = false;
    for (std::size_t i = 1; i <= 8 && i < in_.size(); ++i) {
      if (in_[i] == kNothing) continue;
      const FlowValue& w = flow_.value(in_[i]);
      Sizes s;
      s.columns = w.dim(0);
      s.inner = w.dim(1);
      s.rows = divided(x.elements(), x.dim(-1));
      Work& work = flow_.product(Kind::recurrent, op_, name_, i <= 4 ? in_[0] : out_[0], in_[i], s);
      work.outputs = out_;
      any = true;
    }
    return any;
  }

  std::string_view file_;
  const Source* source_;
  Flow& flow_;
  FlatError error_;
  FlatVector codes_, buffers_;
  std::vector<FlowId> ids_, in_, out_;
  std::string_view op_, name_;
};

}  // namespace

Result<bool> read_model(std::string_view file, const Source* source, Flow& flow) {
  return Reader(file, source, flow).run();
}

}  // namespace floptally::tflite
