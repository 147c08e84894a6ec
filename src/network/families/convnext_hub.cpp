#include "network/blocks/image.h"
#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"convnext", "convnextv2"};
constexpr std::string_view kArchitectures[] = {"ConvNextForImageClassification", "ConvNextModel",
                                               "ConvNextV2ForImageClassification", "ConvNextV2Model"};

void describe_convnext(Family& f) {
  const Keys& c = f.config;
  const std::vector<std::int64_t> depths = c.config().sizes({"depths"}), widths = c.config().sizes({"hidden_sizes"});
  const std::int64_t channels = c.assume("num_channels", 3), patch = c.assume("patch_size", 4),
                     image = c.assume("image_size", 224);
  const bool second = c.text_or("model_type", "convnext") == "convnextv2",
             scaled = !second && c.ratio_or("layer_scale_init_value", 1e-6) > 0;
  if (depths.empty() || depths.size() != widths.size() ||
      c.size_or("num_stages", 4) != static_cast<std::int64_t>(depths.size()))
    c.problem("missing-key", "depths", "'depths' and 'hidden_sizes' must list 'num_stages' stages");
  for (std::size_t i = 0; i < depths.size() && i < widths.size(); ++i)
    if (depths[i] < 1 || widths[i] < 1) c.problem("shape-range", "depths", "stages must have at least one layer");
  const Activation kind = read_activation(f, Activation::gelu);
  const std::int64_t labels = image_labels(f);
  c.understood({"drop_path_rate", "out_features", "out_indices", "stage_names", "layer_scale_init_value"});
  if (!f.ok()) return;
  ImageStack s{f.sink, channels, image, image};
  s.conv("patch_embeddings", {.out = widths[0], .kernel = patch, .stride = patch, .padding = 0, .bias = true});
  s.layer_norm("layernorm");
  for (std::size_t i = 0; i < depths.size(); ++i) {
    const std::int64_t width = widths[i];
    if (i > 0) {
      s.layer_norm("downsampling_norm");
      s.conv("downsampling_layer", {.out = width, .kernel = 2, .stride = 2, .padding = 0, .bias = true});
    }
    const std::int64_t rows = s.positions();
    const Scope layers(f.sink, "layers", depths[i], BlockKind::layer);
    s.conv("dwconv", {.out = width, .kernel = 7, .padding = 3, .groups = width, .bias = true});
    s.layer_norm("layernorm");
    f.sink.add(linear("pwconv1", rows, width, 4 * width, true));
    f.sink.add(activation("act", rows * 4 * width, kind));
    if (second) f.sink.add(parameter("grn", 8 * width, 2 * rows * 4 * width, Component::norm));
    f.sink.add(linear("pwconv2", rows, 4 * width, width, true));
    if (scaled) f.sink.add(parameter("layer_scale_parameter", width, rows * width));
    f.sink.add(residual(rows * width));
  }
  if (s.failed) return c.problem("shape-range", "image_size", "the image is smaller than the windows");
  s.global_pool();
  s.layer_norm("layernorm");
  if (labels > 0) f.sink.add(linear("classifier", 1, widths.back(), labels, true, Component::head));
}

}  // namespace

extern const FamilyDef k_convnext_hub;
const FamilyDef k_convnext_hub = {
    "convnext_hub",
    "ConvNeXt 1 and 2: convolutions a channel each, then two layers at each position",
    "huggingface/transformers models/convnext/modeling_convnext.py, models/convnextv2; 2201.03545, 2301.00808",
    kTypes,
    kArchitectures,
    build<describe_convnext>,
    "image"};

}  // namespace floptally::families
