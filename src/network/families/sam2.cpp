#include "network/families/_sam.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"sam2", "sam2_video"};
constexpr std::string_view kArchitectures[] = {"Sam2Model", "Sam2VideoModel"};

// Hiera (2306.00989) as SAM 2 has it: four stages whose first block keeps one query of four.
struct Hiera {
  std::vector<std::int64_t> blocks = {1, 2, 7, 2}, widths = {96, 192, 384, 768}, heads = {1, 2, 4, 8},
                            windows = {8, 4, 14, 7}, full = {5, 7, 9};
  std::int64_t channels = 3, image = 1024, kernel = 7, stride = 4, padding = 3, pools = 3, query = 2, background = 7,
               hidden = 96;
  double ratio = 4;
};

std::int64_t first_of(const Keys& c, std::string_view key, std::int64_t published) {
  if (c.node(key).is_sequence()) return c.element(key, 0);
  return c.assume(key, published);
}

Hiera read_hiera(const Keys& c) {
  Hiera h;
  const auto list = [&](std::string_view key, std::vector<std::int64_t>& sizes) {
    if (c.has(key)) sizes = c.config().sizes({key});
  };
  list("blocks_per_stage", h.blocks);
  list("embed_dim_per_stage", h.widths);
  list("num_attention_heads_per_stage", h.heads);
  list("window_size_per_stage", h.windows);
  list("global_attention_blocks", h.full);
  h.channels = c.assume("num_channels", 3);
  h.image = first_of(c, "image_size", 1024);
  h.kernel = first_of(c, "patch_kernel_size", 7);
  h.stride = first_of(c, "patch_stride", 4);
  h.padding = first_of(c, "patch_padding", 3);
  h.query = first_of(c, "query_stride", 2);
  h.background = first_of(c, "window_positional_embedding_background_size", 7);
  h.pools = c.assume_count("num_query_pool_stages", 3);
  h.ratio = c.ratio_or("mlp_ratio", 4);
  h.hidden = c.size_or("hidden_size", h.widths.empty() ? 1 : h.widths[0]);
  c.understood({"hidden_size", "num_attention_heads", "hidden_act"});
  const std::size_t stages = h.blocks.size();
  if (stages < 3 || stages > 8 || h.widths.size() != stages || h.heads.size() != stages || h.windows.size() != stages)
    c.problem("shape-range", "blocks_per_stage", "the lists of the tower's stages must be of one length, 3 to 8");
  for (std::size_t i = 0; c.ok() && i < stages; ++i)
    if (h.blocks[i] < 1 || h.blocks[i] > 1000 || h.widths[i] < 1 || h.heads[i] < 1 || h.windows[i] < 1 ||
        h.widths[i] % h.heads[i] != 0)
      c.problem("shape-range", "blocks_per_stage",
                "stages must have blocks, windows and heads that divide their width");
  if (h.kernel < 1 || h.stride < 1 || h.padding < 0 || h.query < 1 || h.background < 1 || h.image < h.kernel)
    c.problem("shape-range", "patch_kernel_size", "sizes of the tower must be at least 1");
  return h;
}

struct Block {
  std::int64_t from = 1, width = 1, heads = 1, window = 0, side = 1, pooled = 1, ffn = 1;  // window 0: the whole map
};

void describe_block(Sink& sink, const Block& b) {
  const std::int64_t span = b.window > 0 ? b.window : b.side, across = (b.side + span - 1) / span,
                     windows = across * across, tokens = b.side * b.side, rows = windows * span * span;
  const std::int64_t out_side = b.side / b.pooled, out = out_side * out_side,
                     kept = (span / b.pooled) * (span / b.pooled);
  const Scope layer(sink, "blocks", 1, BlockKind::layer);
  sink.add(layer_norm("layer_norm1", tokens, b.from));
  if (b.from != b.width) {
    sink.add(linear("proj", tokens, b.from, b.width, true, Component::projection));
    if (b.pooled > 1) sink.add(pool("pool", b.width, tokens, out, b.pooled * b.pooled, true));
  }
  {
    const Scope scope(sink, "attn");
    sink.add(column_linear("qkv", rows, b.from, 3 * b.width, true, Component::projection));
    if (b.pooled > 1) sink.add(pool("query_pool", b.width, rows, windows * kept, b.pooled * b.pooled, true));
    AttentionShape shape;
    shape.queries = kept;
    shape.keys = span * span;
    shape.heads = shape.kv_heads = b.heads;
    shape.key_dim = shape.value_dim = b.width / b.heads;
    shape.mask = AttentionMask::none;
    sink.add(attention("attention", shape).repeated(windows));
    sink.add(row_linear("proj", windows * kept, b.width, b.width, true, Component::projection));
  }
  sink.add(residual(out * b.width));
  sink.add(layer_norm("layer_norm2", out, b.width));
  describe_mlp(mlp_of(b.width, b.ffn, Activation::gelu, false, true), out, sink);
  sink.add(residual(out * b.width));
}

