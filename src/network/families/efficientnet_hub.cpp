#include <cmath>

#include "network/families/_detection.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"efficientnet"};
constexpr std::string_view kArchitectures[] = {"EfficientNetModel", "EfficientNetForImageClassification"};

struct Net {
  double wider = 2, deeper = 3.1, squeeze = 0.25;
  std::int64_t divisor = 8, last = 2560, channels = 3;
  std::vector<std::int64_t> kernels, in, out, strides, repeats, expands;
  Activation kind = Activation::silu;
  [[nodiscard]] std::int64_t rounded(std::int64_t value) const {
    const double wide = static_cast<double>(value) * wider, half = static_cast<double>(divisor) / 2;
    std::int64_t made = std::max(divisor, static_cast<std::int64_t>(wide + half) / divisor * divisor);
    if (static_cast<double>(made) < 0.9 * wide) made += divisor;
    return made;
  }
};

Net read_net(const Keys& c) {
  Net n;
  const auto list = [&](std::string_view key, std::vector<std::int64_t> published) {
    std::vector<std::int64_t> sizes = c.sizes_or(key, std::move(published));
    if (sizes.size() > 64) c.problem("shape-range", key, "more than 64 stages are not known");
    return sizes;
  };
  if (!c.has("width_coefficient")) c.size("width_coefficient");
  n.wider = c.ratio_or("width_coefficient", 2);
  n.deeper = c.ratio_or("depth_coefficient", 3.1);
  n.squeeze = c.ratio_or("squeeze_expansion_ratio", 0.25);
  n.divisor = c.assume("depth_divisor", 8);
  n.last = c.assume("hidden_dim", 2560);
  n.channels = c.assume("num_channels", 3);
  n.kernels = list("kernel_sizes", {3, 3, 5, 3, 5, 5, 3});
  n.in = list("in_channels", {32, 16, 24, 40, 80, 112, 192});
  n.out = list("out_channels", {16, 24, 40, 80, 112, 192, 320});
  n.strides = list("strides", {1, 2, 2, 2, 1, 2, 1});
  n.repeats = list("num_block_repeats", {1, 2, 2, 3, 3, 4, 1});
  n.expands = list("expand_ratios", {1, 6, 6, 6, 6, 6, 6});
  n.kind = c.config().activation({"hidden_act"}, "swish");
  for (const std::vector<std::int64_t>* sizes : {&n.in, &n.out, &n.strides, &n.repeats, &n.expands})
    if (n.kernels.empty() || sizes->size() != n.kernels.size())
      c.problem("shape-range", "kernel_sizes", "the lists of stages must be of one length");
  if (!(n.wider > 0 && n.wider < 100 && n.deeper > 0 && n.deeper < 100 && n.squeeze > 0 && n.squeeze <= 4))
    c.problem("shape-range", "width_coefficient", "the coefficients must be above 0 and below 100");
  if (c.ok() && n.last != n.rounded(1280))
    c.problem("shape-range", "hidden_dim",
              "'hidden_dim' is " + std::to_string(n.last) + ", the last convolution gives " +
                  std::to_string(n.rounded(1280)));
  c.understood({"depthwise_padding", "pooling_type", "batch_norm_momentum", "drop_connect_rate", "num_hidden_layers",
                "batch_norm_eps"});
  return n;
}

void describe_block(ImageStack& s, const Net& n, std::size_t stage, bool first) {
  const std::int64_t out = n.rounded(n.out[stage]), in = s.channels, stride = first ? n.strides[stage] : 1;
  const Scope block(s.sink, "blocks", 1, BlockKind::layer);
  if (n.expands[stage] != 1) s.conv_norm("expansion", {.out = in * n.expands[stage], .kernel = 1}, n.kind);
  s.conv_norm("depthwise_conv",
              {.out = s.channels,
               .kernel = n.kernels[stage],
               .stride = stride,
               .padding = n.kernels[stage] / 2,
               .groups = s.channels},
              n.kind);
  s.squeeze_excite(std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(in) * n.squeeze)), n.kind,
                   Activation::sigmoid);
  s.conv_norm("projection", {.out = out, .kernel = 1}, Activation::identity);
  if (stride == 1 && !first) s.residual();
}

void describe_efficientnet(Family& f) {
  const Keys& c = f.config;
  const Net n = read_net(c);
  const std::int64_t labels = image_labels(f);
  const Map image = detector_image(f, {n.channels, 600, 600});
  if (!f.ok()) return;
  ImageStack s{f.sink, n.channels, image.height, image.width};
  s.conv_norm("embeddings", {.out = n.rounded(32), .kernel = 3, .stride = 2, .padding = 1}, n.kind);
  for (std::size_t stage = 0; stage < n.in.size(); ++stage) {
    const auto copies = static_cast<std::int64_t>(
        std::ceil(n.deeper * static_cast<double>(std::min<std::int64_t>(n.repeats[stage], 1000))));
    if (s.channels != n.rounded(n.in[stage]))
      return c.problem("shape-range", "in_channels", "'in_channels' must go on from 'out_channels'");
    for (std::int64_t i = 0; i < copies; ++i) describe_block(s, n, stage, i == 0);
  }
  s.conv_norm("top_conv", {.out = n.last, .kernel = 1}, n.kind);
  s.global_pool();
  if (labels > 0) s.linear("classifier", labels);
}

}  // namespace

extern const FamilyDef k_efficientnet_hub;
const FamilyDef k_efficientnet_hub = {
    "efficientnet_hub",
    "EfficientNet of transformers: inverted residuals with squeeze and excitation, widths and depths by two factors",
    "huggingface/transformers models/efficientnet/modeling_efficientnet.py; 1905.11946",
    kTypes,
    kArchitectures,
    build<describe_efficientnet>,
    "image"};

}  // namespace floptally::families
