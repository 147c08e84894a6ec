#include "network/blocks/image.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"florence2"};
constexpr std::string_view kArchitectures[] = {"Florence2ForConditionalGeneration", "Florence2Model"};

// DaViT (2204.03645): each block attends inside windows, then among the channels of a group.
struct Stage {
  std::int64_t depth = 1, width = 1, heads = 1, groups = 1, kernel = 7, stride = 4, padding = 3;
  bool before = false;  // the norm stands before the convolution
};
struct Davit {
  std::vector<Stage> stages;
  std::int64_t channels = 3, window = 12, projected = 1024, places = 50;
  double ratio = 4;
  bool bias = true;
};

Davit read_davit(const Keys& v) {
  Davit d;
  const auto list = [&](std::string_view key, std::string_view older, std::vector<std::int64_t> published) {
    for (const std::string_view one : {key, older})
      if (v.has(one)) return v.config().sizes({one});
    return published;
  };
  const std::vector<std::int64_t> depths = list("depths", "depths", {1, 1, 9, 1}),
                                  widths = list("embed_dim", "dim_embed", {128, 256, 512, 1024}),
                                  heads = list("num_heads", "num_heads", {4, 8, 16, 32}),
                                  groups = list("num_groups", "num_groups", {4, 8, 16, 32}),
                                  kernels = list("patch_size", "patch_size", {7, 3, 3, 3}),
                                  strides = list("patch_stride", "patch_stride", {4, 2, 2, 2}),
                                  paddings = list("patch_padding", "patch_padding", {3, 1, 1, 1});
  for (const auto* one : {&depths, &widths, &heads, &groups, &kernels, &strides, &paddings})
    if (one->size() != depths.size() || depths.empty()) {
      v.problem("shape-range", "depths", "the lists of the tower's stages must be of one length");
      return d;
    }
  const Node before = v.node("patch_prenorm");
  for (std::size_t i = 0; i < depths.size(); ++i) {
    Stage s{depths[i], widths[i], heads[i], groups[i], kernels[i], strides[i], paddings[i], i > 0};
    if (before.is_sequence() && i < before.size()) s.before = before[i].text() == "true";
    if (s.depth < 1 || s.width < 1 || s.heads < 1 || s.groups < 1 || s.kernel < 1 || s.stride < 1 || s.padding < 0)
      v.problem("shape-range", "depths", "sizes of stages must be at least 1");
    if (v.ok()) {
      v.divides("num_heads", s.heads, "embed_dim", s.width);
      v.divides("num_groups", s.groups, "embed_dim", s.width);
    }
    d.stages.push_back(s);
  }
  d.channels = v.has("in_chans") ? v.size("in_chans") : v.assume("in_channels", 3);
  d.window = v.assume("window_size", 12);
  d.projected = v.assume("projection_dim", 1024);
  const Keys older = v.child("image_pos_embed");
  d.places = older.present() ? older.size_or("max_pos_embeddings", 50) : v.assume("max_position_embeddings", 50);
  d.ratio = v.ratio_or("mlp_ratio", 4);
  d.bias = v.flag("qkv_bias", true);
  v.understood({"activation_function", "drop_path_rate", "max_temporal_embeddings", "visual_temporal_embedding",
                "image_feature_source", "enable_checkpoint", "image_pos_embed", "hidden_size"});
  older.understood({"type"});
  return d;
}

// A depthwise convolution added to what it reads.
void describe_place(Sink& sink, std::string_view name, std::int64_t tokens, std::int64_t width) {
  sink.add(convolution(name, width, width, width, 9, tokens, tokens, true));
  sink.add(residual(tokens * width));
}

void describe_half(Sink& sink, const Davit& d, const Stage& s, std::int64_t side, bool windowed) {
  const std::int64_t tokens = side * side, width = s.width, across = (side + d.window - 1) / d.window,
                     windows = across * across, rows = windowed ? windows * d.window * d.window : tokens;
  const Scope scope(sink, windowed ? "spatial_block" : "channel_block");
  describe_place(sink, "conv1", tokens, width);
  sink.add(layer_norm("norm1", tokens, width));
  sink.add(column_linear("qkv", rows, width, 3 * width, d.bias, Component::projection));
  AttentionShape shape;
  shape.mask = AttentionMask::none;
  shape.queries = shape.keys = windowed ? d.window * d.window : width / s.groups;
  shape.heads = shape.kv_heads = windowed ? s.heads : s.groups;
  shape.key_dim = shape.value_dim = windowed ? width / s.heads : tokens;
  sink.add(attention("attention", shape).repeated(windowed ? windows : 1));
  sink.add(row_linear("proj", rows, width, width, true, Component::projection));
  sink.add(residual(tokens * width));
  describe_place(sink, "conv2", tokens, width);
  sink.add(layer_norm("norm2", tokens, width));
  const auto inner = static_cast<std::int64_t>(static_cast<double>(width) * d.ratio);
  describe_mlp(mlp_of(width, inner, Activation::gelu, false, true), tokens, sink);
  sink.add(residual(tokens * width));
}

// The tower; gives the side of its last map.
std::int64_t describe_davit(Sink& sink, const Davit& d, std::int64_t side) {
  const Scope tower(sink, "vision_tower");
  std::int64_t before = d.channels;
  for (const Stage& s : d.stages) {
    const std::int64_t from = side * side;
    if (s.before) sink.add(layer_norm("norm", from, before));
    side = std::max<std::int64_t>(1, (side + 2 * s.padding - s.kernel) / s.stride + 1);
    sink.add(convolution("conv", before, s.width, 1, s.kernel * s.kernel, from, side * side, true));
    if (!s.before) sink.add(layer_norm("norm", side * side, s.width));
    const Scope blocks(sink, "blocks", s.depth, BlockKind::layer);
    describe_half(sink, d, s, side, true);
    describe_half(sink, d, s, side, false);
    before = s.width;
  }
  return side;
}

void describe_florence2(Family& f) {
  const Keys& c = f.config;
  const Keys v = c.child("vision_config");
  if (!v.present()) c.size("vision_config");
  const Davit d = read_davit(v);
  c.understood({"projection_dim"});
  if (!c.flag("tie_word_embeddings", true))
    c.problem("unknown-variant", "tie_word_embeddings", "embeddings that are not shared are not known here");
  constexpr std::int64_t kUsual = 768;  // pixels a side
  if (!f.ok()) return;
  {
    RepeatedSink images(f.sink, images_per_sample(f));
    const std::int64_t side = describe_davit(images, d, kUsual), width = d.stages.back().width,
                       tokens = side * side + 1;
    const Scope projector(images, "projector");
    const std::int64_t half = width / 2;
    images.add(parameter("row_embeddings", d.places * half, tokens * half, Component::position));
    images.add(parameter("column_embeddings", d.places * (width - half), tokens * (width - half), Component::position));
    images.add(linear("image_projection", tokens, width, d.projected));
    images.add(layer_norm("image_proj_norm", tokens, d.projected));
  }
  describe_nested(f, "text_config", "bart");
}

}  // namespace

extern const FamilyDef k_florence2;
const FamilyDef k_florence2 = {"florence2",
                               "Florence-2: a DaViT tower (windows, then channels), BART's encoder and decoder",
                               "huggingface/transformers models/florence2/modeling_florence2.py; 2311.06242",
                               kTypes,
                               kArchitectures,
                               build<describe_florence2>};

}  // namespace floptally::families
