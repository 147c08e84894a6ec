#include <algorithm>

#include "network/families/_detection.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"sam3"};
constexpr std::string_view kArchitectures[] = {"Sam3Model"};

struct Eye {
  EncoderLayerPart layer;
  std::int64_t layers = 32, full = 4, channels = 3, patch = 14, grid = 72, window = 24, table = 24, out = 256;
};

Eye read_eye(const Keys& v) {
  const Keys b = v.child("backbone_config");
  Eye e;
  e.layer.width = b.assume("hidden_size", 1024);
  e.layer.heads = b.assume("num_attention_heads", 16);
  e.layer.ffn = b.assume("intermediate_size", 4736);
  e.layer.rotary_dim = e.layer.width / std::max<std::int64_t>(1, e.layer.heads);
  e.layers = b.assume("num_hidden_layers", 32);
  e.channels = b.assume("num_channels", 3);
  e.patch = b.assume("patch_size", 14);
  e.window = b.assume("window_size", 24);
  e.grid = b.assume("image_size", 1008) / e.patch;
  e.table = b.assume("pretrain_image_size", 336) / e.patch;
  e.out = v.assume("fpn_hidden_size", 256);
  std::vector<std::uint8_t> full(static_cast<std::size_t>(std::min<std::int64_t>(e.layers, 1 << 16)), 0);
  if (b.has("global_attn_indexes"))
    at_listed(b.node("global_attn_indexes"), full.size(), [&](std::size_t i) { full[i] = 1; });
  else
    for (std::size_t i = 7; i < full.size(); i += 8) full[i] = 1;
  e.full = std::count(full.begin(), full.end(), std::uint8_t{1});
  b.divides("num_attention_heads", e.layer.heads, "hidden_size", e.layer.width);
  if (e.grid < 8 || e.grid % 2 != 0 || e.table < 1)
    b.problem("shape-range", "image_size", "'image_size' must hold an even number of patches a side, at least 8");
  if (e.layer.width % 4 != 0) b.problem("shape-divide", "hidden_size", "'hidden_size' must be a multiple of 4");
  constexpr double kFactors[] = {4, 2, 1, 0.5};
  const Node factors = v.node("scale_factors");
  for (std::size_t i = 0; i < factors.size(); ++i)
    if (factors.size() != 4 || factors[i].as_double().value_or(0) != kFactors[i])
      v.problem("unknown-variant", "scale_factors", "only maps of 4, 2, 1 and 0.5 times the grid are known");
  b.understood({"hidden_act", "model_type", "hidden_dropout", "layer_scale_init_value"});
  v.understood({"hidden_act", "model_type", "backbone_feature_sizes"});
  return e;
}

void describe_eye(Sink& sink, const Eye& e) {
  const std::int64_t width = e.layer.width, tokens = e.grid * e.grid, across = (e.grid + e.window - 1) / e.window;
  const Scope scope(sink, "vision_encoder");
  sink.add(patch_embedding("patch_embeddings", e.channels, width, e.patch * e.patch, tokens, false)
               .with(op_flags::input_no_gradient));
  sink.add(position_table("position_embeddings", tokens, e.table * e.table, width));
  sink.add(layer_norm("layer_norm", tokens, width));
  if (e.layers > e.full) {
    RepeatedSink windows(sink, across * across);
    const Scope layers(windows, "layers", e.layers - e.full, BlockKind::layer);
    describe_encoder_layer(e.layer, e.window * e.window, windows);
  }
  if (e.full > 0) {
    const Scope layers(sink, "layers", e.full, BlockKind::layer);
    describe_encoder_layer(e.layer, tokens, sink);
  }
  for (int level = 0; level < 4; ++level) {
    const Scope neck(sink, "fpn_layers");
    ImageStack s{sink, width, e.grid, e.grid};
    if (level < 2) s.conv_transposed("scale_layers", width / 2, 2, 2, 0, 0, 1, true);
    if (level == 0) {
      s.act(Activation::gelu);
      s.conv_transposed("scale_layers", width / 4, 2, 2, 0, 0, 1, true);
    }
    if (level == 3) s.max_pool(2, 2);
    s.conv("proj1", {.out = e.out, .kernel = 1, .bias = true});
    s.conv("proj2", {.out = e.out, .kernel = 3, .padding = 1, .bias = true});
  }
}

struct Stack {
  std::int64_t width = 256, layers = 6, heads = 8, ffn = 2048;
};

