// A decoder that is small enough to count by hand, and what one device holds of it.
#pragma once

#include "estimate/memory.h"
#include "network/blocks/decoder.h"

namespace floptally {

// Llama's layers: gated, RMS norms, rotary positions, heads of 128.
inline DecoderShape llama(std::int64_t layers, std::int64_t width, std::int64_t heads, std::int64_t kv_heads,
                          std::int64_t ffn) {
  return {.layers = layers,
          .width = width,
          .heads = heads,
          .kv_heads = kv_heads,
          .head_dim = 128,
          .ffn = ffn,
          .vocabulary = 128256,
          .sequence = 4096,
          .positions = Positions::rotary,
          .norm = NormKind::rms,
          .gated = true,
          .activation = Activation::silu};
}

inline DecoderShape small_llama() {
  DecoderShape s = llama(4, 1024, 8, 8, 2816);
  s.vocabulary = 32000;
  s.sequence = 512;
  return s;
}

inline LayerMemory first_layer(const DecoderShape& shape, const Run& run) {
  MemoryProfile profile(run);
  describe_decoder(shape, profile);
  return profile.layer(0);
}

inline DeviceMemory memory_of(const DecoderShape& shape, const Run& run) {
  MemoryProfile profile(run);
  describe_decoder(shape, profile);
  return peak_memory(profile, run);
}

}  // namespace floptally
