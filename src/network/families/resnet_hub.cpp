#include "network/blocks/image.h"
#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"resnet"};
constexpr std::string_view kArchitectures[] = {"ResNetForImageClassification", "ResNetModel"};

struct Stages {
  std::vector<std::int64_t> depths, widths;
  bool bottleneck = true, early = false;  // early: bottlenecks take their stride in the first convolution
  Activation kind = Activation::relu;
};

void describe_layer(ImageStack& s, const Stages& stages, std::int64_t out, std::int64_t stride) {
  const std::int64_t inner = stages.bottleneck ? out / 4 : out;
  ImageStack shortcut = s.sibling();
  const bool changes = s.channels != out || stride != 1;
  const Scope scope(s.sink, {}, 1, BlockKind::branches);
  {
    const Scope main(s.sink, {});
    if (stages.bottleneck) {
      s.conv_norm("layer.0", {.out = inner, .kernel = 1, .stride = stages.early ? stride : 1}, stages.kind);
      s.conv_norm("layer.1", {.out = inner, .kernel = 3, .stride = stages.early ? 1 : stride, .padding = 1},
                  stages.kind);
      s.conv_norm("layer.2", {.out = out, .kernel = 1}, Activation::identity);
    } else {
      s.conv_norm("layer.0", {.out = out, .kernel = 3, .stride = stride, .padding = 1}, stages.kind);
      s.conv_norm("layer.1", {.out = out, .kernel = 3, .padding = 1}, Activation::identity);
    }
  }
  if (!changes) return;
  const Scope side(s.sink, {});
  shortcut.conv_norm("shortcut", {.out = out, .kernel = 1, .stride = stride, .padding = 0}, Activation::identity);
}

void describe_resnet(Family& f) {
  const Keys& c = f.config;
  Stages stages{c.config().sizes({"depths"}), c.config().sizes({"hidden_sizes"})};
  const std::int64_t channels = c.assume("num_channels", 3), embedded = c.assume("embedding_size", 64);
  stages.bottleneck = c.text_or("layer_type", "bottleneck") == "bottleneck";
  stages.early = c.flag("downsample_in_bottleneck", false);
  stages.kind = read_activation(f, Activation::relu);
  const bool shrinks = c.flag("downsample_in_first_stage", false);
  if (stages.depths.empty() || stages.depths.size() != stages.widths.size())
    c.problem("missing-key", "depths", "'depths' and 'hidden_sizes' must list the same number of stages");
  for (std::size_t i = 0; i < stages.depths.size() && i < stages.widths.size(); ++i)
    if (stages.depths[i] < 1 || stages.widths[i] < 4)
      c.problem("shape-range", "depths", "stages must have at least one layer");
  const std::int64_t labels = image_labels(f);
  c.understood({"out_features", "out_indices", "stage_names"});
  const bool sized = f.inputs.image.size() == 3;
  constexpr std::int64_t kUsual = 224;
  if (!f.ok()) return;
  ImageStack s{f.sink, channels, sized ? f.inputs.image[1] : kUsual, sized ? f.inputs.image[2] : kUsual};
  s.conv_norm("embedder", {.out = embedded, .kernel = 7, .stride = 2, .padding = 3}, stages.kind);
  s.max_pool(3, 2, 1);
  for (std::size_t i = 0; i < stages.depths.size(); ++i) {
    const std::int64_t out = stages.widths[i];
    const auto end = [&] {
      s.residual();
      s.act(stages.kind);
    };
    {
      const Scope first(f.sink, "layers", 1, BlockKind::layer);
      describe_layer(s, stages, out, i > 0 || shrinks ? 2 : 1);
      end();
    }
    if (stages.depths[i] == 1) continue;
    const Scope more(f.sink, "layers", stages.depths[i] - 1, BlockKind::layer);
    describe_layer(s, stages, out, 1);
    end();
  }
  if (s.failed) return c.problem("shape-range", "depths", "the image is smaller than the windows");
  s.global_pool();
  if (labels > 0) f.sink.add(linear("classifier", 1, stages.widths.back(), labels, true, Component::head));
}

}  // namespace

extern const FamilyDef k_resnet_hub;
const FamilyDef k_resnet_hub = {"resnet_hub",
                                "ResNet as the hub has it: basic or bottleneck layers in stages",
                                "huggingface/transformers models/resnet/modeling_resnet.py; 1512.03385",
                                kTypes,
                                kArchitectures,
                                build<describe_resnet>,
                                "image"};

}  // namespace floptally::families
