#include "network/kinds/_image.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    image_field(),
    classes_field(),
};
constexpr FieldTable kTable{"alexnet", "AlexNet in one tower", kFields};

void build(Spec& spec, Sink& sink) {
  const std::int64_t classes = spec.size_or("classes", 1000);
  ImageStack x = image_stack(spec, sink);
  if (!spec.ok()) return;
  x.conv("features.0", {.out = 64, .kernel = 11, .stride = 4, .padding = 2, .bias = true});
  x.act(Activation::relu);
  x.max_pool(3, 2);
  x.conv("features.3", {.out = 192, .kernel = 5, .padding = 2, .bias = true});
  x.act(Activation::relu);
  x.max_pool(3, 2);
  constexpr std::int64_t kOut[] = {384, 256, 256};
  for (std::int64_t out : kOut) {
    x.conv("features", {.out = out, .kernel = 3, .bias = true});
    x.act(Activation::relu);
  }
  x.max_pool(3, 2);
  x.pool_to(6, 6);
  for (const char* name : {"classifier.1", "classifier.4"}) {
    x.dropout("dropout");
    x.linear(name, 4096);
    x.act(Activation::relu);
  }
  x.linear("classifier.6", classes);
  finish(x, spec);
}

}  // namespace

extern const KindDef k_alexnet;
const KindDef k_alexnet = {"alexnet",
                           "AlexNet in one tower",
                           "Krizhevsky 1404.5997 (one tower); torchvision models/alexnet.py",
                           &kTable,
                           build,
                           "image"};

}  // namespace floptally::kinds
