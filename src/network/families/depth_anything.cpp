#include "network/families/_depth.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"depth_anything"};
constexpr std::string_view kArchitectures[] = {"DepthAnythingForDepthEstimation"};

void describe_depth(Family& f) {
  const Keys& c = f.config;
  const Keys backbone = c.child("backbone_config");
  DepthNeck n = read_depth_neck(c, {48, 96, 192, 384}, 64);
  n.read = c.assume("reassemble_hidden_size", 384);
  const std::int64_t head_width = c.assume("head_hidden_size", 32), patch = c.assume("patch_size", 14);
  c.understood({"use_pretrained_backbone", "use_timm_backbone", "head_in_index", "depth_estimation_type", "max_depth",
                "backbone", "backbone_kwargs"});
  const std::int64_t side = backbone.size("image_size");
  backbone.understood({"image_size"});
  if (n.read != backbone.size("hidden_size"))
    c.problem("shape-range", "reassemble_hidden_size", "'reassemble_hidden_size' must be the tower's width");
  if (!f.ok()) return;
  const bool given = f.inputs.image.size() == 3;
  const Map grid{n.read, std::max<std::int64_t>(1, (given ? f.inputs.image[1] : side) / patch),
                 std::max<std::int64_t>(1, (given ? f.inputs.image[2] : side) / patch)};
  {
    const Scope tower(f.sink, "backbone");
    if (!build_nested(backbone.config(), f.inputs, f.sink)) return;
  }
  const Map last = describe_depth_fusion(f.sink, n, describe_depth_pyramid(f.sink, n, grid));
  const Scope head(f.sink, "head");
  ImageStack s{f.sink, last.channels, last.height, last.width};
  s.conv("conv1", {.out = std::max<std::int64_t>(1, n.fused / 2), .kernel = 3, .padding = 1, .bias = true});
  const Map whole{s.channels, grid.height * patch, grid.width * patch};
  f.sink.add(resize("interpolate", whole.positions() * s.channels, s.elements(), 4));
  s.height = whole.height;
  s.width = whole.width;
  s.conv("conv2", {.out = head_width, .kernel = 3, .padding = 1, .bias = true});
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
