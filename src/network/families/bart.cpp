#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"bart",    "mbart",  "plbart",     "m2m_100",
                                       "pegasus", "marian", "blenderbot", "blenderbot-small"};
constexpr std::string_view kArchitectures[] = {"BartModel",
                                               "BartForConditionalGeneration",
                                               "BartForSequenceClassification",
                                               "MBartForConditionalGeneration",
                                               "MBartModel",
                                               "PLBartForConditionalGeneration",
                                               "M2M100ForConditionalGeneration",
                                               "PegasusForConditionalGeneration",
                                               "MarianMTModel",
                                               "BlenderbotForConditionalGeneration",
                                               "BlenderbotSmallForConditionalGeneration"};

enum class Table : std::uint8_t { learned, frozen, computed };

// Where the classes differ: the position table (with `padding` rows more), a norm of the embedding, norms before the
// sublayers (then a final norm as well).
struct Likeness {
  Table table = Table::learned;
  std::int64_t padding = 0;
  bool embedding_norm = false, before = false;
};

Likeness likeness_of(const Keys& c) {
  const std::string_view type = c.text_or("model_type", "bart");
  if (type == "mbart") return {Table::learned, 2, true, true};
  if (type == "m2m_100") return {Table::computed, 0, false, true};
  if (type == "pegasus") return {Table::frozen, 0, false, true};
  if (type == "marian") return {Table::frozen, 0, false, false};
  if (type == "blenderbot") return {Table::learned, 0, false, true};
  if (type == "blenderbot-small") return {Table::learned, 0, true, false};
  return {Table::learned, 2, true, c.flag("normalize_before", false)};
}

void describe_bart(Family& f) {
  const Keys& c = f.config;
  const std::int64_t width = c.size("d_model"), vocabulary = c.size("vocab_size"),
                     positions = c.size("max_position_embeddings");
  const std::int64_t encoders = c.size("encoder_layers"), decoders = c.size("decoder_layers");
  const std::int64_t encoder_heads = c.size("encoder_attention_heads"),
                     decoder_heads = c.size("decoder_attention_heads");
  const std::int64_t encoder_ffn = c.size("encoder_ffn_dim"), decoder_ffn = c.size("decoder_ffn_dim");
  const Likeness likeness = likeness_of(c);
  const bool before = likeness.before;
  const Activation activation = read_activation(f, Activation::gelu, "activation_function");
  c.divides("encoder_attention_heads", encoder_heads, "d_model", width);
  c.divides("decoder_attention_heads", decoder_heads, "d_model", width);
  c.understood({"scale_embedding", "encoder_layerdrop", "decoder_layerdrop", "classif_dropout", "num_hidden_layers",
                "add_bias_logits", "add_final_layer_norm", "normalize_embedding", "static_position_embeddings",
                "extra_pos_embeddings", "forced_bos_token_id", "normalize_before", "share_encoder_decoder_embeddings",
                "decoder_vocab_size"});
  const std::string_view named = f.architecture();
  f.sequence(positions);
  const std::int64_t source = f.inputs.source_sequence > 0 ? f.inputs.source_sequence : f.tokens;
  if (!f.ok()) return;
  f.sink.add(embedding("shared", source, vocabulary, width));
  const auto open = [&](std::int64_t tokens) {
    const std::int64_t rows = positions + likeness.padding;
    Op table = position_table("embed_positions", tokens, rows, width);
    if (likeness.table == Table::computed)
      f.sink.add(move("embed_positions", tokens * width, rows * width));
    else
      f.sink.add(likeness.table == Table::frozen ? table.with(op_flags::frozen) : table);
    if (likeness.embedding_norm) f.sink.add(layer_norm("layernorm_embedding", tokens, width));
  };
  {
    const Scope encoder(f.sink, "encoder");
    open(source);
    {
      const Scope layers(f.sink, "layers", encoders, BlockKind::layer);
      describe_encoder_layer(
          {.width = width, .heads = encoder_heads, .ffn = encoder_ffn, .post_norm = !before, .activation = activation},
          source, f.sink);
    }
    if (before) f.sink.add(layer_norm("layer_norm", source, width));
  }
  {
    const Scope decoder(f.sink, "decoder");
    f.sink.add(embedding("embed_tokens", f.tokens, vocabulary, width).with(op_flags::tied));
    open(f.tokens);
    {
      const Scope layers(f.sink, "layers", decoders, BlockKind::layer);
      describe_decoder_layer(
          {.width = width, .heads = decoder_heads, .ffn = decoder_ffn, .post_norm = !before, .activation = activation},
          f.tokens, source, width, f.sink);
    }
    if (before) f.sink.add(layer_norm("layer_norm", f.tokens, width));
  }
  if (named.ends_with("ForSequenceClassification")) {
    f.sink.add(linear("classification_head.dense", 1, width, width, true, Component::head));
    f.sink.add(linear("classification_head.out_proj", 1, width, label_count(c), true, Component::head));
  } else if (!named.ends_with("Model")) {
    describe_head(f, NormKind::none, width, vocabulary, true);
    if (likeness.table != Table::computed) f.sink.add(move("final_logits_bias", 0, vocabulary));
  }
}

}  // namespace

extern const FamilyDef k_bart;
const FamilyDef k_bart = {
    "bart",
    "BART, mBART, M2M100 and NLLB, Pegasus, Marian, Blenderbot: encoder and decoder with biases, layer norms after or "
    "before the sublayers, learned or sinusoidal positions",
    "huggingface/transformers models/bart, mbart, m2m_100, pegasus, marian, blenderbot; 1910.13461",
    kTypes,
    kArchitectures,
    build<describe_bart>};

}  // namespace floptally::families
