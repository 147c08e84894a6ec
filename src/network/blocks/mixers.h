// Mixers that carry a state instead of attending over all positions: Mamba, Mamba-2, gated delta net, Kimi delta
// attention, lightning attention. Parameters follow the published modelling code of each.
#pragma once

#include <cstdint>

#include "network/ops.h"

namespace floptally {

// Gu and Dao 2312.00752; transformers models/mamba/modeling_mamba.py.
struct MambaPart {
  std::int64_t width = 0, inner = 0, state = 0, kernel = 4, step_rank = 0;
  bool bias = false, convolution_bias = true;
  bool inner_norms = false;  // Jamba: norms of the step, B and C
};
void describe_mamba(const MambaPart& part, std::int64_t tokens, Sink& sink);

// Dao and Gu 2405.21060; transformers models/mamba2/modeling_mamba2.py.
struct Mamba2Part {
  std::int64_t width = 0, heads = 0, head_dim = 0, state = 0, groups = 1, kernel = 4;
  bool bias = false, convolution_bias = true;
  bool gated_norm = true;
};
void describe_mamba2(const Mamba2Part& part, std::int64_t tokens, Sink& sink);

// Yang et al. 2412.06464; transformers models/qwen3_next/modeling_qwen3_next.py.
struct DeltaNetPart {
  std::int64_t width = 0, heads = 0, key_heads = 0, key_dim = 0, value_dim = 0, kernel = 4;
};
void describe_delta_net(const DeltaNetPart& part, std::int64_t tokens, Sink& sink);

// Kimi Linear 2510.26692: a decay per key channel, through a low-rank projection.
struct KimiDeltaPart {
  std::int64_t width = 0, heads = 0, head_dim = 0, kernel = 4;
  bool full_rank_gate = false;  // the output gate is one matrix instead of two of rank head_dim
};
void describe_kimi_delta(const KimiDeltaPart& part, std::int64_t tokens, Sink& sink);

// MiniMax-01 2501.08313: linear attention with a gate and a norm of its output.
struct LightningPart {
  std::int64_t width = 0, heads = 0, head_dim = 0;
};
void describe_lightning(const LightningPart& part, std::int64_t tokens, Sink& sink);

}  // namespace floptally
