#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kArchitectures[] = {"UNet2DConditionModel"};

struct Stage {
  std::int64_t width = 1, heads = 1, depth = 1;
  bool attends = false;
};

struct Unet {
  std::vector<std::int64_t> channels;
  std::vector<Stage> down, up;
  std::int64_t in = 4, out = 4, side = 64, per_block = 2, groups = 32, time = 1, text_width = 1, text_tokens = 77,
               added = 0;
  bool linear_projection = false;
};

// One number for all stages, or a list with one for each.
std::vector<std::int64_t> per_stage(const Keys& c, std::string_view key, std::size_t stages, std::int64_t absent) {
  const Node value = c.node(key);
  if (value.is_sequence()) {
    std::vector<std::int64_t> list = c.config().sizes({key});
    if (list.size() != stages)
      c.problem("shape-divide", key, "'" + std::string(key) + "' needs one entry for each stage");
    list.resize(stages, 1);
    return list;
  }
  return std::vector<std::int64_t>(stages, c.size_or(key, absent));
}

// Of the way down and the way up.
std::pair<std::vector<std::string_view>, std::vector<std::string_view>> read_block_types(const Keys& c,
                                                                                         std::size_t stages) {
  std::vector<std::string_view> down = c.config().words({"down_block_types"}),
                                up = c.config().words({"up_block_types"});
  if (down.size() != stages || up.size() != stages)
    c.problem("missing-key", "down_block_types",
              "'down_block_types' and 'up_block_types' need one entry for each stage");
  for (const std::vector<std::string_view>* list : {&down, &up})
    for (const std::string_view type : *list)
      if (type != "DownBlock2D" && type != "CrossAttnDownBlock2D" && type != "UpBlock2D" &&
          type != "CrossAttnUpBlock2D")
        c.problem("unknown-architecture", list == &down ? "down_block_types" : "up_block_types",
                  "blocks of type '" + std::string(type) + "' are not known");
  return {std::move(down), std::move(up)};
}

Unet read_unet(Family& f) {
  const Keys& c = f.config;
  Unet u;
  u.channels = c.config().sizes({"block_out_channels"});
  const std::size_t stages = u.channels.size();
  if (stages == 0 || stages > 8)
    c.problem("missing-key", "block_out_channels", "'block_out_channels' must list the widths of 1 to 8 stages");
  for (const std::int64_t width : u.channels)
    if (width < 1) c.problem("shape-range", "block_out_channels", "widths must be at least 1");
  u.in = c.assume("in_channels", 4);
  u.out = c.assume("out_channels", 4);
  u.side = std::max<std::int64_t>(1, c.assume("sample_size", 64));
  u.per_block = c.assume("layers_per_block", 2);
  constexpr std::int64_t kMostBlocks = 64;
  if (u.per_block > kMostBlocks) c.problem("shape-range", "layers_per_block", "'layers_per_block' is more than 64");
  u.groups = std::max<std::int64_t>(1, c.assume("norm_num_groups", 32));
  u.text_width = c.size("cross_attention_dim");
  u.linear_projection = c.flag("use_linear_projection", false);
  // The key called attention_head_dim holds the number of heads (diffusers issue 2011).
  const std::vector<std::int64_t> heads = per_stage(c, "attention_head_dim", stages, 8),
                                  depths = per_stage(c, "transformer_layers_per_block", stages, 1);
  if (c.text_or("addition_embed_type", "") == "text_time") u.added = c.size("projection_class_embeddings_input_dim");
  const auto [down, up] = read_block_types(c, stages);
  c.understood({"act_fn",
                "center_input_sample",
                "downsample_padding",
                "flip_sin_to_cos",
                "freq_shift",
                "mid_block_scale_factor",
                "norm_eps",
                "addition_time_embed_dim",
                "mid_block_type",
                "upcast_attention",
                "only_cross_attention",
                "dual_cross_attention",
                "attention_type",
                "class_embed_type",
                "num_class_embeds",
                "resnet_time_scale_shift",
                "time_embedding_type",
                "conv_in_kernel",
                "conv_out_kernel",
                "projection_class_embeddings_input_dim",
                "num_attention_heads"});
  if (!f.ok()) return u;
  u.time = 4 * u.channels.front();
  for (std::size_t i = 0; i < stages; ++i) {
    const std::size_t back = stages - 1 - i;
    u.down.push_back({u.channels[i], heads[i], depths[i], down[i].substr(0, 5) == "Cross"});
    u.up.push_back({u.channels[back], heads[back], depths[back], up[i].substr(0, 5) == "Cross"});
    c.divides("attention_head_dim", heads[i], "block_out_channels", u.channels[i]);
  }
  return u;
}

void describe_resnet(Family& f, const Unet& u, std::int64_t in, std::int64_t out, std::int64_t side) {
  const std::int64_t positions = side * side;
  const Scope scope(f.sink, "resnet", 1, BlockKind::layer);
  f.sink.add(group_norm("norm1", in, positions, u.groups));
  f.sink.add(activation("act", positions * in, Activation::silu));
  f.sink.add(convolution("conv1", in, out, 1, 9, positions, positions, true));
  f.sink.add(linear("time_emb_proj", 1, u.time, out, true, Component::embed));
  f.sink.add(group_norm("norm2", out, positions, u.groups));
  f.sink.add(activation("act", positions * out, Activation::silu));
  f.sink.add(convolution("conv2", out, out, 1, 9, positions, positions, true));
  if (in != out) f.sink.add(convolution("conv_shortcut", in, out, 1, 1, positions, positions, true));
  f.sink.add(residual(positions * out));
}

