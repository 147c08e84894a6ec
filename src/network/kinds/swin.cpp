#include <string>

#include "network/kinds/_image.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    image_field(),
    classes_field(),
    {.key = "depths", .expect = Expect::integer, .doc = "layers in each stage", .required = true, .shape = Shape::list},
    {.key = "width", .expect = Expect::integer, .doc = "width of the first stage", .required = true},
    {.key = "heads", .expect = Expect::integer, .doc = "heads in each stage", .required = true, .shape = Shape::list},
    {.key = "window", .expect = Expect::integer, .doc = "side of a window (7; v2: 8)"},
    {.key = "version", .expect = Expect::integer, .doc = "1 or 2"},
};
constexpr FieldTable kTable{"swin", "Swin transformer v1 and v2", kFields};

// Cosine attention: queries and keys are divided by their lengths. What is divided is a view into the joint projection,
// which therefore stays whole, as do the lengths before and after they are kept from zero
// (torch.nn.functional.normalize).
void normalize(Sink& sink, std::int64_t positions, std::int64_t width, std::int64_t heads) {
  const std::int64_t joint = 3 * positions * width, lengths = 4 * positions * heads;
  sink.add(elementwise("normalize", joint, 1, 0, 1).part_of(Component::attention));
  sink.add(elementwise("lengths", lengths, 1, 0, 1).part_of(Component::attention));
}

// One layer: attention inside windows (the map is padded to whole windows), then a feed-forward layer.
void describe_layer(ImageStack& x, std::int64_t heads, std::int64_t window, std::int64_t version) {
  const std::int64_t rows = (x.height + window - 1) / window, columns = (x.width + window - 1) / window;
  const std::int64_t windows = rows * columns, area = window * window, padded = windows * area, width = x.channels;
  x.layer_norm("norm1");
  {
    const Scope attn(x.sink, "attn");
    x.sink.add(linear("qkv", padded, width, 3 * width, true, Component::projection));
    if (version == 2) {  // version 2's keys have a bias slot that is held at zero; it counts as a parameter
      normalize(x.sink, padded, width, heads);
      x.sink.add(learned_scale("logit_scale", heads, windows * heads * area * area, Component::attention));
      const std::int64_t table = (2 * window - 1) * (2 * window - 1);
      x.sink.add(linear("cpb_mlp.0", table, 2, 512, true, Component::position).with(op_flags::input_no_gradient));
      x.sink.add(activation("cpb_mlp.1", table * 512, Activation::relu));
      x.sink.add(linear("cpb_mlp.2", table, 512, heads, false, Component::position).with(op_flags::shared_input));
    } else {
      x.sink.add(relative_bias("relative_position_bias_table", heads, (2 * window - 1) * (2 * window - 1),
                               windows * area * area));
    }
    AttentionShape shape;
    shape.queries = shape.keys = area;
    shape.heads = shape.kv_heads = heads;
    shape.key_dim = shape.value_dim = width / heads;
    shape.mask = AttentionMask::none;
    shape.fused = false;
    x.sink.add(attention("attention", shape).repeated(windows));
    x.sink.add(linear("proj", padded, width, width, true, Component::projection));
  }
  x.residual();
  x.layer_norm("norm2");
  x.sink.add(linear("mlp.0", x.positions(), width, 4 * width, true));
  x.sink.add(activation("mlp.1", 4 * x.elements(), Activation::gelu));
  x.sink.add(linear("mlp.3", x.positions(), 4 * width, width, true));
  x.residual();
}

// Four neighbours become one position of twice the width; version 2 norms afterwards.
void merge(ImageStack& x, std::int64_t version) {
  const std::int64_t width = x.channels;
  x.height = (x.height + 1) / 2;
  x.width = (x.width + 1) / 2;
  x.channels = 4 * width;
  x.sink.add(move("gather", x.elements()));
  if (version == 1) x.layer_norm("norm");
  x.sink.add(linear("reduction", x.positions(), 4 * width, 2 * width));
  x.channels = 2 * width;
  if (version == 2) x.layer_norm("norm");
}

void build(Spec& spec, Sink& sink) {
  const std::vector<std::int64_t> depths = listed(spec, "depths", {2, 2, 6, 2}),
                                  heads = listed(spec, "heads", {3, 6, 12, 24});
  const std::int64_t window = spec.size_or("window", 7), version = spec.size_or("version", 1);
  const std::int64_t classes = spec.size_or("classes", 1000), first = spec.size("width", "width of the first stage");
  if (depths.size() != heads.size())
    spec.fail(error("shape-join", "'depths' and 'heads' have different lengths", spec.node().find("heads").span()));
  ImageStack x = image_stack(spec, sink);
  if (!spec.ok()) return;
  x.conv("patch", {.out = first, .kernel = 4, .stride = 4, .padding = 0, .bias = true});
  x.layer_norm("norm");
  for (std::size_t stage = 0; stage < depths.size(); ++stage) {
    if (heads[stage] < 1 || x.channels % heads[stage] != 0) {
      spec.fail(
          error("shape-divide",
                "heads " + std::to_string(heads[stage]) + " do not divide the width " + std::to_string(x.channels),
                spec.node().find("heads").span()));
      return;
    }
    {
      const Scope layer(sink, "layers", depths[stage], BlockKind::layer);
      describe_layer(x, heads[stage], window, version);
    }
    if (stage + 1 < depths.size()) merge(x, version);
  }
  x.layer_norm("norm");
  x.global_pool();
  x.linear("head", classes);
  finish(x, spec);
}

}  // namespace

extern const KindDef k_swin;
const KindDef k_swin = {"swin",
                        "Swin transformer v1 and v2",
                        "Liu et al. 2103.14030 and 2111.09883; torchvision models/swin_transformer.py",
                        &kTable,
                        build,
                        "image"};

}  // namespace floptally::kinds
