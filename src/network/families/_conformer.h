// Conformer layers (2005.08100) as speech models hear with: w2v-BERT 2.0, SeamlessM4T, wav2vec 2.0's conformer.
#pragma once

#include "network/families/_common.h"

namespace floptally::families {

struct Conformer {
  std::int64_t width = 1024, layers = 24, heads = 16, inner = 4096, kernel = 31;
  std::int64_t distances = 73;  // a vector for each, beside the keys; 0: none
  bool relative = false;        // Transformer-XL's positions (1901.02860): 2 n - 1 projected vectors, two biases a head
  bool rotary = false;          // of what queries and keys are read from
  bool linear_bias = true, conv_bias = false;
  bool batch_normed = false;  // behind the depthwise convolution, instead of a layer norm
  Activation activation = Activation::silu;
};
void describe_conformer(Sink& sink, const Conformer& c, std::int64_t tokens);

}  // namespace floptally::families