void describe_transformer(Family& f, const Unet& u, const Stage& s, std::int64_t side) {
  const std::int64_t tokens = side * side;
  const auto project = [&](std::string_view name) {
    if (u.linear_projection)
      f.sink.add(linear(name, tokens, s.width, s.width, true, Component::projection));
    else
      f.sink.add(convolution(name, s.width, s.width, 1, 1, tokens, tokens, true));
  };
  AttentionPart self;
  self.name = "attn1";
  self.width = s.width;
  self.heads = self.kv_heads = s.heads;
  self.head_dim = s.width / s.heads;
  self.rotary_dim = 0;
  self.mask = AttentionMask::none;
  self.out_bias = true;
  CrossAttentionPart cross;
  cross.name = "attn2";
  cross.width = s.width;
  cross.memory_width = u.text_width;
  cross.heads = cross.kv_heads = s.heads;
  cross.head_dim = self.head_dim;
  cross.out_bias = true;
  const Scope scope(f.sink, "attentions");
  f.sink.add(group_norm("norm", s.width, tokens, u.groups));
  project("proj_in");
  {
    const Scope blocks(f.sink, "transformer_blocks", s.depth, BlockKind::layer);
    f.sink.add(layer_norm("norm1", tokens, s.width));
    describe_attention(self, tokens, f.sink);
    f.sink.add(residual(tokens * s.width));
    f.sink.add(layer_norm("norm2", tokens, s.width));
    describe_cross_attention(cross, tokens, u.text_tokens, f.sink);
    f.sink.add(residual(tokens * s.width));
    f.sink.add(layer_norm("norm3", tokens, s.width));
    describe_mlp(mlp_of(s.width, 4 * s.width, Activation::gelu, true, true), tokens, f.sink);
    f.sink.add(residual(tokens * s.width));
  }
  project("proj_out");
  f.sink.add(residual(tokens * s.width));
}

void describe_unet(Family& f) {
  Unet u = read_unet(f);
  if (!f.ok()) return;
  Sink& sink = f.sink;
  const std::int64_t stages = static_cast<std::int64_t>(u.channels.size()), first = u.channels.front();
  sink.add(convolution("conv_in", u.in, first, 1, 9, u.side * u.side, u.side * u.side, true)
               .with(op_flags::input_no_gradient));
  {
    const Scope time(sink, "time_embedding");
    sink.add(linear("linear_1", 1, first, u.time, true, Component::embed).with(op_flags::input_no_gradient));
    sink.add(activation("act", u.time, Activation::silu));
    sink.add(linear("linear_2", 1, u.time, u.time, true, Component::embed));
  }
  if (u.added > 0) {
    const Scope added(sink, "add_embedding");
    sink.add(linear("linear_1", 1, u.added, u.time, true, Component::embed).with(op_flags::input_no_gradient));
    sink.add(activation("act", u.time, Activation::silu));
    sink.add(linear("linear_2", 1, u.time, u.time, true, Component::embed));
  }
  std::vector<std::int64_t> skips{first};
  std::int64_t width = first, side = u.side;
  for (std::int64_t i = 0; i < stages; ++i) {
    const Scope block(sink, "down_blocks");
    const Stage& stage = u.down[static_cast<std::size_t>(i)];
    for (std::int64_t j = 0; j < u.per_block; ++j) {
      describe_resnet(f, u, width, stage.width, side);
      width = stage.width;
      if (stage.attends) describe_transformer(f, u, stage, side);
      skips.push_back(width);
    }
    if (i + 1 == stages) break;
    const std::int64_t smaller = (side + 1) / 2;
    sink.add(convolution("downsample", width, width, 1, 9, side * side, smaller * smaller, true));
    side = smaller;
    skips.push_back(width);
  }
  {
    const Scope block(sink, "mid_block");
    describe_resnet(f, u, width, width, side);
    describe_transformer(f, u, u.down.back(), side);
    describe_resnet(f, u, width, width, side);
  }
  for (std::int64_t i = 0; i < stages; ++i) {
    const Scope block(sink, "up_blocks");
    const Stage& stage = u.up[static_cast<std::size_t>(i)];
    for (std::int64_t j = 0; j <= u.per_block; ++j) {
      const std::int64_t joined = width + skips.back();
      skips.pop_back();
      describe_resnet(f, u, joined, stage.width, side);
      width = stage.width;
      if (stage.attends) describe_transformer(f, u, stage, side);
    }
    if (i + 1 == stages) break;
    side *= 2;
    sink.add(convolution("upsample", width, width, 1, 9, side * side, side * side, true));
  }
  sink.add(group_norm("conv_norm_out", width, side * side, u.groups));
  sink.add(activation("act", side * side * width, Activation::silu));
  sink.add(convolution("conv_out", width, u.out, 1, 9, side * side, side * side, true));
}

}  // namespace

extern const FamilyDef k_unet;
const FamilyDef k_unet = {
    "unet",
    "Stable Diffusion 1, 2 and XL: a U-Net of residual blocks with text cross-attention, driven by time",
    "huggingface/diffusers models/unets/unet_2d_condition.py, unet_2d_blocks.py; 2112.10752, 2307.01952",
    {},
    kArchitectures,
    build<describe_unet>,
    "image"};

}  // namespace floptally::families
