#include "training/fact_check.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <string_view>

#include "base/csv.h"
#include "base/embedded.h"
#include "base/file.h"
#include "base/nearest.h"
#include "network/dtype.h"
#include "training/table.h"

namespace floptally {
namespace {

constexpr std::string_view kMeasurements[] = {"evidence/memory.csv", "evidence/published_memory.csv",
                                              "evidence/layers.csv"};

// Columns whose cells are compared with words of the code, and those words.
struct Words {
  std::string_view table, column, all;
};
constexpr Words kWords[] = {
    {"training/frameworks.csv", "wgrad", "dummy|in-place|transient"},
    {"training/precision.csv", "states", "auto|weights"},
    {"evidence/megatron_arguments.csv", "effect", "in part|left out|none|read"},
    {"evidence/recipes.csv", "loss", "chunked"},
    {"evidence/profiles.csv", "flags", "plain|sp"},
    {"evidence/sources.csv", "meter", "allocated|reserved|visible"},
    {"evidence/sources.csv", "rank", "first|fullest|last"},
    {"evidence/sources.csv", "attention", "fused|unfused"},
    {"evidence/sources.csv", "unit", "gb|gib"},
    {"evidence/sources.csv", "lengths", "sorted|vary"},
    {"evidence/sources.csv", "loss", "chunked|in-place|linear"},
    {"evidence/sources.csv", "dropout", "none"},
    {"evidence/sources.csv", "routing", "balanced"},
    {"evidence/spread.csv", "what", "factor|left out|scale|seen"},
    {"evidence/thresholds.csv", "measure", "allocated|any|held|nvidia-smi|reserved"},
    {"evidence/thresholds.csv", "statistic", "median|p90"},
};

constexpr double kMost = 1e15;  // whole numbers up to here are exact in double, and fit wherever they are counted

bool is_number(std::string_view cell) {
  double value = 0;
  const auto [end, status] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  return status == std::errc{} && end == cell.data() + cell.size() && value >= 0 && value <= kMost;
}

bool is_formats(std::string_view cell) {
  const auto parts = split(cell, '+');
  return std::all_of(parts.begin(), parts.end(), [](std::string_view part) { return find_dtype(part).has_value(); });
}

// What the cells of a column may be, and the words for that.
struct Rule {
  std::function<bool(std::string_view)> holds;
  std::string says;
};

bool all_cells(const Csv& table, std::size_t column, bool (*holds)(std::string_view)) {
  bool any = false;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string_view cell = table.cell(row, column);
    if (cell.empty()) continue;
    if (!holds(cell)) return false;
    any = true;
  }
  return any;
}

Rule rule_for(std::string_view path, const Csv& shipped, std::size_t column) {
  for (const Words& words : kWords) {
    if (words.table != path || words.column != shipped.header(column)) continue;
    const std::vector<std::string_view> all = split(words.all, '|');
    std::string says = all.size() > 1 ? "one of " : "";
    for (const std::string_view word : all) says += (word == all.front() ? "'" : ", '") + std::string(word) + "'";
    return {[all](std::string_view cell) { return std::find(all.begin(), all.end(), cell) != all.end(); },
            says + ", or nothing"};
  }
  if (all_cells(shipped, column, is_number)) return {is_number, "a number from 0 to 1e15, without a unit"};
  if (all_cells(shipped, column, is_formats))
    return {is_formats, "a number format such as bfloat16, or several with +"};
  return {};
}

void check_column(const Csv& own, std::size_t column, const Rule& rule, Diagnostics& problems) {
  if (!rule.holds) return;
  for (std::size_t row = 0; row < own.rows(); ++row) {
    const std::string_view cell = own.cell(row, column);
    if (cell.empty() || rule.holds(cell)) continue;
    problems.push_back(error(
        "bad-cell", "the column '" + std::string(own.header(column)) + "' cannot hold \"" + std::string(cell) + "\"",
        own.span(row, column), "it takes " + rule.says));
  }
}

void check_table(std::string_view path, const Csv& own, const Csv& shipped, Diagnostics& problems) {
  for (std::size_t column = 0; column < shipped.columns(); ++column) {
    const auto place = own.find(shipped.header(column));
    if (place) {
      check_column(own, *place, rule_for(path, shipped, column), problems);
      continue;
    }
    problems.push_back(error("missing-column",
                             "this table lacks the column '" + std::string(shipped.header(column)) + "'",
                             own.columns() > 0 ? own.header_span(0) : Span{}, "the shipped table of that name has it"));
  }
}

}  // namespace

Diagnostics check_facts(const std::string& folder, Sources& sources) {
  Diagnostics problems;
  for (const char* const part : {"training/", "evidence/"}) {
    for (const std::string_view path : embedded_files(part)) {
      const std::string name = folder + "/" + std::string(path);
      const bool measured =
          std::find(std::begin(kMeasurements), std::end(kMeasurements), path) != std::end(kMeasurements);
      if (measured || !path_exists(name)) continue;
      const Result<const Source*> source = sources.read(name);
      const Result<Csv> own = source ? Csv::read(**source) : source.problems();
      const Source text{std::string(path), std::string(*embedded_file(path)), false};
      const Result<Csv> shipped = Csv::read(text);
      if (!own)
        problems.insert(problems.end(), own.problems().begin(), own.problems().end());
      else if (shipped)
        check_table(path, *own, *shipped, problems);
    }
  }
  return problems;
}

}  // namespace floptally
