#include <algorithm>

#include "network/kinds/_image.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    image_field(),
    classes_field(),
    {.key = "stages",
     .expect = Expect::integer,
     .doc = "3x3 convolutions in each of the five stages",
     .required = true,
     .shape = Shape::list},
    {.key = "batch_norm", .expect = Expect::boolean, .doc = "batch norm after each convolution"},
};
constexpr FieldTable kTable{"vgg", "VGG with or without batch norm", kFields};

void build(Spec& spec, Sink& sink) {
  const std::vector<std::int64_t> stages = listed(spec, "stages", {1, 1, 2, 2, 2});
  const bool norm = spec.flag("batch_norm", false);
  const std::int64_t classes = spec.size_or("classes", 1000);
  ImageStack x = image_stack(spec, sink);
  if (!spec.ok()) return;
  std::int64_t out = 64;
  for (std::int64_t convolutions : stages) {
    const Scope stage(sink, "features", 1, BlockKind::layer);
    for (std::int64_t i = 0; i < std::min<std::int64_t>(convolutions, 2); ++i) {
      const Scope copies(sink, "conv", i == 0 ? 1 : convolutions - 1);
      x.conv("conv", {.out = out, .kernel = 3, .bias = true});
      if (norm) x.batch_norm("bn");
      x.act(Activation::relu);
    }
    x.max_pool(2, 2);
    out = std::min<std::int64_t>(512, 2 * out);
  }
  x.pool_to(7, 7);
  for (const char* name : {"classifier.0", "classifier.3"}) {
    x.linear(name, 4096);
    x.act(Activation::relu);
    x.dropout("dropout");
  }
  x.linear("classifier.6", classes);
  finish(x, spec);
}

}  // namespace

extern const KindDef k_vgg;
const KindDef k_vgg = {"vgg",
                       "VGG with or without batch norm",
                       "Simonyan and Zisserman 1409.1556; torchvision models/vgg.py",
                       &kTable,
                       build,
                       "image"};

}  // namespace floptally::kinds
