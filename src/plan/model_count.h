// What one model of a plan costs: FLOP and parameters from the operators of its network, by the plan's `count`. No
// formula of a whole model is written here.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "network/blocks/decoder.h"
#include "network/convention.h"
#include "network/count.h"
#include "plan/plan.h"

namespace floptally {

// Which parts count. FLOP: matrix products of the chosen components, attention's pairs by the causal mask or in full.
struct PlanConvention {
  ComponentSet flop = 0, parameters = 0;
  Pairs pairs = Pairs::half;
  bool others = false;                      // what is no matrix product too
  std::string flop_words, parameter_words;  // as printed: "matmul, causal, unembed"
};
// Errors: unknown-word (with the nearest).
PlanConvention plan_convention(const Plan& plan, Diagnostics& problems);

// Field values of one model; a value below 0 was not given.
using FieldValues = std::array<std::int64_t, kFieldCount>;

struct ModelCount {
  Integer flop_per_sample;                         // forward and backward, of one sequence
  Integer sequence = 1;                            // tokens in it
  Integer flop_per_token = Integer::overflowed();  // valid where it is a whole number
  Integer parameters;                              // by the convention
  Integer non_embedding;                           // of these, without embedding, position and logits tables
  Integer active;                                  // of these, used by one token
  bool at_least = false;                           // an unknown operator is inside
};
struct ModelPart {
  std::string_view component;
  Integer flop_per_sample;
  Integer parameters;
};

class ModelCounter {
 public:
  virtual ~ModelCounter() = default;
  // False if the sizes make no model; `problems` (may be null) then say why.
  virtual bool count(const FieldValues& fields, ModelCount& out, Diagnostics* problems) = 0;
  // The models come in no order, and some of them often.
  virtual void expect_table() {}
  // By component, largest first; for explanations.
  virtual std::vector<ModelPart> parts(const FieldValues& fields) = 0;
  // Fields that the model itself brings (a config's), and whether a field may be set or swept.
  [[nodiscard]] virtual std::int64_t own(FieldId) const { return -1; }
  [[nodiscard]] virtual bool sweepable(FieldId) const { return true; }
  // Whether it reads images or other samples, not sequences of tokens: then `tokens` are samples.
  [[nodiscard]] virtual bool reads_samples() const { return false; }
  [[nodiscard]] virtual std::string_view source() const = 0;
  // Whether a model costs so little to count that millions are fine.
  [[nodiscard]] virtual bool cheap() const { return true; }
};

std::unique_ptr<ModelCounter> decoder_counter(const Plan& plan, const PlanConvention& convention);
// A config.json, another model file or a shipped model; null and problems if it cannot be read. Notes go to `notes`.
std::unique_ptr<ModelCounter> file_counter(const Plan& plan, const PlanConvention& convention, Sources& sources,
                                           std::int64_t sequence, Diagnostics& problems, Diagnostics& notes);

}  // namespace floptally
