#include <algorithm>

#include "network/kinds/_inverted.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    image_field(),
    classes_field(),
    kMultiplier,
};
constexpr FieldTable kTable{"mobilenet-v2", "MobileNet v2", kFields};

void build(Spec& spec, Sink& sink) {
  const double multiplier = multiplier_of(spec);
  const std::int64_t classes = spec.size_or("classes", 1000);
  ImageStack x = image_stack(spec, sink);
  if (!spec.ok()) return;
  constexpr struct {
    std::int64_t expand, out, repeat, stride;
  } kRows[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
               {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
  x.conv_norm("stem", {.out = make_divisible(32 * multiplier), .kernel = 3, .stride = 2}, Activation::relu6);
  for (const auto& row : kRows) {
    for (std::int64_t i = 0; i < row.repeat; ++i) {
      inverted(x, {.kernel = 3,
                   .expanded = x.channels * row.expand,
                   .out = make_divisible(static_cast<double>(row.out) * multiplier),
                   .stride = i == 0 ? row.stride : 1,
                   .act = Activation::relu6});
    }
  }
  x.conv_norm("head", {.out = make_divisible(1280 * std::max(1.0, multiplier))}, Activation::relu6);
  x.global_pool();
  x.linear("classifier", classes);
  finish(x, spec);
}

}  // namespace

extern const KindDef k_mobilenet_v2;
const KindDef k_mobilenet_v2 = {
    "mobilenet-v2", "MobileNet v2", "Sandler et al. 1801.04381; torchvision models/mobilenetv2.py",
    &kTable,        build,          "image"};

}  // namespace floptally::kinds
