#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"dbrx"};
constexpr std::string_view kArchitectures[] = {"DbrxForCausalLM", "DBRXForCausalLM"};

void describe_dbrx(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("d_model");
  s.layers = c.size("n_layers");
  s.heads = c.size("n_heads");
  s.vocabulary = c.size("vocab_size");
  c.divides("n_heads", s.heads, "d_model", s.width);
  s.head_dim = std::max<std::int64_t>(1, s.width / s.heads);
  const Keys a = c.child("attn_config"), m = c.child("ffn_config");
  s.kv_heads = a.size("kv_n_heads");
  f.sequence(c.size("max_seq_len"));
  AttentionPart attention = attention_of(s);
  attention.joined = true;
  MoePart moe;
  moe.width = s.width;
  moe.experts = m.size("moe_num_experts");
  moe.top_k = m.size("moe_top_k");
  moe.expert_ffn = m.size("ffn_hidden_size");
  moe.activation = Activation::silu;
  check_experts(f, moe, "moe_num_experts", "moe_top_k");
  const bool tied = read_tied(f, false);
  a.understood({"clip_qkv", "model_type", "rope_theta"});
  m.understood({"ffn_act_fn", "model_type", "moe_jitter_eps", "moe_loss_weight", "moe_normalize_expert_weights",
                "uniform_expert_assignment"});
  c.understood({"emb_pdrop"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .moe = &moe, .norm = NormKind::layer_scale_only}, tied);
}

}  // namespace

extern const FamilyDef k_dbrx;
const FamilyDef k_dbrx = {"dbrx",
                          "DBRX: 4 of 16 experts, norms that only scale, no biases",
                          "huggingface/transformers models/dbrx/modeling_dbrx.py",
                          kTypes,
                          kArchitectures,
                          build<describe_dbrx>};

}  // namespace floptally::families
