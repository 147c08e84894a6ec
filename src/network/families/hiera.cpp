#include "network/blocks/tower.h"
#include "network/families/_detection.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"hiera"};
constexpr std::string_view kArchitectures[] = {"HieraModel", "HieraForImageClassification", "HieraForPreTraining",
                                               "HieraBackbone"};

struct Stage {
  std::int64_t width = 96, heads = 1, depth = 2;
  bool units = true;   // attention inside mask units
  bool pools = false;  // its first layer takes the largest of each group of queries
};

struct Hiera {
  std::vector<Stage> stages;
  std::int64_t channels = 3, height = 224, width = 224, kernel = 49, step = 4, unit = 64, pooled = 4;
  double ffn = 4;
  [[nodiscard]] std::int64_t tokens() const { return (height / step) * (width / step); }
};

// The product of a pair, or of one number twice.
std::int64_t area(const Keys& c, std::string_view key, std::int64_t published) {
  const Node listed = c.node(key);
  if (!listed) return published * published;
  if (!listed.is_sequence()) return c.size(key) * c.size(key);
  const std::vector<std::int64_t> pair = c.config().sizes({key});
  if (pair.size() == 2 && pair[0] > 0 && pair[1] > 0) return pair[0] * pair[1];
  c.problem("shape-range", key, "'" + std::string(key) + "' must be two sizes of at least 1");
  return 1;
}

Hiera read_hiera(const Keys& c) {
  Hiera h;
  const std::int64_t first = c.size("embed_dim"), pools = c.assume_count("num_query_pool", 3);
  const double wider = c.ratio_or("embed_dim_multiplier", 2);
  const std::vector<std::int64_t> depths = c.sizes_or("depths", {2, 3, 16, 3}),
                                  heads = c.sizes_or("num_heads", {1, 2, 4, 8});
  const Node masked = c.node("masked_unit_attention");
  if (depths.empty() || depths.size() != heads.size() || (masked.is_sequence() && masked.size() != depths.size())) {
    c.problem("shape-range", "depths", "'depths', 'num_heads' and 'masked_unit_attention' must be of one length");
    return h;
  }
  double width = static_cast<double>(first);
  for (std::size_t i = 0; i < depths.size(); ++i) {
    Stage s;
    s.width = width < 1e6 && width >= 1 ? static_cast<std::int64_t>(width) : 0;
    s.heads = heads[i];
    s.depth = depths[i];
    s.units = masked.is_sequence() ? masked[i].as_bool().value_or(false) : i < 2;
    s.pools = i > 0 && static_cast<std::int64_t>(i) <= pools;
    if (s.width < 1 || s.heads < 1 || s.depth < 1 || s.width % s.heads != 0)
      c.problem("shape-range", "num_heads", "each stage's heads must divide its width");
    h.stages.push_back(s);
    width *= wider;
  }
  h.channels = c.assume("num_channels", 3);
  const std::vector<std::int64_t> image = c.sizes_or("image_size", {224, 224}),
                                  step = c.sizes_or("patch_stride", {4, 4});
  h.kernel = area(c, "patch_size", 7);
  h.unit = area(c, "masked_unit_size", 8);
  h.pooled = area(c, "query_stride", 2);
  h.ffn = c.ratio_or("mlp_ratio", 4);
  if (image.size() != 2 || step.size() != 2 || step[0] < 1 || step[0] != step[1] || image[0] < step[0] ||
      image[1] < step[0]) {
    c.problem("shape-range", "image_size", "'image_size' and 'patch_stride' must be two sizes, the stride square");
    return h;
  }
  h.height = image[0];
  h.width = image[1];
  h.step = step[0];
  c.understood({"patch_padding", "layer_norm_init", "normalize_pixel_loss", "mask_ratio", "stage_names", "out_features",
                "out_indices", "drop_path_rate", "decoder_hidden_size", "decoder_depth", "decoder_num_heads",
                "hidden_size", "hidden_act"});
  return h;
}

