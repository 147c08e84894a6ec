// Tables of what a model needs in each number format: to be served, and to be trained with small optimizer states.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "floptally/book.h"
#include "network/network.h"
#include "numerics/scheme.h"

namespace floptally {

struct ServingQuestion {
  std::int64_t batch = 1;                 // sequences at once
  std::int64_t context = 0;               // tokens held for each; 0: as the network was described
  std::optional<numerics::Scheme> cache;  // format of keys and values; bf16 otherwise
  std::optional<double> budget;           // bytes that all of it has to fit into
};

// A format for keys and values as people use it: int8 and int4 with a scale for each vector. Errors: make_scheme()'s.
Result<numerics::Scheme> cache_scheme(std::string_view name);

// A format for weights by its name alone. Errors: make_scheme()'s.
Result<numerics::Scheme> weights_scheme(std::string_view name);

// Weights in one format.
struct FormatLine {
  std::string format;  // as the user knows it
  double weights = 0;  // bytes of the whole model
};

struct ServingLine {
  double cache = 0, recurrent = 0, decoding = 0;  // bytes
  bool known = false;                             // false: the network does not generate, nothing is added
  [[nodiscard]] double beside() const { return cache + recurrent + decoding; }
};
ServingLine serving_line(const Network& network, const ServingQuestion& question);

// Adds the tables "serving", "cache" and "training" and their JSON to the answer.
void add_memory_tables(Book& book, const Network& network, std::span<const FormatLine> formats,
                       const ServingQuestion& question);

}  // namespace floptally
