#include "estimate/memory.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "estimate/in_flight.h"
#include "estimate/rank.h"

namespace floptally {
namespace {

constexpr double kAllocatorBlock = 2.0 * 1024 * 1024;  // PyTorch CUDACachingAllocator kLargeBuffer's granularity
constexpr double kQueuedLaunches = 1024;               // kernels that CUDA queues before a launch waits

double& at(std::array<double, kHoldsCount>& bytes, Holds what) { return bytes[static_cast<std::size_t>(what)]; }

// Data ranks that share an expert's states.
double expert_ranks(const Layout& layout) {
  const double shard = as_double(layout.shard_ranks()), all = as_double(layout.expert_data());
  return std::max(1.0, layout.shard > 0 ? std::min(shard, all) : all);
}

// States that are there from the first step to the last.
void hold_states(const LayerMemory& sum, const Run& run, std::array<double, kHoldsCount>& bytes) {
  const Layout& layout = run.layout;
  const double shard = as_double(layout.shard_ranks()), expert_shard = expert_ranks(layout);
  const auto shared = [&](double dense, double expert, Zero from) {
    return layout.zero >= from ? dense / shard + expert / expert_shard : dense + expert;
  };
  const StoredFormats formats = stored_formats(run);
  if (!run.offload.weights) {
    at(bytes, Holds::weights) +=
        bytes_of(formats.weights) * shared(sum.trained_dense, sum.trained_expert, Zero::weights) +
        (layout.zero == Zero::weights ? (sum.frozen_bytes - sum.frozen_scales) / shard + sum.frozen_scales
                                      : sum.frozen_bytes);
  } else {
    at(bytes, Holds::weights) += sum.frozen_scales;  // no parameters, so that nothing moves them to the host
  }
  const bool whole =
      run.framework.whole_gradients && layout.zero == Zero::weights && micro_batches(layout, run.batch) > 1;
  const bool on_host = run.offload.optimizer && run.framework.offloads_gradients && layout.zero >= Zero::gradients;
  // FSDP2 accumulates gradients that are not reduced yet whole, in the format that they are reduced in: fp32
  // (torch/distributed/fsdp/_fully_shard/_fsdp_param.py: unsharded_accumulated_grad).
  const bool unsynced = run.unsynced && layout.zero == Zero::weights && micro_batches(layout, run.batch) > 1;
  if (unsynced)
    at(bytes, Holds::gradients) += 4 * (sum.trained_dense + sum.trained_expert);
  else if (whole)
    at(bytes, Holds::gradients) += bytes_of(run.precision.gradients) * (sum.dense + sum.expert);
  else if (!on_host)
    at(bytes, Holds::gradients) +=
        bytes_of(formats.gradients) * shared(sum.trained_dense, sum.trained_expert, Zero::gradients);
  if (formats.gradients == Dtype::float32 && run.precision.gradients != Dtype::float32) {
    at(bytes, Holds::gradients) += run.framework.second_gradients * (sum.trained_dense + sum.trained_expert);
  }
  if (layout.data * layout.context > 1)
    at(bytes, Holds::gradients) += run.framework.reducer * (sum.trained_dense + sum.trained_expert);
  if (!run.offload.optimizer) {
    // Whole parameters: the fullest rank has the largest one.
    const bool whole_shards = run.whole_shards && layout.zero == Zero::optimizer;
    const double more = whole_shards ? std::max(0.0, sum.largest - sum.trained_dense / shard) : 0,
                 more_states = whole_shards ? std::max(0.0, sum.largest_states - sum.states_dense / shard) : 0;
    at(bytes, Holds::master) +=
        bytes_of(formats.master) * (more + shared(sum.trained_dense, sum.trained_expert, Zero::optimizer));
    at(bytes, Holds::states) += more_states + shared(sum.states_dense, sum.states_expert, Zero::optimizer);
    at(bytes, Holds::gradients) +=
        run.framework.shard_gradients * shared(sum.trained_dense, sum.trained_expert, Zero::optimizer);
  }
  // Autocast remembers its casts of weights whatever the framework does with quantized products.
  const bool casts = run.precision.stream != Dtype::unspecified || !run.framework.keeps_high_precision;
  if (layout.zero != Zero::weights && run.adapter.rank == 0 && casts) {
    for (const Dtype copy : run.precision.copies) at(bytes, Holds::copies) += sum.matrix * bytes_of(copy);
  }
}

double workspace(const Run& run, bool grouped) {
  const DeviceOverhead& device = device_overhead(run.device);
  const double cublas = run.deterministic ? 33554432.0 : device.cublas_workspace;
  double bytes = run.framework.handles * cublas;
  if (run.framework.engine_workspace)
    bytes += device.engine_workspace * (grouped ? 5 : 1);  // four streams of grouped products
  return bytes;
}

InFlight flight_of(const Run& run, std::int64_t stage, const Rank& rank) {
  double weight[kMaxChunks] = {};
  int head = -1;
  for (int c = 0; c < rank.count; ++c) {
    weight[c] = rank.chunks[c].activations;
    if (rank.chunks[c].last) head = c;
  }
  return in_flight(run.layout, run.batch, stage, weight, head, rank.count);
}

// Megatron-LM's GlobalMemoryBuffer "mpu": as large as the largest of its users.
double shared_buffer(const MemoryProfile& profile, const Run& run, const Rank& rank) {
  const Framework& f = run.framework;
  const Layout& layout = run.layout;
  double bytes = f.score_buffer && !run.fused_attention ? profile.scores() : 0;
  if (f.gather_buffers == 0) return bytes;
  if (f.gather_buffers > 1)
    return layout.sequence_parallel ? f.gather_buffers * rank.input * as_double(layout.tensor) : 0;
  // Transformer Engine's layers gather by themselves, the output layer through the buffer.
  if (layout.sequence_parallel && (rank.head || f.score_buffer))
    bytes = std::max(bytes, rank.input * as_double(layout.tensor));
  if (layout.gathers_tokens && rank.sum.expert > 0 && layout.expert * layout.expert_tensor_of() > 1)
    bytes = std::max(bytes, rank.input * as_double(layout.expert * layout.expert_tensor_of()));
  return bytes;
}

// Bytes that come and go, at one moment.
struct Transient {
  double activations = 0, working = 0, gathered = 0, logits = 0;
  double absent = 0;  // bytes of gradients that are not there yet
  [[nodiscard]] double sum() const { return activations + working + gathered + logits - absent; }
};

double held(const Rank& rank, const double* counts, const Run& run) {
  double bytes = 0;
  for (int c = 0; c < rank.count; ++c) bytes += counts[c] * rank.chunks[c].activations;
  if (!run.offload.activations) return bytes;
  double layers = 0;
  for (int c = 0; c < rank.count; ++c) layers += counts[c] * rank.chunks[c].layers;
  const double gone = run.offload.layers > 0 ? std::min(layers, as_double(run.offload.layers)) : layers;
  const double here = layers - gone + 2;  // ... the layer in use and the one on its way
  return layers > here ? bytes * here / layers : bytes;
}

// Bytes per updated parameter alive inside the optimizer's step. Of a list of tensors PyTorch's AdamW makes all square
// roots of the second moments at once (torch/optim/adamw.py: _multi_tensor_adamw), in their format; optimizers with
// 8-bit or factored moments go parameter by parameter.
double step_temporary(const Run& run) {
  const Framework& f = run.framework;
  if (f.flat_step) return f.optimizer_temporary;  // fp32 gradients
  const std::vector<Dtype>& states = run.optimizer.states;
  if (states.size() < 2 || bytes_of(states[1]) < 2) return 0;
  const bool like_weights = run.precision.states_follow_weights && states[1] == Dtype::float32;
  return f.optimizer_temporary * bytes_of(like_weights ? run.precision.weights : states[1]) / 4;
}

// Bytes of whole weights and gradients that ZeRO 3 has gathered: in a layer, at the loss, in the output layer's
// backward.
struct Gathered {
  double layer = 0, loss = 0, head = 0;
  double later = 0;  // of `layer`, what the backward pass gathers as it goes on, and keeps
};

Gathered gathered_weights(const MemoryProfile& profile, const Run& run, const Rank& rank) {
  if (run.layout.zero != Zero::weights) return {};
  // Under a pipeline FSDP2 keeps a stage's weights whole between micro-batches and accumulates whole fp32 gradients
  // (torchtitan: reshard_after_forward is off where pipeline parallelism is on).
  if (run.layout.pipeline > 1 && run.adapter.rank == 0 && !run.framework.planned) {
    const double whole = rank.sum.gathered + 4 * (rank.sum.trained_dense + rank.sum.trained_expert);
    if (!run.framework.reshards_root) return {whole, whole, whole};
    // torch/distributed/pipelining/stage.py: set_reshard_after_backward(False) until the last micro-batch; the next
    // forward pass reshards what it has used.
    const double gradients = 4 * (rank.sum.trained_dense + rank.sum.trained_expert);
    const double layers = std::min(rank.sum.gathered, 2 * rank.gathered_layer);
    return {whole, gradients, gradients + layers, rank.sum.gathered - layers};
  }
  const LayerMemory& after = profile.after();
  // fully_shard's reshard_after_forward=False; DeepSpeed's zero.Init(mem_efficient_linear=False): F.linear keeps its
  // weight.
  if (run.keeps_gathered) {
    const double whole = rank.sum.gathered;
    return {whole + rank.gradient_layer, whole, whole + after.gradient};
  }
  const bool embedding = rank.chunks[0].first && run.framework.root_gathered;
  const double root = (embedding ? profile.before().gathered : 0) + (rank.head ? after.gathered : 0);
  const double layers = run.framework.planned ? 1 : 2;  // the next one is gathered ahead, the last one's gradient sent
  // FSDP2 sends it in the format that it is reduced in: fp32, where weights are cast as they are gathered
  // (torch/distributed/fsdp/_fully_shard/_fsdp_collectives.py: reduce_scatter_input).
  const double sent = run.framework.one_copy ? std::max(1.0, 4 / bytes_of(run.precision.compute)) : 1;
  const double gradients = run.framework.planned ? 1 : 1 + sent;
  const double loss = run.framework.reshards_root ? 0 : root + (run.framework.flat_units ? 0 : rank.gathered_layer);
  return {layers * rank.gathered_layer + gradients * rank.gradient_layer + root, loss,
          rank.gathered_layer + root + after.gradient};
}

// The loss and the output layer's backward pass; `head`: activations held then, `deferred`: bytes of logits held back.
void loss_moments(const MemoryProfile& profile, const Run& run, const Rank& rank, const Gathered& gathered, double head,
                  double mask, double deferred, double absent, Transient* out) {
  const LayerMemory& after = profile.after();
  const double compute = bytes_of(run.precision.compute);
  const double logits = run.linear_loss ? 0 : after.logits * (run.whole_logits ? as_double(run.layout.tensor) : 1);
  const bool compiled = run.compiled && run.framework.loss_compiled > 0;
  double forward = compiled ? run.framework.loss_compiled : run.framework.loss_forward;
  double backward_bytes = compiled ? run.framework.loss_compiled : run.framework.loss_backward;
  if (!compiled && run.layout.tensor > 1 && run.framework.loss_parallel > 0 && !run.whole_logits)
    forward = backward_bytes = run.framework.loss_parallel;
  if (run.lengths != Lengths::fixed) forward = std::min(forward, backward_bytes);
  if (run.adapter.scales_outputs) forward += compute, backward_bytes += compute;
  if (run.fused_loss) forward = std::max(run.framework.loss_forward, compute + 8);
  if (run.narrow_loss > 0) forward = backward_bytes = run.narrow_loss * compute;
  if (run.softcapped) forward += compute, backward_bytes += compute;  // what the tanh of the logits gave
  if (run.chunked_loss) forward = backward_bytes = 2 * compute;
  if (run.loss_in_place) forward = backward_bytes = compute;
  // A packed output matrix is unpacked for its product, beside the last step's fp32 logits, and for its gradient,
  // beside this step's (a variable holds them) and the logits' gradients in 16 bits.
  const bool packed = after.unpacked > 0;
  const double product = packed ? logits * (compute + (run.lengths == Lengths::fixed ? 4 : 0)) + after.unpacked : 0;
  const double loss = std::max(logits * std::max(forward, backward_bytes), product);
  const double gradient = logits * (packed ? compute + 4 : compute);
  out[static_cast<int>(Moment::loss)] = {head, mask, gathered.loss, loss + deferred, absent};
  const bool trained = run.adapter.rank == 0;
  const double hidden = rank.input * (run.layout.sequence_parallel ? 1 + as_double(run.layout.tensor) : 1);
  // Where it is added in place, a placeholder that lives as long as the process stands for it.
  const bool in_place = run.framework.wgrad == Wgrad::dummy && run.fused_gradients;
  const double matrix = !trained ? after.unpacked : in_place ? 0 : after.head * compute;
  out[static_cast<int>(Moment::head_backward)] = {head, matrix + hidden, gathered.head, gradient + deferred, absent};
}

// What is there at the end of the backward pass beside states and gradients.
double left_behind(const MemoryProfile& profile, const Rank& rank, const Run& run, double gradients) {
  const Framework& f = run.framework;
  double bytes = f.router_graphs ? rank.routed : 0;
  const bool whole = run.compiled && f.one_graph && run.layout.zero == Zero::none && run.layout.pipeline == 1;
  // torch/_decomp/decompositions.py, embedding_dense_backward: summed in fp32.
  if (whole && rank.chunks[0].first) bytes += 4 * profile.before().largest;
  if (whole && micro_batches(run.layout, run.batch) > 1) bytes += gradients;
  return bytes;
}

// 16-bit logits that a variable holds until the next are made.
double held_logits(const Rank& rank, const Run& run, double logits) {
  if (!rank.head || run.narrow_loss < 4) return 0;
  return logits * bytes_of(run.precision.compute) * (run.whole_logits ? as_double(run.layout.tensor) : 1);
}

// Gradients of the last micro-batch's input, which a pipeline rank has sent back to the rank before it.
double exchanged(const Run& run, const Rank& rank) {
  const bool received = !rank.chunks[0].first || rank.count > 1;
  const bool again = run.layout.pipeline > 1 && micro_batches(run.layout, run.batch) > 1;
  return run.framework.holds_exchanged && received && again ? rank.input : 0;
}

// The fullest moment of the layers' backward pass: its start, or one of its ends. `gradients`: bytes held for them once
// they are all there, `logits`: 16-bit ones that a variable holds.
Transient fullest_backward(const MemoryProfile& profile, const Run& run, const Rank& rank, const Gathered& gathered,
                           const Transient& start, double gradients, double logits) {
  Transient fullest = start;
  const auto consider = [&fullest](const Transient& end) {
    if (end.sum() > fullest.sum()) fullest = end;
  };
  double one = 0;
  for (int c = 0; c < rank.count; ++c) one += rank.chunks[c].activations;
  Transient end = start;  // of a micro-batch: the activations of the others
  end.activations = std::max(0.0, start.activations - one * (1 - 1 / std::max(1.0, rank.sum_layers)));
  if (run.framework.gradients_wait) {  // ... its gradients of all parameters
    Transient made = end;
    made.working += bytes_of(run.precision.compute) * (rank.sum.trained_dense + rank.sum.trained_expert);
    consider(made);
  }
  end.gathered = gathered.layer;
  if (gathered.later > 0) consider(end);  // ... one micro-batch later, all weights
  if (run.framework.flat_units && run.layout.zero == Zero::weights && run.adapter.rank > 0) {
    // In the first layer: hooks on the input of a unit whose parameters are frozen hold it and its gradient until the
    // backward pass ends (torch/distributed/fsdp/_runtime_utils.py: _register_post_backward_reshard_only_hook;
    // torch/autograd/graph.py: register_multi_grad_hook keeps the leaf that checkpointing made of it).
    Transient first = start;
    first.activations += rank.inputs;
    first.gathered -= rank.gathered_layer;
    consider(first);
  }
  if (run.fused_optimizer) return fullest;
  // Of the step: all gradients, the activations of one layer.
  const double left = left_behind(profile, rank, run, gradients);
  if (start.absent > 0 || left > 0)
    consider({start.activations / std::max(1.0, rank.sum_layers), fullest.working + left, gathered.layer,
              start.logits + logits, 0});
  return fullest;
}

// `gradients`: bytes held for them once they are all there.
void moments(const MemoryProfile& profile, const Run& run, const Rank& rank, const InFlight& flight, double gradients,
             Transient* out) {
  const LayerMemory& after = profile.after();
  const double logits = run.linear_loss ? 0 : after.logits;
  const Gathered gathered = gathered_weights(profile, run, rank);
  const double deferred = as_double(run.loss_deferred) * (logits * bytes_of(run.precision.compute) + rank.input);
  const double full = held(rank, flight.fullest, run), head = held(rank, flight.at_head, run) + after.kept;
  const bool accumulated = micro_batches(run.layout, run.batch) > 1;
  // Where lengths differ the longest micro-batch may be the first: it finds neither gradients nor the last one's
  // logits.
  const bool late = run.framework.late_gradients && (!accumulated || run.lengths != Lengths::fixed);
  const double absent = run.fused_optimizer || late ? gradients : 0;
  const double held_back = rank.head ? deferred : 0;
  // Megatron-LM's first and last pipeline ranks alone are given a batch; its mask goes with the forward step.
  const bool given = rank.chunks[0].first || rank.head;
  const double mask = run.loader_mask && given ? profile.mask() : 0;
  const double gathered_first = gathered.layer - gathered.later;
  out[static_cast<int>(Moment::forward)] = {full, rank.working / 2 + mask, gathered_first, 0, absent};
  const Transient start = {full, rank.working + rank.replayed, gathered_first, held_back, absent};
  out[static_cast<int>(Moment::layer_backward)] =
      fullest_backward(profile, run, rank, gathered, start, gradients, held_logits(rank, run, logits));
  if (rank.head && after.logits > 0) loss_moments(profile, run, rank, gathered, head, mask, deferred, absent, out);
  const bool shared = run.layout.zero >= Zero::optimizer;
  const double updated = rank.sum.trained_dense / (shared ? as_double(run.layout.shard_ranks()) : 1) +
                         rank.sum.trained_expert / (shared ? expert_ranks(run.layout) : 1);
  const double temporary = run.offload.optimizer ? 0 : updated * step_temporary(run);
  out[static_cast<int>(Moment::optimizer)] = {0, temporary, 0, 0, run.fused_optimizer ? gradients : 0};
  const double buffer = shared_buffer(profile, run, rank), sent = exchanged(run, rank);
  for (int i = 0; i < kMomentCount; ++i)
    out[i].working += buffer + (i == static_cast<int>(Moment::optimizer) ? 0 : sent);
  if (!run.caches_keys) return;
  // Attention keeps keys and values anyway where nothing is made again. A variable holds the last step's until the
  // forward pass returns.
  for (const Moment moment : {Moment::forward, Moment::loss})
    out[static_cast<int>(moment)].working += rank.cache + rank.cache_remade;
  out[static_cast<int>(Moment::head_backward)].working += rank.cache_remade;
  out[static_cast<int>(Moment::layer_backward)].working += rank.cache_remade;
}

}  // namespace

std::string_view name_of(Holds what) {
  static constexpr std::string_view kNames[kHoldsCount] = {"weights",
                                                           "weight copies",
                                                           "gradients",
                                                           "master weights",
                                                           "optimizer states",
                                                           "gradient placeholders",
                                                           "communication buckets",
                                                           "workspace",
                                                           "activations",
                                                           "working tensors",
                                                           "gathered weights",
                                                           "logits and loss"};
  return kNames[static_cast<int>(what)];
}

std::string_view name_of(Moment moment) {
  static constexpr std::string_view kNames[kMomentCount] = {"forward pass", "loss", "backward pass of the output layer",
                                                            "backward pass of a layer", "optimizer step"};
  return kNames[static_cast<int>(moment)];
}

double DeviceMemory::allocated() const {
  double sum = 0;
  for (const double b : bytes) sum += b;
  return sum;
}

double DeviceMemory::fixed() const {
  double sum = 0;
  for (int i = 0; i <= static_cast<int>(Holds::workspace); ++i) sum += bytes[static_cast<std::size_t>(i)];
  return sum;
}

namespace {

// What the row-parallel products of a layer hand to NCCL's stream, unsharded, is freed at once but can be used again
// only when the collective is done (CUDACachingAllocator: recordStream). The host runs ahead of the device by as many
// launches as CUDA queues; a backward pass has twice the launches of a forward pass. Where pipeline ranks exchange
// sizes before tensors the host waits for each of them.
double held_for_collectives(const Run& run, const Rank& rank) {
  const Layout& layout = run.layout;
  if (run.framework.launches == 0 || !layout.sequence_parallel || layout.pipeline > 1) return 0;
  const double queued = kQueuedLaunches / run.framework.launches;
  const double layers = std::min(rank.sum_layers, queued) + std::max(0.0, queued - rank.sum_layers) / 2;
  return 2 * layers * rank.input * as_double(layout.tensor);
}

// Blocks that stay reserved beside what is allocated at the fullest moment.
double reserved_elsewhere(const MemoryProfile& profile, const Run& run, const Rank& rank, const Transient* at_moment,
                          int fullest) {
  const Framework& f = run.framework;
  double bytes = held_for_collectives(run, rank);
  if (f.one_copy && run.layout.zero == Zero::weights && !run.fused_optimizer) bytes += at_moment[fullest].absent;
  const bool compiled = run.compiled && f.loss_compiled > 0;
  if (fullest == static_cast<int>(Moment::loss) && !compiled && !run.fused_loss && !run.chunked_loss &&
      !run.linear_loss)
    bytes += profile.after().logits * f.loss_blocks;
  if (!f.flat_step) return bytes;
  // No block that activations leave behind is as large as a flat tensor of the step, and what the step leaves is kept.
  const Transient& step = at_moment[static_cast<int>(Moment::optimizer)];
  if (fullest != static_cast<int>(Moment::optimizer)) return bytes + step.working;
  double most = 0;
  for (int i = 0; i < kMomentCount; ++i) {
    if (i != fullest) most = std::max(most, at_moment[i].sum());
  }
  return bytes + most;
}

}  // namespace

DeviceMemory device_memory(const MemoryProfile& profile, const Run& run, std::int64_t stage) {
  Rank rank;
  make_rank(profile, run, stage, rank);
  DeviceMemory out;
  out.stage = stage;
  hold_states(rank.sum, run, out.bytes);
  // Two buckets of 16-bit numbers are no larger than what there is to reduce and to gather.
  at(out.bytes, Holds::buckets) =
      std::min(run.framework.buckets, 4 * (rank.sum.trained_dense + rank.sum.trained_expert));
  at(out.bytes, Holds::workspace) = workspace(run, rank.sum.expert > 0 && run.grouped_experts);
  if (run.framework.router_engine && rank.sum.expert > 0)
    at(out.bytes, Holds::workspace) += device_overhead(run.device).engine_workspace;
  if (run.framework.wgrad == Wgrad::dummy && run.fused_gradients && run.adapter.rank == 0) {
    at(out.bytes, Holds::placeholders) = profile.placeholders(rank.classes, rank.head);
  }
  const InFlight flight = flight_of(run, stage, rank);
  Transient at_moment[kMomentCount];
  moments(profile, run, rank, flight, out[Holds::gradients], at_moment);
  const double fixed = out.fixed();
  int fullest = static_cast<int>(Moment::layer_backward);
  for (int i = 0; i < kMomentCount; ++i) {
    out.at[static_cast<std::size_t>(i)] = fixed + at_moment[i].sum();
    if (at_moment[i].sum() > at_moment[fullest].sum()) fullest = i;
  }
  out.moment = static_cast<Moment>(fullest);
  at(out.bytes, Holds::gradients) -= at_moment[fullest].absent;
  out.elsewhere = reserved_elsewhere(profile, run, rank, at_moment, fullest);
  at(out.bytes, Holds::activations) = at_moment[fullest].activations;
  at(out.bytes, Holds::working) = at_moment[fullest].working;
  at(out.bytes, Holds::gathered) = at_moment[fullest].gathered;
  at(out.bytes, Holds::logits) = at_moment[fullest].logits;
  const double* counts =
      out.moment == Moment::loss || out.moment == Moment::head_backward ? flight.at_head : flight.fullest;
  for (int c = 0; c < rank.count; ++c) out.in_flight += counts[c] / rank.count;
  return out;
}

RankParts rank_parts(const MemoryProfile& profile, const Run& run, const DeviceMemory& peak) {
  Rank rank;
  make_rank(profile, run, peak.stage, rank);
  const InFlight flight = flight_of(run, peak.stage, rank);
  const bool head = peak.moment == Moment::loss || peak.moment == Moment::head_backward;
  RankParts out;
  out.trained_dense = rank.sum.trained_dense;
  out.trained_expert = rank.sum.trained_expert;
  out.frozen = rank.sum.frozen_bytes - rank.sum.frozen_scales;
  out.frozen_scales = rank.sum.frozen_scales;
  out.dense_ranks = as_double(run.layout.shard_ranks());
  out.expert_ranks = expert_ranks(run.layout);
  out.states_dense = rank.sum.states_dense;
  out.states_expert = rank.sum.states_expert;
  out.logits = rank.head ? profile.after().logits : 0;
  out.after = head ? profile.after().kept : 0;
  const bool alike = profile.classes() == 1 && run.recompute.mode != Recompute::Mode::full;
  for (int c = 0; c < rank.count; ++c) {
    const Chunk& chunk = rank.chunks[c];
    const double each = !alike ? 0
                        : run.recompute.mode == Recompute::Mode::selective
                            ? profile.layer(0).kept_policy + profile.layer(0).unsplit_policy
                            : profile.layer(0).kept + profile.layer(0).unsplit;
    out.chunks.push_back({head ? flight.at_head[c] : flight.fullest[c], chunk.activations, chunk.layers, each});
  }
  return out;
}

DeviceMemory peak_memory(const MemoryProfile& profile, const Run& run) {
  const std::int64_t last = run.layout.pipeline - 1;
  DeviceMemory best = device_memory(profile, run, 0);
  const bool even = run.layout.stages.empty() && profile.classes() <= 1;
  // Even stages differ at the ends alone; of a very long pipeline a sample is looked at.
  const std::int64_t stride = std::max<std::int64_t>(1, last / 256);
  for (std::int64_t stage = 1; stage <= last; ++stage) {
    if (even && stage > 1 && stage < last - 1) stage = last - 1;
    const DeviceMemory here = device_memory(profile, run, stage);
    if (here.allocated() + here.elsewhere > best.allocated() + best.elsewhere) best = here;
    if (stage > 1 && stage + stride < last - 1) stage += stride - 1;
  }
  return best;
}

namespace {

// What the allocator reserves over what it must hold at the peak. Where lengths vary, what comes and goes within a step
// is scattered over blocks of every size; what is there all the time was laid out once.
Spread reserved_over_held(const DeviceMemory& memory, const Run& run) {
  if (run.lengths != Lengths::vary) return run.framework.reserved;
  const double share = (memory.allocated() - memory.fixed()) / std::max(1.0, memory.allocated() + memory.elsewhere);
  const Spread& times = run.framework.scattered;
  return {1 + (times.best - 1) * share, 1 + (times.low - 1) * share, 1 + (times.high - 1) * share};
}

}  // namespace

MemoryLines memory_lines(const DeviceMemory& memory, const Run& run, double spread_low, double spread_high) {
  const auto blocks = [](double bytes) { return std::ceil(bytes / kAllocatorBlock) * kAllocatorBlock; };
  const double allocated = memory.allocated();
  const double held = allocated + memory.elsewhere;
  const Spread ratio = reserved_over_held(memory, run), context = device_overhead(run.device).context;
  MemoryLines out;
  out.allocated = {allocated, allocated * spread_low, allocated * spread_high};
  const double low = std::hypot(1 - spread_low, 1 - ratio.low / ratio.best),
               high = std::hypot(spread_high - 1, ratio.high / ratio.best - 1);
  const double reserved = blocks(held * ratio.best);
  out.reserved = {reserved, reserved * (1 - low), reserved * (1 + high)};
  out.needed = {allocated + context.best, allocated * spread_low + context.low, allocated * spread_high + context.high};
  out.visible = {reserved + context.best, reserved * (1 - low) + context.low, reserved * (1 + high) + context.high};
  return out;
}

std::vector<MemoryMoment> memory_timeline(const MemoryProfile& profile, const Run& run, std::int64_t stage,
                                          int at_most) {
  Rank rank;
  make_rank(profile, run, stage, rank);
  std::array<double, kHoldsCount> base = device_memory(profile, run, stage).bytes;
  std::array<double, kHoldsCount> states{};
  hold_states(rank.sum, run, states);
  at(base, Holds::gradients) = at(states, Holds::gradients);
  for (const Holds what : {Holds::activations, Holds::working, Holds::gathered, Holds::logits}) at(base, what) = 0;
  const InFlight none{};
  Transient transient[kMomentCount];
  moments(profile, run, rank, none, at(base, Holds::gradients), transient);
  const double absent = transient[static_cast<int>(Moment::forward)].absent;
  transient[static_cast<int>(Moment::layer_backward)].absent = absent;  // they come as it goes on
  std::vector<MemoryMoment> out;
  double counts[kMaxChunks] = {};
  const auto note = [&](std::string label, const Transient& extra) {
    MemoryMoment moment{std::move(label), base};
    at(moment.bytes, Holds::gradients) -= extra.absent;
    at(moment.bytes, Holds::activations) = held(rank, counts, run);
    at(moment.bytes, Holds::working) = extra.working;
    at(moment.bytes, Holds::gathered) = extra.gathered;
    at(moment.bytes, Holds::logits) = extra.logits;
    out.push_back(std::move(moment));
  };
  Transient start;
  start.absent = absent;
  start.working = shared_buffer(profile, run, rank);
  note("start of the step", start);
  for (const int pass : passes_of(run.layout, micro_batches(run.layout, run.batch), stage, rank.count, at_most)) {
    const int chunk = std::abs(pass) - 1;
    if (pass > 0) {
      counts[chunk] += 1;
      note("forward", transient[static_cast<int>(Moment::forward)]);
      if (rank.chunks[chunk].last) note("loss", transient[static_cast<int>(Moment::loss)]);
    } else {
      if (rank.chunks[chunk].last)
        note("backward of the output layer", transient[static_cast<int>(Moment::head_backward)]);
      note("backward", transient[static_cast<int>(Moment::layer_backward)]);
      counts[chunk] -= 1;
    }
  }
  // Where gradients come late, the backward pass may be fullest at its end.
  Transient peak[kMomentCount];
  moments(profile, run, rank, flight_of(run, stage, rank), at(base, Holds::gradients), peak);
  if (const Transient& end = peak[static_cast<int>(Moment::layer_backward)]; absent > 0 && end.absent == 0) {
    note("end of the backward pass", end);
    at(out.back().bytes, Holds::activations) = end.activations;
  }
  note("optimizer step", transient[static_cast<int>(Moment::optimizer)]);
  return out;
}

}  // namespace floptally
