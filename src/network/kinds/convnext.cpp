#include "network/kinds/_image.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    image_field(),
    classes_field(),
    {.key = "depths", .expect = Expect::integer, .doc = "blocks in each stage", .required = true, .shape = Shape::list},
    {.key = "dims", .expect = Expect::integer, .doc = "channels of each stage", .required = true, .shape = Shape::list},
};
constexpr FieldTable kTable{"convnext", "ConvNeXt", kFields};

void build(Spec& spec, Sink& sink) {
  const std::vector<std::int64_t> depths = listed(spec, "depths", {3, 3, 9, 3}),
                                  dims = listed(spec, "dims", {96, 192, 384, 768});
  const std::int64_t classes = spec.size_or("classes", 1000);
  if (depths.size() != dims.size())
    spec.fail(error("shape-join", "'depths' and 'dims' have different lengths", spec.node().find("dims").span()));
  ImageStack x = image_stack(spec, sink);
  if (!spec.ok()) return;
  for (std::size_t stage = 0; stage < depths.size(); ++stage) {
    if (stage == 0) {
      x.conv("stem", {.out = dims[0], .kernel = 4, .stride = 4, .padding = 0, .bias = true});
      x.layer_norm("norm");
    } else {
      x.layer_norm("norm");
      x.conv("downsample", {.out = dims[stage], .kernel = 2, .stride = 2, .padding = 0, .bias = true});
    }
    const Scope blocks(sink, "blocks", depths[stage], BlockKind::layer);
    const std::int64_t dim = dims[stage];
    x.conv("dwconv", {.out = dim, .kernel = 7, .groups = dim, .bias = true});
    x.layer_norm("norm");
    sink.add(linear("pwconv1", x.positions(), dim, 4 * dim, true));
    sink.add(activation("act", x.positions() * 4 * dim, Activation::gelu));
    sink.add(linear("pwconv2", x.positions(), 4 * dim, dim, true));
    sink.add(learned_scale("layer_scale", dim, x.elements()));
    x.residual();
  }
  x.global_pool();
  x.layer_norm("norm");
  x.linear("head", classes);
  finish(x, spec);
}

}  // namespace

extern const KindDef k_convnext;
const KindDef k_convnext = {"convnext", "ConvNeXt", "Liu et al. 2201.03545; torchvision models/convnext.py",
                            &kTable,    build,      "image"};

}  // namespace floptally::kinds
