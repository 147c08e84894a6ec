// The memory that an evidence row measured: its columns, their units, and runs that had none left.
#include <span>

#include "evidence/cells.h"

namespace floptally {
namespace {

constexpr double kGib = 1024.0 * 1024 * 1024, kGb = 1e9;
constexpr double kMib = 1024.0 * 1024, kMb = 1e6;

// Columns of memory, by what they hold, each with its unit; 0: a cell must say it.
struct MemoryColumn {
  std::string_view name;
  double unit;
};
constexpr MemoryColumn kPeak[] = {{"peak_mem_gb", kGb}, {"peak_mem_gib", kGib},  {"peak_mem_mib", kMib},
                                  {"peak_mem_mb", kMb}, {"peak_mem_bytes", 1.0}, {"peak_mem", 0}};
constexpr MemoryColumn kAllocated[] = {{"mem_alloc_gib", kGib}, {"mem_alloc_gb", kGb},    {"mem_alloc_mib", kMib},
                                       {"mem_alloc_mb", kMb},   {"mem_alloc_bytes", 1.0}, {"mem_alloc", 0}};
constexpr MemoryColumn kReserved[] = {{"mem_reserved_gib", kGib},  {"mem_reserved_gb", kGb},
                                      {"mem_reserved_mib", kMib},  {"mem_reserved_mb", kMb},
                                      {"mem_reserved_bytes", 1.0}, {"mem_reserved", 0}};

// Whether any column of memory passes `test`.
template <class Test>
bool any_memory(const Test& test) {
  const auto any = [&](std::span<const MemoryColumn> columns) {
    return std::any_of(columns.begin(), columns.end(), [&](const MemoryColumn& column) { return test(column.name); });
  };
  return any(kPeak) || any(kAllocated) || any(kReserved);
}

// The first of the columns that holds a number. GB of a source whose unit is not known are GiB, as PyTorch's readers
// write them; so are MB.
std::optional<double> memory_in(EvidenceRow& out, Cells& cells, std::span<const MemoryColumn> columns,
                                std::string_view said, bool known) {
  for (const auto& [name, unit] : columns) {
    const bool decimal = unit == kGb || unit == kMb;
    const bool taken_as_binary = decimal && said != "gb";
    const bool columns_gb = said == "gb" && unit == kGib && name.starts_with("mem_");  // GB in the columns for GiB
    const double each = taken_as_binary ? (unit == kGb ? kGib : kMib) : columns_gb ? kGb : unit;
    const std::optional<double> bytes = cells.bytes(name, each);
    if (!bytes) continue;
    if (taken_as_binary && !known)
      out.noted.emplace_back(unit == kGb ? "GB are GiB (as PyTorch is read)" : "MB are MiB (as PyTorch is read)");
    return bytes;
  }
  return std::nullopt;
}

// "OOM", "out of memory" in a cell.
bool is_out_of_memory(std::string_view cell) {
  const std::string word = folded(cell);
  return word == "oom" || word == "outofmemory" || word == "cudaoom" || word == "cudaoutofmemory";
}

// The column `oom`, "OOM" in the place of a number, "OOM after iteration 1" or "ran out of memory" in the notes.
void read_out_of_memory(EvidenceRow& out, const Cells& cells) {
  const std::string oom = lower(cells.text("oom")), notes = lower(out.notes);
  out.out_of_memory = oom == "1" || oom == "1.0" || oom == "true" || oom == "yes" || is_out_of_memory(oom);
  const bool not_so = oom.empty() || oom == "0" || oom == "0.0" || oom == "false" || oom == "no";
  if (!out.out_of_memory && !not_so) unknown_label(out, "oom", cells.text("oom"));
  out.out_of_memory =
      out.out_of_memory || any_memory([&](std::string_view column) { return is_out_of_memory(cells.text(column)); });
  for (const std::string_view said :
       {"oom after", "oom at", "ran out of memory", "runs out of memory", "cuda out of memory"})
    out.out_of_memory = out.out_of_memory || contains(notes, said);
}

}  // namespace

void read_measured(EvidenceRow& out, Cells& cells, std::string_view unit, bool known) {
  read_out_of_memory(out, cells);
  if (!cells.blank("rank")) {
    out.rank = RankSeen::given;
    out.given_rank = cells.count("rank", 0);
  }
  // What such a run had held until then is not its peak.
  if (out.out_of_memory) return;
  if (const auto peak = memory_in(out, cells, kPeak, unit, known))
    (out.meter == Meter::allocated ? out.allocated : out.other) = peak;
  if (const auto bytes = memory_in(out, cells, kAllocated, unit, known)) out.allocated = bytes;
  if (const auto bytes = memory_in(out, cells, kReserved, unit, known)) out.other = bytes;
  out.has_memory = any_memory([&](std::string_view column) { return !cells.blank(column); });
  if ((out.allocated && *out.allocated <= 0) || (out.other && *out.other <= 0)) out.reason = "the measured memory is 0";
  constexpr double kMost = 1e15;  // bytes; no device has a thousandth of it
  if ((out.allocated && *out.allocated > kMost) || (out.other && *out.other > kMost))
    out.reason = "the measured memory is more than any device has";
}

bool has_memory_column(const Csv& csv) {
  return csv.find("oom") || any_memory([&](std::string_view column) { return csv.find(column).has_value(); });
}

}  // namespace floptally
