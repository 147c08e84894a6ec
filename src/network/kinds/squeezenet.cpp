#include "network/kinds/_image.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    image_field(),
    classes_field(),
    {.key = "version", .expect = Expect::number, .doc = "1.0 or 1.1"},
};
constexpr FieldTable kTable{"squeezenet", "SqueezeNet 1.0 and 1.1", kFields};

void fire(ImageStack& x, std::int64_t squeeze) {
  const Scope scope(x.sink, "fire", 1, BlockKind::layer);
  x.conv("squeeze", {.out = squeeze, .bias = true});
  x.act(Activation::relu);
  ImageStack wide = x.sibling();
  {
    const Scope branches(x.sink, {}, 1, BlockKind::branches);
    {
      const Scope narrow(x.sink, "expand1x1");
      x.conv("conv", {.out = 4 * squeeze, .bias = true});
      x.act(Activation::relu);
    }
    const Scope padded(x.sink, "expand3x3");
    wide.conv("conv", {.out = 4 * squeeze, .kernel = 3, .bias = true});
    wide.act(Activation::relu);
  }
  x.concat(wide.channels);
}

void build(Spec& spec, Sink& sink) {
  const std::int64_t classes = spec.size_or("classes", 1000);
  const bool first = spec.number_or("version", 1.1) < 1.05;
  ImageStack x = image_stack(spec, sink);
  if (!spec.ok()) return;
  x.conv("features.0", {.out = first ? 96 : 64, .kernel = first ? 7 : 3, .stride = 2, .padding = 0, .bias = true});
  x.act(Activation::relu);
  x.max_pool(3, 2, 0, true);
  constexpr std::int64_t kSqueeze[] = {16, 16, 32, 32, 48, 48, 64, 64};
  for (int i = 0; i < 8; ++i) {
    fire(x, kSqueeze[i]);
    if (first ? i == 2 || i == 6 : i == 1 || i == 3) x.max_pool(3, 2, 0, true);
  }
  x.dropout("dropout");
  x.conv("classifier.1", {.out = classes, .bias = true});
  x.act(Activation::relu);
  x.global_pool();
  finish(x, spec);
}

}  // namespace

extern const KindDef k_squeezenet;
const KindDef k_squeezenet = {"squeezenet",
                              "SqueezeNet 1.0 and 1.1",
                              "Iandola et al. 1602.07360; torchvision models/squeezenet.py",
                              &kTable,
                              build,
                              "image"};

}  // namespace floptally::kinds
