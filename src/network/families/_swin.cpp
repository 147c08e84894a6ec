#include "network/families/_swin.h"

#include "network/blocks/tower.h"

namespace floptally::families {
namespace {

struct Window {
  std::int64_t heads = 1, inner = 1, span = 1, windows = 1;
  std::int64_t table = 1;  // the window of the config, which the bias is kept for where a stage is smaller
  bool qkv_bias = true, second = false;
};

// Swin 2 makes the bias of each pair with a small network of their distance, compares directions (cosines) and norms
// what the sublayers give.
void describe_bias(Family& f, const Window& w) {
  const std::int64_t inside = w.span * w.span, distances = (2 * w.table - 1) * (2 * w.table - 1);
  if (!w.second)
    return f.sink.add(relative_bias("relative_position_bias_table", w.heads, distances, w.windows * inside * inside));
  constexpr std::int64_t kHidden = 512;
  f.sink.add(parameter("logit_scale", w.heads, w.heads * w.windows * inside * inside, Component::position));
  f.sink.add(linear("continuous_position_bias_mlp.0", distances, 2, kHidden, true, Component::position));
  f.sink.add(activation("act", distances * kHidden, Activation::relu));
  f.sink.add(linear("continuous_position_bias_mlp.2", distances, kHidden, w.heads, false, Component::position));
}

void describe_window_block(Family& f, std::int64_t width, std::int64_t tokens, const Window& w) {
  const Component projection = Component::projection;
  const std::int64_t rows = w.windows * w.span * w.span;  // maps are padded to whole windows
  if (!w.second) f.sink.add(layer_norm("layernorm_before", tokens, width));
  {
    const Scope scope(f.sink, "attention");
    for (const std::string_view name : {"query", "key", "value"})
      f.sink.add(column_linear(name, rows, width, width, w.qkv_bias && !(w.second && name == "key"), projection));
    describe_bias(f, w);
    AttentionShape shape;
    shape.queries = shape.keys = w.span * w.span;
    shape.heads = shape.kv_heads = w.heads;
    shape.key_dim = shape.value_dim = width / w.heads;
    shape.mask = AttentionMask::none;
    f.sink.add(attention("window_attention", shape).repeated(w.windows));
    f.sink.add(row_linear("output", rows, width, width, true, projection));
  }
  if (w.second) f.sink.add(layer_norm("layernorm_before", tokens, width));
  f.sink.add(residual(tokens * width));
  if (!w.second) f.sink.add(layer_norm("layernorm_after", tokens, width));
  describe_mlp(mlp_of(width, w.inner, Activation::gelu, false, true), tokens, f.sink);
  if (w.second) f.sink.add(layer_norm("layernorm_after", tokens, width));
  f.sink.add(residual(tokens * width));
}

}  // namespace

SwinBody read_swin(const Keys& c) {
  SwinBody b;
  b.channels = c.assume("num_channels", 3);
  b.patch = c.size("patch_size");
  b.window = c.size("window_size");
  b.width = c.size("embed_dim");
  b.depths = c.config().sizes({"depths"});
  b.heads = c.config().sizes({"num_heads"});
  if (b.depths.empty() || b.depths.size() != b.heads.size())
    c.problem("missing-key", "depths", "'depths' and 'num_heads' must list the same number of stages");
  b.ratio = c.ratio_or("mlp_ratio", 4);
  b.second = c.text_or("model_type", "swin") == "swinv2";
  b.qkv_bias = c.flag("qkv_bias", true);
  b.absolute = c.flag("use_absolute_embeddings", false);
  c.understood({"drop_path_rate", "encoder_stride", "hidden_act", "hidden_size", "num_layers", "path_norm",
                "pretrained_window_sizes", "out_features", "out_indices", "stage_names", "image_size"});
  const std::vector<std::int64_t> sides =
      c.node("image_size").is_sequence() ? c.config().sizes({"image_size"}) : std::vector<std::int64_t>{};
  const std::int64_t height = sides.size() == 2 ? sides[0] : c.size_or("image_size", 224),
                     across = sides.size() == 2 ? sides[1] : height;
  b.places = (height / b.patch) * (across / b.patch);  // the table is made for the size of the config
  std::int64_t stage_width = b.width;
  for (std::size_t i = 0; c.ok() && i < b.depths.size(); ++i, stage_width *= 2)
    if (b.depths[i] < 1 || b.heads[i] < 1 || stage_width % b.heads[i] != 0)
      c.problem("shape-divide", "num_heads", "'num_heads' must divide the width of each stage");
  if (c.ok() && b.depths.size() > 8) c.problem("shape-range", "depths", "more than 8 stages are not known");
  return b;
}

std::vector<Map> describe_swin_body(Family& f, const SwinBody& b, std::int64_t height, std::int64_t width) {
  std::vector<Map> maps;
  std::int64_t channels = b.width;
  Map map{channels, std::max<std::int64_t>(1, (height + b.patch - 1) / b.patch),
          std::max<std::int64_t>(1, (width + b.patch - 1) / b.patch)};
  f.sink.add(patch_embedding("patch_embeddings", b.channels, channels, b.patch * b.patch, map.positions(), true)
                 .with(op_flags::input_no_gradient));
  f.sink.add(layer_norm("norm", map.positions(), channels));
  if (b.absolute) f.sink.add(position_table("position_embeddings", map.positions(), b.places + 1, channels));
  for (std::size_t i = 0; i < b.depths.size(); ++i) {
    const std::int64_t span = std::min({b.window, map.height, map.width});
    const std::int64_t windows = ((map.height + span - 1) / span) * ((map.width + span - 1) / span);
    {
      const Scope blocks(f.sink, "blocks", b.depths[i], BlockKind::layer);
      describe_window_block(f, channels, map.positions(),
                            {b.heads[i], static_cast<std::int64_t>(b.ratio * static_cast<double>(channels)), span,
                             windows, b.window, b.qkv_bias, b.second});
    }
    maps.push_back(map);
    if (i + 1 == b.depths.size()) break;
    const Scope merging(f.sink, "downsample");
    map = {2 * channels, std::max<std::int64_t>(1, (map.height + 1) / 2),
           std::max<std::int64_t>(1, (map.width + 1) / 2)};
    if (!b.second) f.sink.add(layer_norm("norm", map.positions(), 4 * channels));
    f.sink.add(linear("reduction", map.positions(), 4 * channels, 2 * channels));
    if (b.second) f.sink.add(layer_norm("norm", map.positions(), 2 * channels));
    channels *= 2;
  }
  return maps;
}

}  // namespace floptally::families
