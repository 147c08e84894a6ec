// What serving a described network holds beside its weights: keys and values of the tokens so far (grouped, latent,
// windowed), states of recurrent layers, and the activations of one step.
//
// Always holds: numbers are for ONE sequence; bytes follow from a format and a batch.
#pragma once

#include <cstdint>
#include <vector>

#include "network/dtype.h"
#include "network/network.h"
#include "numerics/scheme.h"

namespace floptally {

// Vectors of one length that stay while a sequence grows: keys and values of a head, or a latent of all heads.
struct HeldVectors {
  std::int64_t length = 0;  // numbers in a vector
  double per_token = 0;     // vectors that one more token adds, over all layers that hold every token
  double held = 0;          // vectors held after `context` tokens, over all layers
};

struct ServingState {
  std::vector<HeldVectors> vectors;
  double recurrent = 0;  // numbers in the states of recurrent layers (state space, linear attention, LSTM)
  double decoding = 0;   // numbers that the widest operator reads and writes for one token
  double logits = 0;     // numbers per token in the output over the vocabulary
  [[nodiscard]] bool generates() const { return !vectors.empty() || recurrent > 0; }
  [[nodiscard]] double numbers_per_token() const;
  [[nodiscard]] double numbers_held() const;
};
// After `context` tokens (0: as many as the network was described for). Cross-attention holds its source's tokens.
ServingState serving_state(const Network& network, std::int64_t context);

// Bytes of `vectors` in a format: a vector is quantized by itself (one scale a vector, or its blocks); nothing where
// its length is not whole blocks.
struct CacheBytes {
  double per_token = 0, held = 0;
  bool fits = true;
};
CacheBytes cache_bytes(const ServingState& state, const numerics::Scheme& format);

// Recurrent states, activations of one token of each sequence in 16 bits, logits in fp32.
double recurrent_bytes(const ServingState& state);
double decoding_bytes(const ServingState& state);

// KV cache and weights of serving `batch` sequences of `context` tokens.
struct ServingMemory {
  double weights = 0, cache = 0, recurrent = 0, rule = 0;  // bytes; `rule`: 1.2 x weights
  [[nodiscard]] double together() const { return weights + cache + recurrent; }
};
ServingMemory serving_memory(const Network& network, std::int64_t batch, std::int64_t context, Dtype weights,
                             Dtype cache);

}  // namespace floptally
