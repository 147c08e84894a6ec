#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"segformer"};
constexpr std::string_view kArchitectures[] = {"SegformerForImageClassification", "SegformerForSemanticSegmentation",
                                               "SegformerModel"};

struct Stage {
  std::int64_t depth = 1, width = 1, heads = 1, fewer = 1, kernel = 3, stride = 2, ratio = 4;
};

void describe_block(Family& f, const Stage& z, std::int64_t side, Activation kind) {
  const std::int64_t tokens = side * side, width = z.width, inner = z.ratio * width,
                     seen = std::max<std::int64_t>(1, side / z.fewer), keys = z.fewer > 1 ? seen * seen : tokens;
  f.sink.add(layer_norm("layer_norm_1", tokens, width));
  {
    const Scope scope(f.sink, "attention");
    f.sink.add(linear("query", tokens, width, width, true, Component::projection));
    if (z.fewer > 1) {
      f.sink.add(convolution("sr", width, width, 1, z.fewer * z.fewer, tokens, keys, true));
      f.sink.add(layer_norm("layer_norm", keys, width));
    }
    for (const std::string_view name : {"key", "value"})
      f.sink.add(linear(name, keys, width, width, true, Component::projection));
    AttentionShape shape;
    shape.queries = tokens;
    shape.keys = keys;
    shape.heads = shape.kv_heads = z.heads;
    shape.key_dim = shape.value_dim = width / z.heads;
    shape.mask = AttentionMask::none;
    f.sink.add(attention("attention", shape));
    f.sink.add(linear("output", tokens, width, width, true, Component::projection));
  }
  f.sink.add(residual(tokens * width));
  f.sink.add(layer_norm("layer_norm_2", tokens, width));
  const Scope scope(f.sink, "mlp");
  f.sink.add(linear("dense1", tokens, width, inner, true));
  f.sink.add(convolution("dwconv", inner, inner, inner, 9, tokens, tokens, true));
  f.sink.add(activation("act", tokens * inner, kind));
  f.sink.add(linear("dense2", tokens, inner, width, true));
  f.sink.add(residual(tokens * width));
}

std::vector<Stage> read_stages(Family& f) {
  const Keys& c = f.config;
  const auto list = [&](std::string_view key) { return c.config().sizes({key}); };
  const std::vector<std::int64_t> lists[] = {list("depths"),    list("hidden_sizes"), list("num_attention_heads"),
                                             list("sr_ratios"), list("patch_sizes"),  list("strides"),
                                             list("mlp_ratios")};
  std::vector<Stage> stages;
  for (const std::vector<std::int64_t>& one : lists) {
    if (one.empty() || one.size() != lists[0].size()) {
      c.problem("missing-key", "depths",
                "'depths', 'hidden_sizes', 'num_attention_heads', 'sr_ratios', 'patch_sizes', "
                "'strides' and 'mlp_ratios' must list the same number of stages");
      return stages;
    }
    for (const std::int64_t value : one)
      if (value < 1) c.problem("shape-range", "depths", "sizes of stages must be at least 1");
  }
  for (std::size_t i = 0; i < lists[0].size(); ++i) {
    stages.push_back({lists[0][i], lists[1][i], lists[2][i], lists[3][i], lists[4][i], lists[5][i], lists[6][i]});
    if (f.ok()) c.divides("num_attention_heads", stages.back().heads, "hidden_sizes", stages.back().width);
  }
  return stages;
}

// Each stage's map to one width, all of them on the largest grid, joined and mapped to classes.
void describe_decoder(Family& f, const std::vector<Stage>& stages, const std::vector<std::int64_t>& sides,
                      std::int64_t width, std::int64_t labels) {
  const Scope head(f.sink, "decode_head");
  const std::int64_t rows = sides.front() * sides.front(), joined = width * static_cast<std::int64_t>(stages.size());
  for (std::size_t i = 0; i < stages.size(); ++i) {
    f.sink.add(linear("linear_c", sides[i] * sides[i], stages[i].width, width, true, Component::head));
    f.sink.add(resize("upsample", rows * width, sides[i] * sides[i] * width, 4));
  }
  f.sink.add(convolution("linear_fuse", joined, width, 1, 1, rows, rows, false));
  f.sink.add(batch_norm("batch_norm", width, rows));
  f.sink.add(activation("act", rows * width, Activation::relu));
  f.sink.add(convolution("classifier", width, labels, 1, 1, rows, rows, true));
}

void describe_segformer(Family& f) {
  const Keys& c = f.config;
  const std::vector<Stage> stages = read_stages(f);
  const std::int64_t channels = c.assume("num_channels", 3);
  const Activation kind = read_activation(f, Activation::gelu);
  const std::string_view named = f.architecture();
  const bool classifies = named.ends_with("ForImageClassification"),
             segments = named.ends_with("ForSemanticSegmentation");
  if (!named.empty() && !classifies && !segments && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = classifies || segments ? label_count(c) : 0,
                     width = segments ? c.assume("decoder_hidden_size", 256) : 0;
  c.understood({"classifier_dropout_prob", "decoder_hidden_size", "downsampling_rates", "drop_path_rate", "image_size",
                "num_encoder_blocks", "reshape_last_stage", "semantic_loss_ignore_index"});
  constexpr std::int64_t kUsual = 512;
  std::int64_t side = f.inputs.image.size() == 3 ? f.inputs.image[1]
                      : c.has("image_size")      ? c.size("image_size")
                                                 : kUsual,
               before = channels;
  if (!f.ok()) return;
  std::vector<std::int64_t> sides;
  for (const Stage& z : stages) {
    const std::int64_t from = side * side;
    side = std::max<std::int64_t>(1, (side + 2 * (z.kernel / 2) - z.kernel) / z.stride + 1);
    sides.push_back(side);
    f.sink.add(convolution("patch_embeddings", before, z.width, 1, z.kernel * z.kernel, from, side * side, true));
    f.sink.add(layer_norm("layer_norm", side * side, z.width));
    {
      const Scope blocks(f.sink, "block", z.depth, BlockKind::layer);
      describe_block(f, z, side, kind);
    }
    f.sink.add(layer_norm("layer_norm", side * side, z.width));
    before = z.width;
  }
  if (segments) describe_decoder(f, stages, sides, width, labels);
  if (classifies) f.sink.add(linear("classifier", 1, before, labels, true, Component::head));
}

}  // namespace

extern const FamilyDef k_segformer;
const FamilyDef k_segformer = {
    "segformer",
    "SegFormer: four stages of attention over fewer keys, a convolution in the feed-forward layers, a light decoder",
    "huggingface/transformers models/segformer/modeling_segformer.py; 2105.15203",
    kTypes,
    kArchitectures,
    build<describe_segformer>,
    "image"};

}  // namespace floptally::families
