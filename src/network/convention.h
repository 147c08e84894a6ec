// Conventions: what a FLOP figure counts. The same network, counted by two of them, differs by up to a factor of two,
// so every figure names its convention.
//
// A convention is data: which components count, how attention's pairs count, whether anything but matrix products
// counts, how the backward pass is found, and what unit comes out. Two kinds exist: those that add up operators, and
// those that multiply parameters by tokens (6ND and its relatives).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "network/count.h"

namespace floptally {

// A set of components as bits.
using ComponentSet = std::uint32_t;
constexpr ComponentSet component_bit(Component c) { return 1u << static_cast<int>(c); }
inline constexpr ComponentSet kAllComponents = (1u << kComponentCount) - 1;

enum class Backward : std::uint8_t {
  derived,  // from the operators: no gradient for data, none for frozen parts
  twice,    // two forward passes, whatever is frozen
};

struct Convention {
  std::string_view name;
  std::string_view doc;
  std::string_view source;
  Pairs pairs = Pairs::half;
  ComponentSet components = kAllComponents;
  bool others = false;  // count what is not a matrix product too
  Backward backward = Backward::derived;
  bool kernel_recompute = false;   // count what fused backward kernels repeat
  bool embedding_product = false;  // count the lookup as a one-hot matrix product, 2 V d per token
  int softmax = 0;                 // FLOP per attention score that count as softmax
  // Parameter-based: forward = 2 x parameters x tokens (+ attention where `components` has it).
  bool by_parameters = false;
  ComponentSet parameter_components = kAllComponents;
  bool matrices_only = false;  // leave norms, biases and other vectors out of the parameters
  bool active_only = true;     // parameters that one token uses
  int flop_per_count = 1;      // 2: the unit is a multiply-accumulate
};

// null if there is none of that name.
const Convention* find_convention(std::string_view name);
const std::vector<Convention>& conventions();
// What is used where nobody says: "causal".
const Convention& default_convention();

// FLOP (or MAC) of one sample. Parameters are those the network has, whatever the convention.
struct FlopCount {
  Integer forward, backward;
  Integer recompute;  // hardware FLOP beyond the model's: repeated inside fused backward kernels
  bool at_least = false;
  [[nodiscard]] Integer training() const { return forward + backward; }
};
FlopCount count_flop(const Network& network, const Convention& convention);

// What one part contributes (a measure of ops of one component, counted with rules_of(convention)), in FLOP before
// Convention::flop_per_count divides: every convention is additive over ops. `sequence`: units per sample.
FlopCount flop_of(const Measure<Integer>& part, Component component, const Convention& convention, Integer sequence);
CountOptions options_of(const Convention& convention);

}  // namespace floptally
