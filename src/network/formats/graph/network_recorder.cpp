#include "network/formats/graph/network_recorder.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "network/ops.h"

namespace floptally {
namespace operators {
extern const OperatorDef k_product, k_pointwise;
}

namespace graph {
namespace {

bool overflows(Integer value) { return !value.fits_int64(); }

// Gradient flags of an op whose first input is the step's left operand.
Op trained(Op op, const Step& s) {
  op.times = s.times;
  op.stored = s.stored;
  op.flags |= s.left_gradient ? op_flags::input_gradient : op_flags::input_no_gradient;
  if (!s.right_gradient) op.flags |= op_flags::frozen;
  if (s.parameters == 0 && s.right_weight) op.flags |= op_flags::tied;
  return op;
}

Component component_of(Kind kind) {
  switch (kind) {
    case Kind::convolution:
      return Component::convolution;
    case Kind::product:
      return Component::mlp;
    case Kind::recurrent:
      return Component::recurrent;
    case Kind::attention:
      return Component::attention;
    case Kind::lookup:
      return Component::embed;
    case Kind::normalization:
      return Component::norm;
    default:
      return Component::other;
  }
}

Op generic_product(const Step& s) {
  const bool tied = s.parameters == 0 && s.right_weight;
  const std::int64_t parameters = tied ? 1 : s.parameters;
  const int weight_side = s.right_weight && s.right_gradient ? 1 : 0;
  const int sides = (s.left_gradient ? 1 : 0) + (!s.right_weight && s.right_gradient ? 1 : 0);
  Op op = make_op(operators::k_product, s.name, component_of(s.kind), s.batch, s.rows, s.inner, s.columns, parameters,
                  sides, weight_side, s.read, s.written);
  op.times = s.times;
  op.stored = s.stored;
  if (tied) op.flags |= op_flags::tied;
  if (weight_side == 0) op.flags |= op_flags::frozen;
  op.flags |= sides > 0 ? op_flags::input_gradient : op_flags::input_no_gradient;
  return op;
}

Op generic_pointwise(const Step& s) {
  Op op = make_op(operators::k_pointwise, s.name, component_of(s.kind), s.written, s.flop_per_element, s.parameters,
                  s.buffers, s.read, s.left_gradient ? s.read : 0);
  op.times = s.times;
  op.stored = s.stored;
  if (s.frozen > 0 || s.parameters == 0) op.flags |= op_flags::frozen;
  op.flags |= s.left_gradient ? op_flags::input_gradient : op_flags::input_no_gradient;
  return op;
}

Op convolution_op(const Step& s) {
  const Integer weights = Integer(s.batch) * s.columns * s.inner;
  if (!s.right_weight || s.batch <= 0 || s.kernel <= 0 || s.columns <= 0 || s.inner <= 0 || overflows(weights))
    return generic_product(s);
  const std::int64_t in = s.batch * (s.transposed ? s.inner : s.inner / s.kernel);
  const std::int64_t out = s.batch * (s.transposed ? s.columns / s.kernel : s.columns);
  const Integer with_bias = weights + Integer(out);
  const bool bias = Integer(s.parameters) == with_bias;
  if (in <= 0 || out <= 0 || !(s.parameters == 0 || bias || Integer(s.parameters) == weights))
    return generic_product(s);
  const std::int64_t from = s.transposed ? s.rows : s.read / in, to = s.transposed ? s.written / out : s.rows;
  return trained(s.transposed ? convolution_transposed(s.name, in, out, s.batch, s.kernel, from, to, bias)
                              : convolution(s.name, in, out, s.batch, s.kernel, from, to, bias),
                 s);
}

Op product_op(const Step& s) {
  if (!s.right_weight) {
    if (s.parameters != 0) return generic_product(s);
    const int sides = (s.left_gradient ? 1 : 0) + (s.right_gradient ? 1 : 0);
    Op op = matmul(s.name, s.batch, s.rows, s.inner, s.columns, sides, component_of(s.kind));
    op.times = s.times;
    op.flags |= sides > 0 ? op_flags::input_gradient : op_flags::input_no_gradient;
    return op;
  }
  const Integer weights = Integer(s.inner) * s.columns;
  const bool bias = Integer(s.parameters) == weights + Integer(s.columns);
  if (s.batch != 1 || s.inner <= 0 || s.columns <= 0 ||
      !(s.parameters == 0 || bias || Integer(s.parameters) == weights))
    return generic_product(s);
  return trained(linear(s.name, s.rows, s.inner, s.columns, bias, component_of(s.kind)), s);
}

Op normalization_op(const Step& s) {
  const std::int64_t width = s.columns;
  if (width <= 0 || s.written % width != 0 || s.frozen != 0 || s.parameters != 2 * width) return generic_pointwise(s);
  Op op;
  if (s.buffers == 2 * width)
    op = batch_norm(s.name, width, s.written / width);
  else if (s.buffers == 0)
    op = layer_norm(s.name, s.written / width, width);
  else
    return generic_pointwise(s);
  op.times = s.times;
  op.stored = s.stored;
  op.flags |= s.left_gradient ? op_flags::input_gradient : op_flags::input_no_gradient;
  return op;
}

Op lookup_op(const Step& s) {
  const std::int64_t width = s.columns;
  if (width > 0 && s.parameters > 0 && s.parameters % width == 0 && s.written % width == 0) {
    Op op = embedding(s.name, s.written / width, s.parameters / width, width);
    op.times = s.times;
    op.stored = s.stored;
    if (!s.right_gradient || s.frozen > 0) op.flags |= op_flags::frozen;
    return op;
  }
  Op op = generic_pointwise(s);
  op.component = Component::embed;
  return op;
}

std::uint64_t hash_of(const Op& op) {
  std::uint64_t hash = reinterpret_cast<std::uintptr_t>(op.def);
  auto mix = [&](std::uint64_t value) { hash = (hash ^ value) * 0x9e3779b97f4a7c15ull, hash ^= hash >> 29; };
  for (int i = 0; i < op.def->attribute_count; ++i) mix(static_cast<std::uint64_t>(op.attributes[i]));
  mix(static_cast<std::uint64_t>(op.times));
  mix(std::uint64_t{op.flags} << 16 | static_cast<std::uint64_t>(op.stored) << 8 |
      static_cast<std::uint64_t>(op.component));
  return hash;
}

bool equal(const Op& a, const Op& b) {
  return a.def == b.def && std::equal(a.attributes, a.attributes + a.def->attribute_count, b.attributes) &&
         a.times == b.times && a.flags == b.flags && a.stored == b.stored && a.component == b.component;
}

// "layer1.0.conv1" stands in block "layer1.0", "features.3" in "features.3", "fc" in none.
std::string_view block_of(std::string_view name) {
  std::size_t at = 0;
  while (at < name.size()) {
    const std::size_t dot = std::min(name.find_first_of("./", at), name.size());
    const std::string_view part = name.substr(at, dot - at);
    const bool number =
        !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (number && at > 0) return name.substr(0, dot);
    at = dot + 1;
  }
  return {};
}

}  // namespace

Op NetworkRecorder::translate(const Step& s) const {
  switch (s.kind) {
    case Kind::convolution:
      return convolution_op(s);
    case Kind::product:
    case Kind::recurrent:
    case Kind::attention:
      return product_op(s);
    case Kind::normalization:
      return normalization_op(s);
    case Kind::lookup:
      return lookup_op(s);
    case Kind::unknown:
      return make_op(operators::k_unknown, s.name, Component::other);
    default:
      return generic_pointwise(s);
  }
}

void NetworkRecorder::record(const Step& step) {
  if (step.times <= 0 && step.parameters == 0 && step.buffers == 0) return;
  const Integer flop = Integer(2) * step.batch * step.rows * step.columns * step.inner * step.times;
  Step s = step;
  if (!flop.valid()) s.kind = Kind::unknown;
  const bool nothing =
      s.kind != Kind::unknown && s.batch == 0 && s.flop_per_element == 0 && s.parameters == 0 && s.buffers == 0;
  if (nothing) return;
  const Op op = translate(s);
  if (s.buffers > 0 && op.def != &operators::k_pointwise && op.def != &operators::k_batch_norm) {
    Step held;
    held.name = s.name;
    held.buffers = s.buffers;
    merged_ ? merge(generic_pointwise(held), 1) : ops_.push_back(generic_pointwise(held));
  }
  if (merged_) {
    merge(op, 1);
    return;
  }
  ops_.push_back(op);
  if (ops_.size() > kMergeAbove) merge_all();
}

void NetworkRecorder::merge_all() {
  merged_ = true;
  std::vector<Op> all = std::move(ops_);
  ops_.clear();
  for (const Op& op : all) merge(op, 1);
}

void NetworkRecorder::merge(const Op& op, std::uint64_t repeat) {
  const std::uint64_t hash = hash_of(op);
  const auto [first, last] = equal_.equal_range(hash);
  for (auto at = first; at != last; ++at)
    if (equal(ops_[at->second], op)) {
      repeats_[at->second] += repeat;
      return;
    }
  equal_.emplace(hash, static_cast<std::uint32_t>(ops_.size()));
  ops_.push_back(op);
  repeats_.push_back(repeat);
}

Network NetworkRecorder::finish(std::string name, std::string family) {
  NetworkBuilder builder;
  if (merged_) {
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      if (repeats_[i] == 1) {
        builder.add(ops_[i]);
        continue;
      }
      builder.enter(ops_[i].name, static_cast<std::int64_t>(repeats_[i]), BlockKind::module);
      builder.add(ops_[i]);
      builder.leave();
    }
  } else {
    std::string_view open;
    for (const Op& op : ops_) {
      const bool anonymous = op.name.find_first_of("./") == std::string_view::npos && op.def != &operators::k_linear &&
                             op.def != &operators::k_convolution;
      const std::string_view block = anonymous ? open : block_of(op.name);
      if (block != open) {
        if (!open.empty()) builder.leave();
        if (!block.empty()) builder.enter(block, 1, BlockKind::module);
        open = block;
      }
      Op named = op;
      if (!block.empty() && named.name.size() > block.size() + 1 && named.name.substr(0, block.size()) == block)
        named.name.remove_prefix(block.size() + 1);
      builder.add(named);
    }
    if (!open.empty()) builder.leave();
  }
  Network network = builder.finish();
  network.name = std::move(name);
  network.family = std::move(family);
  if (merged_)
    network.notes.push_back(note("merged-steps", "the graph has more than " + std::to_string(kMergeAbove) +
                                                     " costing nodes: equal ones are shown as one with a count"));
  return network;
}

}  // namespace graph
}  // namespace floptally
