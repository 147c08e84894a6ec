#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"swin", "swinv2"};
constexpr std::string_view kArchitectures[] = {"SwinForImageClassification", "SwinModel",
                                               "Swinv2ForImageClassification", "Swinv2Model"};

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
  if (!w.second) f.sink.add(layer_norm("layernorm_before", tokens, width));
  {
    const Scope scope(f.sink, "attention");
    for (const std::string_view name : {"query", "key", "value"})
      f.sink.add(column_linear(name, tokens, width, width, w.qkv_bias && !(w.second && name == "key"), projection));
    describe_bias(f, w);
    AttentionShape shape;
    shape.queries = shape.keys = w.span * w.span;
    shape.heads = shape.kv_heads = w.heads;
    shape.key_dim = shape.value_dim = width / w.heads;
    shape.mask = AttentionMask::none;
    f.sink.add(attention("window_attention", shape).repeated(w.windows));
    f.sink.add(row_linear("output", tokens, width, width, true, projection));
  }
  if (w.second) f.sink.add(layer_norm("layernorm_before", tokens, width));
  f.sink.add(residual(tokens * width));
  if (!w.second) f.sink.add(layer_norm("layernorm_after", tokens, width));
  describe_mlp(mlp_of(width, w.inner, Activation::gelu, false, true), tokens, f.sink);
  if (w.second) f.sink.add(layer_norm("layernorm_after", tokens, width));
  f.sink.add(residual(tokens * width));
}

void describe_swin(Family& f) {
  const Keys& c = f.config;
  const std::int64_t channels = c.assume("num_channels", 3), image = c.size("image_size"), patch = c.size("patch_size"),
                     window = c.size("window_size");
  std::int64_t width = c.size("embed_dim");
  const std::vector<std::int64_t> depths = c.config().sizes({"depths"}), heads = c.config().sizes({"num_heads"});
  if (depths.empty() || depths.size() != heads.size())
    c.problem("missing-key", "depths", "'depths' and 'num_heads' must list the same number of stages");
  const double ratio = c.ratio_or("mlp_ratio", 4);
  const bool second = c.text_or("model_type", "swin") == "swinv2", qkv_bias = c.flag("qkv_bias", true),
             absolute = c.flag("use_absolute_embeddings", false);
  const bool classifies = f.architecture().find("ForImageClassification") != std::string_view::npos;
  if (const std::string_view named = f.architecture(); !named.empty() && !classifies && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = classifies ? label_count(c) : 0;
  c.understood({"drop_path_rate", "encoder_stride", "hidden_act", "hidden_size", "num_layers", "path_norm",
                "pretrained_window_sizes", "out_features", "out_indices", "stage_names"});
  std::int64_t side = patch > 0 ? image / patch : 0, stage_width = width;
  for (std::size_t i = 0; f.ok() && i < depths.size(); ++i, stage_width *= 2)
    if (depths[i] < 1 || heads[i] < 1 || stage_width % heads[i] != 0)
      c.problem("shape-divide", "num_heads", "'num_heads' must divide the width of each stage");
  if (f.ok() && (side < window || depths.size() > 8))
    c.problem("shape-range", "window_size", "'window_size' is larger than the patches of a side");
  if (!f.ok()) return;
  f.sink.add(patch_embedding("patch_embeddings", channels, width, patch * patch, side * side, true)
                 .with(op_flags::input_no_gradient));
  f.sink.add(layer_norm("norm", side * side, width));
  if (absolute) f.sink.add(position_table("position_embeddings", side * side, side * side + 1, width));
  for (std::size_t i = 0; i < depths.size(); ++i) {
    const std::int64_t tokens = side * side, span = std::min(window, side);
    const std::int64_t windows = ((side + span - 1) / span) * ((side + span - 1) / span);
    {
      const Scope blocks(f.sink, "blocks", depths[i], BlockKind::layer);
      describe_window_block(f, width, tokens,
                            {heads[i], static_cast<std::int64_t>(ratio * static_cast<double>(width)), span, windows,
                             window, qkv_bias, second});
    }
    if (i + 1 == depths.size()) break;
    const Scope merging(f.sink, "downsample");
    side = std::max<std::int64_t>(1, (side + 1) / 2);
    if (!second) f.sink.add(layer_norm("norm", side * side, 4 * width));
    f.sink.add(linear("reduction", side * side, 4 * width, 2 * width));
    if (second) f.sink.add(layer_norm("norm", side * side, 2 * width));
    width *= 2;
  }
  f.sink.add(layer_norm("layernorm", side * side, width));
  if (labels > 0) f.sink.add(linear("classifier", 1, width, labels, true, Component::head));
}

}  // namespace

extern const FamilyDef k_swin;
const FamilyDef k_swin = {
    "swin",
    "Swin 1 and 2: attention inside shifted windows with relative positions, four stages that merge patches",
    "huggingface/transformers models/swin/modeling_swin.py, models/swinv2; 2103.14030, 2111.09883",
    kTypes,
    kArchitectures,
    build<describe_swin>,
    "image"};

}  // namespace floptally::families
