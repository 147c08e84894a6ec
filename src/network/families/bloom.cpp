#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"bloom"};
constexpr std::string_view kArchitectures[] = {"BloomForCausalLM", "BloomModel"};

void describe_bloom(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("hidden_size", "n_embed");
  s.layers = c.size("n_layer", "num_hidden_layers");
  s.heads = s.kv_heads = c.size("n_head", "num_attention_heads");
  s.vocabulary = c.size("vocab_size");
  c.divides("n_head", s.heads, "hidden_size", s.width);
  s.head_dim = std::max<std::int64_t>(1, s.width / s.heads);
  f.sequence(c.size_or("seq_length", 2048));
  AttentionPart attention = attention_of(s);
  attention.joined = true;
  attention.rotary_dim = 0;
  set_bias(attention, true, true);
  const MlpPart mlp = mlp_of(s.width, 4 * s.width, Activation::gelu, false, true);
  const bool tied = read_tied(f, true);
  c.understood({"n_embed", "num_attention_heads", "n_inner", "offset_alibi", "slow_but_exact", "skip_bias_add",
                "skip_bias_add_qkv", "unk_token_id", "bias_dropout_fusion", "masked_softmax_fusion", "pretraining_tp",
                "attention_softmax_in_fp32"});
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, s.width, "word_embeddings");
  f.sink.add(layer_norm("word_embeddings_layernorm", f.tokens, s.width));
  {
    const Scope layers(f.sink, "h", s.layers, BlockKind::layer);
    describe(f, {.attention = &attention, .mlp = &mlp, .norm = NormKind::layer});
  }
  describe_head(f, NormKind::layer, s.width, s.vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_bloom;
const FamilyDef k_bloom = {"bloom",
                           "BLOOM: ALiBi instead of positions, a norm of the embedding, biases, tied embedding",
                           "huggingface/transformers models/bloom/modeling_bloom.py; 2211.05100",
                           kTypes,
                           kArchitectures,
                           build<describe_bloom>};

}  // namespace floptally::families
