#include "network/kinds/_inverted.h"

namespace floptally::kinds {
namespace {

constexpr std::string_view kSizes[] = {"small", "large"};
constexpr Field kFields[] = {
    image_field(),
    classes_field(),
    {.key = "size", .expect = Expect::word, .doc = "small or large", .words = kSizes},
};
constexpr FieldTable kTable{"mobilenet-v3", "MobileNet v3, small and large", kFields};

struct Row {
  std::int64_t kernel, expanded, out;
  bool squeeze, swish;
  std::int64_t stride;
};
constexpr Row kLarge[] = {{3, 16, 16, false, false, 1}, {3, 64, 24, false, false, 2}, {3, 72, 24, false, false, 1},
                          {5, 72, 40, true, false, 2},  {5, 120, 40, true, false, 1}, {5, 120, 40, true, false, 1},
                          {3, 240, 80, false, true, 2}, {3, 200, 80, false, true, 1}, {3, 184, 80, false, true, 1},
                          {3, 184, 80, false, true, 1}, {3, 480, 112, true, true, 1}, {3, 672, 112, true, true, 1},
                          {5, 672, 160, true, true, 2}, {5, 960, 160, true, true, 1}, {5, 960, 160, true, true, 1}};
constexpr Row kSmall[] = {{3, 16, 16, true, false, 2}, {3, 72, 24, false, false, 2}, {3, 88, 24, false, false, 1},
                          {5, 96, 40, true, true, 2},  {5, 240, 40, true, true, 1},  {5, 240, 40, true, true, 1},
                          {5, 120, 48, true, true, 1}, {5, 144, 48, true, true, 1},  {5, 288, 96, true, true, 2},
                          {5, 576, 96, true, true, 1}, {5, 576, 96, true, true, 1}};

void build(Spec& spec, Sink& sink) {
  const bool large = spec.word("size", "large") == "large";
  const std::int64_t classes = spec.size_or("classes", 1000);
  ImageStack x = image_stack(spec, sink);
  if (!spec.ok()) return;
  x.conv_norm("stem", {.out = 16, .kernel = 3, .stride = 2}, Activation::hard_swish);
  const Row* rows = large ? kLarge : kSmall;
  const std::size_t count = large ? std::size(kLarge) : std::size(kSmall);
  for (std::size_t i = 0; i < count; ++i) {
    const Row& row = rows[i];
    inverted(x, {.kernel = row.kernel,
                 .expanded = row.expanded,
                 .out = row.out,
                 .stride = row.stride,
                 .squeezed = row.squeeze ? make_divisible(static_cast<double>(row.expanded) / 4) : 0,
                 .act = row.swish ? Activation::hard_swish : Activation::relu,
                 .se_gate = Activation::hard_sigmoid});
  }
  x.conv_norm("head", {.out = 6 * x.channels}, Activation::hard_swish);
  x.global_pool();
  x.linear("classifier.0", large ? 1280 : 1024);
  x.act(Activation::hard_swish);
  x.dropout("dropout");
  x.linear("classifier.3", classes);
  finish(x, spec);
}

}  // namespace

extern const KindDef k_mobilenet_v3;
const KindDef k_mobilenet_v3 = {"mobilenet-v3",
                                "MobileNet v3, small and large",
                                "Howard et al. 1905.02244; torchvision models/mobilenetv3.py",
                                &kTable,
                                build,
                                "image"};

}  // namespace floptally::kinds
