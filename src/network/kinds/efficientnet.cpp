#include <cmath>
#include <span>

#include "network/kinds/_inverted.h"

namespace floptally::kinds {
namespace {

constexpr std::string_view kVersions[] = {"1", "2s", "2m", "2l"};
constexpr Field kFields[] = {
    image_field(),
    classes_field(),
    {.key = "width", .expect = Expect::number, .doc = "width multiplier (v1)"},
    {.key = "depth", .expect = Expect::number, .doc = "depth multiplier (v1)"},
    {.key = "version", .expect = Expect::word, .doc = "1, 2s, 2m or 2l", .words = kVersions},
};
constexpr FieldTable kTable{"efficientnet", "EfficientNet B0 to B7 by its multipliers, and v2", kFields};

struct Row {
  std::int64_t expand, kernel, stride, in, out, repeat;
  bool fused = false;
};
constexpr Row kOne[] = {{1, 3, 1, 32, 16, 1},  {6, 3, 2, 16, 24, 2},   {6, 5, 2, 24, 40, 2},  {6, 3, 2, 40, 80, 3},
                        {6, 5, 1, 80, 112, 3}, {6, 5, 2, 112, 192, 4}, {6, 3, 1, 192, 320, 1}};
constexpr Row kSmall[] = {{1, 3, 1, 24, 24, 2, true}, {4, 3, 2, 24, 48, 4, true}, {4, 3, 2, 48, 64, 4, true},
                          {4, 3, 2, 64, 128, 6},      {6, 3, 1, 128, 160, 9},     {6, 3, 2, 160, 256, 15}};
constexpr Row kMedium[] = {{1, 3, 1, 24, 24, 3, true}, {4, 3, 2, 24, 48, 5, true}, {4, 3, 2, 48, 80, 5, true},
                           {4, 3, 2, 80, 160, 7},      {6, 3, 1, 160, 176, 14},    {6, 3, 2, 176, 304, 18},
                           {6, 3, 1, 304, 512, 5}};
constexpr Row kLarge[] = {{1, 3, 1, 32, 32, 4, true}, {4, 3, 2, 32, 64, 7, true}, {4, 3, 2, 64, 96, 7, true},
                          {4, 3, 2, 96, 192, 10},     {6, 3, 1, 192, 224, 19},    {6, 3, 2, 224, 384, 25},
                          {6, 3, 1, 384, 640, 7}};

// EfficientNet v2's early blocks: one 3x3 in the place of expansion and depthwise convolution.
void fused(ImageStack& x, std::int64_t expand, std::int64_t kernel, std::int64_t out, std::int64_t stride) {
  const Scope scope(x.sink, "fused", 1, BlockKind::layer);
  const bool keeps = stride == 1 && x.channels == out;
  if (expand == 1) {
    x.conv_norm("conv", {.out = out, .kernel = kernel, .stride = stride}, Activation::silu);
  } else {
    x.conv_norm("expand",
                {.out = make_divisible(static_cast<double>(x.channels * expand)), .kernel = kernel, .stride = stride},
                Activation::silu);
    x.conv_norm("project", {.out = out}, Activation::identity);
  }
  if (keeps) x.residual();
}

void build(Spec& spec, Sink& sink) {
  const double width = spec.number_or("width", 1.0), depth = spec.number_or("depth", 1.0);
  if (!(width > 0 && width < 100 && depth > 0 && depth < 100))
    spec.fail(error("shape-range", "'width' and 'depth' must be above 0 and below 100", spec.node().span()));
  const std::string_view version = spec.word("version", "1");
  const std::int64_t classes = spec.size_or("classes", 1000);
  ImageStack x = image_stack(spec, sink);
  if (!spec.ok()) return;
  const std::span<const Row> rows = version == "2s"   ? std::span<const Row>(kSmall)
                                    : version == "2m" ? std::span<const Row>(kMedium)
                                    : version == "2l" ? std::span<const Row>(kLarge)
                                                      : std::span<const Row>(kOne);
  const bool first = rows.data() == kOne;
  const auto channels = [width](std::int64_t c) { return make_divisible(static_cast<double>(c) * width); };
  x.conv_norm("stem", {.out = channels(rows[0].in), .kernel = 3, .stride = 2}, Activation::silu);
  for (const Row& row : rows) {
    const std::int64_t copies =
        first ? static_cast<std::int64_t>(std::ceil(static_cast<double>(row.repeat) * depth)) : row.repeat;
    for (std::int64_t i = 0; i < copies; ++i) {
      const std::int64_t stride = i == 0 ? row.stride : 1, out = channels(row.out);
      if (row.fused) {
        fused(x, row.expand, row.kernel, out, stride);
      } else {
        inverted(x, {.kernel = row.kernel,
                     .expanded = make_divisible(static_cast<double>(x.channels * row.expand)),
                     .out = out,
                     .stride = stride,
                     .squeezed = std::max<std::int64_t>(1, x.channels / 4),
                     .act = Activation::silu,
                     .se_act = Activation::silu});
      }
    }
  }
  x.conv_norm("head", {.out = first ? 4 * x.channels : 1280}, Activation::silu);
  x.global_pool();
  x.dropout("dropout");
  x.linear("classifier", classes);
  finish(x, spec);
}

}  // namespace

extern const KindDef k_efficientnet;
const KindDef k_efficientnet = {"efficientnet",
                                "EfficientNet B0 to B7 by its multipliers, and v2",
                                "Tan and Le 1905.11946 and 2104.00298; torchvision models/efficientnet.py",
                                &kTable,
                                build,
                                "image"};

}  // namespace floptally::kinds
