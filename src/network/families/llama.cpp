#include "network/family.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"llama", "mistral"};
constexpr std::string_view kArchitectures[] = {"LlamaForCausalLM", "MistralForCausalLM"};

void build(Config& config, const FamilyInputs& in, Sink& sink) {
  const std::int64_t layers = config.size({"num_hidden_layers"}, "number of layers");
  const std::int64_t width = config.size({"hidden_size"}, "width of the residual stream");
  const std::int64_t vocabulary = config.size({"vocab_size"}, "rows of the embedding table");
  const std::int64_t tokens = sequence_length(config, in);

  AttentionPart attention;
  attention.width = width;
  attention.heads = config.size({"num_attention_heads"}, "query heads");
  attention.kv_heads = config.size_if({"num_key_value_heads"}, attention.heads, 1);
  attention.head_dim = config.size_if({"head_dim"}, 0, 1);
  if (attention.head_dim == 0) {
    if (!config.divides(attention.heads, "num_attention_heads", width, "hidden_size")) return;
    attention.head_dim = width / attention.heads;
  }
  if (!config.divides(attention.kv_heads, "num_key_value_heads", attention.heads, "num_attention_heads")) return;
  const bool bias = config.flag({"attention_bias"}, false);
  attention.q_bias = attention.k_bias = attention.v_bias = attention.out_bias = bias;
  if (const std::int64_t window = config.size_if({"sliding_window"}); window > 0) {
    attention.mask = AttentionMask::causal_window;
    attention.span = window;
  }

  MlpPart mlp;
  mlp.width = width;
  mlp.ffn = config.size({"intermediate_size"}, "width of the feed-forward layer");
  mlp.up_bias = mlp.down_bias = config.flag({"mlp_bias"}, false);
  mlp.activation = config.activation({"hidden_act"}, "silu");
  const bool tied = config.flag({"tie_word_embeddings"}, false);
  if (!config.ok()) return;

  {
    const Scope model(sink, "model", 1, BlockKind::group);
    sink.add(embedding("embed_tokens", tokens, vocabulary, width));
    {
      const Scope layer(sink, "layers", layers, BlockKind::layer);
      sink.add(rms_norm("input_layernorm", tokens, width));
      describe_attention(attention, tokens, sink);
      sink.add(residual(tokens * width));
      sink.add(rms_norm("post_attention_layernorm", tokens, width));
      describe_mlp(mlp, tokens, sink);
      sink.add(residual(tokens * width));
    }
    sink.add(rms_norm("norm", tokens, width));
  }
  describe_unembedding({"lm_head", width, vocabulary, tied}, tokens, sink);
}

}  // namespace

extern const FamilyDef k_llama;
const FamilyDef k_llama = {"llama",
                           "Llama 1 to 3, Mistral and the many that share their layers",
                           "transformers models/llama/modeling_llama.py; Touvron et al. 2302.13971, Dubey et al. 2407.21783",
                           kTypes,
                           kArchitectures,
                           build};

}  // namespace floptally::families
