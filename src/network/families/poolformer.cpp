#include "network/families/_detection.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"poolformer"};
constexpr std::string_view kArchitectures[] = {"PoolFormerModel", "PoolFormerForImageClassification"};

struct Net {
  std::vector<std::int64_t> widths, depths, patches, strides, paddings;
  std::int64_t channels = 3, pool = 3;
  double ratio = 4;
  bool scaled = true;
  Activation kind = Activation::gelu;
};

Net read_net(const Keys& c) {
  Net n;
  const auto list = [&](std::string_view key, std::vector<std::int64_t> published) {
    return c.has(key) ? c.config().sizes({key}) : std::move(published);
  };
  n.widths = c.config().sizes({"hidden_sizes"});
  n.depths = list("depths", {2, 2, 6, 2});
  n.patches = list("patch_sizes", {7, 3, 3, 3});
  n.strides = list("strides", {4, 2, 2, 2});
  n.paddings = list("padding", {2, 1, 1, 1});
  n.channels = c.assume("num_channels", 3);
  n.pool = c.assume("pool_size", 3);
  n.ratio = c.ratio_or("mlp_ratio", 4);
  n.scaled = c.flag("use_layer_scale", true);
  n.kind = c.config().activation({"hidden_act"}, "gelu");
  if (n.widths.empty()) c.problem("missing-key", "hidden_sizes", "the config has no 'hidden_sizes'");
  for (const std::vector<std::int64_t>* sizes : {&n.depths, &n.patches, &n.strides, &n.paddings}) {
    if (sizes->size() != n.widths.size() || sizes->size() > 64)
      c.problem("shape-range", "hidden_sizes", "the lists of stages must be of one length");
    for (const std::int64_t size : *sizes)
      if (size < (sizes == &n.paddings ? 0 : 1))
        c.problem("shape-range", "depths", "sizes of stages must be at least 1");
  }
  for (const std::int64_t width : n.widths)
    if (width < 1 || !(n.ratio * static_cast<double>(width) >= 1))
      c.problem("shape-range", "hidden_sizes", "widths must be at least 1");
  c.understood({"patch_size", "stride", "num_encoder_blocks", "drop_path_rate", "layer_scale_init_value"});
  return n;
}

void describe_block(ImageStack& s, const Net& n) {
  const std::int64_t width = s.channels, places = s.positions(),
                     inner = static_cast<std::int64_t>(n.ratio * static_cast<double>(width));
  const auto scaled = [&](std::string_view name) {
    if (n.scaled) s.sink.add(learned_scale(name, width, s.elements()));
    s.residual();
  };
  s.group_norm("before_norm", 1);
  s.sink.add(pool("pooling", width, places, places, n.pool * n.pool, false));
  s.sink.add(elementwise("minus", s.elements()));
  scaled("layer_scale_1");
  s.group_norm("after_norm", 1);
  s.conv("conv1", {.out = inner, .kernel = 1, .bias = true});
  s.act(n.kind);
  s.conv("conv2", {.out = width, .kernel = 1, .bias = true});
  scaled("layer_scale_2");
}

void describe_poolformer(Family& f) {
  const Keys& c = f.config;
  const Net n = read_net(c);
  const std::int64_t labels = image_labels(f);
  const Map image = detector_image(f, {n.channels, 224, 224});
  if (!f.ok()) return;
  ImageStack s{f.sink, n.channels, image.height, image.width};
  for (std::size_t i = 0; i < n.widths.size(); ++i) {
    s.conv(
        "patch_embeddings",
        {.out = n.widths[i], .kernel = n.patches[i], .stride = n.strides[i], .padding = n.paddings[i], .bias = true});
    const Scope blocks(s.sink, "block", n.depths[i], BlockKind::layer);
    describe_block(s, n);
  }
  if (labels == 0) return;
  s.group_norm("norm", 1);
  s.global_pool();
  s.linear("classifier", labels);
}

}  // namespace

extern const FamilyDef k_poolformer;
const FamilyDef k_poolformer = {"poolformer",
                                "PoolFormer: a transformer's blocks with pooling in the place of attention",
                                "huggingface/transformers models/poolformer/modeling_poolformer.py; 2111.11418",
                                kTypes,
                                kArchitectures,
                                build<describe_poolformer>,
                                "image"};

}  // namespace floptally::families
