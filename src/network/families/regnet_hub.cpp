#include <cmath>

#include "network/families/_detection.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"regnet"};
constexpr std::string_view kArchitectures[] = {"RegNetModel", "RegNetForImageClassification"};

struct Net {
  std::vector<std::int64_t> widths, depths;
  std::int64_t stem = 32, group = 64, channels = 3;
  bool squeezes = true, early = true;
  Activation kind = Activation::relu;
};

Net read_net(const Keys& c) {
  Net n;
  n.widths = c.config().sizes({"hidden_sizes"});
  n.depths = c.config().sizes({"depths"});
  n.stem = c.assume("embedding_size", 32);
  n.group = c.assume("groups_width", 64);
  n.channels = c.assume("num_channels", 3);
  const std::string_view type = c.text_or("layer_type", "y");
  n.squeezes = type == "y";
  if (type != "x" && type != "y") c.problem("unknown-variant", "layer_type", "'layer_type' is 'x' or 'y'");
  n.early = c.flag("downsample_in_first_stage", true);
  n.kind = c.config().activation({"hidden_act"}, "relu");
  if (n.widths.empty() || n.widths.size() != n.depths.size() || n.widths.size() > 64)
    c.problem("missing-key", "hidden_sizes", "'hidden_sizes' and 'depths' must list the same number of stages");
  for (std::size_t i = 0; c.ok() && i < n.widths.size(); ++i)
    if (n.depths[i] < 1 || n.widths[i] < 1 || n.widths[i] % std::max<std::int64_t>(1, n.widths[i] / n.group) != 0)
      c.problem("shape-divide", "groups_width", "'groups_width' must divide each stage's width");
  return n;
}

void describe_layer(ImageStack& s, const Net& n, std::int64_t out, std::int64_t stride) {
  const std::int64_t in = s.channels;
  const Scope layer(s.sink, "layers", 1, BlockKind::layer);
  ImageStack side = s.sibling();
  s.conv_norm("layer.0", {.out = out, .kernel = 1}, n.kind);
  s.conv_norm(
      "layer.1",
      {.out = out, .kernel = 3, .stride = stride, .padding = 1, .groups = std::max<std::int64_t>(1, out / n.group)},
      n.kind);
  // Narrowed to a quarter of what came in (halves to even).
  if (n.squeezes)
    s.squeeze_excite(std::max<std::int64_t>(1, static_cast<std::int64_t>(std::nearbyint(static_cast<double>(in) / 4))),
                     Activation::relu, Activation::sigmoid);
  s.conv_norm("layer.2", {.out = out, .kernel = 1}, Activation::identity);
  if (in != out || stride != 1)
    side.conv_norm("shortcut", {.out = out, .kernel = 1, .stride = stride, .padding = 0}, Activation::identity);
  s.residual();
  s.act(n.kind);
}

void describe_regnet(Family& f) {
  const Keys& c = f.config;
  const Net n = read_net(c);
  const std::int64_t labels = image_labels(f);
  const Map image = detector_image(f, {n.channels, 224, 224});
  if (!f.ok()) return;
  ImageStack s{f.sink, n.channels, image.height, image.width};
  s.conv_norm("embedder", {.out = n.stem, .kernel = 3, .stride = 2, .padding = 1}, n.kind);
  for (std::size_t stage = 0; stage < n.widths.size(); ++stage) {
    describe_layer(s, n, n.widths[stage], stage > 0 || n.early ? 2 : 1);
    for (std::int64_t i = 1; i < std::min<std::int64_t>(n.depths[stage], 1 << 16); ++i)
      describe_layer(s, n, n.widths[stage], 1);
  }
  s.global_pool();
  if (labels > 0) s.linear("classifier", labels);
}

}  // namespace

extern const FamilyDef k_regnet_hub;
const FamilyDef k_regnet_hub = {
    "regnet_hub",
    "RegNet X and Y of transformers: bottlenecks whose convolutions are in groups of one width",
    "huggingface/transformers models/regnet/modeling_regnet.py; 2003.13678",
    kTypes,
    kArchitectures,
    build<describe_regnet>,
    "image"};

}  // namespace floptally::families
