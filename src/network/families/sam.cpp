#include "network/blocks/tower.h"
#include "network/families/_sam.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"sam", "sam_vision_model"};
constexpr std::string_view kArchitectures[] = {"SamModel", "SamVisionModel"};

struct Encoder {
  EncoderLayerPart layer;
  std::int64_t layers = 12, full = 4, channels = 3, patch = 16, side = 64, window = 14, out = 256;
  bool absolute = true, relative = true;
};

// The bias of a pair is made of its rows' and its columns' distance: two products with tables of 2n - 1 vectors.
void describe_attention(Sink& sink, const Encoder& e, bool windowed) {
  const std::int64_t width = e.layer.width, head_dim = width / e.layer.heads,
                     span = windowed ? e.window : e.side;  // positions a side
  const std::int64_t windows = windowed ? (e.side + span - 1) / span * ((e.side + span - 1) / span) : 1,
                     tokens = windows * span * span;
  const Scope scope(sink, "attn");
  sink.add(column_linear("qkv", tokens, width, 3 * width, e.layer.qkv_bias, Component::projection));
  if (e.relative) {
    for (const std::string_view name : {"rel_pos_h", "rel_pos_w"}) {
      sink.add(parameter(name, (2 * span - 1) * head_dim, 0, Component::position));
      sink.add(matmul("rel_pos", span, tokens / span * e.layer.heads, head_dim, span));
    }
    sink.add(elementwise("add_rel_pos", windows * e.layer.heads * span * span * span * span, 3, 2));
  }
  AttentionShape shape;
  shape.queries = shape.keys = span * span;
  shape.heads = shape.kv_heads = e.layer.heads;
  shape.key_dim = shape.value_dim = head_dim;
  shape.mask = AttentionMask::none;
  sink.add(attention("attention", shape).repeated(windows));
  sink.add(row_linear("proj", tokens, width, width, true, Component::projection));
}

void describe_encoder(Sink& sink, const Encoder& e) {
  const std::int64_t tokens = e.side * e.side, width = e.layer.width;
  const Scope scope(sink, "vision_encoder");
  sink.add(patch_embedding("patch_embed", e.channels, width, e.patch * e.patch, tokens, true)
               .with(op_flags::input_no_gradient));
  if (e.absolute) sink.add(position_table("pos_embed", tokens, tokens, width));
  for (const bool windowed : {true, false}) {
    if ((windowed ? e.layers - e.full : e.full) < 1) continue;
    const Scope layers(sink, "layers", windowed ? e.layers - e.full : e.full, BlockKind::layer);
    sink.add(layer_norm("layer_norm1", tokens, width));
    describe_attention(sink, e, windowed);
    sink.add(residual(tokens * width));
    sink.add(layer_norm("layer_norm2", tokens, width));
    describe_mlp(mlp_of(width, e.layer.ffn, e.layer.activation, false, true), tokens, sink);
    sink.add(residual(tokens * width));
  }
  const Scope neck(sink, "neck");
  sink.add(convolution("conv1", width, e.out, 1, 1, tokens, tokens, false));
  sink.add(layer_norm("layer_norm1", tokens, e.out));
  sink.add(convolution("conv2", e.out, e.out, 1, 9, tokens, tokens, false));
  sink.add(layer_norm("layer_norm2", tokens, e.out));
}

Encoder read_encoder(const Keys& c) {
  Encoder e;
  e.layer.width = c.assume("hidden_size", 768);
  e.layer.heads = c.assume("num_attention_heads", 12);
  e.layer.ffn = c.size_or(
      "mlp_dim", std::max<std::int64_t>(
                     1, static_cast<std::int64_t>(c.ratio_or("mlp_ratio", 4) * static_cast<double>(e.layer.width))));
  e.layer.qkv_bias = c.flag("qkv_bias", true);
  e.layer.activation = c.config().activation({"hidden_act"}, "gelu");
  e.layers = c.assume("num_hidden_layers", 12);
  e.channels = c.assume("num_channels", 3);
  e.patch = c.assume("patch_size", 16);
  e.side = c.assume("image_size", 1024) / e.patch;
  e.out = c.assume("output_channels", 256);
  e.window = c.assume_count("window_size", 14);
  e.absolute = c.flag("use_abs_pos", true);
  e.relative = c.flag("use_rel_pos", true);
  std::vector<std::uint8_t> full(static_cast<std::size_t>(std::min<std::int64_t>(e.layers, 1 << 16)), 0);
  if (c.has("global_attn_indexes"))
    at_listed(c.node("global_attn_indexes"), full.size(), [&](std::size_t i) { full[i] = 1; });
  else
    for (const std::size_t i : {2U, 5U, 8U, 11U})
      if (i < full.size()) full[i] = 1;
  e.full = e.window == 0 ? e.layers : std::count(full.begin(), full.end(), 1);
  c.divides("num_attention_heads", e.layer.heads, "hidden_size", e.layer.width);
  c.understood({"num_pos_feats", "mlp_ratio", "projection_dim", "intermediate_size"});
  if (e.side < 1) c.problem("shape-range", "patch_size", "'patch_size' is larger than 'image_size'");
  return e;
}

void describe_sam(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const bool alone = c.text_or("model_type", "sam") == "sam_vision_model" || named == "SamVisionModel" ||
                     (f.inputs.inside && !c.has("vision_config"));
  if (!named.empty() && named != "SamModel" && named != "SamVisionModel")
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const bool nested_vision = c.has("vision_config");
  if (!alone && !nested_vision) c.size("vision_config");
  const Encoder e = read_encoder(nested_vision ? c.child("vision_config") : c);
  const Keys m = c.child("mask_decoder_config"), p = c.child("prompt_encoder_config");
  MaskDecoder d = read_mask_decoder(m, "relu");
  d.map = e.side;
  p.understood({"hidden_size", "image_size", "patch_size", "image_embedding_size", "hidden_act"});
  if (!alone && p.size_or("hidden_size", d.width) != d.width)
    p.problem("shape-range", "hidden_size", "prompts must be as wide as the decoder");
  if (!alone && d.width != e.out)
    m.problem("shape-range", "hidden_size", "'hidden_size' must be the encoder's 'output_channels'");
  if (!f.ok()) return;
  describe_encoder(f.sink, e);
  if (alone) return;
  describe_prompts(f.sink, p, d.width, d.map);
  describe_mask_decoder(f.sink, d);
  // Places are products with a fixed random matrix (Tancik 2006.10739).
  f.sink.add(move("positional_embedding", 0, d.width));
  f.sink.add(matmul("positions", 1, d.map * d.map + d.prompt, 2, d.width / 2, 0, Component::position));
  f.remark("masks are counted for one point per image");
}

}  // namespace

extern const FamilyDef k_sam;
const FamilyDef k_sam = {
    "sam",
    "Segment Anything: windows and biases of rows and columns in the encoder, a decoder that reads "
    "the image from both sides",
    "huggingface/transformers models/sam/modeling_sam.py; 2304.02643",
    kTypes,
    kArchitectures,
    build<describe_sam>,
    "image"};

}  // namespace floptally::families
