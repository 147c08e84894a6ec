#include "estimate/textbook.h"

namespace floptally::textbook {

std::vector<Row> rows(const Inputs& in) {
  const bool frozen = in.trained < in.parameters;
  const double states = in.optimizer_bytes + in.master_bytes;
  const double layer =
      layer_activations(in.sequence, in.micro_batch, in.width, in.heads, in.tensor, in.sequence_parallel, in.replay);
  const double activations = stage_activations(layer, in.layers, in.pipeline, in.chunks);
  const double split = in.tensor * in.pipeline, devices = in.data * split;
  const double weights = in.weight_bytes * in.parameters, gradients = in.gradient_bytes * in.trained,
               all_states = states * in.trained;
  const double unsplit =
      layer_activations(in.sequence, in.micro_batch, in.width, in.heads, 1.0, false, in.replay) * in.layers;
  const auto zero_row = [&](int stage, const char* formula, const char* leaves_out) {
    return Row{"ZeRO " + std::to_string(stage), formula, "Rajbhandari et al. 1910.02054", leaves_out,
               zero(in.parameters / split, in.trained / split, in.data, stage)};
  };
  return {
      {"lecture, model states", frozen ? "P w + T (o + w)" : "P (w + o + w)",
       "lecture on compute and memory requirements", "the fp32 master copy, activations, all parallelism, buffers",
       lecture(in.parameters, in.trained, in.weight_bytes, in.optimizer_bytes)},
      zero_row(0, frozen ? "2 P + 14 T" : "16 P",
               "activations, buffers; P is a device's share under tensor and pipeline, not expert, parallelism"),
      zero_row(1, frozen ? "2 P + 2 T + 12 T / N" : "4 P + 12 P / N", "activations, buffers"),
      zero_row(2, frozen ? "2 P + 14 T / N" : "2 P + 14 P / N", "activations, buffers"),
      zero_row(3, frozen ? "(2 P + 14 T) / N" : "16 P / N", "activations, gathered layers, buffers"),
      {"activations, Korthikanti",
       in.sequence_parallel ? "s b h L (34 / t + 5 a s / (h t))" : "s b h L (10 + 24 / t + 5 a s / (h t))",
       "Korthikanti et al. 2205.05198, table 2",
       "gated and grouped layers, experts, fused attention, logits, working tensors; counts fp16 and dropout",
       activations},
      {"Transformer Math 101, 3-D with ZeRO 1, as printed", "W / (PP TP) + O / N + A / TP + G / PP",
       "Anthony et al. 2023", "gradients are cut by TP too; micro-batches in flight; buffers",
       three_d_as_printed(weights, all_states, unsplit, gradients, devices, in.tensor, in.pipeline)},
      {"the same, with gradients cut by tensor parallelism", "(W + G) / (PP TP) + O / N + A / TP",
       "Anthony et al. 2023, corrected", "micro-batches in flight; buffers",
       three_d(weights, all_states, unsplit, gradients, devices, in.tensor, in.pipeline)},
  };
}

}  // namespace floptally::textbook
