#include <iterator>

#include "network/kinds/_image.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    image_field(),
    classes_field(),
};
constexpr FieldTable kTable{"googlenet", "GoogLeNet (Inception v1) with batch norm", kFields};

struct Row {
  std::int64_t one, three_in, three, five_in, five, pooled;
};
constexpr Row kRows[] = {{64, 96, 128, 16, 32, 32},     {128, 128, 192, 32, 96, 64},   {192, 96, 208, 16, 48, 64},
                         {160, 112, 224, 24, 64, 64},   {128, 128, 256, 24, 64, 64},   {112, 144, 288, 32, 64, 64},
                         {256, 160, 320, 32, 128, 128}, {256, 160, 320, 32, 128, 128}, {384, 192, 384, 48, 128, 128}};

void inception(ImageStack& x, const Row& row) {
  const Scope scope(x.sink, "inception", 1, BlockKind::layer);
  ImageStack one = x, three = x.sibling(), five = three, pooled = three;
  {
    const Scope branches(x.sink, {}, 1, BlockKind::branches);
    one.conv_norm("branch1", {.out = row.one}, Activation::relu);
    {
      const Scope branch(x.sink, "branch2");
      three.conv_norm("reduce", {.out = row.three_in}, Activation::relu);
      three.conv_norm("conv", {.out = row.three, .kernel = 3}, Activation::relu);
    }
    {
      const Scope branch(x.sink, "branch3");  // 3x3 where the paper says 5x5: a known slip that torchvision keeps
      five.conv_norm("reduce", {.out = row.five_in}, Activation::relu);
      five.conv_norm("conv", {.out = row.five, .kernel = 3}, Activation::relu);
    }
    {
      const Scope branch(x.sink, "branch4");
      pooled.max_pool(3, 1, 1, true);
      pooled.conv_norm("conv", {.out = row.pooled}, Activation::relu);
    }
  }
  x.become(one);
  x.concat(three.channels + five.channels + pooled.channels);
}

void build(Spec& spec, Sink& sink) {
  const std::int64_t classes = spec.size_or("classes", 1000);
  ImageStack x = image_stack(spec, sink);
  if (!spec.ok()) return;
  x.conv_norm("conv1", {.out = 64, .kernel = 7, .stride = 2, .padding = 3}, Activation::relu);
  x.max_pool(3, 2, 0, true);
  x.conv_norm("conv2", {.out = 64}, Activation::relu);
  x.conv_norm("conv3", {.out = 192, .kernel = 3}, Activation::relu);
  x.max_pool(3, 2, 0, true);
  for (std::size_t i = 0; i < std::size(kRows); ++i) {
    inception(x, kRows[i]);
    if (i == 1) x.max_pool(3, 2, 0, true);
    if (i == 6) x.max_pool(2, 2, 0, true);
  }
  x.global_pool();
  x.dropout("dropout");
  x.linear("fc", classes);
  finish(x, spec);
}

}  // namespace

extern const KindDef k_googlenet;
const KindDef k_googlenet = {"googlenet",
                             "GoogLeNet (Inception v1) with batch norm",
                             "Szegedy et al. 1409.4842; torchvision models/googlenet.py (without auxiliary heads)",
                             &kTable,
                             build,
                             "image"};

}  // namespace floptally::kinds
