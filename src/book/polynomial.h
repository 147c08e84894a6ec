// Polynomial: a traced number as a sum of products of powers of its uncertain atoms, with numeric coefficients. Numbers
// that are multiples of one another get the same shape, so their percentiles are computed once; sums over hundreds of
// lines that share a few assumptions shrink to a few terms. What is no polynomial (max, ceil, a quotient by a sum) is
// an atom of its own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "book/trace.h"

namespace floptally {

// Sorted (atom, power) pairs; atoms are node ids of leaves or of opaque expressions.
using Monomial = std::vector<std::pair<NodeId, int>>;
using Polynomial = std::map<Monomial, double>;

struct NumberShape {
  std::string key;   // equal for numbers that are multiples of one another
  double scale = 1;  // this number = scale * the shape's unit
};

class PolynomialBuilder {
 public:
  explicit PolynomialBuilder(const Trace& trace) : trace_(trace) {}
  const Polynomial& of(NodeId id);
  NumberShape shape(NodeId id);

 private:
  Polynomial make(NodeId id);
  const Trace& trace_;
  std::unordered_map<NodeId, Polynomial> known_;
};

// A straight-line program over arrays of worlds.
struct Instruction {
  enum class Op : std::uint8_t {
    term,      // to = the product
    add_term,  // to += the product
    copy,
    sum,
    subtract,
    multiply,
    divide,
    power,
    minimum,
    maximum,
    ceiling,
    floor,
    logarithm,
    exponential
  };
  Op op = Op::copy;
  std::uint32_t to = 0, a = 0, b = 0;  // registers; leaves come first
  int exponent = 0;
  double coefficient = 1;
  std::vector<std::pair<std::uint32_t, int>> factors;  // of the product: (register, power)
};
struct Program {
  std::vector<std::uint32_t> leaves;  // leaf indices in register order
  std::vector<Instruction> code;
  std::uint32_t registers = 0;
  std::uint32_t result = 0;
};

Program compile(const Trace& trace, PolynomialBuilder& builder, NodeId id);
// Evaluates `count` worlds (at most 1,024 at once keep to the fastest cache); inputs[i] is leaves[i] in them. The
// result lies in `scratch` (or in the inputs) until the next call.
const double* run(const Program& program, const double* const* inputs, std::uint32_t count,
                  std::vector<double>& scratch);

}  // namespace floptally
