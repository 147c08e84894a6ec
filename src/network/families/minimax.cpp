#include "network/blocks/mixers.h"
#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"minimax", "minimax_text_01", "minimax_m1"};
constexpr std::string_view kArchitectures[] = {"MiniMaxForCausalLM", "MiniMaxText01ForCausalLM",
                                               "MiniMaxM1ForCausalLM"};

void describe_minimax(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  attention.rotary_dim = c.count_or("rotary_dim", s.head_dim);
  LightningPart lightning;
  lightning.width = s.width;
  lightning.heads = s.heads;
  lightning.head_dim = s.head_dim;
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.size("num_local_experts");
  moe.top_k = c.size("num_experts_per_tok");
  moe.expert_ffn = c.size("intermediate_size");
  moe.shared_ffn = c.count_or("shared_intermediate_size", 0);
  moe.activation = read_activation(f, Activation::silu);
  check_experts(f, moe, "num_local_experts", "num_experts_per_tok");
  std::vector<std::uint8_t> full;
  if (c.has("layer_types"))
    full = kinds_named(f, s.layers, "layer_types", "full", [](std::int64_t) { return false; });
  else
    full = kinds_flagged(f, s.layers, "attn_type_list", [](std::int64_t i) { return i % 8 == 7; });
  const bool tied = read_tied(f, false);
  c.understood({"shared_moe_mode", "postnorm", "layernorm_full_attention_alpha", "layernorm_full_attention_beta",
                "layernorm_linear_attention_alpha", "layernorm_linear_attention_beta", "layernorm_mlp_alpha",
                "layernorm_mlp_beta", "full_attn_alpha_factor", "full_attn_beta_factor", "linear_attn_alpha_factor",
                "linear_attn_beta_factor", "mlp_alpha_factor", "mlp_beta_factor", "block_size", "sliding_window"});
  if (!f.ok()) return;
  describe_decoder(f, s, full, NormKind::rms, tied, [&](std::uint8_t softmax) {
    if (softmax != 0) return describe(f, {.attention = &attention, .moe = &moe});
    const auto mixer = [&] { describe_lightning(lightning, f.tokens, f.sink); };
    describe_mixing(f, s.width, mixer, "post_attention_layernorm", &moe, nullptr);
  });
}

}  // namespace

extern const FamilyDef k_minimax;
const FamilyDef k_minimax = {
    "minimax",
    "MiniMax-Text-01 and M1: lightning attention with a softmax layer in every eight, mixture of experts",
    "huggingface/transformers models/minimax/modeling_minimax.py; 2501.08313",
    kTypes,
    kArchitectures,
    build<describe_minimax>};

}  // namespace floptally::families
