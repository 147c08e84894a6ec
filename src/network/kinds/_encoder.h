// The layers that encoders of text and of images share.
#pragma once

#include "network/spec.h"

namespace floptally::kinds {

// Attention of every token to every token: no mask, nothing rotated, biases everywhere.
inline AttentionPart encoder_attention(std::int64_t width, std::int64_t heads) {
  AttentionPart part;
  part.width = width;
  part.heads = part.kv_heads = heads;
  part.head_dim = width / heads;
  part.q_bias = part.k_bias = part.v_bias = part.out_bias = true;
  part.rotary_dim = 0;
  part.mask = AttentionMask::none;
  return part;
}

// Two linear layers with biases around a GELU.
inline MlpPart encoder_mlp(std::int64_t width, std::int64_t ffn) {
  MlpPart part;
  part.width = width;
  part.ffn = ffn;
  part.gated = false;
  part.up_bias = part.down_bias = true;
  part.activation = Activation::gelu;
  return part;
}

}  // namespace floptally::kinds
