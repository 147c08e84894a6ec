// FactTable: a small CSV under data/, read once; the user's rows of that table (FactScope) stand before the shipped
// ones, and where rows are found by `name` and `aliases`, they hide the shipped rows of those names.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/csv.h"
#include "base/split.h"

namespace floptally {

class FactTable {
 public:
  // `path` is relative to data/. A table that cannot be read is a bug of ours and has no rows (a user's own is checked
  // by check_facts before it is used).
  explicit FactTable(std::string_view path);

  [[nodiscard]] std::size_t rows() const { return rows_.size(); }
  [[nodiscard]] std::string_view cell(std::size_t row, std::string_view column) const {
    return rows_[row].part->csv->cell(rows_[row].row, column);
  }
  // The number in the cell; 0 where it is empty.
  [[nodiscard]] double number(std::size_t row, std::string_view column) const;
  // The row whose name or alias this is; letter case, '-', '_', '.' and ' ' are forgiven.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view word) const;
  // Every name, then every alias.
  [[nodiscard]] const std::vector<std::string_view>& names() const { return names_; }

 private:
  struct Part {
    Source source;
    std::optional<Csv> csv;
  };
  struct Row {
    const Part* part;
    std::size_t row;
  };
  std::vector<std::unique_ptr<Part>> parts_;
  std::vector<Row> rows_;
  std::vector<std::string_view> names_;
};

// While it lives, tables under `folder` (laid out as data/) come before the embedded ones for this thread; an empty
// name changes nothing. What facts() makes of them lives as long.
class FactScope {
 public:
  explicit FactScope(std::string folder);
  ~FactScope();
  FactScope(const FactScope&) = delete;
  FactScope& operator=(const FactScope&) = delete;
  // The folder in force; empty where there is none.
  [[nodiscard]] static const std::string& folder();

 private:
  template <class T, T (*build)()>
  friend const T& facts();
  static FactScope* in_force();  // the innermost with a folder

  std::string folder_;
  FactScope* before_;
  std::map<const void*, std::shared_ptr<const void>> made_;  // by the address that facts() has for each kind
};

// What `build` makes of the tables in force: made once for the embedded ones and once for every FactScope.
template <class T, T (*build)()>
const T& facts() {
  static char kind;
  FactScope* scope = FactScope::in_force();
  if (scope == nullptr) {
    static const T embedded = build();
    return embedded;
  }
  const auto found = scope->made_.find(&kind);
  if (found != scope->made_.end()) return *static_cast<const T*>(found->second.get());
  const auto made = std::make_shared<const T>(build());
  scope->made_.emplace(&kind, made);
  return *made;
}

// Lower case without '-', '_', '.', '/' and blanks: how names are compared.
std::string folded(std::string_view word);

}  // namespace floptally
