#include <cmath>

#include "network/blocks/tower.h"
#include "network/families/_detection.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"mobilevit"};
constexpr std::string_view kArchitectures[] = {"MobileViTModel", "MobileViTForImageClassification",
                                               "MobileViTForSemanticSegmentation"};

struct Net {
  std::vector<std::int64_t> widths, necks;
  std::int64_t channels = 3, patch = 2, heads = 4, kernel = 3, stride = 32, aspp = 256;
  std::vector<std::int64_t> rates;
  double ratio = 2, expand = 4;
  bool bias = true;
  Activation kind = Activation::silu;
};

Net read_net(const Keys& c) {
  Net n;
  n.widths = c.config().sizes({"hidden_sizes"});
  n.necks = c.config().sizes({"neck_hidden_sizes"});
  n.channels = c.assume("num_channels", 3);
  n.patch = c.assume("patch_size", 2);
  n.heads = c.assume("num_attention_heads", 4);
  n.kernel = c.assume("conv_kernel_size", 3);
  n.stride = c.assume("output_stride", 32);
  n.ratio = c.ratio_or("mlp_ratio", 2);
  n.expand = c.ratio_or("expand_ratio", 4);
  n.bias = c.flag("qkv_bias", true);
  n.kind = c.config().activation({"hidden_act"}, "silu");
  n.aspp = c.assume("aspp_out_channels", 256);
  n.rates = c.has("atrous_rates") ? c.config().sizes({"atrous_rates"}) : std::vector<std::int64_t>{6, 12, 18};
  if (n.widths.size() != 3 || n.necks.size() != 7)
    c.problem("missing-key", "hidden_sizes", "'hidden_sizes' must list 3 widths and 'neck_hidden_sizes' 7");
  for (const std::vector<std::int64_t>* sizes : {&n.widths, &n.necks, &n.rates})
    for (const std::int64_t size : *sizes)
      if (size < 1) c.problem("shape-range", "neck_hidden_sizes", "widths must be at least 1");
  for (const std::int64_t width : n.widths) c.divides("num_attention_heads", n.heads, "hidden_sizes", width);
  if (!(n.ratio >= 1 && n.ratio < 100 && n.expand > 0 && n.expand < 100))
    c.problem("shape-range", "expand_ratio", "'mlp_ratio' and 'expand_ratio' must be above 0 and below 100");
  c.understood({"classifier_dropout_prob", "aspp_dropout_prob", "semantic_loss_ignore_index"});
  return n;
}

void describe_inverted(ImageStack& s, const Net& n, std::int64_t out, std::int64_t stride, std::int64_t dilation = 1) {
  const Scope scope(s.sink, "mobilenet", 1, BlockKind::layer);
  const bool keeps = stride == 1 && s.channels == out;
  const std::int64_t inner = make_divisible(std::nearbyint(static_cast<double>(s.channels) * n.expand));
  s.conv_norm("expand_1x1", {.out = inner, .kernel = 1}, n.kind);
  s.conv_norm("conv_3x3",
              {.out = inner, .kernel = 3, .stride = stride, .padding = dilation, .groups = inner, .dilation = dilation},
              n.kind);
  s.conv_norm("reduce_1x1", {.out = out, .kernel = 1}, Activation::identity);
  if (keeps) s.residual();
}

