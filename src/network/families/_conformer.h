// Conformer layers (2005.08100) with a vector for each distance, as w2v-BERT 2.0 and SeamlessM4T v2 hear with.
#pragma once

#include "network/families/_common.h"

namespace floptally::families {

struct Conformer {
  std::int64_t width = 1024, layers = 24, heads = 16, inner = 4096, kernel = 31, distances = 73;
  Activation activation = Activation::silu;
};
void describe_conformer(Sink& sink, const Conformer& c, std::int64_t tokens);

}  // namespace floptally::families
