#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"xlm", "flaubert"};
constexpr std::string_view kArchitectures[] = {"XLMModel", "XLMWithLMHeadModel", "FlaubertModel",
                                               "FlaubertWithLMHeadModel"};

struct Net {
  EncoderLayerPart layer;
  std::int64_t layers = 12, words = 30145, positions = 512, languages = 1;
};

Net read_net(Family& f) {
  const Keys& c = f.config;
  Net n;
  n.layer.width = c.size("emb_dim");
  n.layer.heads = c.assume("n_heads", 16);
  n.layer.ffn = 4 * n.layer.width;
  n.layer.post_norm = !c.flag("pre_norm", false);
  n.layer.activation = c.flag("gelu_activation", true) ? Activation::gelu : Activation::relu;
  if (c.flag("causal", false)) n.layer.mask = AttentionMask::causal;
  n.layers = c.assume("n_layers", 12);
  n.words = c.has("n_words") ? c.size("n_words") : c.size("vocab_size");
  n.positions = c.assume("max_position_embeddings", 512);
  n.languages = c.flag("use_lang_emb", true) ? c.assume("n_langs", 1) : 1;
  c.divides("n_heads", n.layer.heads, "emb_dim", n.layer.width);
  if (c.flag("asm", false)) c.problem("unknown-variant", "asm", "an adaptive softmax is not known");
  if (!c.flag("is_encoder", true)) c.problem("unknown-variant", "is_encoder", "a decoder of this kind is not known");
  c.understood({"sinusoidal_embeddings",
                "embed_init_std",
                "eos_index",
                "pad_index",
                "bos_index",
                "unk_index",
                "mask_index",
                "end_n_top",
                "start_n_top",
                "lang_id",
                "mask_token_id",
                "id2lang",
                "lang2id",
                "summary_type",
                "tie_word_embeddings",
                "vocab_size",
                "n_words",
                "max_vocab",
                "min_count",
                "same_enc_dec",
                "share_inout_emb",
                "amp",
                "bptt",
                "clm_steps",
                "mlm_steps",
                "group_by_size"});
  return n;
}

void describe_xlm(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const Net n = read_net(f);
  const bool plain = named.empty() || (named.ends_with("Model") && !named.ends_with("LMHeadModel")),
             letters = named.ends_with("LMHeadModel"), choice = named.ends_with("ForMultipleChoice"),
             one = named.ends_with("ForSequenceClassification") || choice,
             tags = named.ends_with("ForTokenClassification") || named.ends_with("ForQuestionAnsweringSimple");
  if (!plain && !letters && !one && !tags)
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = one || tags ? label_count(c) : 0, width = n.layer.width;
  f.sequence(n.positions);
  if (!f.ok()) return;
  f.sink.add(embedding("embeddings", f.tokens, n.words, width));
  f.sink.add(position_table("position_embeddings", f.tokens, n.positions, width));
  if (n.languages > 1) f.sink.add(embedding("lang_embeddings", f.tokens, n.languages, width));
  f.sink.add(layer_norm("layer_norm_emb", f.tokens, width));
  {
    const Scope layers(f.sink, "layers", n.layers, BlockKind::layer);
    describe_encoder_layer(n.layer, f.tokens, f.sink);
  }
  if (letters)
    describe_unembedding({.name = "pred_layer", .width = width, .vocabulary = n.words, .tied = true, .bias = true},
                         f.tokens, f.sink);
  if (labels > 0) f.sink.add(linear("classifier", tags ? f.tokens : 1, width, labels, true, Component::head));
  if (choice) f.sink.add(linear("logits_proj", 1, labels, 1, true, Component::head));
}

}  // namespace

extern const FamilyDef k_xlm;
const FamilyDef k_xlm = {
    "xlm",
    "XLM and FlauBERT: an encoder with learned or sinusoidal positions, an embedding of the language",
    "huggingface/transformers models/xlm/modeling_xlm.py, models/flaubert; 1901.07291, 1912.05372",
    kTypes,
    kArchitectures,
    build<describe_xlm>};

}  // namespace floptally::families
