#include <tuple>

#include "network/blocks/tower.h"
#include "network/families/_detection.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"vitpose"};
constexpr std::string_view kArchitectures[] = {"VitPoseForPoseEstimation"};

struct Body {
  EncoderLayerPart layer;
  std::int64_t layers = 12, channels = 3, height = 256, width = 192, down = 16, across = 16;
};

// A pair of sizes, or one for both.
std::pair<std::int64_t, std::int64_t> read_pair(const Keys& c, std::string_view key, std::int64_t first,
                                                std::int64_t second) {
  if (!c.has(key)) return {first, second};
  if (!c.node(key).is_sequence()) return {c.size(key), c.size(key)};
  const std::vector<std::int64_t> pair = c.config().sizes({key});
  if (pair.size() == 2 && pair[0] > 0 && pair[1] > 0) return {pair[0], pair[1]};
  c.problem("shape-range", key, "'" + std::string(key) + "' must be two sizes of at least 1");
  return {1, 1};
}

Body read_body(const Keys& b) {
  Body body;
  body.layer.width = b.assume("hidden_size", 768);
  body.layer.heads = b.assume("num_attention_heads", 12);
  body.layer.ffn = std::max<std::int64_t>(
      1, static_cast<std::int64_t>(b.ratio_or("mlp_ratio", 4) * static_cast<double>(body.layer.width)));
  body.layer.qkv_bias = b.flag("qkv_bias", true);
  body.layers = b.assume("num_hidden_layers", 12);
  body.channels = b.assume("num_channels", 3);
  std::tie(body.height, body.width) = read_pair(b, "image_size", 256, 192);
  std::tie(body.down, body.across) = read_pair(b, "patch_size", 16, 16);
  if (b.assume("num_experts", 1) != 1)
    b.problem("unknown-variant", "num_experts", "feed-forward layers of several data sets (ViTPose++) are not known");
  b.divides("num_attention_heads", body.layer.heads, "hidden_size", body.layer.width);
  if (body.height < body.down || body.width < body.across)
    b.problem("shape-range", "patch_size", "'patch_size' is larger than 'image_size'");
  b.understood({"hidden_act", "part_features", "out_features", "out_indices", "stage_names"});
  return body;
}

void describe_head(Sink& sink, const Body& b, bool simple, std::int64_t factor, std::int64_t labels) {
  const Scope scope(sink, "head");
  ImageStack s{sink, b.layer.width, b.height / b.down, b.width / b.across};
  if (simple) {
    s.act(Activation::relu);
    s.upsample(factor, 4);
    return s.conv("conv", {.out = labels, .kernel = 3, .padding = 1, .bias = true});
  }
  constexpr std::int64_t kWidth = 256;
  for (const std::string_view name : {"deconv1", "deconv2"}) {
    s.conv_transposed(name, kWidth, 4, 2, 1, 0, 1, false);
    s.batch_norm("batchnorm");
    s.act(Activation::relu);
  }
  s.conv("conv", {.out = labels, .kernel = 1, .bias = true});
}

void describe_vitpose(Family& f) {
  const Keys& c = f.config;
  const Keys backbone = c.child("backbone_config");
  if (!backbone.present()) c.size("backbone_config");
  Body b = read_body(backbone);
  const bool simple = c.flag("use_simple_decoder", true);
  const std::int64_t factor = c.assume("scale_factor", 4), labels = label_count(c);
  c.understood({"use_pretrained_backbone", "use_timm_backbone", "backbone", "backbone_kwargs"});
  if (!f.ok()) return;
  const std::int64_t table = (b.height / b.down) * (b.width / b.across) + 1;
  if (f.inputs.image.size() == 3) {
    b.height = std::max(f.inputs.image[1], b.down);
    b.width = std::max(f.inputs.image[2], b.across);
  }
  const std::int64_t tokens = (b.height / b.down) * (b.width / b.across);
  {
    const Scope scope(f.sink, "backbone");
    f.sink.add(patch_embedding("patch_embeddings", b.channels, b.layer.width, b.down * b.across, tokens, true)
                   .with(op_flags::input_no_gradient));
    f.sink.add(position_table("position_embeddings", tokens, table, b.layer.width));
    {
      const Scope layers(f.sink, "layer", b.layers, BlockKind::layer);
      describe_encoder_layer(b.layer, tokens, f.sink);
    }
    f.sink.add(layer_norm("layernorm", tokens, b.layer.width));
  }
  describe_head(f.sink, b, simple, factor, labels);
}

}  // namespace

extern const FamilyDef k_vitpose;
const FamilyDef k_vitpose = {"vitpose",
                             "ViTPose: a plain vision transformer, a map of heat for each joint of a body",
                             "huggingface/transformers models/vitpose, models/vitpose_backbone; 2204.12484",
                             kTypes,
                             kArchitectures,
                             build<describe_vitpose>,
                             "image"};

}  // namespace floptally::families
