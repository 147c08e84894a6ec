// What the backward pass of an imported graph keeps: by operator (PyTorch's derivatives.yaml), and by the whole
// operator where a graph has it in pieces. Exporters take layer norm, root-mean-square norm, GELU, SiLU, softmax and
// the like apart; a framework that trains runs them whole, and each then keeps its input (a softmax its output) and at
// most a number a row.
//
// Found are not names but shapes: arithmetic and reductions that start from one value, meet again, and are read by
// nothing outside. Attention in pieces keeps its scores, as eager code does, unless queries and keys are both scaled:
// that is how PyTorch writes scaled_dot_product_attention, whose kernels keep no scores.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace floptally::graph {

// What an operator's backward pass needs: nothing but sizes, what it read, what it gave; a product each side for the
// gradient of the other; all that it read; not known: nothing if it computes nothing, else all that it read.
enum class Needs : std::uint8_t { unknown, nothing, input, output, other_sides, inputs };

enum class Trait : std::uint8_t {
  none,
  arithmetic,   // element by element
  exponential,  // arithmetic, of a softmax where sums are near
  reduction,    // one number of many
  view,         // the same numbers in another shape or format
  part,         // some of the numbers: a view, where frameworks have views
  softmax,
  product,
  norm,
  pool_maximum,  // keeps where its maxima stood
};

struct Nature {
  Needs needs = Needs::unknown;
  Trait trait = Trait::none;
};
// By the operator's name in any format: "ReduceMean", "stablehlo.rsqrt", "mul_", "RealDiv", "HARD_SWISH".
Nature nature_of(std::string_view op);

// What a node keeps in place of what its operator would.
enum Role : std::uint16_t {
  by_operator = 0,
  decided = 1,  // nothing but the following
  keeps_input = 2,
  keeps_output = 4,
  keeps_rows = 8,     // a number a row of its output
  forgets_left = 16,  // a product: its left side is made again
};

inline constexpr std::uint32_t kNoPiece = 0xffffffffu;

// A node of a graph.
struct Piece {
  Nature nature;
  std::uint8_t inputs = 0;  // values read that a gradient may reach, weights aside: at most 3, the first
  bool constant = false;    // it reads something beside them that nothing learns
  bool weight = false;      // ... or that is learned
  std::uint32_t in[3] = {};
  std::uint32_t out = kNoPiece;  // its only output
};

struct Wholes {
  std::vector<std::uint16_t> roles;  // of every piece
  int norms = 0, functions = 0, softmaxes = 0, attentions = 0;
  [[nodiscard]] bool any() const { return norms + functions + softmaxes + attentions > 0; }
  void add(const Wholes& other);
  [[nodiscard]] std::string text() const;  // for a note
};

// `pieces` in an order of execution, `uses[v]`: how often value v is read by any node or is an output.
Wholes find_wholes(const std::vector<Piece>& pieces, const std::vector<std::uint32_t>& uses);

}  // namespace floptally::graph
