// Packing: several documents in one sequence, attention inside each (cu_seqlens). It changes what attention computes,
// not what is held.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "document/document.h"
#include "network/network.h"

namespace floptally {

struct Packing {
  std::int64_t each = 0;              // tokens of a document, where all are alike; the last takes what is left
  std::vector<std::int64_t> lengths;  // else the documents of one sequence
  Span place;
};

// `packing: 1024`, or `packing: [4096, 2048, 2048]`; nothing where the node is missing. Errors: bad-whole-number.
Result<std::optional<Packing>> read_packing(const Node& node);

// The sum of the squared lengths of a sequence's documents. Errors: bad-whole-number (they do not add up to it).
Result<std::int64_t> squares_of(const Packing& packing, std::int64_t sequence);

// Bounds every self-attention over the whole sequence by its documents; windows stay as they are unless every document
// fits into them. Errors: squares_of's.
Result<bool> pack(Network& network, const Packing& packing);

}  // namespace floptally
