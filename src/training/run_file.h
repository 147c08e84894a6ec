// RUN files: one training run as a user writes it, read into a Run. The same file may hold what `floptally audit` asks
// for (device-hours, published compute); what does not concern the run's shape is left to its reader.
//
//   run: 1
//   model: llama-3.1-70b                    # or {from: config.json}, {kind: decoder, ...}, {parameters: 70e9}
//   train: {tokens: 15T, batch: 1024, sequence: 8192}
//   hardware: {device: H100-SXM, devices: 1024}
//   layout: {tensor: 8, pipeline: 4, zero: 1, sequence_parallel: true, micro_batch: 1}
//   precision: bf16-mixed
//   optimizer: adamw
//   recompute: selective
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "document/decode.h"
#include "hardware/catalogue.h"
#include "network/network.h"
#include "training/packing.h"
#include "training/run.h"

namespace floptally {

struct RunFile {
  std::string title;
  Run run;
  Node root;                       // the file
  Node model;                      // how the model is given: text, a mapping, or nothing (hardware alone is known)
  const Device* device = nullptr;  // null: not given
  std::int64_t devices = 0;        // 0: not given (then the layout says)
  double parameters = 0, active_parameters = 0;  // of `model: {parameters: ...}`
  double tokens_per_parameter = 0;               // of `tokens: 20 * parameters`; run.tokens is 0 then
  Span layout_at, precision_at;                  // where they stand
  bool data_given = false, layout_given = false, micro_batch_given = false;
  struct Assumed {
    std::string name, value;
  };
  std::vector<Assumed> assumed;  // what the file does not say
  std::vector<Assumed> binary;   // lengths and batches written with k or M: "8k is 8192"
  // Inference beside training: sequences served at once, their length, formats.
  struct Serving {
    std::int64_t batch = 1, context = 0;
    Dtype weights = Dtype::bfloat16, cache = Dtype::bfloat16;
    std::string cache_scheme;    // keys and values in a quantized format such as q8_0; empty: `cache` says it
    std::string weights_scheme;  // the same for weights: q4_k, q8_0
    Span cache_at, weights_at;
  };
  std::optional<Serving> serving;
  std::optional<Packing> packing;
};

// Errors, all at once: the decoder's, unknown-precision, unknown-optimizer, unknown-framework, unknown-device,
// bad-count, run-version, run-model; missing-key where there is neither a model nor device-hours.
Result<RunFile> read_run(const Node& root, const Catalogue& catalogue);
// Sizes of a network that a layout must divide.
Divisors divisors_of(const Network& network, const Run& run);
// The JSON Schema of RUN files.
std::string run_schema();

}  // namespace floptally
