// The answer of `floptally model`: a counted network as a Book.
#pragma once

#include <optional>
#include <string>

#include "book/ledger.h"
#include "network/convention.h"
#include "network/stored_size.h"
#include "quantity/quantity_text.h"

namespace floptally {

struct ModelQuestion {
  const Convention* convention = nullptr;
  std::int64_t batch = 1;
  Amount tokens{};  // trained units; only where `has_tokens`
  bool has_tokens = false;
  std::string by;  // "", "layer", "operator", "module", "component"
  int depth = 3;
  bool all_conventions = false;  // --convention table
  bool per_sample = false;       // FLOP of a whole sample, not of one of its tokens
  bool derive = false;           // numbers as formulas over the operators' attributes (explain asks for it)
};

Book model_answer(const Network& network, const ModelQuestion& question);

// One row of a table over several models.
struct ModelLine {
  std::string name;
  Integer parameters, active;
  FlopCount flop;  // of one sample
  std::int64_t sequence = 1;
  std::string unit;
};
ModelLine model_line(const Network& network, const Convention& convention);

// Bytes of what one sample keeps for its backward pass, activations in `dtype`.
Integer kept_bytes(const Measure<Integer>& measure, Dtype dtype);

}  // namespace floptally
