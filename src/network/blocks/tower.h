// Towers: encoders of images (and spectrograms) as they stand alone or before a language model. Their samples are
// images, so their sizes are patches per image.
#pragma once

#include <cstdint>
#include <string_view>

#include "network/blocks/blocks.h"

namespace floptally {

// A plain transformer encoder layer: pre-norm, biases, no mask (ViT, CLIP, SigLIP, Whisper's encoder).
struct EncoderLayerPart {
  std::int64_t width = 0, heads = 0, ffn = 0;
  std::int64_t head_dim = 0;  // 0: width / heads
  NormKind norm = NormKind::layer;
  bool qkv_bias = true, key_bias = true, out_bias = true, mlp_bias = true;
  bool gated = false;
  bool post_norm = false;  // norms after the sublayers (BERT)
  std::int64_t rotary_dim = 0;
  QkNorm qk_norm = QkNorm::none;
  NormKind qk_norm_kind = NormKind::rms;
  AttentionMask mask = AttentionMask::none;
  std::int64_t span = 0;
  bool layer_scale = false;  // a learned scale of each sublayer's output
  Activation activation = Activation::gelu;
};
void describe_encoder_layer(const EncoderLayerPart& part, std::int64_t tokens, Sink& sink);

// Convolution over patches that do not overlap: `patches` outputs of `patch` positions (all dimensions multiplied)
// each.
Op patch_embedding(std::string_view name, std::int64_t channels, std::int64_t width, std::int64_t patch,
                   std::int64_t patches, bool bias);

}  // namespace floptally
