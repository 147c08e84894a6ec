// A decoder-only transformer in one small struct: what `kind: decoder` says in plans and specs.
//
// Always holds: describe_decoder allocates nothing, so a million shapes a second can be tallied with a TallySink.
#pragma once

#include <cstdint>

#include "floptally/diagnostic.h"
#include "network/blocks/blocks.h"
#include "network/network.h"

namespace floptally {

// relative: Transformer-XL's projection of relative positions in each layer, one product per step whatever the batch:
// it has parameters and no FLOP per sample (Hoffmann et al. 2203.15556, appendix F, count the same).
enum class Positions : std::uint8_t { none, learned, rotary, relative };

struct DecoderShape {
  std::int64_t layers = 0, width = 0, heads = 0, kv_heads = 0, head_dim = 0, ffn = 0;
  std::int64_t vocabulary = 0, sequence = 0;
  std::int64_t max_positions = 0;  // rows of a learned position table; 0: the sequence
  Positions positions = Positions::none;
  NormKind norm = NormKind::none;
  bool final_norm = true;  // where there are norms at all
  // Norms before attention and feed-forward layer side by side (1: they share it; 2); 0: one after the other.
  std::int64_t parallel_norms = 0;
  bool qk_norm = false;
  bool gated = false, qkv_bias = false, out_bias = false, mlp_bias = false, unembed_bias = false;
  bool tied = false;  // logits use the embedding table
  Activation activation = Activation::gelu;
  AttentionMask mask = AttentionMask::causal;
  std::int64_t squares = 0;       // sum of the squared lengths of packed documents (mask causal_documents)
  std::int64_t window = 0;        // > 0: causal window; of every `window_every` layers the last sees everything
  std::int64_t window_every = 0;  // 0: all layers are windowed
  // Mixture of experts (0 experts: dense).
  std::int64_t experts = 0, top_k = 0, expert_ffn = 0, shared_ffn = 0;
  std::int64_t dense_first = 0;  // leading layers without experts
  std::int64_t moe_every = 1;    // of the others, every n-th has experts
  bool correction_bias = false;  // one balancing number per expert, held as a parameter (DeepSeek-V3)
  std::int64_t capacity_numerator = 0, capacity_denominator = 1;
  // Latent attention (kv_rank > 0).
  std::int64_t q_rank = 0, kv_rank = 0, rope_dim = 0, nope_dim = 0, value_dim = 0;
  std::int64_t mtp_heads = 0;  // extra prediction heads (a layer, a 2d to d projection and shared logits each)
  bool loss = true;            // describe the cross-entropy too
};

// Sizes that cannot be: "shape-zero", "shape-divide", "shape-experts", "shape-overflow"; empty if all is well.
Diagnostics validate(const DecoderShape& shape);
// The parts of one layer: attention under `mask`, the dense feed-forward, the experts (as wide as the dense where
// expert_ffn is 0).
AttentionPart attention_of(const DecoderShape& shape, AttentionMask mask);
MlpPart mlp_of(const DecoderShape& shape);
MoePart experts_of(const DecoderShape& shape);
// `shape` must be valid.
void describe_decoder(const DecoderShape& shape, Sink& sink);

}  // namespace floptally
