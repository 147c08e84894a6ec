#include "network/blocks/tower.h"
#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"vivit"};
constexpr std::string_view kArchitectures[] = {"VivitModel", "VivitForVideoClassification"};

void describe_vivit(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  EncoderLayerPart layer{.width = c.size("hidden_size"),
                         .heads = c.assume("num_attention_heads", 12),
                         .ffn = c.assume("intermediate_size", 3072),
                         .qkv_bias = c.flag("qkv_bias", true)};
  const std::int64_t layers = c.assume("num_hidden_layers", 12), channels = c.assume("num_channels", 3),
                     image =
                         c.node("image_size").is_sequence() ? c.element("image_size", 0) : c.assume("image_size", 224),
                     frames = c.has("num_frames") ? c.size("num_frames") : c.assume("video_size", 32);
  const std::vector<std::int64_t> tube =
      c.has("tubelet_size") ? c.config().sizes({"tubelet_size"}) : std::vector<std::int64_t>{2, 16, 16};
  if (tube.size() != 3 || tube[0] < 1 || tube[1] < 1 || tube[2] < 1 || frames < tube[0] || image < tube[1] ||
      image < tube[2])
    c.problem("shape-range", "tubelet_size", "'tubelet_size' must be three sizes that fit into the video");
  c.divides("num_attention_heads", layer.heads, "hidden_size", layer.width);
  const bool classes = named.ends_with("ForVideoClassification");
  if (!named.empty() && !classes && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = classes ? label_count(c) : 0, pooled = c.size_or("pooler_output_size", layer.width);
  c.understood({"hidden_act", "pooler_act", "pooler_output_size", "video_size", "image_size"});
  if (!f.ok()) return;
  const std::int64_t tubes = (frames / tube[0]) * (image / tube[1]) * (image / tube[2]), tokens = tubes + 1;
  f.sink.add(patch_embedding("patch_embeddings", channels, layer.width, tube[0] * tube[1] * tube[2], tubes, true)
                 .with(op_flags::input_no_gradient));
  f.sink.add(parameter("cls_token", layer.width, layer.width, Component::embed));
  f.sink.add(position_table("position_embeddings", tokens, tokens, layer.width));
  {
    const Scope scope(f.sink, "layer", layers, BlockKind::layer);
    describe_encoder_layer(layer, tokens, f.sink);
  }
  f.sink.add(layer_norm("layernorm", tokens, layer.width));
  if (classes)
    f.sink.add(linear("classifier", 1, layer.width, labels, true, Component::head));
  else
    f.sink.add(linear("pooler", 1, layer.width, pooled, true, Component::head));
}

}  // namespace

extern const FamilyDef k_vivit;
const FamilyDef k_vivit = {"vivit",
                           "ViViT: a vision transformer over tubes of a video",
                           "huggingface/transformers models/vivit/modeling_vivit.py; 2103.15691",
                           kTypes,
                           kArchitectures,
                           build<describe_vivit>,
                           "sample"};

}  // namespace floptally::families
