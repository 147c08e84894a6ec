#include "network/kinds/_image.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    image_field(),
    classes_field(),
    {.key = "channels",
     .expect = Expect::integer,
     .doc = "channels of the stem, the three stages and the head",
     .required = true,
     .shape = Shape::list},
};
constexpr FieldTable kTable{"shufflenet-v2", "ShuffleNet v2", kFields};

// Half of the channels pass by (or are halved in size by a second branch), the other half goes through.
void unit(ImageStack& x, std::int64_t out, bool down) {
  const std::int64_t half = out / 2, stride = down ? 2 : 1;
  ImageStack left = x, right = down ? x.sibling() : x;
  {
    const Scope branches(x.sink, {}, 1, BlockKind::branches);
    if (down) {
      const Scope first(x.sink, "branch1");
      left.conv_norm("depthwise", {.out = left.channels, .kernel = 3, .stride = 2, .groups = left.channels},
                     Activation::identity);
      left.conv_norm("pointwise", {.out = half}, Activation::relu);
    } else {
      x.sink.add(move("chunk", x.elements() / 2, 0, x.elements() / 2));  // each half is a view into the whole map
      right.channels = x.channels / 2;
    }
    const Scope second(x.sink, "branch2");
    right.conv_norm("pointwise", {.out = half}, Activation::relu);
    right.conv_norm("depthwise", {.out = half, .kernel = 3, .stride = stride, .groups = half}, Activation::identity);
    right.conv_norm("pointwise_out", {.out = half}, Activation::relu);
  }
  x.become(right);
  x.concat(half);
  x.failed = x.failed || left.failed;
}

void build(Spec& spec, Sink& sink) {
  const std::vector<std::int64_t> channels = listed(spec, "channels", {24, 116, 232, 464, 1024});
  const std::int64_t classes = spec.size_or("classes", 1000);
  if (channels.size() != 5)
    spec.fail(error("wrong-type", "'channels' expects five numbers: stem, three stages, head",
                    spec.node().find("channels").span()));
  ImageStack x = image_stack(spec, sink);
  if (!spec.ok()) return;
  x.conv_norm("conv1", {.out = channels[0], .kernel = 3, .stride = 2}, Activation::relu);
  x.max_pool(3, 2, 1);
  constexpr std::int64_t kRepeats[] = {4, 8, 4};
  for (std::size_t stage = 0; stage < 3; ++stage) {
    const Scope scope(sink, "stage" + std::to_string(stage + 2), 1, BlockKind::layer);
    for (std::int64_t i = 0; i < kRepeats[stage]; ++i) unit(x, channels[stage + 1], i == 0);
  }
  x.conv_norm("conv5", {.out = channels[4]}, Activation::relu);
  x.global_pool();
  x.linear("fc", classes);
  finish(x, spec);
}

}  // namespace

extern const KindDef k_shufflenet_v2;
const KindDef k_shufflenet_v2 = {
    "shufflenet-v2", "ShuffleNet v2", "Ma et al. 1807.11164; torchvision models/shufflenetv2.py",
    &kTable,         build,           "image"};

}  // namespace floptally::kinds