// `units`: 0 attends over everything.
void describe_layer(Sink& sink, const Hiera& h, std::int64_t in, const Stage& s, std::int64_t tokens, std::int64_t pool,
                    std::int64_t units) {
  const std::int64_t left = std::max<std::int64_t>(1, tokens / pool),
                     inner = static_cast<std::int64_t>(h.ffn * static_cast<double>(s.width));
  sink.add(layer_norm("layernorm_before", tokens, in));
  if (in != s.width) sink.add(linear("proj", tokens, in, s.width, true, Component::projection));
  {
    const Scope attn(sink, "attn");
    sink.add(column_linear("qkv", tokens, in, 3 * s.width, true, Component::projection));
    const std::int64_t windows = std::max<std::int64_t>(1, units);
    AttentionShape shape;
    shape.queries = std::max<std::int64_t>(1, left / windows);
    shape.keys = std::max<std::int64_t>(1, tokens / windows);
    shape.heads = shape.kv_heads = s.heads;
    shape.key_dim = shape.value_dim = s.width / s.heads;
    shape.mask = AttentionMask::none;
    sink.add(attention("attention", shape).repeated(windows));
    sink.add(row_linear("proj", left, s.width, s.width, true, Component::projection));
  }
  sink.add(residual(left * s.width));
  sink.add(layer_norm("layernorm_after", left, s.width));
  describe_mlp(mlp_of(s.width, std::max<std::int64_t>(1, inner), Activation::gelu, false, true), left, sink);
  sink.add(residual(left * s.width));
}

// Gives the positions that are left.
std::int64_t describe_stages(Sink& sink, const Hiera& h) {
  std::int64_t tokens = h.tokens(), in = h.stages.front().width, window = h.unit;
  for (std::size_t i = 0; i < h.stages.size(); ++i) {
    const Stage& s = h.stages[i];
    const std::int64_t pool = s.pools ? h.pooled : 1;
    if (i > 0) window = std::max<std::int64_t>(1, window / h.pooled);
    const bool lagging = h.stages[i > 0 ? i - 1 : 0].units;
    {
      const Scope first(sink, "layers", 1, BlockKind::layer);
      describe_layer(sink, h, in, s, tokens, pool, s.units || lagging ? tokens / (pool * window) : 0);
    }
    tokens = std::max<std::int64_t>(1, tokens / pool);
    if (s.depth > 1) {
      const Scope more(sink, "layers", s.depth - 1, BlockKind::layer);
      describe_layer(sink, h, s.width, s, tokens, 1, s.units ? tokens / window : 0);
    }
    in = s.width;
  }
  return tokens;
}

void describe_hiera(Family& f) {
  const Keys& c = f.config;
  Hiera h = read_hiera(c);
  const std::int64_t labels = image_labels(f), table = h.tokens();
  if (!f.ok()) return;
  if (f.inputs.image.size() == 3) {
    h.height = f.inputs.image[1];
    h.width = f.inputs.image[2];
  }
  const std::int64_t tokens = h.tokens(), first = h.stages.front().width, last = h.stages.back().width;
  f.sink.add(convolution("patch_embeddings", h.channels, first, 1, h.kernel, h.height * h.width, tokens, true)
                 .with(op_flags::input_no_gradient));
  f.sink.add(position_table("position_embeddings", tokens, table, first));
  const std::int64_t left = describe_stages(f.sink, h);
  f.sink.add(pool("pooler", last, left, 1, left, false));
  f.sink.add(layer_norm("pooler.layernorm", 1, last));
  if (labels > 0) f.sink.add(linear("classifier", 1, last, labels, true, Component::head));
}

}  // namespace

extern const FamilyDef k_hiera;
const FamilyDef k_hiera = {
    "hiera",
    "Hiera: four stages of a plain vision transformer, attention inside units of a mask first, queries pooled between",
    "huggingface/transformers models/hiera/modeling_hiera.py; 2306.00989",
    kTypes,
    kArchitectures,
    build<describe_hiera>,
    "image"};

}  // namespace floptally::families
