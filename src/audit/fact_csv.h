// FactCsv: a table of facts with typed cells, for the readers of the audit room. Mistakes are collected, none throws.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/csv.h"
#include "base/embedded.h"

namespace floptally {

class FactCsv {
 public:
  FactCsv(const Source& source, Diagnostics& problems) : problems_(problems) {
    Result<Csv> read = Csv::read(source);
    if (!read) {
      const Diagnostics found = read.take_problems();
      problems_.insert(problems_.end(), found.begin(), found.end());
      return;
    }
    own_ = std::move(*read);
  }
  // A table that was read already and outlives this.
  FactCsv(const Csv& csv, Diagnostics& problems) : csv_(&csv), problems_(problems) {}
  FactCsv(const FactCsv&) = delete;
  FactCsv& operator=(const FactCsv&) = delete;

  [[nodiscard]] std::size_t rows() const { return csv_->rows(); }
  [[nodiscard]] std::string_view text(std::size_t row, std::string_view column) const {
    const std::optional<std::size_t> index = find(column);
    return index ? csv_->cell(row, *index) : std::string_view();
  }
  [[nodiscard]] Span place(std::size_t row, std::string_view column) const {
    const std::optional<std::size_t> index = find(column);
    return index ? csv_->span(row, *index) : csv_->row_span(row);
  }
  // Nothing for an empty cell. Errors: bad-number.
  std::optional<double> number(std::size_t row, std::string_view column) {
    const std::string_view cell = text(row, column);
    if (cell.empty()) return std::nullopt;
    double value = 0;
    const auto [end, code] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (code == std::errc() && end == cell.data() + cell.size()) return value;
    problems_.push_back(error("bad-number", "'" + std::string(cell) + "' is not a number", place(row, column)));
    return std::nullopt;
  }

 private:
  // Columns are asked for by literals, row after row: known by where the literal lies.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view column) const {
    for (const auto& [name, index] : asked_) {
      if (name.data() == column.data() && name.size() == column.size()) return index;
    }
    return asked_.emplace_back(column, csv_->find(column)).second;
  }

  Csv own_;
  const Csv* csv_ = &own_;
  mutable std::vector<std::pair<std::string_view, std::optional<std::size_t>>> asked_;
  Diagnostics& problems_;
};

// The table that a name ends in, else the embedded one (kept in `kept`).
inline const Source& table_or_embedded(const std::vector<const Source*>& tables, std::string_view path,
                                       std::vector<Source>& kept) {
  for (const Source* source : tables) {
    if (std::string_view(source->name).ends_with(path)) return *source;
  }
  kept.push_back(Source{"data/" + std::string(path), std::string(embedded_file(path).value_or("")), false});
  return kept.back();
}

}  // namespace floptally
