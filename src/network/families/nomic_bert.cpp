#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"nomic_bert", "jina_embeddings_v3"};
constexpr std::string_view kArchitectures[] = {"NomicBertModel",
                                               "NomicBertForMaskedLM",
                                               "NomicBertForSequenceClassification",
                                               "NomicBertForTokenClassification",
                                               "JinaEmbeddingsV3Model",
                                               "JinaEmbeddingsV3ForMaskedLM",
                                               "JinaEmbeddingsV3ForSequenceClassification",
                                               "JinaEmbeddingsV3ForTokenClassification",
                                               "JinaEmbeddingsV3ForQuestionAnswering"};

// The first configs have GPT-2's keys.
std::int64_t read_size(const Keys& c, std::string_view key, std::string_view first) {
  return c.has(first) ? c.size(first) : c.size(key);
}

void describe_nomic_bert(Family& f) {
  const Keys& c = f.config;
  const bool jina =
      c.text_or("model_type", "nomic_bert") == "jina_embeddings_v3" || f.architecture().starts_with("JinaEmbeddingsV3");
  BertSizes s;
  s.layer.width = read_size(c, "hidden_size", "n_embd");
  s.layer.heads = read_size(c, "num_attention_heads", "n_head");
  s.layer.ffn = read_size(c, "intermediate_size", "n_inner");
  s.layers = read_size(c, "num_hidden_layers", "n_layer");
  s.vocabulary = c.size("vocab_size");
  s.positions = 0;
  s.segments = c.count_or("type_vocab_size", 2);
  const std::string_view function = c.text_or("activation_function", jina ? "gelu" : "swiglu");
  s.layer.post_norm = true;
  s.layer.gated = !jina;
  s.layer.activation = jina ? read_activation(f, Activation::gelu) : Activation::silu;
  s.layer.qkv_bias = s.layer.key_bias = s.layer.out_bias = jina || c.flag("qkv_proj_bias", false);
  s.layer.mlp_bias = jina || c.flag("mlp_fc1_bias", false);
  c.divides("num_attention_heads", s.layer.heads, "hidden_size", s.layer.width);
  s.layer.rotary_dim = s.layer.width / std::max<std::int64_t>(1, s.layer.heads);
  if (function != "swiglu" && !jina) c.problem("unknown-variant", "activation_function", "only 'swiglu' is known here");
  if (c.flag("prenorm", false))
    c.problem("unknown-variant", "prenorm", "norms before the sublayers are not known here");
  if (c.flag("mlp_fc2_bias", false) != c.flag("mlp_fc1_bias", false))
    c.problem("unknown-variant", "mlp_fc2_bias", "a bias in one of the two matrices alone is not known");
  if (c.ratio_or("rotary_emb_fraction", 1) != 1)
    c.problem("unknown-variant", "rotary_emb_fraction", "only rotary positions of whole heads are known here");
  if (c.count_or("num_experts", 0) > 0)
    c.problem("unknown-variant", "num_experts", "experts (Nomic Embed 2) are not known here");
  c.understood({"head_dim",
                "hidden_act",
                "n_positions",
                "max_position_embeddings",
                "attn_pdrop",
                "causal",
                "dense_seq_output",
                "fused_bias_fc",
                "fused_dropout_add_ln",
                "last_layer_subset",
                "max_trained_positions",
                "pad_vocab_size_multiple",
                "parallel_block",
                "parallel_block_tied_norm",
                "reorder_and_upcast_attn",
                "rotary_emb_base",
                "rotary_emb_interleaved",
                "rotary_emb_scale_base",
                "rotary_scaling_factor",
                "scale_attn_by_inverse_layer_idx",
                "scale_attn_weights",
                "use_flash_attn",
                "use_rms_norm",
                "use_xentropy",
                "rotary_emb_dim",
                "tie_word_embeddings"});
  if (c.flag("use_rms_norm", false)) c.problem("unknown-variant", "use_rms_norm", "RMS norms are not known here");
  check_encoder_class(f);
  f.sequence(c.has("n_positions") ? c.size("n_positions") : c.size_or("max_position_embeddings", 2048));
  if (!f.ok()) return;
  describe_bert_embeddings(f, s, s.layer.width);
  {
    const Scope layers(f.sink, "layers", s.layers, BlockKind::layer);
    describe_encoder_layer(s.layer, f.tokens, f.sink);
  }
  describe_encoder_heads(f, {.pooler = jina, .own_dense = true}, s.layer.width, s.layer.width, s.vocabulary);
}

}  // namespace

extern const FamilyDef k_nomic_bert;
const FamilyDef k_nomic_bert = {
    "nomic_bert",
    "Nomic Embed's BERT: rotary positions, gated layers without biases; Jina Embeddings 3: with biases, not gated",
    "huggingface/transformers models/nomic_bert, models/jina_embeddings_v3; 2402.01613, 2409.10173",
    kTypes,
    kArchitectures,
    build<describe_nomic_bert>};

}  // namespace floptally::families
