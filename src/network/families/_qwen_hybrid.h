// Qwen3-Next and Qwen 3.5 text layers: gated delta net layers with a gated-attention layer in every fourth, dense or
// with experts. transformers models/qwen3_next, models/qwen3_5, models/qwen3_5_moe.
#pragma once

#include "network/blocks/mixers.h"
#include "network/families/_common.h"

namespace floptally::families {

struct HybridSizes {
  TextSizes text;
  AttentionPart attention;
  DeltaNetPart delta;
  MlpPart mlp;
  MoePart moe;                      // experts 0: dense layers only
  std::vector<std::uint8_t> kinds;  // bit 0 routed experts, bit 1 attention
  std::int64_t extra_heads = 0;     // multi-token-prediction layers the config names
};
HybridSizes read_hybrid(Family& f);
// The published checkpoints hold the extra prediction heads, so they count where the config names them.
void describe_hybrid(Family& f, const HybridSizes& h, bool tied);

}  // namespace floptally::families
