#include "training/optimizer.h"

#include <cmath>

#include "base/nearest.h"
#include "training/precision.h"
#include "training/table.h"

namespace floptally {
namespace {

FactTable read_table() { return FactTable("training/optimizers.csv"); }

std::vector<Optimizer> read() {
  std::vector<Optimizer> out;
  const FactTable& table = facts<FactTable, read_table>();
  for (std::size_t row = 0; row < table.rows(); ++row) {
    Optimizer o;
    o.name = table.cell(row, "name");
    for (const std::string_view state : split(table.cell(row, "states"), '+')) {
      if (const auto dtype = find_dtype(state)) o.states.push_back(*dtype);
    }
    o.factored = table.cell(row, "factored") == "1";
    o.preconditioner = table.number(row, "preconditioner");
    o.block = table.number(row, "block");
    o.longest = table.number(row, "longest");
    o.matrices_only = table.cell(row, "matrices_only") == "1";
    o.flop_per_parameter = table.number(row, "flop_per_parameter");
    o.source = table.cell(row, "source");
    out.push_back(std::move(o));
  }
  return out;
}

double full_states(const Optimizer& optimizer, Dtype like) {
  double bytes = 0;
  for (const Dtype state : optimizer.states)
    bytes += bytes_of(like != Dtype::unspecified && state == Dtype::float32 ? like : state);
  return bytes;
}

// A side of a matrix in blocks: how many there are, and the sum of their squares.
struct Side {
  double blocks = 1, squares = 0;
};
Side side_of(const Optimizer& optimizer, double size) {
  if (optimizer.longest > 0 && size > optimizer.longest) return {1, 0};
  if (!(optimizer.block > 0) || size <= optimizer.block) return {1, size * size};
  const double full = std::floor(size / optimizer.block), rest = size - full * optimizer.block;
  return {full + (rest > 0 ? 1 : 0), full * optimizer.block * optimizer.block + rest * rest};
}

double preconditioner_elements(const Optimizer& optimizer, double rows, double columns) {
  if (!(optimizer.preconditioner > 0)) return 0;
  const Side row = side_of(optimizer, rows), column = side_of(optimizer, columns);
  return optimizer.preconditioner * (column.blocks * row.squares + row.blocks * column.squares);
}

}  // namespace

const std::vector<Optimizer>& optimizers() { return facts<std::vector<Optimizer>, read>(); }

Result<Optimizer> find_optimizer(std::string_view name, Span at) {
  const FactTable& table = facts<FactTable, read_table>();
  const auto row = table.find(name);
  if (row) return optimizers()[*row];
  return error("unknown-optimizer", "no optimizer is called \"" + std::string(name) + "\"", at,
               suggestion(name, table.names()));
}

double state_bytes(const Optimizer& optimizer, double rows, double columns, Dtype like) {
  const double elements = rows * columns;
  const bool matrix = rows > 1 && columns > 1;
  if (optimizer.matrices_only && !matrix)
    return 2 * bytes_of(like == Dtype::unspecified ? Dtype::float32 : like) * elements;
  double bytes = full_states(optimizer, like) * elements;
  const double fp32 = bytes_of(Dtype::float32);
  if (optimizer.factored) bytes += fp32 * (matrix ? rows + columns : elements);
  if (matrix) bytes += fp32 * preconditioner_elements(optimizer, rows, columns);
  return bytes;
}

double state_bytes_per_parameter(const Optimizer& optimizer, Dtype like) { return full_states(optimizer, like); }

}  // namespace floptally
