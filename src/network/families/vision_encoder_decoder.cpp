#include "network/families/_encoder.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"vision-encoder-decoder"};
constexpr std::string_view kArchitectures[] = {"VisionEncoderDecoderModel"};

struct Decoder {
  EncoderLayerPart layer;
  std::int64_t layers = 12, vocabulary = 50265, positions = 512,
               seen = 0;  // seen: width of keys and values, 0: its own
  bool learned = true, embedding_norm = true, final_norm = false, tied = true;
};

Decoder read_decoder(const Family& f, const Keys& c) {
  const std::string_view type = c.text_or("model_type", "");
  Decoder d;
  if (type != "trocr" && type != "mbart")
    c.problem("unknown-variant", "model_type",
              "the decoder '" + std::string(type) + "' is not known here; known are 'trocr' and 'mbart'");
  const bool before = type == "mbart";
  d.layer = {.width = c.size("d_model"),
             .heads = c.size("decoder_attention_heads"),
             .ffn = c.size("decoder_ffn_dim"),
             .post_norm = !before,
             .activation = c.config().activation({"activation_function"}, "gelu")};
  d.layers = c.size("decoder_layers");
  d.vocabulary = c.size("vocab_size");
  d.positions = c.size("max_position_embeddings");
  d.seen = before ? 0 : c.count_or("cross_attention_hidden_size", 0);
  d.learned = before || c.flag("use_learned_position_embeddings", true);
  d.embedding_norm = before || c.flag("layernorm_embedding", true);
  d.final_norm = before;
  d.tied = c.flag("tie_word_embeddings", f.config.flag("tie_word_embeddings", true));
  c.divides("decoder_attention_heads", d.layer.heads, "d_model", d.layer.width);
  c.understood({"scale_embedding", "decoder_layerdrop", "encoder_layerdrop", "encoder_layers", "encoder_ffn_dim",
                "encoder_attention_heads", "num_hidden_layers", "is_decoder", "add_cross_attention",
                "add_final_layer_norm", "normalize_before", "normalize_embedding", "classifier_dropout", "init_std",
                "cross_attention_hidden_size"});
  return d;
}

// The side of the tower's last map, and its width.
struct Tower {
  std::int64_t tokens = 1, width = 1;
};

Tower read_tower(const Keys& c) {
  const std::string_view type = c.text_or("model_type", "");
  Tower t;
  const std::vector<std::int64_t> listed =
      c.node("image_size").is_sequence() ? c.config().sizes({"image_size"}) : std::vector<std::int64_t>{};
  const std::int64_t patch = c.size("patch_size"), height = listed.size() == 2 ? listed[0] : c.size("image_size"),
                     width = listed.size() == 2 ? listed[1] : height;
  if (type == "vit" || type == "deit") {
    t.width = c.size("hidden_size");
    t.tokens = (height / patch) * (width / patch) + (type == "deit" ? 2 : 1);
  } else if (type == "swin" || type == "donut-swin") {
    const std::size_t stages = c.config().sizes({"depths"}).size();
    if (stages < 1 || stages > 8) {
      c.problem("shape-range", "depths", "1 to 8 stages are known");
      return t;
    }
    const std::int64_t shrinks = patch << (stages - 1);
    t.width = c.size("embed_dim") << (stages - 1);
    t.tokens = ((height + shrinks - 1) / shrinks) * ((width + shrinks - 1) / shrinks);
  } else {
    c.problem("unknown-variant", "model_type", "the encoder '" + std::string(type) + "' is not known here");
  }
  return t;
}

void describe_vision_encoder_decoder(Family& f) {
  const Keys& c = f.config;
  const Keys encoder = c.child("encoder"), decoder = c.child("decoder");
  if (!encoder.present()) c.size("encoder");
  if (!decoder.present()) c.size("decoder");
  if (!f.ok()) return;
  const Tower tower = read_tower(encoder);
  const Decoder d = read_decoder(f, decoder);
  const std::int64_t width = d.layer.width;
  f.sequence(d.positions);
  if (!f.ok()) return;
  {
    FamilyInputs inputs = f.inputs;
    inputs.inside = false;
    const Scope scope(f.sink, "encoder");
    if (!build_nested(encoder.config(), inputs, f.sink)) return;
  }
  const bool projected = tower.width != width && d.seen == 0;
  if (projected) f.sink.add(linear("enc_to_dec_proj", tower.tokens, tower.width, width, true));
  {
    const Scope scope(f.sink, "decoder");
    constexpr std::int64_t kPadding = 2;
    f.sink.add(embedding("embed_tokens", f.tokens, d.vocabulary, width));
    if (d.learned)
      f.sink.add(position_table("embed_positions", f.tokens, d.positions + kPadding, width));
    else
      f.sink.add(move("embed_positions", f.tokens * width, (d.positions + kPadding) * width));
    if (d.embedding_norm) f.sink.add(layer_norm("layernorm_embedding", f.tokens, width));
    {
      const Scope layers(f.sink, "layers", d.layers, BlockKind::layer);
      describe_decoder_layer(d.layer, f.tokens, tower.tokens, d.seen > 0 ? d.seen : width, f.sink);
    }
    if (d.final_norm) f.sink.add(layer_norm("layer_norm", f.tokens, width));
  }
  describe_unembedding({.width = width, .vocabulary = d.vocabulary, .tied = d.tied}, f.tokens, f.sink);
}

}  // namespace

extern const FamilyDef k_vision_encoder_decoder;
const FamilyDef k_vision_encoder_decoder = {
    "vision_encoder_decoder",
    "TrOCR, Donut, Nougat: an image encoder (ViT, DeiT, Swin) and a text decoder that reads it",
    "huggingface/transformers models/vision_encoder_decoder, models/trocr, models/donut; 2109.10282, 2111.15664",
    kTypes,
    kArchitectures,
    build<describe_vision_encoder_decoder>};

}  // namespace floptally::families
