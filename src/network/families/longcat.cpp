#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"longcat_flash"};
constexpr std::string_view kArchitectures[] = {"LongcatFlashForCausalLM"};

void describe_longcat(Family& f) {
  const Keys& c = f.config;
  const std::int64_t width = c.size("hidden_size"), blocks = c.size("num_layers"), inner = c.size("ffn_hidden_size"),
                     vocabulary = c.size("vocab_size");
  AttentionPart attention;
  attention.width = width;
  attention.heads = c.size("num_attention_heads");
  read_latent(f, attention);
  if (c.flag("attention_bias", false))
    c.problem("unknown-variant", "attention_bias", "latent attention with biases is not known here");
  const std::int64_t idle = c.count_or("zero_expert_num", 0);
  MoePart moe;
  moe.width = width;
  moe.experts = c.size("n_routed_experts");
  moe.top_k = c.size("moe_topk");
  moe.expert_ffn = c.size("expert_ffn_hidden_size");
  check_experts(f, moe, "n_routed_experts", "moe_topk");
  const bool tied = read_tied(f, false);
  c.understood({"num_hidden_layers", "routed_scaling_factor", "router_bias", "zero_expert_type", "attention_method",
                "mla_scale_q_lora", "mla_scale_kv_lora", "norm_topk_prob"});
  f.sequence(c.size_or("max_position_embeddings", 4096));
  if (!f.ok()) return;
  const std::int64_t chosen = moe.top_k;
  if (idle > 0) {
    // A token's choice falls on experts that do nothing as often as they are many.
    moe.top_k = std::max<std::int64_t>(1, chosen * moe.experts / (moe.experts + idle));
    f.remark("of the " + std::to_string(chosen) + " experts that a token chooses, " + std::to_string(moe.top_k) +
             " compute on average, the others pass it on; counted so");
  }
  const MlpPart mlp = mlp_of(width, inner);
  describe_embedding(f, vocabulary, width);
  {
    const Scope layers(f.sink, "layers", blocks, BlockKind::layer);
    for (int half = 0; half < 2; ++half) {
      f.sink.add(rms_norm("input_layernorm", f.tokens, width));
      describe_attention(attention, f.tokens, f.sink);
      f.sink.add(residual(f.tokens * width));
      f.sink.add(rms_norm("post_attention_layernorm", f.tokens, width));
      if (half == 0) {
        describe_moe(moe, f.tokens, f.sink);
        if (idle > 0) f.sink.add(linear("zero_experts", f.tokens, width, idle, false, Component::router));
      }
      describe_mlp(mlp, f.tokens, f.sink);
      f.sink.add(residual((half + 1) * f.tokens * width));
    }
  }
  describe_head(f, NormKind::rms, width, vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_longcat;
const FamilyDef k_longcat = {"longcat",
                             "LongCat-Flash: two latent attentions and two dense layers a block beside one mixture, "
                             "some of whose experts do nothing",
                             "huggingface/transformers models/longcat_flash/modeling_longcat_flash.py; 2509.01322",
                             kTypes,
                             kArchitectures,
                             build<describe_longcat>};

}  // namespace floptally::families
