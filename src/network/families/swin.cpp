#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"swin"};
constexpr std::string_view kArchitectures[] = {"SwinForImageClassification", "SwinModel"};

void describe_window_block(Family& f, std::int64_t width, std::int64_t heads, std::int64_t inner, std::int64_t tokens,
                           std::int64_t span, std::int64_t windows, bool qkv_bias) {
  const Component projection = Component::projection;
  const std::int64_t inside = span * span;
  f.sink.add(layer_norm("layernorm_before", tokens, width));
  {
    const Scope scope(f.sink, "attention");
    f.sink.add(column_linear("query", tokens, width, width, qkv_bias, projection));
    for (const std::string_view name : {"key", "value"})
      f.sink.add(column_linear(name, tokens, width, width, qkv_bias, projection).with(op_flags::shared_input));
    f.sink.add(relative_bias("relative_position_bias_table", heads, (2 * span - 1) * (2 * span - 1),
                             windows * inside * inside));
    AttentionShape shape;
    shape.queries = shape.keys = inside;
    shape.heads = shape.kv_heads = heads;
    shape.key_dim = shape.value_dim = width / heads;
    shape.mask = AttentionMask::none;
    f.sink.add(attention("window_attention", shape).repeated(windows));
    f.sink.add(row_linear("output", tokens, width, width, true, projection));
  }
  f.sink.add(residual(tokens * width));
  f.sink.add(layer_norm("layernorm_after", tokens, width));
  describe_mlp(mlp_of(width, inner, Activation::gelu, false, true), tokens, f.sink);
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
  const bool qkv_bias = c.flag("qkv_bias", true), absolute = c.flag("use_absolute_embeddings", false);
  const bool classifies = f.architecture().find("ForImageClassification") != std::string_view::npos;
  if (const std::string_view named = f.architecture(); !named.empty() && !classifies && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = classifies ? label_count(c) : 0;
  c.understood({"drop_path_rate", "encoder_stride", "hidden_act", "hidden_size", "num_layers", "path_norm",
                "out_features", "out_indices", "stage_names"});
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
  if (absolute) f.sink.add(position_table("position_embeddings", side * side, side * side, width));
  for (std::size_t i = 0; i < depths.size(); ++i) {
    const std::int64_t tokens = side * side, span = std::min(window, side);
    const std::int64_t windows = ((side + span - 1) / span) * ((side + span - 1) / span);
    {
      const Scope blocks(f.sink, "blocks", depths[i], BlockKind::layer);
      describe_window_block(f, width, heads[i], static_cast<std::int64_t>(ratio * static_cast<double>(width)), tokens,
                            span, windows, qkv_bias);
    }
    if (i + 1 == depths.size()) break;
    const Scope merging(f.sink, "downsample");
    side = std::max<std::int64_t>(1, (side + 1) / 2);
    f.sink.add(layer_norm("norm", side * side, 4 * width));
    f.sink.add(linear("reduction", side * side, 4 * width, 2 * width));
    width *= 2;
  }
  f.sink.add(layer_norm("layernorm", side * side, width));
  if (labels > 0) f.sink.add(linear("classifier", 1, width, labels, true, Component::head));
}

}  // namespace

extern const FamilyDef k_swin;
const FamilyDef k_swin = {
    "swin",
    "Swin: attention inside shifted windows with relative positions, four stages that merge patches",
    "huggingface/transformers models/swin/modeling_swin.py; 2103.14030",
    kTypes,
    kArchitectures,
    build<describe_swin>,
    "image"};

}  // namespace floptally::families
