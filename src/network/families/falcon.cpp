#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"falcon", "RefinedWeb", "RefinedWebModel"};
constexpr std::string_view kArchitectures[] = {"FalconForCausalLM", "RWForCausalLM"};

void describe_falcon(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("hidden_size");
  s.layers = c.size("num_hidden_layers", "n_layer");
  s.heads = c.size("num_attention_heads", "n_head");
  s.vocabulary = c.size("vocab_size");
  c.divides("num_attention_heads", s.heads, "hidden_size", s.width);
  s.head_dim = std::max<std::int64_t>(1, s.width / s.heads);
  // Falcon 40B's first config ("RefinedWeb") says so by its key and value heads alone.
  const bool newer = c.flag("new_decoder_architecture",
                            c.text_or("model_type", "falcon") == "RefinedWeb" && c.has("n_head_kv")),
             parallel = c.flag("parallel_attn", true);
  const bool multi_query = c.flag("multi_query", true), alibi = c.flag("alibi", false), bias = c.flag("bias", false);
  s.kv_heads = newer ? c.size("num_kv_heads", "n_head_kv") : multi_query ? 1 : s.heads;
  c.understood({"num_kv_heads", "n_head_kv", "num_ln_in_parallel_attn", "activation"});
  f.sequence(c.size_or("max_position_embeddings", 2048));
  AttentionPart attention = attention_of(s);
  attention.joined = true;
  attention.rotary_dim = alibi ? 0 : -1;
  set_bias(attention, bias, bias);
  const MlpPart mlp = mlp_of(s.width, c.size_or("ffn_hidden_size", 4 * s.width), Activation::gelu, false, bias);
  const std::int64_t norms = c.count_or("num_ln_in_parallel_attn", newer ? 2 : 1);
  const Residuals residuals = !parallel && !newer   ? Residuals::pre_norm
                              : newer && norms == 2 ? Residuals::parallel_two
                                                    : Residuals::parallel;
  const bool tied = read_tied(f, true);
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp, .norm = NormKind::layer, .residuals = residuals}, tied);
}

}  // namespace

extern const FamilyDef k_falcon;
const FamilyDef k_falcon = {
    "falcon",
    "Falcon 7B, 40B, 180B and RW: multi-query or grouped attention beside the feed-forward layer",
    "huggingface/transformers models/falcon/modeling_falcon.py; 2311.16867",
    kTypes,
    kArchitectures,
    build<describe_falcon>};

}  // namespace floptally::families
