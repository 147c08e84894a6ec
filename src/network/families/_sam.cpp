#include "network/families/_sam.h"

namespace floptally::families {
namespace {

void describe_attending(Sink& sink, const MaskDecoder& d, std::string_view name, std::int64_t queries,
                        std::int64_t keys, std::int64_t shrinks) {
  CrossAttentionPart a;
  a.name = name;
  a.width = a.memory_width = d.width;
  a.heads = a.kv_heads = d.heads;
  a.head_dim = d.width / shrinks / d.heads;
  a.q_bias = a.k_bias = a.v_bias = a.out_bias = true;
  describe_cross_attention(a, queries, keys, sink);
  sink.add(residual(queries * d.width));
  sink.add(layer_norm("layer_norm", queries, d.width));
}

}  // namespace

MaskDecoder read_mask_decoder(const Keys& m, std::string_view absent) {
  MaskDecoder d;
  d.width = m.assume("hidden_size", 256);
  d.layers = m.assume("num_hidden_layers", 2);
  d.heads = m.assume("num_attention_heads", 8);
  d.ffn = m.assume("mlp_dim", 2048);
  d.shrinks = m.assume("attention_downsample_rate", 2);
  d.masks = m.assume("num_multimask_outputs", 3) + 1;
  d.iou_depth = m.assume("iou_head_depth", 3);
  d.iou_width = m.assume("iou_head_hidden_dim", 256);
  d.activation = m.config().activation({"hidden_act"}, absent);
  m.divides("num_attention_heads", d.heads * d.shrinks, "hidden_size", d.width);
  m.understood(
      {"dynamic_multimask_via_stability", "dynamic_multimask_stability_delta", "dynamic_multimask_stability_thresh"});
  return d;
}

void describe_perceptron(Sink& sink, std::string_view name, std::int64_t in, std::int64_t hidden, std::int64_t out,
                         std::int64_t depth) {
  const Scope scope(sink, name);
  sink.add(linear("proj_in", 1, in, hidden, true, Component::head));
  {
    const Scope layers(sink, "layers", std::max<std::int64_t>(0, depth - 2));
    sink.add(linear("layers", 1, hidden, hidden, true, Component::head));
  }
  sink.add(linear("proj_out", 1, hidden, out, true, Component::head));
}

void describe_mask_decoder(Sink& sink, const MaskDecoder& d) {
  const Scope scope(sink, "mask_decoder");
  const std::int64_t width = d.width, positions = d.map * d.map;
  // In SAM's layers by 2, whatever the config says of the last attention.
  const std::int64_t shrinks = d.scores ? d.shrinks : 2;
  sink.add(parameter("iou_token", width, width, Component::embed));
  if (d.scores) sink.add(parameter("obj_score_token", width, width, Component::embed));
  sink.add(parameter("mask_tokens", d.masks * width, d.masks * width, Component::embed));
  {
    const Scope layers(sink, "layers", d.layers, BlockKind::layer);
    describe_attending(sink, d, "self_attn", d.tokens(), d.tokens(), 1);
    describe_attending(sink, d, "cross_attn_token_to_image", d.tokens(), positions, shrinks);
    describe_mlp(mlp_of(width, d.ffn, d.activation, false, true), d.tokens(), sink);
    sink.add(residual(d.tokens() * width));
    sink.add(layer_norm("layer_norm3", d.tokens(), width));
    describe_attending(sink, d, "cross_attn_image_to_token", positions, d.tokens(), shrinks);
  }
  describe_attending(sink, d, "final_attn_token_to_image", d.tokens(), positions, d.shrinks);
  const std::int64_t quarter = width / 4, eighth = width / 8;
  if (d.scores) {
    sink.add(convolution("conv_s0", width, eighth, 1, 1, 16 * positions, 16 * positions, true));
    sink.add(convolution("conv_s1", width, quarter, 1, 1, 4 * positions, 4 * positions, true));
  }
  sink.add(convolution_transposed("upscale_conv1", width, quarter, 1, 4, positions, 4 * positions, true));
  sink.add(layer_norm("upscale_layer_norm", 4 * positions, quarter));
  sink.add(activation("act", 4 * positions * quarter, Activation::gelu));
  sink.add(convolution_transposed("upscale_conv2", quarter, eighth, 1, 4, 4 * positions, 16 * positions, true));
  sink.add(activation("act", 16 * positions * eighth, Activation::gelu));
  {
    const Scope each(sink, "output_hypernetworks_mlps", d.masks);
    describe_perceptron(sink, "mlp", width, width, eighth, 3);
  }
  sink.add(matmul("masks", 1, d.masks, eighth, 16 * positions, 2, Component::head));
  describe_perceptron(sink, "iou_prediction_head", width, d.iou_width, d.masks, d.iou_depth);
  if (d.scores) describe_perceptron(sink, "pred_obj_score_head", width, width, 1, 3);
}

void describe_prompts(Sink& sink, const Keys& p, std::int64_t width, std::int64_t map) {
  const std::int64_t points = p.assume("num_point_embeddings", 4), inner = p.assume("mask_input_channels", 16),
                     quarter = std::max<std::int64_t>(1, inner / 4), positions = map * map;
  const Scope scope(sink, "prompt_encoder");
  sink.add(parameter("point_embed", (points + 1) * width, 0, Component::embed));
  sink.add(parameter("no_mask_embed", width, positions * width, Component::embed));
  RepeatedSink idle(sink, 0);
  const Scope masks(idle, "mask_embed");
  idle.add(convolution("conv1", 1, quarter, 1, 4, 16 * positions, 4 * positions, true));
  idle.add(layer_norm("layer_norm1", 4 * positions, quarter));
  idle.add(convolution("conv2", quarter, inner, 1, 4, 4 * positions, positions, true));
  idle.add(layer_norm("layer_norm2", positions, inner));
  idle.add(convolution("conv3", inner, width, 1, 1, positions, positions, true));
}

}  // namespace floptally::families
