#include <algorithm>
#include <cmath>

#include "network/kinds/_image.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    image_field(),
    classes_field(),
    {.key = "depth", .expect = Expect::integer, .doc = "blocks", .required = true},
    {.key = "w_0", .expect = Expect::integer, .doc = "first width", .required = true},
    {.key = "w_a", .expect = Expect::number, .doc = "slope of the widths", .required = true},
    {.key = "w_m", .expect = Expect::number, .doc = "ratio of the widths", .required = true},
    {.key = "group_width", .expect = Expect::integer, .doc = "channels per group", .required = true},
    {.key = "squeeze", .expect = Expect::number, .doc = "squeeze-excite ratio (RegNet Y: 0.25)"},
};
constexpr FieldTable kTable{"regnet", "RegNet X and Y", kFields};

// Widths grow linearly, are rounded to powers of w_m, to multiples of 8, and then to multiples of the group width.
std::int64_t stage_width(std::int64_t block, std::int64_t first, double slope, double ratio, std::int64_t group) {
  const double wanted = static_cast<double>(first) + slope * static_cast<double>(block);
  const double power = std::nearbyint(std::log(wanted / static_cast<double>(first)) / std::log(ratio));
  const auto width =
      static_cast<std::int64_t>(std::nearbyint(static_cast<double>(first) * std::pow(ratio, power) / 8)) * 8;
  const std::int64_t groups = std::min(group, width);
  return make_divisible(static_cast<double>(width), groups);
}

void block(ImageStack& x, std::int64_t width, std::int64_t group, std::int64_t stride, double squeeze) {
  const Scope scope(x.sink, "block", 1, BlockKind::layer);
  const std::int64_t in = x.channels;
  ImageStack shortcut = x;
  {
    const Scope branches(x.sink, {}, 1, BlockKind::branches);
    if (in != width || stride != 1) {
      shortcut.conv_norm("proj", {.out = width, .stride = stride}, Activation::identity);
      x.held = true;
    }
    const Scope main(x.sink, "f");
    x.conv_norm("a", {.out = width}, Activation::relu);
    x.conv_norm("b", {.out = width, .kernel = 3, .stride = stride, .groups = width / group}, Activation::relu);
    if (squeeze > 0)
      x.squeeze_excite(static_cast<std::int64_t>(std::nearbyint(squeeze * static_cast<double>(in))), Activation::relu,
                       Activation::sigmoid);
    x.conv_norm("c", {.out = width}, Activation::identity);
  }
  x.residual();
  x.act(Activation::relu);
}

void build(Spec& spec, Sink& sink) {
  const std::int64_t depth = spec.size("depth", "blocks"), first = spec.size("w_0", "first width"),
                     group = spec.size("group_width", "channels per group");
  const double slope = spec.number_or("w_a", 1), ratio = spec.number_or("w_m", 2),
               squeeze = spec.number_or("squeeze", 0);
  const std::int64_t classes = spec.size_or("classes", 1000);
  if (depth > 4096 || !(ratio > 1) || !(slope > 0))
    spec.fail(
        error("shape-range", "a RegNet has at most 4096 blocks, w_a above 0 and w_m above 1", spec.node().span()));
  ImageStack x = image_stack(spec, sink);
  if (!spec.ok()) return;
  x.conv_norm("stem", {.out = 32, .kernel = 3, .stride = 2}, Activation::relu);
  std::int64_t last = 0;
  for (std::int64_t i = 0; i < depth; ++i) {
    const std::int64_t width = stage_width(i, first, slope, ratio, group);
    block(x, width, std::min(group, width), width != last ? 2 : 1, squeeze);
    last = width;
  }
  x.global_pool();
  x.linear("fc", classes);
  finish(x, spec);
}

}  // namespace

extern const KindDef k_regnet;
const KindDef k_regnet = {
    "regnet", "RegNet X and Y", "Radosavovic et al. 2003.13678; torchvision models/regnet.py", &kTable, build, "image"};

}  // namespace floptally::kinds
