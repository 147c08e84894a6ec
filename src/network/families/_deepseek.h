// What the families after DeepSeek-V2 share: latent attention, routed and shared experts after the first dense layers,
// an indexer that selects what is attended to, extra prediction heads.
#pragma once

#include "network/families/_common.h"

namespace floptally::families {

struct DeepSeek {
  TextSizes sizes;
  AttentionPart attention;
  MoePart moe;
  MlpPart mlp;
};
DeepSeek read_deepseek(Family& f);

// 1 for the layers with routed experts: from first_k_dense_replace on, every moe_layer_freq-th.
std::vector<std::uint8_t> routed_layers(Family& f, std::int64_t layers);

// The lightning indexer, and the attention over what it keeps.
struct Selection {
  Indexer indexer;
  AttentionPart attention;
};
Selection read_selection(const Family& f, const AttentionPart& attention);

// Extra prediction heads, of the layers that `emit` describes; a remark where they are not asked for.
template <class Emit>
void describe_or_remark_extra_heads(Family& f, std::int64_t heads, bool described, const TextSizes& s, Emit emit) {
  if (heads > 0 && !described) remark_extra_heads(f, heads);
  if (heads > 0 && described) describe_extra_heads(f, heads, s.width, s.vocabulary, emit);
}

}  // namespace floptally::families
