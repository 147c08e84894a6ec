#include "network/formats/graph/network_recorder.h"

#include <algorithm>
#include <unordered_map>

#include "network/formats/graph/flow.h"
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
                  sides, weight_side, s.read, s.written, s.kept >= 0 ? s.kept : s.read);
  op.times = s.times;
  op.stored = s.stored;
  if (tied) op.flags |= op_flags::tied;
  if (weight_side == 0) op.flags |= op_flags::frozen;
  op.flags |= sides > 0 ? op_flags::input_gradient : op_flags::input_no_gradient;
  return op;
}

Op generic_pointwise(const Step& s) {
  const Integer total = Integer(s.written) * s.flop_per_element;
  const std::int64_t operations = overflows(total) ? 0 : total.to_int64();
  Op op = make_op(operators::k_pointwise, s.name, component_of(s.kind), s.written, operations, s.parameters, s.buffers,
                  s.read,
                  !s.left_gradient ? 0
                  : s.kept >= 0    ? s.kept
                                   : s.read,
                  s.left_gradient ? s.indices : 0);
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

// "layer1.0.conv1" stands in block "layer1.0", "features.5.1.attn.qkv" in "features.5.1", "features.dense1.norm" in
// "features.dense1", "fc" in none: up to the first run of numbers, else to the first part that ends in a digit.
std::string_view block_of(std::string_view name) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  std::string_view numbers, numbered;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t dot = std::min(name.find('.', at), name.size());
    const std::string_view part = name.substr(at, dot - at);
    const bool number = at > 0 && !part.empty() && std::all_of(part.begin(), part.end(), digit);
    if (!number && !numbers.empty()) return numbers;
    if (number && (numbers.empty() || dot < name.size())) numbers = name.substr(0, dot);
    if (numbered.empty() && dot < name.size() && !part.empty() && digit(part.back())) numbered = name.substr(0, dot);
    at = dot + 1;
  }
  return numbers.empty() ? numbered : numbers;
}

std::string_view inside(std::string_view name, std::string_view block) {
  return !block.empty() && name.size() > block.size() + 1 && name.substr(0, block.size()) == block
             ? name.substr(block.size() + 1)
             : name;
}

Op translate(const Step& s) {
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

// Makes the op keep what the step says, as far as it can; elements that it cannot say are left.
std::int64_t settle(Op& op, const Step& s) {
  if (s.kept < 0 || op.def == &operators::k_pointwise || op.def == &operators::k_product ||
      op.def == &operators::k_unknown)
    return 0;
  Cost<Integer> cost;
  cost_of(op, Rules{}, cost);
  Integer first = 0, rest = 0;
  for (int i = 0; i < cost.saved_count; ++i) {
    const Saved<Integer>& saved = cost.saved[i];
    if (saved.keep != Keep::activation || (saved.weight_only && op.has(op_flags::frozen))) continue;
    (i == 0 && cost.saves_input ? first : rest) += saved.elements;
  }
  const Integer kept = s.kept;
  if (kept < rest) {  // a side that is kept already
    op = generic_product(s);
    return 0;
  }
  Integer left = kept - rest;
  if (left < first)
    op.flags |= op_flags::shared_input;
  else
    left = left - first;
  return left.fits_int64() ? left.to_int64() : 0;
}

// Arithmetic without parameters can be summed up.
bool is_plain(const Op& op) {
  return op.def == &operators::k_pointwise && op.attributes[2] == 0 && op.attributes[3] == 0;
}

}  // namespace

void NetworkRecorder::record(const Step& step) {
  if (step.times <= 0 && step.parameters == 0 && step.buffers == 0) return;
  Step s = step;
  const Integer flop = Integer(2) * s.batch * s.rows * s.columns * s.inner * s.times;
  if (!flop.valid()) s.kind = Kind::unknown;
  if (s.kind != Kind::unknown && s.batch == 0 && s.flop_per_element == 0 && s.parameters == 0 && s.buffers == 0 &&
      s.kept <= 0)
    return;
  if (!s.module.empty()) {
    const std::string_view block = block_of(s.module);
    if (block != open_.first) {
      close();
      open_.first = open_.last = block;
    }
    s.name = inside(s.module, block);
  } else if (!open_.first.empty()) {
    s.name = s.op;
  }
  if (join_bias(s)) return;
  Op op = translate(s);
  const std::int64_t more = settle(op, s);
  if (s.kind == Kind::unknown && s.parameters > 0) {  // what it costs is not known, what it holds is
    Step held = step;
    held.name = s.name;
    held.flop_per_element = held.buffers = 0;
    held.left_gradient = false;
    add(generic_pointwise(held));
  }
  if (s.buffers > 0 && op.def != &operators::k_pointwise && op.def != &operators::k_batch_norm) {
    Step held;
    held.name = s.name;
    held.buffers = s.buffers;
    add(generic_pointwise(held));
  }
  add(op);
  if (more > 0) {  // the rest of what a view is a part of, an output
    Step held;
    held.name = "kept";
    held.kept = more;
    held.left_gradient = true;
    held.times = s.times;
    add(generic_pointwise(held));
  }
}

