#include "network/kinds/_image.h"

namespace floptally::kinds {
namespace {

constexpr std::string_view kUpsample[] = {"transposed", "nearest"};
constexpr Field kFields[] = {
    image_field(),
    {.key = "channels", .expect = Expect::any, .doc = "channels of the first level (64)"},
    {.key = "levels", .expect = Expect::any, .doc = "levels, the lowest included (5)"},
    {.key = "out", .expect = Expect::any, .doc = "channels of the output (2)"},
    {.key = "batch_norm", .expect = Expect::boolean, .doc = "batch norm after each convolution"},
    {.key = "convolutions", .expect = Expect::any, .doc = "convolutions per level (2)"},
    {.key = "upsample", .expect = Expect::word, .doc = "transposed or nearest", .words = kUpsample},
};
constexpr FieldTable kTable{"unet", "U-Net: convolutions down and up with skip connections", kFields};

void describe_level(ImageStack& x, std::string_view name, std::int64_t out, std::int64_t copies, bool norm) {
  const Scope scope(x.sink, name, 1, BlockKind::layer);
  for (std::int64_t i = 0; i < (copies > 1 ? 2 : copies); ++i) {
    const Scope same(x.sink, {}, i == 0 ? 1 : copies - 1);
    x.conv("conv", {.out = out, .kernel = 3, .bias = true});
    if (norm) x.batch_norm("bn");
    x.act(Activation::relu);
  }
}

void build(Spec& spec, Sink& sink) {
  const std::int64_t first = spec.size_or("channels", 64), levels = spec.size_or("levels", 5),
                     out = spec.size_or("out", 2), copies = spec.size_or("convolutions", 2);
  const bool norm = spec.flag("batch_norm", false), transposed = spec.word("upsample", "transposed") == "transposed";
  if (levels > 20) spec.fail(error("shape-range", "'levels' is more than 20", spec.node().find("levels").span()));
  ImageStack x = image_stack(spec, sink, 512);
  if (!spec.ok()) return;
  std::vector<std::int64_t> skipped;
  for (std::int64_t level = 0; level < levels; ++level) {
    if (level > 0) x.max_pool(2, 2);
    describe_level(x, "down", first << level, copies, norm);
    skipped.push_back(x.channels);
  }
  for (std::int64_t level = levels - 2; level >= 0; --level) {
    const Scope up(sink, "up", 1, BlockKind::layer);
    if (transposed) {
      x.conv_transposed("upconv", x.channels / 2, 2, 2, 0, 0, 1, true);
    } else {
      x.upsample(2);
      x.conv("upconv", {.out = x.channels / 2, .kernel = 3, .bias = true});
    }
    x.concat(skipped[static_cast<std::size_t>(level)]);
    describe_level(x, "conv", first << level, copies, norm);
  }
  x.conv("out", {.out = out, .bias = true});
  finish(x, spec);
}

}  // namespace

extern const KindDef k_unet;
const KindDef k_unet = {"unet",
                        "U-Net: convolutions down and up with skip connections",
                        "Ronneberger et al. 1505.04597 (here with padding, as usual since)",
                        &kTable,
                        build,
                        "image"};

}  // namespace floptally::kinds
