#include "network/kinds/_inverted.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    image_field(),
    classes_field(),
    kMultiplier,
};
constexpr FieldTable kTable{"mnasnet", "MNASNet", kFields};

void build(Spec& spec, Sink& sink) {
  const double multiplier = multiplier_of(spec);
  const std::int64_t classes = spec.size_or("classes", 1000);
  ImageStack x = image_stack(spec, sink);
  if (!spec.ok()) return;
  const auto depth = [multiplier](double channels) { return make_divisible(channels * multiplier); };
  constexpr struct {
    std::int64_t kernel, expand, out, repeat, stride;
  } kRows[] = {{3, 3, 24, 3, 2}, {5, 3, 40, 3, 2},  {5, 6, 80, 3, 2},
               {3, 6, 96, 2, 1}, {5, 6, 192, 4, 2}, {3, 6, 320, 1, 1}};
  x.conv_norm("stem", {.out = depth(32), .kernel = 3, .stride = 2}, Activation::relu);
  x.conv_norm("depthwise", {.out = x.channels, .kernel = 3, .groups = x.channels}, Activation::relu);
  x.conv_norm("project", {.out = depth(16)}, Activation::identity);
  for (const auto& row : kRows) {
    for (std::int64_t i = 0; i < row.repeat; ++i) {
      inverted(x, {.kernel = row.kernel,
                   .expanded = x.channels * row.expand,
                   .out = depth(static_cast<double>(row.out)),
                   .stride = i == 0 ? row.stride : 1,
                   .always_expand = true});
    }
  }
  x.conv_norm("head", {.out = 1280}, Activation::relu);
  x.global_pool();
  x.linear("classifier", classes);
  finish(x, spec);
}

}  // namespace

extern const KindDef k_mnasnet;
const KindDef k_mnasnet = {"mnasnet", "MNASNet", "Tan et al. 1807.11626; torchvision models/mnasnet.py",
                           &kTable,   build,     "image"};

}  // namespace floptally::kinds