// A bias that is added after its matrix product belongs to that linear layer.
bool NetworkRecorder::join_bias(const Step& s) {
  if (s.kind != Kind::elementwise || s.parameters == 0 || s.frozen != 0 || s.buffers != 0 || s.module.empty())
    return false;
  if (ops_.size() <= open_.begin) return false;
  Op& last = ops_.back();
  if (last.def != &operators::k_linear || last.name != s.name || last.attributes[3] != 0 ||
      last.attributes[2] != s.parameters || last.has(op_flags::tied) || last.has(op_flags::frozen) ||
      last.times != s.times || last.stored != s.stored)
    return false;
  last.attributes[3] = 1;
  return true;
}

void NetworkRecorder::add(const Op& op) {
  if (is_plain(op)) {
    for (std::size_t i = ops_.size(); i > open_.begin && ops_.size() - i < 64; --i) {
      Op& other = ops_[i - 1];
      if (!is_plain(other) || other.flags != op.flags || other.times != op.times || other.component != op.component)
        continue;
      std::int64_t sums[7];
      bool fits = true;
      for (int k = 0; k < 7; ++k)
        fits = !__builtin_add_overflow(other.attributes[k], op.attributes[k], &sums[k]) && fits;
      if (!fits) continue;
      std::copy(sums, sums + 7, other.attributes);
      other.name = "elementwise";
      return;
    }
  }
  ops_.push_back(op);
}

void NetworkRecorder::close() {
  open_.end = ops_.size();
  if (open_.end > open_.begin) {
    const std::size_t size = open_.end - open_.begin;
    Group* before = groups_.empty() ? nullptr : &groups_.back();
    const bool same = before != nullptr && !open_.first.empty() && !before->first.empty() &&
                      before->end - before->begin == size &&
                      std::equal(ops_.begin() + static_cast<std::ptrdiff_t>(open_.begin), ops_.end(),
                                 ops_.begin() + static_cast<std::ptrdiff_t>(before->begin), equal);
    if (same) {
      ++before->repeat;
      before->last = open_.first;
      ops_.resize(open_.begin);
    } else {
      groups_.push_back(open_);
    }
  }
  if (ops_.size() > kMergeAbove) merge_all();
  open_ = Group{};
  open_.begin = ops_.size();
}

// Every op once, with how often it occurs as the repeat count of a block of its own.
void NetworkRecorder::merge_all() {
  merged_ = true;
  std::vector<Op> all = std::move(ops_);
  std::vector<Group> groups = std::move(groups_);
  ops_.clear();
  groups_.clear();
  std::unordered_multimap<std::uint64_t, std::size_t> known;
  for (const Group& group : groups)
    for (std::size_t i = group.begin; i < group.end; ++i) {
      const std::uint64_t hash = hash_of(all[i]);
      const auto [first, last] = known.equal_range(hash);
      auto at = first;
      while (at != last && !equal(ops_[groups_[at->second].begin], all[i])) ++at;
      if (at != last) {
        groups_[at->second].repeat += group.repeat;
        continue;
      }
      known.emplace(hash, groups_.size());
      groups_.push_back({all[i].name, all[i].name, group.repeat, ops_.size(), ops_.size() + 1});
      ops_.push_back(all[i]);
    }
}

Network NetworkRecorder::finish(std::string_view path, std::string_view family) {
  close();
  NetworkBuilder builder;
  for (const Group& group : groups_) {
    const bool block = !group.first.empty() && (group.end - group.begin > 1 || group.repeat > 1);
    std::string title(group.first);
    if (group.repeat > 1 && group.last != group.first) {
      const std::size_t dot = group.last.rfind('.');
      title += "-" + std::string(dot == std::string_view::npos ? group.last : group.last.substr(dot + 1));
    }
    if (block) builder.enter(title, group.repeat, BlockKind::module);
    for (std::size_t i = group.begin; i < group.end; ++i) {
      Op op = ops_[i];
      std::string whole;
      if (!block && !group.first.empty() && op.name != group.first) {
        whole = title + "." + std::string(op.name);
        op.name = whole;
      }
      builder.add(op);
    }
    if (block) builder.leave();
  }
  Network network = builder.finish();
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  network.name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  network.family = family;
  if (merged_)
    network.notes.push_back(
        note("merged-steps", "the graph has many different layers: equal ones are shown as one with a count"));
  return network;
}

Network network_of(Flow& flow, const Source* source, std::string_view path, std::string_view family) {
  NetworkRecorder recorder;
  flow.finish(recorder, source);
  Network network = recorder.finish(path, family);
  for (Diagnostic& note : flow.notes()) network.notes.push_back(std::move(note));
  return network;
}

}  // namespace graph
}  // namespace floptally
