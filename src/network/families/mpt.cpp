#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"mpt"};
constexpr std::string_view kArchitectures[] = {"MptForCausalLM", "MPTForCausalLM"};

void describe_mpt(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("d_model");
  s.layers = c.size("n_layers");
  s.heads = c.size("n_heads");
  s.vocabulary = c.size("vocab_size");
  c.divides("n_heads", s.heads, "d_model", s.width);
  s.head_dim = std::max<std::int64_t>(1, s.width / s.heads);
  const Keys a = c.child("attn_config");
  s.kv_heads =
      a.text_or("attn_type", "multihead_attention") == "multiquery_attention" ? 1 : a.size_or("kv_n_heads", s.heads);
  const std::int64_t longest = c.size("max_seq_len");
  f.sequence(longest);
  const bool bias = !c.flag("no_bias", true), alibi = a.flag("alibi", true), rope = a.flag("rope", false);
  const NormKind norm_kind = c.text_or("norm_type", "low_precision_layernorm").find("rms") != std::string_view::npos
                                 ? NormKind::rms
                             : bias ? NormKind::layer
                                    : NormKind::layer_scale_only;
  AttentionPart attention = attention_of(s);
  attention.joined = true;
  attention.rotary_dim = rope ? -1 : 0;
  set_bias(attention, bias, bias);
  if (a.flag("qk_ln", false)) {
    attention.qk_norm = QkNorm::whole;
    attention.qk_norm_kind = norm_kind;
  }
  const std::int64_t ratio = c.assume("expansion_ratio", 4);
  const MlpPart mlp = mlp_of(s.width, ratio * s.width, Activation::gelu, false, bias);
  const bool learned = c.flag("learned_pos_emb", true) && !alibi && !rope;
  a.understood({"alibi_bias_max", "attn_impl", "attn_pdrop", "attn_uses_sequence_id", "clip_qkv", "prefix_lm",
                "softmax_scale", "attn_type", "kv_n_heads", "model_type"});
  c.understood({"emb_pdrop", "embedding_fraction", "init_config", "init_device", "logit_scale", "resid_pdrop",
                "tokenizer_name", "verbose", "norm_type", "no_bias"});
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, s.width, "wte");
  if (learned) f.sink.add(position_table("wpe", f.tokens, longest, s.width));
  {
    const Scope blocks(f.sink, "blocks", s.layers, BlockKind::layer);
    describe(f, {.attention = &attention, .mlp = &mlp, .norm = norm_kind});
  }
  describe_head(f, norm_kind, s.width, s.vocabulary, true);
}

}  // namespace

extern const FamilyDef k_mpt;
const FamilyDef k_mpt = {"mpt",
                         "MPT: ALiBi or learned positions, bias-free layers with norms that only scale",
                         "huggingface/transformers models/mpt/modeling_mpt.py; mosaicml/llm-foundry models/mpt",
                         kTypes,
                         kArchitectures,
                         build<describe_mpt>};

}  // namespace floptally::families