// Gives the side of each stage's map.
std::vector<std::int64_t> describe_hiera(Sink& sink, const Hiera& h) {
  const Scope scope(sink, "backbone");
  std::int64_t side = (h.image + 2 * h.padding - h.kernel) / h.stride + 1, from = h.widths[0], at = 0;
  const std::int64_t tokens = side * side;
  sink.add(convolution("patch_embed", h.channels, from, 1, h.kernel * h.kernel, h.image * h.image, tokens, true)
               .with(op_flags::input_no_gradient));
  sink.add(parameter("pos_embed", h.background * h.background * from, tokens * from, Component::position));
  sink.add(parameter("pos_embed_window", h.windows[0] * h.windows[0] * from, tokens * from, Component::position));
  std::vector<std::int64_t> sides;
  for (std::size_t stage = 0; stage < h.blocks.size(); ++stage) {
    for (std::int64_t i = 0; i < h.blocks[stage]; ++i, ++at) {
      const bool enters = stage > 0 && i == 0, pools = enters && static_cast<std::int64_t>(stage) <= h.pools,
                 whole = std::find(h.full.begin(), h.full.end(), at) != h.full.end();
      Block b{from, h.widths[stage],    h.heads[stage], whole ? 0 : h.windows[enters ? stage - 1 : stage],
              side, pools ? h.query : 1};
      b.ffn = static_cast<std::int64_t>(h.ratio * static_cast<double>(b.width));
      describe_block(sink, b);
      side = std::max<std::int64_t>(1, side / b.pooled);
      from = b.width;
    }
    sides.push_back(side);
  }
  return sides;
}

struct Memory {
  std::int64_t width = 256, layers = 4, ffn = 2048, kept = 64, frames = 7, fuser = 2, fuser_ffn = 1024, kernel = 7,
               fuser_width = 256, mask_width = 256, mask_kernel = 3, mask_stride = 2, mask_shrinks = 16;
  bool occlusion = true, places = true;
};

Memory read_memory(const Keys& c) {
  Memory m;
  m.width = c.assume("memory_encoder_hidden_size", 256);
  m.layers = c.assume("memory_attention_num_layers", 4);
  m.ffn = c.assume("memory_attention_feed_forward_hidden_size", 2048);
  m.kept = c.assume("memory_encoder_output_channels", 64);
  m.frames = c.assume("num_maskmem", 7);
  m.fuser = c.assume("memory_fuser_num_layers", 2);
  m.fuser_width = c.assume("memory_fuser_embed_dim", 256);
  m.fuser_ffn = c.assume("memory_fuser_intermediate_dim", 1024);
  m.kernel = c.assume("memory_fuser_kernel_size", 7);
  m.mask_width = c.assume("mask_downsampler_embed_dim", 256);
  m.mask_kernel = c.assume("mask_downsampler_kernel_size", 3);
  m.mask_stride = c.assume("mask_downsampler_stride", 2);
  m.mask_shrinks = c.assume("mask_downsampler_total_stride", 16);
  m.occlusion = c.flag("enable_occlusion_spatial_embedding", true);
  m.places = c.flag("enable_temporal_pos_encoding_for_object_pointers", true);
  if (c.assume("memory_attention_downsample_rate", 1) != 1 || m.mask_stride < 2 ||
      c.assume("memory_attention_hidden_size", 256) != m.width)
    c.problem("unknown-variant", "memory_attention_downsample_rate", "only a memory of one width is known");
  c.understood({"image_size", "sigmoid_scale_for_mem_enc", "sigmoid_bias_for_mem_enc", "multimask_output_in_sam",
                "multimask_min_pt_num", "multimask_max_pt_num", "multimask_output_for_tracking",
                "max_object_pointers_in_encoder", "max_cond_frame_num", "memory_attention_num_attention_heads",
                "memory_attention_feed_forward_hidden_act", "memory_attention_rope_theta",
                "memory_attention_rope_feat_sizes", "memory_fuser_padding", "memory_fuser_layer_scale_init_value",
                "memory_fuser_hidden_act", "mask_downsampler_padding", "mask_downsampler_hidden_act"});
  return m;
}

