#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"bart",   "mbart",      "plbart",           "m2m_100", "pegasus",
                                       "marian", "blenderbot", "blenderbot-small", "mvp",     "led"};
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
                                               "BlenderbotSmallForConditionalGeneration",
                                               "MvpForConditionalGeneration",
                                               "LEDForConditionalGeneration",
                                               "LEDModel"};

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
  if (type == "led") return {Table::learned, 0, true, false};
  return {Table::learned, 2, true, c.flag("normalize_before", false)};
}

// One half: its layers, and what stands before and after them.
struct Half {
  std::int64_t layers = 0, heads = 0, ffn = 0;
};

Half read_half(const Keys& c, const std::string& side, std::int64_t width) {
  const Half half{c.size(side + "_layers"), c.size(side + "_attention_heads"), c.size(side + "_ffn_dim")};
  c.divides(side + "_attention_heads", half.heads, "d_model", width);
  return half;
}

// LED's encoder attends inside a window; matrices of their own serve tokens that attend everywhere, of which none is
// counted.
std::int64_t read_window(const Keys& c) {
  const Node listed = c.node("attention_window");
  if (!listed.is_sequence()) return c.assume("attention_window", 512);
  const std::int64_t window = c.element("attention_window", 0);
  for (std::size_t i = 1; i < listed.size(); ++i)
    if (c.element("attention_window", i) != window)
      c.problem("unknown-variant", "attention_window", "layers of unlike 'attention_window' are not known");
  return window;
}

void describe_idle_global(Family& f, std::int64_t width) {
  for (const std::string_view name : {"query_global", "key_global", "value_global"})
    f.sink.add(parameter(name, width * width + width, 0, Component::projection));
}

void describe_positions(Family& f, const Likeness& likeness, std::int64_t tokens, std::int64_t positions,
                        std::int64_t width) {
  const std::int64_t rows = positions + likeness.padding;
  const Op table = position_table("embed_positions", tokens, rows, width);
  if (likeness.table == Table::computed)
    f.sink.add(move("embed_positions", tokens * width, rows * width));
  else
    f.sink.add(likeness.table == Table::frozen ? Op(table).with(op_flags::frozen) : table);
  if (likeness.embedding_norm) f.sink.add(layer_norm("layernorm_embedding", tokens, width));
}

void describe_bart_head(Family& f, const Likeness& likeness, std::int64_t width, std::int64_t vocabulary) {
  const std::string_view named = f.architecture();
  if (named.ends_with("ForSequenceClassification")) {
    f.sink.add(linear("classification_head.dense", 1, width, width, true, Component::head));
    f.sink.add(linear("classification_head.out_proj", 1, width, label_count(f.config), true, Component::head));
  } else if (!named.ends_with("Model")) {
    describe_head(f, NormKind::none, width, vocabulary, true);
    if (likeness.table != Table::computed && !named.ends_with("ForCausalLM"))
      f.sink.add(move("final_logits_bias", 0, vocabulary));
  }
}

void describe_bart(Family& f) {
  const Keys& c = f.config;
  const bool windowed = c.text_or("model_type", "bart") == "led";
  const std::int64_t width = c.size("d_model"), vocabulary = c.size("vocab_size"),
                     positions = c.size(windowed ? "max_decoder_position_embeddings" : "max_position_embeddings"),
                     seen = windowed ? c.size("max_encoder_position_embeddings") : positions,
                     window = windowed ? read_window(c) : 0;
  const Half encoder = read_half(c, "encoder", width), decoder = read_half(c, "decoder", width);
  const Likeness likeness = likeness_of(c);
  const Activation activation = read_activation(f, Activation::gelu, "activation_function");
  c.understood({"scale_embedding", "encoder_layerdrop", "decoder_layerdrop", "classif_dropout", "num_hidden_layers",
                "add_bias_logits", "add_final_layer_norm", "normalize_embedding", "static_position_embeddings",
                "extra_pos_embeddings", "forced_bos_token_id", "normalize_before", "share_encoder_decoder_embeddings",
                "decoder_vocab_size", "use_prompt", "prompt_length", "prompt_mid_dim", "gradient_checkpointing"});
  if (c.flag("use_prompt", false))
    c.problem("unknown-variant", "use_prompt", "prompts that are learned are not known here");
  if (!read_tied(f, true) || !c.flag("share_encoder_decoder_embeddings", true))
    c.problem("unknown-variant", "tie_word_embeddings", "embeddings that are not shared are not known here");
  f.sequence(positions);
  const std::int64_t source = f.inputs.source_sequence > 0 ? f.inputs.source_sequence : f.tokens;
  if (!f.ok()) return;
  const auto layer = [&](const Half& half) {
    return EncoderLayerPart{
        .width = width, .heads = half.heads, .ffn = half.ffn, .post_norm = !likeness.before, .activation = activation};
  };
  const bool decoder_only = f.architecture().ends_with("ForCausalLM");
  f.sink.add(embedding("shared", decoder_only ? 0 : source, vocabulary, width));
  if (!decoder_only) {
    const Scope scope(f.sink, "encoder");
    describe_positions(f, likeness, source, seen, width);
    {
      const Scope layers(f.sink, "layers", encoder.layers, BlockKind::layer);
      EncoderLayerPart part = layer(encoder);
      if (windowed) {
        describe_idle_global(f, width);
        part.mask = AttentionMask::window_both;
        part.span = std::max<std::int64_t>(1, window / 2);
      }
      describe_encoder_layer(part, source, f.sink);
    }
    if (likeness.before) f.sink.add(layer_norm("layer_norm", source, width));
  }
  {
    const Scope scope(f.sink, "decoder");
    f.sink.add(embedding("embed_tokens", f.tokens, vocabulary, width).with(op_flags::tied));
    describe_positions(f, likeness, f.tokens, positions, width);
    {
      const Scope layers(f.sink, "layers", decoder.layers, BlockKind::layer);
      // Alone, the decoder has the matrices of cross-attention, but nothing to attend to.
      describe_decoder_layer(layer(decoder), f.tokens, decoder_only ? 0 : source, width, f.sink);
    }
    if (likeness.before) f.sink.add(layer_norm("layer_norm", f.tokens, width));
  }
  describe_bart_head(f, likeness, width, vocabulary);
}

}  // namespace

extern const FamilyDef k_bart;
const FamilyDef k_bart = {
    "bart",
    "BART, mBART, M2M100 and NLLB, Pegasus, Marian, Blenderbot, MVP, LED: encoder and decoder with biases, layer norms "
    "after or "
    "before the sublayers, learned or sinusoidal positions",
    "huggingface/transformers models/bart, mbart, m2m_100, pegasus, marian, blenderbot, mvp, led; 1910.13461",
    kTypes,
    kArchitectures,
    build<describe_bart>};

}  // namespace floptally::families
