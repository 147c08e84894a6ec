// StableHLO as text, as JAX prints it (jax.jit(f).lower(...).as_text()): functions, and the operations of each, one a
// line.
//
// Always holds: every span of text lies inside the source; nesting is bounded. Syntax: github.com/openxla/stablehlo,
// docs/spec.md; MLIR's LangRef for functions, regions and types.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "floptally/diagnostic.h"
#include "network/dtype.h"

namespace floptally::stablehlo {

struct TensorType {
  std::vector<std::int64_t> dims;  // -1: "?"
  Dtype dtype = Dtype::unspecified;
  bool tensor = false;
};
// "tensor<8x16xf32>" and the rest of its line; `at` moves past it. A type that is no tensor is skipped.
TensorType read_type(std::string_view text, std::size_t& at);

struct Argument {
  std::string_view name;  // "%arg0"
  TensorType type;
  std::string_view label;  // what JAX calls it: "params['w']"; empty where the text does not say
};

struct Operation {
  std::string_view op;                     // "stablehlo.dot_general", "call"
  std::string_view text;                   // the line after the name, up to the types
  std::vector<std::string_view> operands;  // "%3", "%4#1"
  std::vector<std::string_view> results;   // "%5"; one name for all of them
  int result_count = 0;
  std::vector<TensorType> types;          // of the results
  std::vector<TensorType> operand_types;  // where the line states them
  std::vector<std::vector<Operation>> regions;
  std::vector<std::vector<std::string_view>> region_arguments;  // while: names its regions use for what is carried
  std::vector<Argument> body_arguments;                         // sdy.manual_computation: what one device is given
  std::uint64_t offset = 0;
};

struct Function {
  std::string_view name;
  std::vector<Argument> arguments;
  std::vector<Operation> body;
  std::uint64_t offset = 0;
};

struct Module {
  std::map<std::string_view, std::int64_t> axes;  // of the device meshes it declares, by name
  std::map<std::string_view, Function> functions;
  std::vector<Function*> order;
};

// Errors: stablehlo-malformed (with line), nested-too-deep.
Result<bool> read_module(const Source& source, Module& module);

}  // namespace floptally::stablehlo
