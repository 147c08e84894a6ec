// The closed formulas for memory that textbooks print, reproduced exactly, each with what it leaves out. They stand
// beside the account of src/estimate/memory.h, which adds up operators; nothing else uses them.
//
// Templates over the number: double, Integer where a formula stays whole, Traced to explain.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace floptally::textbook {

// ZeRO (Rajbhandari et al. 1910.02054, section 3 and figure 1): bytes of model states on one device, at stage 0 to 3.
// A parameter has 2 bytes of fp16 weights, 2 of gradients, `k` of optimizer states (12 for mixed-precision Adam),
// shared over n data-parallel devices. `trained`: the parameters that have gradients and states; the paper trains all
// of them.
template <class N>
N zero(N parameters, N trained, N n, int stage, N k = N(12)) {
  const N weights = N(2) * parameters, gradients = N(2) * trained, states = k * trained;
  if (stage <= 0) return weights + gradients + states;
  if (stage == 1) return weights + gradients + states / n;
  if (stage == 2) return weights + (gradients + states) / n;
  return (weights + gradients + states) / n;
}

// The three kinds of recomputation the activation formulas know.
enum class Replay { none, selective, full };

// Korthikanti et al. 2205.05198, table 2: bytes that one GPT layer (feed-forward of 4 h, dropout, 16 bits) keeps on one
// device for the backward pass: s tokens a sample, b samples a micro-batch, width h, a heads, t tensor ranks.
template <class N>
N layer_activations(N s, N b, N h, N a, N t, bool sequence_parallel, Replay replay) {
  const N sbh = s * b * h;
  if (replay == Replay::full) return N(2) * sbh;
  const N scores = replay == Replay::selective ? N(0) : N(5) * a * s * s * b / t;
  if (sequence_parallel) return N(34) * sbh / t + scores;
  return N(10) * sbh + N(24) * sbh / t + scores;
}

// Section 4.2.3 of the same: bytes that the first of p pipeline stages keeps: those of all layers, whatever p, because
// as many micro-batches are in flight as there are stages; more where each stage holds m interleaved chunks.
template <class N>
N stage_activations(N layer, N layers, N p, N m) {
  const N more = m > N(1) ? (p - N(1)) / (p * m) : N(0);
  return layer * layers * (N(1) + more);
}

// Transformer Math 101 (Anthony, Biderman, Schoelkopf 2023): bytes per parameter of optimizer states, the fp32 master
// copy among them, and the bytes of one device with ZeRO 1, tensor and pipeline parallelism as the post prints it. The
// first four arguments are bytes of the whole model and micro-batch, the others ranks.
inline constexpr double kAdamWWithMaster = 12, kEightBitWithMaster = 6, kMomentumWithMaster = 8;
template <class N>
N three_d_as_printed(N weights, N states, N activations, N gradients, N devices, N tensor, N pipeline) {
  return weights / (pipeline * tensor) + states / devices + activations / tensor + gradients / pipeline;
}

// The same with gradients cut by tensor parallelism too, as they are.
template <class N>
N three_d(N weights, N states, N activations, N gradients, N devices, N tensor, N pipeline) {
  return (weights + gradients) / (pipeline * tensor) + states / devices + activations / tensor;
}

// The lecture "Compute and memory requirements": bytes of weights by format, of optimizer states (AdamW 8 a parameter,
// 8-bit optimizers 2) and of gradients in the weights' format. Its sum forgets the 4-byte master copy of mixed
// precision.
template <class N>
N lecture(N parameters, N trained, N weight_bytes, N optimizer_bytes) {
  return parameters * weight_bytes + trained * (optimizer_bytes + weight_bytes);
}

// Inference, Transformer Math 101: about 1.2 times the bytes of the weights. A rule, not a count (serving.h counts).
template <class N>
N inference_rule(N weight_bytes) {
  return N(6) * weight_bytes / N(5);
}

// One formula with its value, for a table.
struct Row {
  std::string name, formula, source, leaves_out;
  double bytes = 0;
};
struct Inputs {
  double parameters = 0, trained = 0;  // fewer are trained where parts are frozen
  double layers = 0, width = 0, heads = 0, sequence = 0, micro_batch = 1;
  double data = 1, tensor = 1, pipeline = 1, chunks = 1;
  double weight_bytes = 2, gradient_bytes = 2, optimizer_bytes = 8, master_bytes = 4;
  bool sequence_parallel = false;
  Replay replay = Replay::none;  // of layers that are not made again whole
  double whole_layers = 0;       // layers that are
  double group = 1;              // that are made again together, from one kept input
  bool fused = false;            // no scores are stored, though nothing is made again by request
  bool other_modules = false;    // parts of a layer other than attention are made again
};
std::vector<Row> rows(const Inputs& in);

}  // namespace floptally::textbook
