#include <cmath>

#include "network/families/_detection.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"mobilenet_v1", "mobilenet_v2"};
constexpr std::string_view kArchitectures[] = {"MobileNetV1Model", "MobileNetV1ForImageClassification",
                                               "MobileNetV2Model", "MobileNetV2ForImageClassification",
                                               "MobileNetV2ForSemanticSegmentation"};

struct Net {
  double factor = 1, expand = 6;
  std::int64_t divisor = 8, least = 8, stride = 32, channels = 3;
  bool lean = true;  // the first layer of the second version is its own expansion
  bool fine = true;  // narrow networks keep the full width at the end
  Activation kind = Activation::relu6;
  [[nodiscard]] std::int64_t rounded(double value) const {
    const double half = static_cast<double>(divisor) / 2;
    std::int64_t made = std::max(least, static_cast<std::int64_t>(value + half) / divisor * divisor);
    if (static_cast<double>(made) < 0.9 * value) made += divisor;
    return made;
  }
  [[nodiscard]] std::int64_t wide(std::int64_t channels_of_one) const {
    return rounded(std::nearbyint(static_cast<double>(channels_of_one) * factor));
  }
};

Net read_net(const Keys& c, bool second) {
  Net n;
  n.channels = c.assume("num_channels", 3);
  if (!c.has("depth_multiplier")) c.size("depth_multiplier");
  n.factor = c.ratio_or("depth_multiplier", 1);
  n.least = c.assume("min_depth", 8);
  n.kind = c.config().activation({"hidden_act"}, "relu6");
  if (second) {
    n.expand = c.ratio_or("expand_ratio", 6);
    n.divisor = c.assume("depth_divisible_by", 8);
    n.stride = c.assume("output_stride", 32);
    n.lean = c.flag("first_layer_is_expansion", true);
    n.fine = c.flag("finegrained_output", true);
  }
  if (!(n.factor > 0 && n.factor < 100 && n.expand > 0 && n.expand < 100))
    c.problem("shape-range", "depth_multiplier", "'depth_multiplier' and 'expand_ratio' must be above 0 and below 100");
  c.understood({"tf_padding", "classifier_dropout_prob", "semantic_loss_ignore_index"});
  return n;
}

void describe_depthwise(ImageStack& s, const Net& n, std::int64_t stride, std::int64_t dilation) {
  s.conv_norm("conv_3x3",
              {.out = s.channels,
               .kernel = 3,
               .stride = stride,
               .padding = dilation,
               .groups = s.channels,
               .dilation = dilation},
              n.kind);
}

// Depthwise convolutions, each with one across channels behind it.
void describe_first(ImageStack& s, const Net& n) {
  constexpr std::int64_t kStrides[] = {1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1};
  std::int64_t width = 32;
  const auto wide = [&] { return std::max(n.least, static_cast<std::int64_t>(static_cast<double>(width) * n.factor)); };
  s.conv_norm("conv_stem", {.out = wide(), .kernel = 3, .stride = 2, .padding = 1}, n.kind);
  for (int i = 0; i < 13; ++i) {
    const Scope block(s.sink, "layer", 1, BlockKind::layer);
    if (kStrides[i] == 2 || i == 0) width *= 2;
    describe_depthwise(s, n, kStrides[i], 1);
    s.conv_norm("conv_1x1", {.out = wide(), .kernel = 1}, n.kind);
  }
}

void describe_inverted(ImageStack& s, const Net& n, std::int64_t out, std::int64_t stride, std::int64_t dilation) {
  const Scope block(s.sink, "layer", 1, BlockKind::layer);
  const bool keeps = stride == 1 && s.channels == out;
  s.conv_norm("expand_1x1", {.out = n.rounded(std::nearbyint(static_cast<double>(s.channels) * n.expand)), .kernel = 1},
              n.kind);
  describe_depthwise(s, n, stride, dilation);
  s.conv_norm("reduce_1x1", {.out = out, .kernel = 1}, Activation::identity);
  if (keeps) s.residual();
}

// Inverted residuals; where the map would become smaller than output_stride says, convolutions are dilated instead.
void describe_second(ImageStack& s, const Net& n) {
  constexpr std::int64_t kWidths[] = {24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320};
  constexpr std::int64_t kStrides[] = {2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1};
  s.conv_norm("first_conv", {.out = n.wide(32), .kernel = 3, .stride = 2, .padding = 1}, n.kind);
  if (!n.lean) s.conv_norm("expand_1x1", {.out = s.channels, .kernel = 1}, n.kind);
  describe_depthwise(s, n, 1, 1);
  s.conv_norm("reduce_1x1", {.out = n.wide(16), .kernel = 1}, Activation::identity);
  std::int64_t reached = 2, dilation = 1;
  for (int i = 0; i < 16; ++i) {
    if (reached == n.stride) {
      describe_inverted(s, n, n.wide(kWidths[i]), 1, dilation);
      dilation *= kStrides[i];
    } else {
      reached *= kStrides[i];
      describe_inverted(s, n, n.wide(kWidths[i]), kStrides[i], 1);
    }
  }
}

// DeepLab v3+ without its decoder: the whole image's mean beside each position.
void describe_classes(ImageStack& s, std::int64_t labels) {
  constexpr std::int64_t kWidth = 256;
  const Scope head(s.sink, "segmentation_head");
  ImageStack mean = s.sibling();
  mean.global_pool();
  mean.conv_norm("conv_pool", {.out = kWidth, .kernel = 1}, Activation::relu);
  s.conv_norm("conv_aspp", {.out = kWidth, .kernel = 1}, Activation::relu);
  s.sink.add(resize("upsample", s.elements(), kWidth, 1));
  s.concat(kWidth);
  s.conv_norm("conv_projection", {.out = kWidth, .kernel = 1}, Activation::relu);
  s.conv("classifier", {.out = labels, .kernel = 1, .bias = true});
}

void describe_mobilenet(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const bool second = c.text_or("model_type", named) == "mobilenet_v2" || named.starts_with("MobileNetV2");
  const Net n = read_net(c, second);
  const bool classes = named.ends_with("ForImageClassification"), pixels = named.ends_with("ForSemanticSegmentation");
  if (!named.empty() && !classes && !pixels && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = classes || pixels ? label_count(c) : 0;
  const Map image = detector_image(f, {n.channels, 224, 224});
  if (!f.ok()) return;
  ImageStack s{f.sink, n.channels, image.height, image.width};
  if (second)
    describe_second(s, n);
  else
    describe_first(s, n);
  if (second) {
    ImageStack last = pixels ? s.sibling() : s;
    const std::int64_t width = n.fine && n.factor < 1 ? 1280 : n.wide(1280);
    last.conv_norm("conv_1x1", {.out = width, .kernel = 1}, n.kind);
    if (!pixels) s.become(last);
  }
  if (pixels) return describe_classes(s, labels);
  s.global_pool();
  if (classes) s.linear("classifier", labels);
}

}  // namespace

extern const FamilyDef k_mobilenet_hub;
const FamilyDef k_mobilenet_hub = {
    "mobilenet_hub",
    "MobileNet 1 and 2 of transformers: depthwise convolutions, in the second version between a wider and a narrower "
    "map",
    "huggingface/transformers models/mobilenet_v1, models/mobilenet_v2; 1704.04861, 1801.04381",
    kTypes,
    kArchitectures,
    build<describe_mobilenet>,
    "image"};

}  // namespace floptally::families
