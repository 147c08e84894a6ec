#include "network/formats/pt2/aten.h"

#include <algorithm>

#include "network/formats/graph/names.h"

namespace floptally::pt2 {

using graph::FlowId;
using graph::FlowValue;
using graph::Kind;
using graph::kNothing;
using graph::Sizes;
using graph::Work;

namespace {

Node first_child(Node node) { return node && node.is_mapping() && node.size() > 0 ? node[std::size_t{0}] : Node{}; }

std::int64_t times(std::int64_t a, std::int64_t b) {
  std::int64_t r = 0;
  return a < 0 || b < 0 || __builtin_mul_overflow(a, b, &r) ? -1 : r;
}

std::int64_t divided(std::int64_t a, std::int64_t b) { return a < 0 || b <= 0 ? -1 : a / b; }

void finish(Call& c, Work& w) {
  w.outputs = c.outputs;
  for (FlowId id : c.tensors)  // a bias, a mask
    if (std::find(w.inputs.begin(), w.inputs.end(), id) == w.inputs.end()) w.inputs.push_back(id);
}

void convolution(Call& c) {
  const FlowId x = c.tensor("input", 0), w = c.tensor("weight", 1);
  if (x == kNothing || w == kNothing || c.outputs.empty()) return c.flow.unknown(c.op, c.name, c.tensors, c.outputs);
  const FlowValue &in = c.flow.value(x), &kernel = c.flow.value(w), &out = c.flow.value(c.outputs[0]);
  Sizes s;
  s.transposed = c.op.find("transpose") != std::string_view::npos || (c.op == "convolution" && c.flag("transposed", 6));
  const int spatial = kernel.rank() - 2;
  for (int i = 0; i < spatial; ++i) s.kernel = times(s.kernel, kernel.dim(2 + i));
  const FlowValue& swept = s.transposed ? in : out;  // an unbatched image has one dimension fewer
  s.rows = swept.rank() > spatial + 1 ? swept.dim(0) : 1;
  for (int i = 0; i < spatial; ++i) s.rows = times(s.rows, swept.dim(-1 - i));
  const std::int64_t channels = in.dim(-1 - spatial), made = out.dim(-1 - spatial);
  if (s.transposed) {
    s.batch = divided(made, kernel.dim(1));
    s.columns = times(kernel.dim(1), s.kernel);
    s.inner = divided(channels, s.batch);
  } else {
    s.batch = divided(channels, kernel.dim(1));
    s.columns = divided(kernel.dim(0), s.batch);
    s.inner = times(kernel.dim(1), s.kernel);
  }
  finish(c, c.flow.product(Kind::convolution, c.op, c.name, x, w, s));
}

void linear(Call& c) {
  const FlowId x = c.tensor("input", 0), w = c.tensor("weight", 1);
  if (x == kNothing || w == kNothing) return c.flow.unknown(c.op, c.name, c.tensors, c.outputs);
  const FlowValue &in = c.flow.value(x), &weight = c.flow.value(w);
  Sizes s;
  s.inner = weight.dim(-1);
  s.columns = weight.rank() == 1 ? 1 : weight.dim(0);
  s.rows = divided(in.elements(), s.inner);
  finish(c, c.flow.product(Kind::product, c.op, c.name, x, w, s));
}

void matmul(Call& c) {
  const bool added = c.op == "addmm" || c.op == "baddbmm" || c.op == "addbmm";
  const FlowId a = c.tensor(added ? "mat1" : "self", added ? 1 : 0), b = c.tensor("mat2", added ? 2 : 1);
  if (a == kNothing || b == kNothing) return c.flow.unknown(c.op, c.name, c.tensors, c.outputs);
  finish(c, c.flow.matmul(c.op, c.name, a, b));
}

void attention(Call& c) {
  const FlowId q = c.tensor("query", 0), k = c.tensor("key", 1), v = c.tensor("value", 2);
  if (q == kNothing || k == kNothing || v == kNothing) return c.flow.unknown(c.op, c.name, c.tensors, c.outputs);
  const FlowValue &query = c.flow.value(q), &key = c.flow.value(k), &value = c.flow.value(v);
  Sizes s;
  for (int i = 0; i + 2 < query.rank(); ++i) s.batch = times(s.batch, query.dim(i));
  s.rows = query.dim(-2);
  s.columns = key.dim(-2);
  s.inner = query.dim(-1);
  Work& scores = c.flow.product(Kind::attention, c.op, c.name, q, k, s);
  scores.outputs = {c.outputs};
  const std::int64_t rows = std::max<std::int64_t>(times(s.batch, s.rows), 0);
  s.inner = s.columns;
  s.columns = value.dim(-1);
  Work& values = c.flow.product(Kind::attention, c.op, c.name, q, v, s);
  values.fused = true;
  values.own = rows;
  finish(c, values);
}

void embedding(Call& c) {
  const FlowId w = c.tensor("weight", 0);
  Work& work = c.flow.work(Kind::lookup, c.op, c.name);
  work.inputs = c.tensors;
  work.outputs = c.outputs;
  if (w != kNothing) work.step.columns = std::max<std::int64_t>(c.flow.value(w).dim(-1), 0);
}

void normalization(Call& c) {
  Work& work = c.flow.work(Kind::normalization, c.op, c.name);
  work.inputs = c.tensors;
  work.outputs = c.outputs;
  const FlowId scale = c.tensor("weight", c.op.find("group") != std::string_view::npos ? 2 : 1);
  if (scale != kNothing) work.step.columns = std::max<std::int64_t>(c.flow.value(scale).elements(), 1);
  work.step.flop_per_element = 5;
}

// params: for each layer and direction w_ih, w_hh and, where has_biases, b_ih, b_hh.
void recurrent(Call& c) {
  const FlowId x = c.tensor("input", 0);
  const std::vector<FlowId> params = c.tensor_list("params", 2);
  if (x == kNothing || c.outputs.empty()) return c.flow.unknown(c.op, c.name, c.tensors, c.outputs);
  const bool biases = c.flag("has_biases", 3), both = c.flag("bidirectional", 7),
             batch_first = c.flag("batch_first", 8);
  const FlowValue& in = c.flow.value(x);
  const std::int64_t steps = in.dim(batch_first ? -2 : 0), batch = in.rank() == 2 ? 1 : in.dim(batch_first ? 0 : 1);
  const std::size_t each = biases ? 4 : 2;
  for (std::size_t i = 0; i + each <= params.size(); i += each) {
    const FlowValue &w = c.flow.value(params[i]), &u = c.flow.value(params[i + 1]);
    const bool first_layer = i / each < (both ? 2u : 1u);
    Sizes s;
    s.rows = times(steps, batch);
    s.columns = w.dim(0);
    s.inner = w.dim(1);
    Work& project = c.flow.product(Kind::recurrent, c.op, c.name, first_layer ? x : c.outputs[0], params[i], s);
    if (biases) project.inputs.insert(project.inputs.end(), {params[i + 2], params[i + 3]});
    project.outputs = c.outputs;
    s.rows = batch;
    s.columns = u.dim(0);
    s.inner = u.dim(1);
    Work& start = c.flow.product(Kind::recurrent, c.op, c.name, kNothing, params[i + 1], s);
    start.left = -1;
    start.outputs = c.outputs;
    // Gates, cell or candidate, output of a step: as operators/lstm.
    const std::int64_t own =
        std::max<std::int64_t>(times(batch, u.dim(0) == u.dim(1) ? u.dim(1) : u.dim(0) + 2 * u.dim(1)), 0);
    start.own = own;
    if (steps < 2) continue;
    Work& rest = c.flow.product(Kind::recurrent, c.op, c.name, c.outputs[0], params[i + 1], s);
    rest.step.times = steps - 1;
    rest.outputs = c.outputs;
    rest.own = own;
  }
}

// Two operands without an ellipsis.
void einsum(Call& c) {
  const std::string_view equation = c.argument("equation", 0).text();
  const std::size_t comma = equation.find(','), arrow = equation.find("->");
  const std::vector<FlowId> operands = c.tensor_list("tensors", 1);
  if (operands.size() != 2 || comma == std::string_view::npos || arrow == std::string_view::npos ||
      equation.find('.') != std::string_view::npos)
    return c.flow.unknown(c.op, c.name, c.tensors, c.outputs);
  std::string terms[3];
  for (char ch : equation.substr(0, comma))
    if (ch != ' ') terms[0] += ch;
  for (char ch : equation.substr(comma + 1, arrow - comma - 1))
    if (ch != ' ') terms[1] += ch;
  for (char ch : equation.substr(arrow + 2))
    if (ch != ' ') terms[2] += ch;
  const FlowValue &a = c.flow.value(operands[0]), &b = c.flow.value(operands[1]);
  if (static_cast<int>(terms[0].size()) != a.rank() || static_cast<int>(terms[1].size()) != b.rank())
    return c.flow.unknown(c.op, c.name, c.tensors, c.outputs);
  Sizes s;
  for (std::size_t i = 0; i < terms[0].size(); ++i) {
    const bool right = terms[1].find(terms[0][i]) != std::string::npos,
               kept = terms[2].find(terms[0][i]) != std::string::npos;
    std::int64_t& size = right ? (kept ? s.batch : s.inner) : s.rows;
    if (right || kept) size = times(size, a.dims[i]);
  }
  for (std::size_t i = 0; i < terms[1].size(); ++i)
    if (terms[0].find(terms[1][i]) == std::string::npos && terms[2].find(terms[1][i]) != std::string::npos)
      s.columns = times(s.columns, b.dims[i]);
  finish(c, c.flow.product(Kind::product, c.op, c.name, operands[0], operands[1], s));
}

void view(Call& c) {
  Work& w = c.flow.work(Kind::movement, c.op, c.name);
  w.inputs = c.tensors;
  w.outputs = c.outputs;
  w.view = true;
}

void movement(Call& c) {
  Work& w = c.flow.work(Kind::elementwise, c.op, c.name);
  w.inputs = c.tensors;
  w.outputs = c.outputs;
}

void nothing(Call&) {}

struct Row {
  void (*apply)(Call&);
  std::int64_t flop = 0;  // for each element written, where `apply` is null
  bool gradient = true;
};

struct Group {
  std::string_view names;  // separated by spaces
  Row row;
};

// clang-format off
constexpr Group kGroups[] = {
    {"conv1d conv2d conv3d convolution _convolution conv_transpose1d conv_transpose2d conv_transpose3d", {convolution}},
    {"linear", {linear}},
    {"mm bmm matmul addmm baddbmm mv dot _int_mm _scaled_mm", {matmul}},
    {"scaled_dot_product_attention _scaled_dot_product_flash_attention _scaled_dot_product_flash_attention_for_cpu "
     "_scaled_dot_product_efficient_attention _scaled_dot_product_cudnn_attention "
     "_scaled_dot_product_fused_attention_overrideable", {attention}},
    {"embedding embedding_bag", {embedding}},
    {"batch_norm layer_norm group_norm instance_norm rms_norm native_layer_norm native_group_norm "
     "native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training "
     "_native_batch_norm_legit_functional _fused_rms_norm", {normalization}},
    {"lstm gru rnn_tanh rnn_relu", {recurrent}},
    {"einsum", {einsum}},
    {"view _unsafe_view _reshape_alias reshape permute transpose t numpy_T unsqueeze squeeze contiguous clone to _to_copy flatten "
     "unflatten alias expand expand_as view_as movedim swapaxes chunk split split_with_sizes unbind slice select "
     "narrow lift_fresh_copy lift_fresh type_as float half bfloat16 view_dtype adjoint mT dropout tensor_split "
     "unsafe_split unsafe_chunk", {view}},
    {"cat stack concat concatenate pad constant_pad_nd reflection_pad1d reflection_pad2d replication_pad2d roll "
     "flip index index_select gather scatter scatter_add slice_scatter select_scatter index_put index_put_ copy "
     "copy_ repeat repeat_interleave tile pixel_shuffle pixel_unshuffle channel_shuffle unfold as_strided diagonal "
     "tril triu masked_fill masked_fill_ masked_scatter where fill fill_ zero_ sort topk meshgrid "
     "broadcast_tensors im2col take_along_dim upsample_nearest1d upsample_nearest2d upsample_nearest3d", {movement}},
    {"detach detach_", {nullptr, 0, false}},
    {"zeros zeros_like ones ones_like full full_like empty empty_like new_zeros new_ones new_full new_empty arange "
     "linspace eye scalar_tensor rand randn rand_like randn_like randint bernoulli argmax argmin eq ne lt le gt ge "
     "logical_and logical_or logical_not logical_xor bitwise_and bitwise_or bitwise_not isnan isinf one_hot "
     "nonzero floor ceil round trunc sign floor_divide any all bucketize searchsorted item _local_scalar_dense "
     "isin tril_indices triu_indices", {nullptr, 0, false}},
    {"add add_ sub sub_ rsub mul mul_ div div_ neg abs relu relu_ clamp clamp_min clamp_max hardtanh hardtanh_ "
     "relu6 leaky_relu leaky_relu_ threshold maximum minimum square sqrt rsqrt reciprocal remainder fmod square_ "
     "cumsum diff bitwise_left_shift max_pool2d_backward", {nullptr, 1}},
    {"sum mean max min amax amin var var_mean std prod norm linalg_vector_norm logsumexp cummax count_nonzero "
     "max_pool1d max_pool2d max_pool3d max_pool2d_with_indices max_pool3d_with_indices avg_pool1d avg_pool2d "
     "avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d _adaptive_avg_pool2d "
     "_adaptive_avg_pool3d adaptive_max_pool2d", {nullptr, 1}},
    {"pow prelu _prelu_kernel hardsigmoid hardsigmoid_ hardswish hardswish_ lerp addcmul addcdiv cdist softsign", {nullptr, 3}},
    {"sigmoid sigmoid_ tanh tanh_ exp exp_ log log2 log1p expm1 sin cos tan atan atan2 erf elu elu_ selu celu", {nullptr, 4}},
    {"softmax _softmax _safe_softmax log_softmax _log_softmax silu silu_ local_response_norm normalize", {nullptr, 5}},
    {"gelu gelu_ softplus mish glu logit grid_sampler grid_sampler_2d upsample_bilinear2d upsample_linear1d "
     "upsample_trilinear3d _upsample_bilinear2d_aa logsigmoid log_sigmoid", {nullptr, 8}},
    {"upsample_bicubic2d _upsample_bicubic2d_aa", {nullptr, 32}},
    {"_assert_scalar _assert_tensor_metadata sym_size sym_numel sym_stride sym_constrain_range "
     "sym_constrain_range_for_size _assert_async _functional_assert_async size", {nothing}},
};
// clang-format on

const std::unordered_map<std::string_view, Row>& table() {
  static const std::unordered_map<std::string_view, Row> rows = [] {
    std::unordered_map<std::string_view, Row> t;
    graph::each_name(kGroups, [&](std::string_view name, const Group& group) { t.emplace(name, group.row); });
    return t;
  }();
  return rows;
}

}  // namespace

Node Call::argument(std::string_view wanted, std::size_t index) const {
  for (Node entry : inputs)
    if (entry["name"].text() == wanted) return first_child(entry["arg"]);
  return index < inputs.size() && !inputs[index]["name"] ? first_child(inputs[index]["arg"]) : Node{};
}

FlowId Call::tensor(std::string_view wanted, std::size_t index) const {
  Node found = argument(wanted, index);
  if (!found && index < inputs.size())
    found = first_child(inputs[index]["arg"]);                         // schemas differ in names, not in order
  const Node inner = found["as_tensor"] ? found["as_tensor"] : found;  // an optional tensor
  return inner.is_mapping() && inner["name"] ? flow.id(inner["name"].text()) : kNothing;
}

std::vector<FlowId> Call::tensor_list(std::string_view wanted, std::size_t index) const {
  std::vector<FlowId> list;
  Node found = argument(wanted, index);
  if (!found && index < inputs.size()) found = first_child(inputs[index]["arg"]);
  for (Node item : found)
    if (item.is_mapping() && item["name"]) list.push_back(flow.id(item["name"].text()));
  return list;
}

bool Call::flag(std::string_view wanted, std::size_t index) const {
  Node found = argument(wanted, index);
  if (!found && index < inputs.size()) found = first_child(inputs[index]["arg"]);
  return found.as_bool().value_or(false);
}

void apply(Call& c) {
  const auto at = table().find(c.op);
  if (at == table().end()) {
    if (!c.outputs.empty()) c.flow.unknown(c.op, c.name, c.tensors, c.outputs);
    return;
  }
  const Row& row = at->second;
  if (row.apply != nullptr) return row.apply(c);
  Work& w = c.flow.work(Kind::elementwise, c.op, c.name);
  w.inputs = c.tensors;
  w.outputs = c.outputs;
  w.step.flop_per_element = row.flop;
  if (!row.gradient) w.carries = 0;
}

}  // namespace floptally::pt2
