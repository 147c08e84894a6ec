#include "network/families/_conformer.h"

namespace floptally::families {
namespace {

// Half a step of residual.
void describe_feed(Sink& sink, std::string_view norm, const Conformer& c, std::int64_t tokens) {
  sink.add(layer_norm(norm, tokens, c.width));
  describe_mlp(mlp_of(c.width, c.inner, c.activation, false, c.linear_bias), tokens, sink);
  sink.add(residual(tokens * c.width));
}

}  // namespace

void describe_conformer(Sink& sink, const Conformer& c, std::int64_t tokens) {
  const Scope layers(sink, "layers", c.layers, BlockKind::layer);
  const std::int64_t width = c.width;
  describe_feed(sink, "ffn1_layer_norm", c, tokens);
  AttentionPart self;
  self.width = width;
  self.heads = self.kv_heads = c.heads;
  self.head_dim = width / c.heads;
  self.rotary_dim = 0;
  self.mask = AttentionMask::none;
  set_bias(self, c.linear_bias, c.linear_bias);
  sink.add(layer_norm("self_attn_layer_norm", tokens, width));
  if (c.rotary) sink.add(rotary("rotary", tokens, c.heads, self.head_dim));
  describe_attention(self, tokens, sink);
  if (c.distances > 0) {
    sink.add(parameter("distance_embedding", c.distances * self.head_dim, 0, Component::position));
    sink.add(matmul("distance_scores", c.heads, tokens, self.head_dim, tokens));
  }
  if (c.relative) {
    const std::int64_t apart = 2 * tokens - 1;
    sink.add(linear("linear_pos", apart, width, width, false, Component::position));
    sink.add(parameter("pos_bias", 2 * width, 2 * tokens * width, Component::position));
    sink.add(matmul("position_scores", c.heads, tokens, self.head_dim, apart));
  }
  sink.add(residual(tokens * width));
  {
    const Scope scope(sink, "conv_module");
    sink.add(layer_norm("layer_norm", tokens, width));
    sink.add(convolution("pointwise_conv1", width, 2 * width, 1, 1, tokens, tokens, c.conv_bias));
    sink.add(gated_activation("glu", tokens * width, Activation::sigmoid));
    sink.add(convolution("depthwise_conv", width, width, width, c.kernel, tokens, tokens, c.conv_bias));
    sink.add(c.batch_normed ? batch_norm("batch_norm", width, tokens)
                            : layer_norm("depthwise_layer_norm", tokens, width));
    sink.add(activation("act", tokens * width, c.activation));
    sink.add(convolution("pointwise_conv2", width, width, 1, 1, tokens, tokens, c.conv_bias));
    sink.add(residual(tokens * width));
  }
  describe_feed(sink, "ffn2_layer_norm", c, tokens);
  sink.add(layer_norm("final_layer_norm", tokens, width));
}

}  // namespace floptally::families
