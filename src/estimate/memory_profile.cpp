#include "estimate/memory_profile.h"

#include <algorithm>

#include "estimate/op_kinds.h"
#include "network/ops.h"

namespace floptally {
namespace {

// Bytes of a number packed into 4 bits. Numbers alone are a parameter, which is sharded and gathered; the scales of its
// blocks are a plain attribute of it (bitsandbytes nn/modules.py: Params4bit.quant_state).
constexpr double kPackedNumber = 0.5;

// Sharded weights are gathered in the compute format, embeddings and norms among them.
double stream_bytes(const Run& run) {
  const bool wider = run.precision.stream != Dtype::unspecified && run.layout.zero != Zero::weights;
  return bytes_of(wider ? run.precision.stream : run.precision.compute);
}

// What adds up over layers.
constexpr double LayerMemory::*kSums[] = {
    &LayerMemory::dense,         &LayerMemory::expert,        &LayerMemory::trained_dense, &LayerMemory::trained_expert,
    &LayerMemory::frozen_bytes,  &LayerMemory::matrix,        &LayerMemory::states_dense,  &LayerMemory::states_expert,
    &LayerMemory::frozen_scales, &LayerMemory::kept,          &LayerMemory::kept_policy,   &LayerMemory::input,
    &LayerMemory::gathered,      &LayerMemory::gradient,      &LayerMemory::routed,        &LayerMemory::cache,
    &LayerMemory::unsplit,       &LayerMemory::unsplit_policy};

}  // namespace

MemoryProfile::MemoryProfile(const Run& run)
    : run_(run),
      compute_(bytes_of(run.precision.compute)),
      kept_format_(bytes_of(run.precision.kept)),
      weights_(bytes_of(run.precision.weights)),
      expert_load_(expert_load_of(run)),
      stream_(stream_bytes(run)),
      states_like_(run.precision.states_follow_weights ? run.precision.weights : Dtype::unspecified) {}

LayerMemory& MemoryProfile::target() {
  if (in_layer_) return spilling_ ? stray_ : layers_[static_cast<std::size_t>(classes_ - 1)];
  return seen_layer_ ? after_ : before_;
}

void MemoryProfile::enter(std::string_view name, std::int64_t repeat, BlockKind kind) {
  if (name == "shared_experts") shares_input_ = true;  // it reads what the router reads
  const double outer = copies_[depth_], within = within_[depth_];
  depth_ = std::min(depth_ + 1, 64);
  copies_[depth_] = outer * as_double(repeat);
  within_[depth_] = within * as_double(repeat);
  if (name == "shared_experts") shared_depth_ = depth_;
  if (name == "experts") experts_depth_ = depth_;
  if (kind != BlockKind::layer || in_layer_) return;
  if (seen_layer_ && after_.logits == 0) settle_between();
  in_layer_ = seen_layer_ = true;
  products_ = 0;
  started_ = fused_adapter_ = false;
  layer_depth_ = depth_;
  within_[depth_] = 1;
  spilling_ = classes_ == kMaxClasses;
  classes_ = std::min(classes_ + 1, kMaxClasses);
  LayerMemory& layer = target();
  layer = {};
  layer.count = copies_[depth_];
}

// Another layer follows: what stood outside of layers was between two (a pool, a norm of the encoder), not after all.
// Heads that predict further tokens stand after the logits, and leave those where they are.
void MemoryProfile::settle_between() {
  for (double LayerMemory::*const sum : kSums) before_.*sum += after_.*sum;
  before_.working = std::max(before_.working, after_.working);
  before_.working_policy = std::max(before_.working_policy, after_.working_policy);
  if (after_.largest > before_.largest) {
    before_.largest = after_.largest;
    before_.largest_states = after_.largest_states;
  }
  after_ = {};
}

// A layer for which there is no class of its own: the last class becomes the mean of all that did not fit.
void MemoryProfile::join_last() {
  LayerMemory& to = layers_[static_cast<std::size_t>(classes_ - 1)];
  const double both = to.count + stray_.count, share = both > 0 ? stray_.count / both : 0;
  for (double LayerMemory::*const sum : kSums) to.*sum += (stray_.*sum - to.*sum) * share;
  to.working = std::max(to.working, stray_.working);
  to.working_policy = std::max(to.working_policy, stray_.working_policy);
  to.count = both;
}

void MemoryProfile::leave() {
  if (in_layer_ && depth_ == layer_depth_) {
    settle(pending_.rows, pending_.columns);
    pending_ = {};
    if (spilling_) join_last();
    in_layer_ = spilling_ = false;
  }
  if (depth_ == shared_depth_) shared_depth_ = 0;
  if (depth_ == experts_depth_) experts_depth_ = 0, padded_ = 1;
  depth_ = std::max(0, depth_ - 1);
}

double MemoryProfile::layer_parameters() const {
  return classes_ > 0 ? layer_count() * layer(0).dense * as_double(run_.layout.tensor) : 0;
}

double MemoryProfile::layer_count() const {
  double n = 0;
  for (int i = 0; i < classes_; ++i) n += layer(i).count;
  return n;
}

// The op's attributes as one device sees them.
void MemoryProfile::cut(const Op& op, Attributes<double>& a) {
  const Layout& layout = run_.layout;
  const double tensor = as_double(layout.tensor), context = as_double(layout.context);
  const double expert_tensor = as_double(layout.expert_tensor_of());
  for (int i = 0; i < op.def->attribute_count; ++i) {
    a.value[i] = as_double(op.attributes[i]);
    const Axis axis = op.def->attributes[i].axis;
    if (axis == Axis::tokens) {
      a.value[i] /= context;
      if (op.tensor_split == 0 && layout.sequence_parallel) a.value[i] /= tensor;
    }
    if (axis == Axis::experts) a.value[i] = std::max(1.0, a.value[i] / as_double(layout.expert));
    if (op.def == &operators::k_embedding && run_.whole_embedding) continue;
    if (splits(op, i)) a.value[i] = std::max(1.0, a.value[i] / (is_grouped(op) ? expert_tensor : tensor));
  }
  if (op.def == &operators::k_attention) {
    a.value[1] /= context;  // a ring keeps its own keys and values
    if (!run_.fused_attention) a.value[9] = 0;
    if (run_.attention_dropout) a.value[10] = 1;
  }
  if (is_grouped(op) && layout.sequence_parallel && op.tensor_split != 0) {
    a.value[0] *= expert_tensor / tensor;  // tokens of all ranks that share an expert are gathered
  }
  if (is_grouped(op)) uneven_ = !op.has(op_flags::even_rows);
  if (!is_grouped(op) && experts_depth_ == 0) return;
  if (uneven_ && layout.expert > 1) a.value[0] *= expert_load_;
  // An expert may be every token's, and in some layer of some step early in training one is.
  if (uneven_ && layout.expert == 1 && run_.framework.pads_experts && is_grouped(op))
    padded_ = run_.expert_load > 0 ? run_.expert_load : as_double(op.attributes[4]) / std::max(1.0, a.value[5]);
  if (layout.expert == 1) a.value[0] *= padded_;
}

bool is_adapted(const LowRankAdapter& a, const Op& op) {
  if (a.rank == 0 || !is_linear(op)) return false;
  if (op.component == Component::mlp) return a.mlp;
  if (op.component == Component::unembed) return a.head;
  if (op.component != Component::projection) return false;
  switch (op.name.empty() ? ' ' : op.name.front()) {  // q_proj, k_proj, v_proj, o_proj and their latent kin
    case 'q':
      return a.query;
    case 'k':
      return a.key;
    case 'v':
      return a.value;
    default:
      return a.output;
  }
}

// Transformer Engine get_dummy_wgrad: one buffer per distinct weight shape. Siblings that read one input (q, k, v;
// gate, up) are one matrix there.
void MemoryProfile::remember(double rows, double columns, bool sibling) {
  if (!in_layer_) return;
  if (sibling && pending_.rows == rows) {
    pending_.columns += columns;
    return;
  }
  const Shape next{rows, columns, {}};
  const Shape done = pending_;
  pending_ = next;
  settle(done.rows, done.columns);
}

void MemoryProfile::settle(double rows, double columns) {
  if (rows == 0) return;
  const auto index = static_cast<std::size_t>(classes_ - 1);
  int i = 0;
  while (i < shapes_ &&
         !(shape_[static_cast<std::size_t>(i)].rows == rows && shape_[static_cast<std::size_t>(i)].columns == columns))
    ++i;
  if (i == static_cast<int>(shape_.size())) return;
  if (i == shapes_) shape_[static_cast<std::size_t>(shapes_++)] = {rows, columns, {}};
  shape_[static_cast<std::size_t>(i)].in[index / 64] |= std::uint64_t{1} << (index % 64);
}

double MemoryProfile::placeholders(const ClassSet& classes, bool head) const {
  double elements = head ? after_.head : 0;  // Megatron-LM core/tensor_parallel/layers.py asks for one as well
  for (int i = 0; i < shapes_; ++i) {
    const Shape& shape = shape_[static_cast<std::size_t>(i)];
    if (((shape.in[0] & classes[0]) | (shape.in[1] & classes[1])) != 0) elements += shape.rows * shape.columns;
  }
  return elements * compute_;
}

void MemoryProfile::parameters(const Op& op, const Attributes<double>& a, const Cost<double>& c, LayerMemory& to) {
  if (c.parameters <= 0) return;
  const bool head = op.component == Component::unembed && is_linear(op);
  if (op.def == &operators::k_embedding) embedding_ = c.parameters;
  if (head) to.head = a.value[1] * a.value[2];
  if (op.has(op_flags::tied)) {
    tied_ = tied_ || head;
    return;
  }
  const bool grouped = is_grouped(op);
  const bool matrix = is_linear(op);
  const bool frozen = op.has(op_flags::frozen) || run_.adapter.rank > 0;
  const double times = within_[depth_], each = c.parameters, elements = each * times;
  (grouped ? to.expert : to.dense) += elements;
  const Dtype base = run_.adapter.base;
  const bool packed = frozen && base != Dtype::unspecified && matrix && (!head || run_.framework.packs_head);
  to.gathered += elements * (packed ? kPackedNumber : compute_);
  if (matrix && (quantizes(op) || !(kept_format_ < compute_))) to.matrix += elements;
  if (frozen) {
    to.frozen_bytes += elements * (packed ? bytes_of(base) : weights_);
    if (packed) to.frozen_scales += elements * (bytes_of(base) - kPackedNumber);
    const double unpacked = packed ? each * run_.framework.unpacked : 0;  // one matrix at a time
    (head ? to.unpacked : unpacked_) = unpacked;
    if (is_adapted(run_.adapter, op)) {  // experts have a pair of matrices each
      const double extra =
          as_double(run_.adapter.rank) * (a.value[1] + a.value[2]) * (grouped ? a.value[4] : 1) * times;
      (grouped ? to.trained_expert : to.trained_dense) += extra;
      (grouped ? to.states_expert : to.states_dense) += state_bytes(run_.optimizer, extra, 1, states_like_);
      to.gradient += extra * compute_;
    }
    return;
  }
  to.gradient += elements * compute_;
  (grouped ? to.trained_expert : to.trained_dense) += elements;
  const double matrices = grouped ? std::max(1.0, a.value[4]) : 1;
  // A table is a matrix to all but Muon, which leaves both ends of the model to AdamW.
  const bool end = head || op.def == &operators::k_embedding;
  const double states =
      (matrix || end) && !(end && run_.optimizer.matrices_only)
          ? state_bytes(run_.optimizer, a.value[1], each / matrices / a.value[1], states_like_) * matrices
          : state_bytes(run_.optimizer, each, 1, states_like_);
  (grouped ? to.states_expert : to.states_dense) += states * times;
  if (!grouped && each > to.largest) {
    to.largest = each;
    to.largest_states = states;
  }
  if (matrix && !head) {
    remember(a.value[1], a.value[2], op.has(op_flags::shared_input) && column_parallel(op));
  }
}

void MemoryProfile::add(const Op& op) {
  if (op.has(op_flags::inference_only)) return;
  Attributes<double> a{};
  cut(op, a);
  Cost<double> c;
  op.def->count_fast(a, Rules{}, c);
  at_least_ = at_least_ || c.unknown;
  LayerMemory& to = target();
  unpacked_ = 0;
  parameters(op, a, c, to);
  const double samples = as_double(run_.layout.micro_batch) * as_double(op.times);
  if (op.component == Component::unembed && is_linear(op)) to.logits += c.output * samples;
  if (op.component == Component::loss) {
    previous_ = op.def;
    return;
  }
  double policy = 0;
  double kept = kept_bytes(op, a, c, policy) * samples * within_[depth_];
  policy *= within_[depth_];
  if (op.def == &operators::k_attention) {
    scores_ = std::max(scores_, a.value[2] * a.value[0] * a.value[1] * compute_ * samples);
    to.cache += a.value[1] * a.value[3] * (a.value[4] + a.value[5]) * compute_ * samples;
    mask_ = std::max(mask_, a.value[0] * as_double(op.attributes[1]) * samples);
  }
  if (op.def == &operators::k_embedding && run_.hidden_dropout && to.kept == 0) {  // what follows the embeddings
    const bool cut_already = op.tensor_split == 0 || !run_.layout.sequence_parallel;
    kept += c.output * samples / (cut_already ? 1 : as_double(run_.layout.tensor));
  }
  if (column_parallel(op)) shares_input_ = false;
  to.kept += kept;
  to.kept_policy += policy * samples;
  to.unsplit += unsplit_all_ * samples * within_[depth_];
  to.unsplit_policy += unsplit_policy_ * samples * within_[depth_];
  if (in_layer_ && op.component == Component::router && is_linear(op)) to.routed = to.kept;
  // What later ops keep is gone once the backward pass has come to this one.
  to.working -= kept;
  to.working_policy -= policy * samples;
  if (in_layer_ && to.input == 0) to.input = c.input * samples * stream_;
  double working = (c.input + c.output) * samples * compute_;
  if (column_parallel(op) && run_.layout.sequence_parallel && run_.framework.gather_buffers < 2)
    working += c.input * samples * compute_;
  // The input in fp32, what the second matrix gives and that times alpha / rank (peft/tuners/lora/layer.py).
  if (run_.adapter.wide && is_adapted(run_.adapter, op)) working += (c.input + 2 * c.output) * samples * 4;
  const bool materialized = run_.framework.wgrad == Wgrad::transient || !run_.fused_gradients;
  if (materialized && is_linear(op) && !op.has(op_flags::frozen) && run_.adapter.rank == 0)
    working += c.parameters * compute_;
  // The states of every chunk of 128 positions and their gradients, in fp32, and the gradients once more to pass on
  // (mamba_ssm ssd_combined.py; Megatron-LM's chunk_size).
  if (op.def == &operators::k_state_space)
    working += a.value[0] / 128 * a.value[1] * a.value[2] * a.value[3] * (8 + compute_) * samples;
  // One expert's after the other's.
  if (run_.framework.loops_experts && (is_grouped(op) || experts_depth_ > 0)) {
    if (is_grouped(op)) experts_ = std::max(1.0, a.value[4]);
    working /= experts_;
    unpacked_ /= experts_;
  }
  if (op.component != Component::unembed) {
    working = std::max(working, unpacked_);
    to.working = std::max(to.working, working);
    to.working_policy = std::max(to.working_policy, working);
  }
  previous_ = op.def;
  after_recurrent_ = op.component == Component::recurrent;
}

}  // namespace floptally
