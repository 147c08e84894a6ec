// A decoder that is small enough to count by hand, and what one device holds of it.
#pragma once

#include "estimate/memory.h"
#include "network/blocks/decoder.h"

namespace floptally {

inline DecoderShape small_llama() {
  DecoderShape s;
  s.layers = 4;
  s.width = 1024;
  s.heads = s.kv_heads = 8;
  s.head_dim = 128;
  s.ffn = 2816;
  s.vocabulary = 32000;
  s.sequence = 512;
  s.gated = true;
  s.activation = Activation::silu;
  s.norm = NormKind::rms;
  s.positions = Positions::rotary;
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
