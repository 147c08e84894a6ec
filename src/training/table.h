// FactTable: a small CSV under data/ with a `name` and an `aliases` column, read once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/csv.h"

namespace floptally {

class FactTable {
 public:
  // `path` is relative to data/. A table that cannot be read is a bug of ours and has no rows.
  explicit FactTable(std::string_view path);

  [[nodiscard]] std::size_t rows() const { return csv_ ? csv_->rows() : 0; }
  [[nodiscard]] std::string_view cell(std::size_t row, std::string_view column) const {
    return csv_->cell(row, column);
  }
  // The row whose name or alias this is; letter case, '-', '_', '.' and ' ' are forgiven.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view word) const;
  // Every name, then every alias.
  [[nodiscard]] const std::vector<std::string_view>& names() const { return names_; }

 private:
  std::unique_ptr<Source> source_;
  std::optional<Csv> csv_;
  std::vector<std::string_view> names_;
};

// The parts of `text` between separators; nothing for an empty text.
std::vector<std::string_view> split(std::string_view text, char separator);
// Lower case without '-', '_', '.', '/' and blanks: how names are compared.
std::string folded(std::string_view word);

}  // namespace floptally
