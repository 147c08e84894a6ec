// The parts that transformers are made of, described to a Sink without allocation. Families, specs and plans fill these
// small structs in; names of ops follow Hugging Face checkpoints unless a caller gives its own.
//
// All sizes are per sample: `tokens` is the sequence that goes through the part.
#pragma once

#include <cstdint>
#include <string_view>

#include "network/ops.h"

namespace floptally {

enum class NormKind : std::uint8_t { none, rms, layer, layer_scale_only, layer_plain };

Op norm(std::string_view name, NormKind kind, std::int64_t rows, std::int64_t width);

// Where queries and keys are normalized before they meet.
enum class QkNorm : std::uint8_t {
  none,
  per_head,  // one scale of head_dim shared by the heads (Qwen 3)
  whole,     // one scale over all heads together (OLMo 2)
};

// Self-attention with its projections; multi-head, grouped and multi-query by kv_heads; latent where kv_rank > 0.
struct AttentionPart {
  std::string_view name = "self_attn";
  std::int64_t width = 0, heads = 0, kv_heads = 0, head_dim = 0;
  std::int64_t value_dim = 0;  // 0: head_dim
  std::int64_t out_width = 0;  // 0: width
  bool q_bias = false, k_bias = false, v_bias = false, out_bias = false;
  bool shared_key_value = false;    // v is k: no v_proj
  bool borrowed_key_value = false;  // keys and values are those of an earlier layer: no k_proj, no v_proj
  bool output_gate = false;         // a gate as wide as the heads' outputs, read from the input
  QkNorm qk_norm = QkNorm::none;
  NormKind qk_norm_kind = NormKind::rms;
  std::int64_t rotary_dim = -1;  // rotated numbers per head; -1: head_dim (latent: rope_dim), 0: no rotary positions
  AttentionMask mask = AttentionMask::causal;
  std::int64_t span = 0, squares = 0;
  std::int64_t keys = 0;  // 0: as many as tokens
  bool fused = true, dropout = false;
  bool sinks = false;   // one learned number per head in the softmax's denominator
  bool joined = false;  // queries, keys and values come out of one matrix
  // Latent attention (DeepSeek-V2 2405.04434): queries through q_rank (0: directly), keys and values through kv_rank.
  std::int64_t q_rank = 0, kv_rank = 0, rope_dim = 0, nope_dim = 0;
};
void describe_attention(const AttentionPart& part, std::int64_t tokens, Sink& sink);

// Cross-attention: queries from `tokens`, keys and values from `memory` positions of `memory_width`.
struct CrossAttentionPart {
  std::string_view name = "encoder_attn";
  std::int64_t width = 0, memory_width = 0, heads = 0, kv_heads = 0, head_dim = 0;
  bool q_bias = false, k_bias = false, v_bias = false, out_bias = false;
  QkNorm qk_norm = QkNorm::none;
};
void describe_cross_attention(const CrossAttentionPart& part, std::int64_t tokens, std::int64_t memory, Sink& sink);

// Feed-forward layer: up, activation, down; with a gate in the gated variants.
struct MlpPart {
  std::string_view name = "mlp";
  std::int64_t width = 0, ffn = 0;
  bool gated = true, up_bias = false, down_bias = false;
  bool shares_input = false;  // it reads what the attention beside it reads, behind one norm
  bool joined = false;        // gate and up are one matrix
  Activation activation = Activation::silu;
};
void describe_mlp(const MlpPart& part, std::int64_t tokens, Sink& sink);

// Mixture of experts in the place of a feed-forward layer.
struct MoePart {
  std::string_view name = "mlp";
  std::int64_t width = 0, expert_ffn = 0, experts = 0, top_k = 0;
  std::int64_t shared_ffn = 0;  // width of the shared expert (all shared experts together), 0: none
  bool gated = true;
  bool shared_gate = false;      // the shared expert's output is multiplied by a learned sigmoid gate
  bool router_bias = false;      // the router is a linear layer with bias
  bool correction_bias = false;  // one balancing number per expert (DeepSeek-V3); held as a parameter
  bool expert_bias = false;
  Activation activation = Activation::silu;
  // Capacity factor as a ratio: each expert takes ceil(factor * tokens * top_k / experts) rows, padded or dropped
  // (Switch 2101.03961 eq. 3). 0: dropless, exactly tokens * top_k rows.
  std::int64_t capacity_numerator = 0, capacity_denominator = 1;
  std::int64_t latent = 0;  // experts work in a projected space of this width (0: in `width`)
};
void describe_moe(const MoePart& part, std::int64_t tokens, Sink& sink);

// Rows that the experts of a MoePart multiply, all together.
std::int64_t routed_rows(const MoePart& part, std::int64_t tokens);

// Logits over the vocabulary and the cross-entropy that training adds.
struct UnembeddingPart {
  std::string_view name = "lm_head";
  std::int64_t width = 0, vocabulary = 0;
  bool tied = false;  // the embedding table again
  bool bias = false;
  bool loss = true;
};
void describe_unembedding(const UnembeddingPart& part, std::int64_t tokens, Sink& sink);

}  // namespace floptally
