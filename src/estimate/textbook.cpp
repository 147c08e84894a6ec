#include "estimate/textbook.h"

#include <cstdio>

namespace floptally::textbook {
namespace {

std::string plain(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", number);
  return text;
}

// Bytes that all layers keep on one device, as table 2 has them: L layers, of which some are made again whole.
double all_layers(const Inputs& in, double tensor, bool sequence_parallel) {
  const auto layer = [&](Replay replay) {
    return layer_activations(in.sequence, in.micro_batch, in.width, in.heads, tensor, sequence_parallel, replay);
  };
  return in.whole_layers * layer(Replay::full) / in.group + (in.layers - in.whole_layers) * layer(in.replay);
}

// The formula that was used, in the paper's letters.
std::string activation_formula(const Inputs& in) {
  const bool scores = in.replay == Replay::none;
  std::string kept = in.sequence_parallel ? "34 / t" : "10 + 24 / t";
  if (scores) kept += " + 5 a s / (h t)";
  const std::string whole = in.group > 1 ? "2 / " + plain(in.group) : "2";
  std::string out;
  if (in.whole_layers <= 0)
    out = "s b h L (" + kept + ")";
  else if (in.whole_layers >= in.layers)
    out = in.group > 1 ? "s b h L (" + whole + ")" : "2 s b h L";
  else
    out = "s b h (" + plain(in.whole_layers) + " x " + whole + " + " + plain(in.layers - in.whole_layers) + " (" +
          kept + "))";
  if (in.chunks > 1) out += " (1 + (p - 1) / (p m))";
  return out;
}

Row activation_row(const Inputs& in) {
  const bool whole = in.whole_layers >= in.layers;
  std::string name = "activations, Korthikanti";
  if (whole && in.layers > 0)
    name += ", full recomputation";
  else if (in.fused)
    name += ", no scores stored (fused attention)";
  else if (in.replay == Replay::selective)
    name += ", selective recomputation";
  if (!whole && in.whole_layers > 0)
    name += ", " + plain(in.whole_layers) + " of " + plain(in.layers) + " layers made again";
  std::string leaves_out = "gated and grouped layers, experts, logits, working tensors; counts fp16 and dropout";
  if (in.other_modules) leaves_out = "recomputation of other parts than attention; " + leaves_out;
  return {name, activation_formula(in), "Korthikanti et al. 2205.05198, table 2", leaves_out,
          stage_activations(all_layers(in, in.tensor, in.sequence_parallel), 1.0, in.pipeline, in.chunks)};
}

}  // namespace

std::vector<Row> rows(const Inputs& in) {
  const bool frozen = in.trained < in.parameters;
  const double states = in.optimizer_bytes + in.master_bytes;
  const double split = in.tensor * in.pipeline, devices = in.data * split;
  const double weights = in.weight_bytes * in.parameters, gradients = in.gradient_bytes * in.trained,
               all_states = states * in.trained;
  const double unsplit = all_layers(in, 1.0, false);
  const auto zero_row = [&](int stage, const char* formula, const char* leaves_out) {
    return Row{"ZeRO " + std::to_string(stage), formula, "Rajbhandari et al. 1910.02054", leaves_out,
               zero(in.parameters / split, in.trained / split, in.data, stage)};
  };
  std::vector<Row> out{
      {"lecture, model states", frozen ? "P w + T (o + w)" : "P (w + o + w)",
       "lecture on compute and memory requirements", "the fp32 master copy, activations, all parallelism, buffers",
       lecture(in.parameters, in.trained, in.weight_bytes, in.optimizer_bytes)},
      zero_row(0, frozen ? "2 P + 14 T" : "16 P",
               "activations, buffers; P is a device's share under tensor and pipeline, not expert, parallelism"),
      zero_row(1, frozen ? "2 P + 2 T + 12 T / N" : "4 P + 12 P / N", "activations, buffers"),
      zero_row(2, frozen ? "2 P + 14 T / N" : "2 P + 14 P / N", "activations, buffers"),
      zero_row(3, frozen ? "(2 P + 14 T) / N" : "16 P / N", "activations, gathered layers, buffers")};
  if (in.layers <= 0) return out;  // the others need activations
  out.push_back(activation_row(in));
  out.push_back({"Transformer Math 101, 3-D with ZeRO 1, as printed", "W / (PP TP) + O / N + A / TP + G / PP",
                 "Anthony et al. 2023", "gradients are cut by TP too; micro-batches in flight; buffers",
                 three_d_as_printed(weights, all_states, unsplit, gradients, devices, in.tensor, in.pipeline)});
  out.push_back({"the same, with gradients cut by tensor parallelism", "(W + G) / (PP TP) + O / N + A / TP",
                 "Anthony et al. 2023, corrected", "micro-batches in flight; buffers",
                 three_d(weights, all_states, unsplit, gradients, devices, in.tensor, in.pipeline)});
  return out;
}

}  // namespace floptally::textbook
