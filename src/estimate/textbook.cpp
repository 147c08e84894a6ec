#include "estimate/textbook.h"

namespace floptally::textbook {

std::vector<Row> rows(const Inputs& in) {
  const double states = in.optimizer_bytes + in.master_bytes;
  const double layer =
      layer_activations(in.sequence, in.micro_batch, in.width, in.heads, in.tensor, in.sequence_parallel, in.replay);
  const double activations = stage_activations(layer, in.layers, in.pipeline, in.chunks);
  const double share = in.parameters / (in.tensor * in.pipeline);
  const double devices = in.data * in.tensor * in.pipeline;
  const double weights = in.weight_bytes * in.parameters, gradients = in.gradient_bytes * in.parameters,
               all_states = states * in.parameters;
  const double unsplit =
      layer_activations(in.sequence, in.micro_batch, in.width, in.heads, 1.0, false, in.replay) * in.layers;
  return {
      {"lecture, model states", "P (w + o + w)", "lecture on compute and memory requirements",
       "the fp32 master copy, activations, all parallelism, buffers",
       lecture(in.parameters, in.weight_bytes, in.optimizer_bytes)},
      {"ZeRO 0", "16 P", "Rajbhandari et al. 1910.02054",
       "activations, buffers; P is a device's share under tensor and pipeline parallelism", zero(share, in.data, 0)},
      {"ZeRO 1", "4 P + 12 P / N", "Rajbhandari et al. 1910.02054", "activations, buffers", zero(share, in.data, 1)},
      {"ZeRO 2", "2 P + 14 P / N", "Rajbhandari et al. 1910.02054", "activations, buffers", zero(share, in.data, 2)},
      {"ZeRO 3", "16 P / N", "Rajbhandari et al. 1910.02054", "activations, gathered layers, buffers",
       zero(share, in.data, 3)},
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