// What earlier frames leave, and how later ones read it. One frame alone has none: all of it stands idle.
void describe_memory(Sink& inner, const Memory& m) {
  RepeatedSink sink(inner, 0);
  const std::int64_t width = m.width;
  const auto table = [&](std::string_view name, std::int64_t count) { sink.add(parameter(name, count, 0)); };
  const auto dense = [&](std::string_view name, std::int64_t in, std::int64_t out) {
    sink.add(linear(name, 1, in, out, true));
  };
  const auto conv = [&](std::string_view name, std::int64_t in, std::int64_t out, std::int64_t groups,
                        std::int64_t kernel) {
    sink.add(convolution(name, in, out, groups, kernel * kernel, 1, 1, true));
  };
  table("no_memory_positional_encoding", width);
  table("memory_temporal_positional_encoding", m.frames * m.kept);
  table("no_object_pointer", width);
  if (m.occlusion) table("occlusion_spatial_embedding_parameter", m.kept);
  if (m.places) dense("temporal_positional_encoding_projection_layer", width, m.kept);
  conv("mask_downsample", 1, 1, 1, 4);
  describe_perceptron(sink, "object_pointer_proj", width, width, width, 3);
  {
    const Scope layers(sink, "memory_attention", m.layers, BlockKind::layer);
    for (const std::string_view name : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
                                        "cross_attn_image.q_proj", "cross_attn_image.o_proj"})
      dense(name, width, width);
    for (const std::string_view name : {"cross_attn_image.k_proj", "cross_attn_image.v_proj"})
      dense(name, m.kept, width);
    dense("linear1", width, m.ffn);
    dense("linear2", m.ffn, width);
    for (const std::string_view name : {"layer_norm1", "layer_norm2", "layer_norm3"})
      sink.add(layer_norm(name, 1, width));
  }
  sink.add(layer_norm("memory_attention.layer_norm", 1, width));
  const Scope encoder(sink, "memory_encoder");
  std::int64_t channels = 1;
  for (std::int64_t left = m.mask_shrinks; left >= m.mask_stride; left /= m.mask_stride) {
    const std::int64_t out = channels * m.mask_stride * m.mask_stride;
    conv("mask_downsampler.conv", channels, out, 1, m.mask_kernel);
    sink.add(layer_norm("mask_downsampler.layer_norm", 1, out));
    channels = out;
  }
  conv("mask_downsampler.final_conv", channels, m.mask_width, 1, 1);
  conv("feature_projection", width, width, 1, 1);
  {
    const Scope fuser(sink, "memory_fuser", m.fuser);
    conv("depthwise_conv", m.fuser_width, m.fuser_width, m.fuser_width, m.kernel);
    sink.add(layer_norm("layer_norm", 1, m.fuser_width));
    dense("pointwise_conv1", m.fuser_width, m.fuser_ffn);
    dense("pointwise_conv2", m.fuser_ffn, m.fuser_width);
    table("scale", m.fuser_width);
  }
  conv("projection", width, m.kept, 1, 1);
}

void describe_sam2(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture(), type = c.text_or("model_type", "sam2");
  if (!named.empty() && named != "Sam2Model" && named != "Sam2VideoModel")
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const bool video = named.empty() ? type == "sam2_video" : named == "Sam2VideoModel";
  const Keys v = c.child("vision_config"), p = c.child("prompt_encoder_config");
  if (!v.present()) c.size("vision_config");
  const Hiera h = read_hiera(v.child("backbone_config"));
  const std::int64_t width = v.assume("fpn_hidden_size", 256), kernel = v.assume("fpn_kernel_size", 1);
  v.understood({"backbone_channel_list", "backbone_feature_sizes", "fpn_stride", "fpn_padding", "fpn_top_down_levels",
                "num_feature_levels", "hidden_act"});
  p.understood({"hidden_size", "image_size", "patch_size", "hidden_act", "scale"});
  MaskDecoder d = read_mask_decoder(c.child("mask_decoder_config"), "gelu");
  d.scores = true;
  const Memory memory = read_memory(c);
  if (p.size_or("hidden_size", width) != width || h.hidden != h.widths[0])
    c.problem("shape-range", "hidden_size", "prompts must be as wide as the decoder, the tower as its first stage");
  if (d.width != width || (video && memory.width != width))
    c.problem("shape-range", "fpn_hidden_size", "decoder and memory must be as wide as 'fpn_hidden_size'");
  if (!f.ok()) return;
  {
    const Scope encoder(f.sink, "vision_encoder");
    const std::vector<std::int64_t> sides = describe_hiera(f.sink, h);
    const Scope neck(f.sink, "neck");
    for (std::size_t i = sides.size(); i-- > 0;)
      f.sink.add(
          convolution("convs", h.widths[i], width, 1, kernel * kernel, sides[i] * sides[i], sides[i] * sides[i], true));
    d.map = sides[sides.size() - 2];
  }
  f.sink.add(parameter("no_memory_embedding", width, d.map * d.map * width));
  describe_prompts(f.sink, p, width, d.map);
  describe_mask_decoder(f.sink, d);
  f.sink.add(move("positional_embedding", 0, width));
  f.sink.add(matmul("positions", 1, d.map * d.map + d.prompt, 2, width / 2, 0, Component::position));
  if (video) describe_memory(f.sink, memory);
  f.remark(video ? "one frame with one point is counted; the memory of earlier frames stands idle"
                 : "masks are counted for one point per image");
}

}  // namespace

extern const FamilyDef k_sam2;
const FamilyDef k_sam2 = {"sam2",
                          "Segment Anything 2: Hiera, three maps, SAM's decoder, and a memory of earlier frames",
                          "huggingface/transformers models/sam2/modeling_sam2.py, models/sam2_video; 2408.00714",
                          kTypes,
                          kArchitectures,
                          build<describe_sam2>,
                          "image"};

}  // namespace floptally::families
