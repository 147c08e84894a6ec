#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"phi3"};
constexpr std::string_view kArchitectures[] = {"Phi3ForCausalLM"};

void describe_phi3(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  attention.joined = true;
  set_window(attention, c.count_or("sliding_window", 0));
  attention.rotary_dim =
      static_cast<std::int64_t>(c.ratio_or("partial_rotary_factor", 1) * static_cast<double>(s.head_dim));
  MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu));
  mlp.joined = true;
  const bool tied = read_tied(f, false);
  c.understood({"attention_bias", "original_max_position_embeddings", "full_attn_mod", "interpolate_factor",
                "lm_head_bias", "mlp_bias", "use_cache"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp}, tied);
}

}  // namespace

extern const FamilyDef k_phi3;
const FamilyDef k_phi3 = {"phi3",
                          "Phi 3, 3.5 and 4: Llama layers with fused matrices, optional sliding window",
                          "huggingface/transformers models/phi3/modeling_phi3.py",
                          kTypes,
                          kArchitectures,
                          build<describe_phi3>};

}  // namespace floptally::families