Stack read_stack(const Keys& c, std::int64_t layers) {
  const Stack s{c.assume("hidden_size", 256), c.assume("num_layers", layers), c.assume("num_attention_heads", 8),
                c.assume("intermediate_size", 2048)};
  c.divides("num_attention_heads", s.heads, "hidden_size", s.width);
  c.understood({"hidden_act", "hidden_dropout", "model_type"});
  return s;
}

// Attention among `rows`, attention over `memory` positions, a feed-forward layer; norms before each.
void describe_stack_layers(Sink& sink, const Stack& s, std::int64_t rows, std::int64_t memory) {
  const Scope layers(sink, "layers", s.layers, BlockKind::layer);
  sink.add(layer_norm("layer_norm1", rows, s.width));
  describe_reading(sink, "self_attn", s.width, s.heads, rows, rows);
  sink.add(residual(rows * s.width));
  sink.add(layer_norm("layer_norm2", rows, s.width));
  describe_reading(sink, "cross_attn", s.width, s.heads, rows, memory);
  sink.add(residual(rows * s.width));
  sink.add(layer_norm("layer_norm3", rows, s.width));
  describe_mlp(mlp_of(s.width, s.ffn, Activation::relu, false, true), rows, sink);
  sink.add(residual(rows * s.width));
}

// Boxes as prompts: here none is given.
void describe_geometry(Sink& sink, const Stack& s, std::int64_t roi, std::int64_t tokens) {
  RepeatedSink idle(sink, 0);
  const Scope scope(idle, "geometry_encoder");
  constexpr std::int64_t kLabels = 2, kBox = 4;
  const std::int64_t width = s.width;
  idle.add(embedding("label_embed", 1, kLabels, width));
  idle.add(embedding("cls_embed", 1, 1, width));
  idle.add(linear("boxes_direct_project", 1, kBox, width, true));
  idle.add(convolution("boxes_pool_project", width, width, 1, roi * roi, roi * roi, 1, true));
  idle.add(linear("boxes_pos_enc_project", 1, width + 2, width, true));
  idle.add(layer_norm("vision_layer_norm", tokens, width));
  idle.add(linear("final_proj", 1, width, width, true));
  idle.add(layer_norm("prompt_layer_norm", 1, width));
  describe_stack_layers(idle, s, 1, tokens);
  idle.add(layer_norm("output_layer_norm", 1, width));
}

void describe_decoder(Sink& sink, const Stack& s, std::int64_t queries, std::int64_t words, std::int64_t grid) {
  const Scope scope(sink, "detr_decoder");
  const std::int64_t width = s.width, rows = queries + 1, tokens = grid * grid;  // one token says whether there is any
  sink.add(parameter("query_embed", queries * width, queries * width, Component::embed));
  sink.add(parameter("reference_points", queries * 4, queries * 4, Component::embed));
  sink.add(parameter("presence_token", width, width, Component::embed));
  {
    RepeatedSink each(sink, s.layers);
    describe_stack(each, "ref_point_head", queries, 2 * width, width, width, 2);
    for (const std::string_view name : {"box_rpb_embed_x", "box_rpb_embed_y"})
      describe_stack(each, name, queries * grid, 2, width, s.heads, 2);
    each.add(elementwise("box_rpb", queries * tokens * s.heads));
    each.add(layer_norm("output_layer_norm", 2 * queries, width));
    describe_stack(each, "presence_head", 1, width, width, 1, 3);
    each.add(layer_norm("presence_layer_norm", 1, width));
    RepeatedSink twice(each, 2);  // for the next layer's boxes, and for the answer
    describe_stack(twice, "box_head", queries, width, width, 4, 3);
  }
  const Scope layers(sink, "layers", s.layers, BlockKind::layer);
  describe_reading(sink, "self_attn", width, s.heads, rows, rows);
  describe_added(sink, "self_attn_layer_norm", rows, width);
  describe_reading(sink, "text_cross_attn", width, s.heads, rows, words);
  describe_added(sink, "text_cross_attn_layer_norm", rows, width);
  describe_reading(sink, "vision_cross_attn", width, s.heads, rows, tokens);
  describe_added(sink, "vision_cross_attn_layer_norm", rows, width);
  describe_mlp(mlp_of(width, s.ffn, Activation::relu, false, true), rows, sink);
  describe_added(sink, "mlp_layer_norm", rows, width);
}

void describe_scoring(Sink& sink, const Stack& s, std::int64_t queries, std::int64_t words) {
  const Scope scope(sink, "dot_product_scoring");
  describe_stack(sink, "text_mlp", words, s.width, s.ffn, s.width, 2);
  describe_added(sink, "text_mlp_out_norm", words, s.width);
  sink.add(linear("text_proj", 1, s.width, s.width, true, Component::head));
  sink.add(linear("query_proj", s.layers * queries, s.width, s.width, true, Component::head));
  sink.add(matmul("scores", s.layers, queries, s.width, 1, 2, Component::head));
}

