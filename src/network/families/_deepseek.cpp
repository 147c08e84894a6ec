#include "network/families/_deepseek.h"

namespace floptally::families {
namespace {

// Not in DeepSeekMoE ("deepseek"), nor where a config of the later class says that there is none (DeepSeek-OCR).
bool has_latent_attention(const Keys& c) {
  const Node rank = c.config().node().find("kv_lora_rank");
  return c.flag("use_mla", true) && c.text_or("model_type", "") != "deepseek" && !(rank && rank.is_null());
}

}  // namespace

DeepSeek read_deepseek(Family& f) {
  const Keys& c = f.config;
  DeepSeek d;
  d.sizes.width = c.size("hidden_size");
  d.sizes.layers = c.size("num_hidden_layers");
  d.sizes.heads = c.size("num_attention_heads");
  d.sizes.vocabulary = c.size("vocab_size");
  f.sequence(c.size_or("max_position_embeddings", 4096));
  d.attention.width = d.sizes.width;
  d.attention.heads = d.sizes.heads;
  if (has_latent_attention(c)) {
    read_latent(f, d.attention);
  } else {
    d.attention.kv_heads = std::max<std::int64_t>(1, c.size_or("num_key_value_heads", d.sizes.heads));
    d.attention.head_dim = std::max<std::int64_t>(1, d.sizes.width / d.sizes.heads);
    c.divides("num_attention_heads", d.sizes.heads, "hidden_size", d.sizes.width);
    c.divides("num_key_value_heads", d.attention.kv_heads, "num_attention_heads", d.sizes.heads);
    c.understood({"q_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim", "use_mla"});
  }
  const bool bias = c.flag("attention_bias", false);
  set_bias(d.attention, bias, bias);
  d.moe = read_deepseek_experts(f, d.sizes.width);
  d.mlp = mlp_of(d.sizes.width, c.size("intermediate_size"), d.moe.activation);
  return d;
}

std::vector<std::uint8_t> routed_layers(Family& f, std::int64_t layers) {
  const std::int64_t dense = f.config.count_or("first_k_dense_replace", 0),
                     every = f.config.size_or("moe_layer_freq", 1);
  if (f.config.has("mlp_layer_types"))
    return kinds_named(f, layers, "mlp_layer_types", "sparse", [](std::int64_t) { return true; });
  std::vector<std::uint8_t> kinds = layer_kinds(f, layers);
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const auto layer = static_cast<std::int64_t>(i);
    kinds[i] = layer >= dense && layer % every == 0;
  }
  return kinds;
}

Selection read_selection(const Family& f, const AttentionPart& attention) {
  const Keys& c = f.config;
  Selection s;
  s.indexer.heads = c.size("index_n_heads");
  s.indexer.head_dim = c.size("index_head_dim");
  s.indexer.kept = c.size("index_topk");
  s.indexer.query_width = attention.q_rank > 0 ? attention.q_rank : attention.width;
  s.attention = attention;
  s.attention.mask = AttentionMask::causal_selection;
  s.attention.span = s.indexer.kept;
  return s;
}

}  // namespace floptally::families