// A smaller map, then a transformer over the positions that stand at the same place of their patches.
void describe_block(ImageStack& s, const Net& n, std::int64_t out, std::int64_t width, std::int64_t layers,
                    std::int64_t dilation) {
  describe_inverted(s, n, out, dilation == 1 ? 2 : 1, dilation > 1 ? dilation / 2 : 1);
  const Scope scope(s.sink, "mobilevit");
  ImageStack side = s.sibling();
  s.conv_norm("conv_kxk", {.out = out, .kernel = n.kernel}, n.kind);
  s.conv("conv_1x1", {.out = width, .kernel = 1});
  const std::int64_t down = (s.height + n.patch - 1) / n.patch, across = (s.width + n.patch - 1) / n.patch,
                     places = n.patch * n.patch;
  {
    RepeatedSink each(s.sink, places);
    {
      const Scope transformer(each, "transformer", layers, BlockKind::layer);
      describe_encoder_layer({.width = width,
                              .heads = n.heads,
                              .ffn = static_cast<std::int64_t>(static_cast<double>(width) * n.ratio),
                              .qkv_bias = n.bias,
                              .activation = n.kind},
                             down * across, each);
    }
    each.add(layer_norm("layernorm", down * across, width));
  }
  s.conv_norm("conv_projection", {.out = out, .kernel = 1}, n.kind);
  side.concat(out);
  side.conv_norm("fusion", {.out = out, .kernel = n.kernel}, n.kind);
  s.become(side);
}

// DeepLab v3: the map seen at several dilations and as one mean.
void describe_classes(ImageStack& s, const Net& n, std::int64_t labels) {
  const Scope head(s.sink, "segmentation_head");
  const std::int64_t in = s.channels;
  ImageStack mean = s.sibling();
  for (std::size_t i = 0; i <= n.rates.size(); ++i) {
    ImageStack branch{s.sink, in, s.height, s.width};
    const std::int64_t rate = i == 0 ? 1 : n.rates[i - 1];
    branch.conv_norm("aspp", {.out = n.aspp, .kernel = i == 0 ? 1 : 3, .padding = i == 0 ? 0 : rate, .dilation = rate},
                     Activation::relu);
  }
  mean.global_pool();
  mean.conv_norm("aspp_pooling", {.out = n.aspp, .kernel = 1}, Activation::relu);
  ImageStack all{s.sink, static_cast<std::int64_t>(n.rates.size() + 2) * n.aspp, s.height, s.width};
  s.sink.add(resize("upsample", n.aspp * s.positions(), n.aspp, 4));
  all.conv_norm("project", {.out = n.aspp, .kernel = 1}, Activation::relu);
  all.conv("classifier", {.out = labels, .kernel = 1, .bias = true});
}

void describe_mobilevit(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const Net n = read_net(c);
  const bool classes = named.ends_with("ForImageClassification"), pixels = named.ends_with("ForSemanticSegmentation");
  if (!named.empty() && !classes && !pixels && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = classes || pixels ? label_count(c) : 0;
  const Map image = detector_image(f, {n.channels, 256, 256});
  if (!f.ok()) return;
  ImageStack s{f.sink, n.channels, image.height, image.width};
  s.conv_norm("conv_stem", {.out = n.necks[0], .kernel = 3, .stride = 2, .padding = 1}, n.kind);
  describe_inverted(s, n, n.necks[1], 1);
  for (int i = 0; i < 3; ++i) describe_inverted(s, n, n.necks[2], i == 0 ? 2 : 1);
  const bool fourth = n.stride == 8, fifth = n.stride == 8 || n.stride == 16;
  describe_block(s, n, n.necks[3], n.widths[0], 2, 1);
  const std::int64_t second = fourth ? 2 : 1, third = fifth ? 2 * second : 1;
  describe_block(s, n, n.necks[4], n.widths[1], 4, second);
  describe_block(s, n, n.necks[5], n.widths[2], 3, third);
  if (pixels) return describe_classes(s, n, labels);
  s.conv_norm("conv_1x1_exp", {.out = n.necks[6], .kernel = 1}, n.kind);
  s.global_pool();
  if (classes) s.linear("classifier", labels);
}

}  // namespace

extern const FamilyDef k_mobilevit;
const FamilyDef k_mobilevit = {
    "mobilevit",
    "MobileViT: MobileNet's inverted residuals, between them small transformers over places of patches",
    "huggingface/transformers models/mobilevit/modeling_mobilevit.py; 2110.02178",
    kTypes,
    kArchitectures,
    build<describe_mobilevit>,
    "image"};

}  // namespace floptally::families
