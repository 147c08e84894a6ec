#include "training/precision.h"

#include "base/nearest.h"
#include "training/table.h"

namespace floptally {
namespace {

Dtype dtype_in(std::string_view cell) {
  if (cell.empty()) return Dtype::unspecified;
  const auto found = find_dtype(cell);
  return found ? *found : Dtype::unspecified;
}

FactTable read_table() { return FactTable("training/precision.csv"); }

std::vector<Precision> read() {
  std::vector<Precision> out;
  const FactTable& table = facts<FactTable, read_table>();
  for (std::size_t row = 0; row < table.rows(); ++row) {
    Precision p;
    p.name = table.cell(row, "name");
    p.weights = dtype_in(table.cell(row, "weights"));
    p.gradients = dtype_in(table.cell(row, "gradients"));
    p.master = dtype_in(table.cell(row, "master"));
    p.compute = dtype_in(table.cell(row, "compute"));
    p.kept = dtype_in(table.cell(row, "kept"));
    for (const std::string_view copy : split(table.cell(row, "copies"), '+')) p.copies.push_back(dtype_in(copy));
    p.states_follow_weights = table.cell(row, "states") == "weights";
    p.arithmetic = table.cell(row, "arithmetic");
    p.stream = dtype_in(table.cell(row, "stream"));
    p.source = table.cell(row, "source");
    out.push_back(std::move(p));
  }
  return out;
}

}  // namespace

double bytes_of(Dtype dtype) {
  const DtypeInfo& info = dtype_info(dtype);
  return info.block_elements > 0 ? static_cast<double>(info.block_bytes) / static_cast<double>(info.block_elements) : 0;
}

const std::vector<Precision>& precisions() { return facts<std::vector<Precision>, read>(); }

Result<Precision> find_precision(std::string_view name, Span at) {
  const FactTable& table = facts<FactTable, read_table>();
  const auto row = table.find(name);
  if (row) return precisions()[*row];
  return error("unknown-precision", "no precision recipe is called \"" + std::string(name) + "\"", at,
               suggestion(name, table.names()));
}

}  // namespace floptally
