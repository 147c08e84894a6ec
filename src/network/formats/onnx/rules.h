// The table of ONNX operators: for each, how shapes and small constants pass through it and what it costs.
//
// Always holds: a rule sets the types of its node's outputs (an output it leaves alone has an unknown shape) and
// records at most a few steps; it never fails for an unknown size, only for a contradiction. To add an operator, add
// one row. Semantics: onnx/docs/Operators.md and Changelog.md (opset 7 to 24), onnxruntime/docs/ContribOperators.md.
#pragma once

#include <cstdint>
#include <string_view>

namespace floptally::onnx {

class Eval;

inline constexpr std::uint32_t kAll = 0xffffffffu;

struct Rule {
  std::string_view name;
  bool (*apply)(Eval&);
  std::uint32_t settings = 0;    // bit i: input i tells how to compute (bounds, statistics, scales); it is not learned
  std::uint32_t carries = kAll;  // bit i: a gradient flows from the outputs to input i
  std::uint32_t yields = kAll;   // bit i: output i has a gradient
  std::int16_t flop = 0;         // FLOP for each output element, beside matrix products
  std::int16_t choice = 0;       // distinguishes the operators that share a function
  bool bodies = false;           // has subgraphs that run
  std::string_view domain = {};  // "" is ai.onnx
};

std::uint16_t find_rule(std::string_view domain, std::string_view name);  // kNoRule if there is none
const Rule& rule_at(std::uint16_t index);
std::uint16_t rule_count();

// The parts of the table, one a file; each ends with a row without a name.
extern const Rule kElementwiseRules[], kShapeRules[], kMovementRules[], kMatrixRules[], kConvolutionRules[],
    kReductionRules[], kRecurrentRules[], kQuantizedRules[], kContribRules[], kControlRules[], kDetectionRules[],
    kMicrosoftRules[], kStateRules[];

}  // namespace floptally::onnx
