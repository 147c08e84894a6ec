#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"audio-spectrogram-transformer"};
constexpr std::string_view kArchitectures[] = {"ASTModel", "ASTForAudioClassification"};

void describe_ast(Family& f) {
  const Keys& c = f.config;
  EncoderLayerPart layer{
      .width = c.size("hidden_size"), .heads = c.size("num_attention_heads"), .ffn = c.size("intermediate_size")};
  const std::int64_t layers = c.size("num_hidden_layers"), patch = c.size("patch_size"),
                     bins = c.assume("num_mel_bins", 128), frames = c.assume("max_length", 1024),
                     down = c.assume("frequency_stride", 10), across = c.assume("time_stride", 10);
  layer.qkv_bias = c.flag("qkv_bias", true);
  layer.activation = read_activation(f, Activation::gelu);
  c.divides("num_attention_heads", layer.heads, "hidden_size", layer.width);
  if (bins < patch || frames < patch)
    c.problem("shape-range", "patch_size", "'patch_size' is larger than the spectrogram");
  const std::string_view named = f.architecture();
  const bool classifies = named.ends_with("ForAudioClassification");
  if (!named.empty() && !classifies && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = classifies ? label_count(c) : 0;
  if (!f.ok()) return;
  const std::int64_t patches = ((bins - patch) / down + 1) * ((frames - patch) / across + 1), tokens = patches + 2;
  f.sink.add(convolution("patch_embeddings", 1, layer.width, 1, patch * patch, bins * frames, patches, true)
                 .with(op_flags::input_no_gradient));
  f.sink.add(parameter("cls_token", 2 * layer.width, 2 * layer.width, Component::embed));
  f.sink.add(position_table("position_embeddings", tokens, tokens, layer.width));
  {
    const Scope scope(f.sink, "layer", layers, BlockKind::layer);
    describe_encoder_layer(layer, tokens, f.sink);
  }
  f.sink.add(layer_norm("layernorm", tokens, layer.width));
  if (!classifies) return;
  f.sink.add(layer_norm("classifier.layernorm", 1, layer.width));
  f.sink.add(linear("classifier.dense", 1, layer.width, labels, true, Component::head));
}

}  // namespace

extern const FamilyDef k_ast;
const FamilyDef k_ast = {"ast",
                         "AST: a vision transformer over patches of a spectrogram that overlap",
                         "huggingface/transformers models/audio_spectrogram_transformer; 2104.01778",
                         kTypes,
                         kArchitectures,
                         build<describe_ast>,
                         "sample"};

}  // namespace floptally::families
