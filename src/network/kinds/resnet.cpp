#include <algorithm>
#include <string>

#include "network/kinds/_image.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    image_field(),
    classes_field(),
    {.key = "blocks",
     .expect = Expect::integer,
     .doc = "residual blocks in each of the four stages",
     .required = true,
     .shape = Shape::list},
    {.key = "bottleneck", .expect = Expect::boolean, .doc = "1x1, 3x3, 1x1 blocks instead of two 3x3"},
    {.key = "groups", .expect = Expect::integer, .doc = "groups of the 3x3 convolutions"},
    {.key = "width_per_group", .expect = Expect::integer, .doc = "64, or more in ResNeXt and wide ResNet"},
};
constexpr FieldTable kTable{"resnet", "ResNet, ResNeXt and wide ResNet", kFields};

void residual_block(ImageStack& x, std::int64_t base, std::int64_t stride, bool bottleneck, std::int64_t groups,
                    std::int64_t per_group) {
  const std::int64_t out = bottleneck ? 4 * base : base;
  const bool project = stride != 1 || x.channels != out;
  ImageStack shortcut = x.sibling();
  {
    const Scope branches(x.sink, {}, 1, BlockKind::branches);
    {
      const Scope main(x.sink, {});
      if (bottleneck) {
        const std::int64_t inner = base * per_group / 64 * groups;
        x.conv_norm("conv1", {.out = inner}, Activation::relu);
        x.conv_norm("conv2", {.out = inner, .kernel = 3, .stride = stride, .groups = groups}, Activation::relu);
        x.conv_norm("conv3", {.out = out}, Activation::identity);
      } else {
        x.conv_norm("conv1", {.out = out, .kernel = 3, .stride = stride}, Activation::relu);
        x.conv_norm("conv2", {.out = out, .kernel = 3}, Activation::identity);
      }
    }
    if (project) {
      const Scope downsample(x.sink, "downsample");
      shortcut.conv_norm("conv", {.out = out, .stride = stride}, Activation::identity);
    }
  }
  x.residual();
  x.act(Activation::relu);
}

void build(Spec& spec, Sink& sink) {
  const std::vector<std::int64_t> blocks = listed(spec, "blocks", {2, 2, 2, 2});
  const bool bottleneck = spec.flag("bottleneck", false);
  const std::int64_t groups = spec.size_or("groups", 1), per_group = spec.size_or("width_per_group", 64);
  const std::int64_t classes = spec.size_or("classes", 1000);
  ImageStack x = image_stack(spec, sink);
  if (!spec.ok()) return;
  x.conv_norm("conv1", {.out = 64, .kernel = 7, .stride = 2, .padding = 3}, Activation::relu);
  x.max_pool(3, 2, 1);
  std::int64_t base = 64;
  for (std::size_t stage = 0; stage < blocks.size(); ++stage, base *= 2) {
    const Scope layer(sink, "layer" + std::to_string(stage + 1), 1, BlockKind::layer);
    for (std::int64_t i = 0; i < std::min<std::int64_t>(blocks[stage], 2); ++i) {
      // The first block changes the shape; all later ones are equal.
      const Scope copies(sink, "block", i == 0 ? 1 : blocks[stage] - 1);
      residual_block(x, base, stage > 0 && i == 0 ? 2 : 1, bottleneck, groups, per_group);
    }
  }
  x.global_pool();
  x.linear("fc", classes);
  finish(x, spec);
}

}  // namespace

extern const KindDef k_resnet;
const KindDef k_resnet = {"resnet",
                          "ResNet, ResNeXt and wide ResNet",
                          "He et al. 1512.03385, Xie et al. 1611.05431; torchvision models/resnet.py",
                          &kTable,
                          build,
                          "image"};

}  // namespace floptally::kinds