struct Masks {
  std::int64_t width = 256, heads = 8, stages = 3;
};

void describe_masks(Sink& sink, const Masks& m, std::int64_t queries, std::int64_t words, std::int64_t grid) {
  const Scope scope(sink, "mask_decoder");
  const std::int64_t tokens = grid * grid, width = m.width;
  sink.add(layer_norm("prompt_cross_attn_norm", tokens, width));
  describe_reading(sink, "prompt_cross_attn", width, m.heads, tokens, words);
  sink.add(residual(tokens * width));
  ImageStack s{sink, width, grid, grid};
  constexpr std::int64_t kSteps = 2;  // maps of the eye that are finer than its grid
  for (std::int64_t i = 0; i < m.stages; ++i) {
    if (i < kSteps) {
      s.upsample(2, 1);
      s.residual();
    }
    RepeatedSink used(sink, i < kSteps ? 1 : 0);
    used.add(convolution("conv_layers", width, width, 1, 9, s.positions(), s.positions(), true));
    used.add(group_norm("norms", width, s.positions(), 8));
    used.add(activation("act", s.elements(), Activation::relu));
  }
  sink.add(convolution("instance_projection", width, width, 1, 1, s.positions(), s.positions(), true));
  describe_stack(sink, "mask_embedder", queries, width, width, width, 3);
  sink.add(matmul("masks", 1, queries, width, s.positions(), 2, Component::head));
  sink.add(convolution("semantic_projection", width, 1, 1, 1, s.positions(), s.positions(), true));
}

void describe_sam3(Family& f) {
  const Keys& c = f.config;
  if (!c.has("vision_config")) c.size("vision_config");
  const Eye e = read_eye(c.child("vision_config"));
  const Keys t = c.child("text_config"), g = c.child("geometry_encoder_config"), d = c.child("detr_decoder_config"),
             m = c.child("mask_decoder_config");
  TextTower text = read_clip_text(t, 32);
  if (!t.has("hidden_size")) text.layer.width = t.assume("hidden_size", 1024);
  const std::int64_t projected = t.assume("projection_dim", 512), queries = d.assume("num_queries", 200),
                     roi = g.assume("roi_size", 7);
  t.understood({"hidden_act", "model_type", "initializer_factor"});
  const Stack geometry = read_stack(g, 3), encoder = read_stack(c.child("detr_encoder_config"), 6),
              decoder = read_stack(d, 6);
  const Masks masks{m.assume("hidden_size", 256), m.assume("num_attention_heads", 8),
                    m.assume("num_upsampling_stages", 3)};
  m.understood({"model_type"});
  for (const std::int64_t width : {geometry.width, encoder.width, decoder.width, masks.width})
    if (width != e.out)
      c.problem("shape-range", "hidden_size", "all parts behind the eye must be 'fpn_hidden_size' wide");
  if (masks.stages < 2 || masks.stages > 64)
    m.problem("shape-range", "num_upsampling_stages", "'num_upsampling_stages' must be 2 to 64");
  m.divides("num_attention_heads", masks.heads, "hidden_size", masks.width);
  if (!f.ok()) return;
  const std::int64_t words = f.inputs.sequence > 0 ? std::min(f.inputs.sequence, text.positions) : text.positions,
                     tokens = e.grid * e.grid;
  describe_eye(f.sink, e);
  {
    const Scope scope(f.sink, "text_encoder");
    describe_clip_text(f.sink, text, words);
    f.sink.add(linear("text_projection", 1, text.layer.width, projected, false, Component::head));
  }
  f.sink.add(linear("text_projection", words, text.layer.width, e.out, true, Component::projection));
  describe_geometry(f.sink, geometry, roi, tokens);
  {
    const Scope scope(f.sink, "detr_encoder");
    describe_stack_layers(f.sink, encoder, tokens, words);
  }
  describe_decoder(f.sink, decoder, queries, words, e.grid);
  describe_scoring(f.sink, decoder, queries, words);
  describe_masks(f.sink, masks, queries, words, e.grid);
}

}  // namespace

extern const FamilyDef k_sam3;
const FamilyDef k_sam3 = {"sam3",
                          "Segment Anything 3, the detector: what a short phrase names in an image, as boxes and masks",
                          "huggingface/transformers models/sam3/modeling_sam3.py; 2511.16719",
                          kTypes,
                          kArchitectures,
                          build<describe_sam3>,
                          "image"};

}  // namespace floptally::families
