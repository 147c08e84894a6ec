#include "network/kinds/_image.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    image_field(),
    classes_field(),
    {.key = "blocks",
     .expect = Expect::integer,
     .doc = "dense layers in each block",
     .required = true,
     .shape = Shape::list},
    {.key = "growth", .expect = Expect::integer, .doc = "channels that each layer adds (32)"},
    {.key = "stem", .expect = Expect::integer, .doc = "channels of the stem (64)"},
};
constexpr FieldTable kTable{"densenet", "DenseNet", kFields};

void build(Spec& spec, Sink& sink) {
  const std::vector<std::int64_t> blocks = listed(spec, "blocks", {6, 12, 24, 16});
  const std::int64_t growth = spec.size_or("growth", 32), stem = spec.size_or("stem", 64);
  const std::int64_t classes = spec.size_or("classes", 1000);
  for (std::int64_t layers : blocks) {
    if (layers > 4096)
      spec.fail(error("shape-range", "'blocks' has more than 4096 dense layers in a block",
                      spec.node().find("blocks").span()));
  }
  ImageStack x = image_stack(spec, sink);
  if (!spec.ok()) return;
  x.conv_norm("conv0", {.out = stem, .kernel = 7, .stride = 2, .padding = 3}, Activation::relu);
  x.max_pool(3, 2, 1);
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    const Scope scope(sink, "denseblock" + std::to_string(block + 1), 1, BlockKind::layer);
    for (std::int64_t layer = 0; layer < blocks[block]; ++layer) {
      ImageStack y = x;
      y.batch_norm("norm1");
      y.act(Activation::relu);
      y.conv("conv1", {.out = 4 * growth});
      y.batch_norm("norm2");
      y.act(Activation::relu);
      y.conv("conv2", {.out = growth, .kernel = 3});
      x.concat(growth);
    }
    x.batch_norm("norm");
    x.act(Activation::relu);
    if (block + 1 < blocks.size()) {
      x.conv("transition", {.out = x.channels / 2});
      x.average_pool(2, 2);
    }
  }
  x.global_pool();
  x.linear("classifier", classes);
  finish(x, spec);
}

}  // namespace

extern const KindDef k_densenet;
const KindDef k_densenet = {"densenet", "DenseNet", "Huang et al. 1608.06993; torchvision models/densenet.py",
                            &kTable,    build,      "image"};

}  // namespace floptally::kinds
