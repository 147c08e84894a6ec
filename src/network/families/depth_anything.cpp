#include "network/families/_detection.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"depth_anything"};
constexpr std::string_view kArchitectures[] = {"DepthAnythingForDepthEstimation"};

struct Neck {
  std::vector<std::int64_t> widths;
  std::vector<double> factors;
  std::int64_t read = 384, fused = 64, head = 32, patch = 14;
};

Neck read_neck(const Keys& c) {
  Neck n;
  n.widths = c.has("neck_hidden_sizes") ? c.config().sizes({"neck_hidden_sizes"})
                                        : std::vector<std::int64_t>{48, 96, 192, 384};
  const Node listed = c.node("reassemble_factors");
  if (listed.is_sequence())
    for (const Node entry : listed) n.factors.push_back(entry.as_double().value_or(0));
  else
    n.factors = {4, 2, 1, 0.5};
  n.read = c.assume("reassemble_hidden_size", 384);
  n.fused = c.assume("fusion_hidden_size", 64);
  n.head = c.assume("head_hidden_size", 32);
  n.patch = c.assume("patch_size", 14);
  if (n.widths.empty() || n.widths.size() != n.factors.size())
    c.problem("shape-range", "reassemble_factors",
              "'reassemble_factors' and 'neck_hidden_sizes' must be of one length");
  for (const double factor : n.factors)
    if (!(factor == 4 || factor == 2 || factor == 1 || factor == 0.5))
      c.problem("shape-range", "reassemble_factors", "factors must be 4, 2, 1 or 0.5");
  for (const std::int64_t width : n.widths)
    if (width < 1) c.problem("shape-range", "neck_hidden_sizes", "widths must be at least 1");
  return n;
}

// The tower's maps at four sizes, of one width.
std::vector<Map> describe_pyramid(Sink& sink, const Neck& n, const Map& grid) {
  const Scope scope(sink, "reassemble_stage");
  std::vector<Map> maps;
  for (std::size_t i = 0; i < n.widths.size(); ++i) {
    ImageStack s{sink, n.read, grid.height, grid.width};
    s.conv("projection", {.out = n.widths[i], .kernel = 1, .bias = true});
    const auto whole = static_cast<std::int64_t>(n.factors[i]);
    if (whole > 1) s.conv_transposed("resize", n.widths[i], whole, whole, 0, 0, 1, true);
    if (whole < 1) s.conv("resize", {.out = n.widths[i], .kernel = 3, .stride = 2, .padding = 1, .bias = true});
    s.conv("convs", {.out = n.fused, .kernel = 3, .padding = 1});
    maps.push_back({n.fused, s.height, s.width});
  }
  return maps;
}

void describe_unit(Sink& sink, std::string_view name, const Map& map) {
  const Scope scope(sink, name);
  ImageStack s{sink, map.channels, map.height, map.width};
  for (const std::string_view conv : {"convolution1", "convolution2"}) {
    s.act(Activation::relu);
    s.conv(conv, {.out = map.channels, .kernel = 3, .padding = 1, .bias = true});
  }
  s.residual();
}

// From the smallest map on, each joined with the next larger one. Gives the last map, twice the largest.
Map describe_fusion(Sink& sink, const std::vector<Map>& maps) {
  Map now = maps.back();
  for (std::size_t left = maps.size(); left > 0; --left) {
    const Scope scope(sink, "fusion_stage");
    RepeatedSink idle(sink, left == maps.size() ? 0 : 1);  // the smallest map stands alone
    describe_unit(idle, "residual_layer1", now);
    if (left < maps.size()) sink.add(residual(now.positions() * now.channels));
    describe_unit(sink, "residual_layer2", now);
    const Map next = left > 1 ? maps[left - 2] : Map{now.channels, 2 * now.height, 2 * now.width};
    sink.add(resize("interpolate", next.positions() * now.channels, now.positions() * now.channels, 4));
    now = {now.channels, next.height, next.width};
    ImageStack s{sink, now.channels, now.height, now.width};
    s.conv("projection", {.out = now.channels, .kernel = 1, .bias = true});
  }
  return now;
}

void describe_depth(Family& f) {
  const Keys& c = f.config;
  const Keys backbone = c.child("backbone_config");
  const Neck n = read_neck(c);
  c.understood({"use_pretrained_backbone", "use_timm_backbone", "head_in_index", "depth_estimation_type", "max_depth",
                "backbone", "backbone_kwargs"});
  const std::int64_t side = backbone.size("image_size");
  backbone.understood({"image_size"});
  if (n.read != backbone.size("hidden_size"))
    c.problem("shape-range", "reassemble_hidden_size", "'reassemble_hidden_size' must be the tower's width");
  if (!f.ok()) return;
  const bool given = f.inputs.image.size() == 3;
  const Map grid{n.read, std::max<std::int64_t>(1, (given ? f.inputs.image[1] : side) / n.patch),
                 std::max<std::int64_t>(1, (given ? f.inputs.image[2] : side) / n.patch)};
  {
    const Scope tower(f.sink, "backbone");
    if (!build_nested(backbone.config(), f.inputs, f.sink)) return;
  }
  const Map last = describe_fusion(f.sink, describe_pyramid(f.sink, n, grid));
  const Scope head(f.sink, "head");
  ImageStack s{f.sink, last.channels, last.height, last.width};
  s.conv("conv1", {.out = std::max<std::int64_t>(1, n.fused / 2), .kernel = 3, .padding = 1, .bias = true});
  const Map whole{s.channels, grid.height * n.patch, grid.width * n.patch};
  f.sink.add(resize("interpolate", whole.positions() * s.channels, s.elements(), 4));
  s.height = whole.height;
  s.width = whole.width;
  s.conv("conv2", {.out = n.head, .kernel = 3, .padding = 1, .bias = true});
  s.act(Activation::relu);
  s.conv("conv3", {.out = 1, .kernel = 1, .bias = true});
  s.act(Activation::relu);
}

}  // namespace

extern const FamilyDef k_depth_anything;
const FamilyDef k_depth_anything = {
    "depth_anything",
    "Depth Anything: DINOv2's maps at four sizes, joined from the smallest on, to a depth for each pixel",
    "huggingface/transformers models/depth_anything/modeling_depth_anything.py; 2401.10891, 2406.09414",
    kTypes,
    kArchitectures,
    build<describe_depth>,
    "image"};

}  // namespace floptally::families
