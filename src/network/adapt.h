// Changing how a network is trained: frozen parts, and low-rank adapters beside frozen matrices.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "network/network.h"

namespace floptally {

// LoRA (Hu et al. 2106.09685): W x + B A x with W frozen, A rank by in, B out by rank; experts get one pair each.
struct Adapter {
  std::int64_t rank = 0;
  std::vector<std::string>
      targets;  // module names ("q_proj") or ends of paths ("self_attn.q_proj"); empty: all linear layers in blocks
  std::vector<std::uint8_t> ops;      // not empty: instead of targets, 1 for each of Network::ops that has one
  Dtype stored = Dtype::unspecified;  // QLoRA: how the frozen matrices are stored
};

struct Training {
  std::vector<std::string> freeze;  // module names or starts of paths that are not trained
  std::vector<std::string> train;   // not empty: only these are trained
  Adapter adapter;                  // rank > 0: everything but the adapters (and `train`) is frozen
  [[nodiscard]] bool changes() const { return !freeze.empty() || !train.empty() || adapter.rank > 0; }
};

// The same network, trained so. Names that match nothing are added to the notes as "unmatched-part".
Network adapt(const Network& network, const Training& training);

}  // namespace floptally
