#include "training/optimizer.h"

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
  if (matrix) bytes += fp32 * optimizer.preconditioner * (rows * rows + columns * columns);
  return bytes;
}

double state_bytes_per_parameter(const Optimizer& optimizer, Dtype like) { return full_states(optimizer, like); }

}  // namespace floptally
