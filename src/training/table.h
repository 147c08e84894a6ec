// FactTable: a small CSV under data/ with a `name` and an `aliases` column, read once.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/csv.h"
#include "base/sources.h"

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

// While it lives, tables under `folder` (laid out as data/) take the place of the embedded ones for this thread; an
// empty name changes nothing.
class FactScope {
 public:
  explicit FactScope(std::string folder);
  ~FactScope();
  FactScope(const FactScope&) = delete;
  FactScope& operator=(const FactScope&) = delete;
  [[nodiscard]] static const std::string& folder();

 private:
  std::string before_;
};

// What `build` makes of the tables in force: made once for the embedded ones and once for every folder of a FactScope.
template <class T, T (*build)()>
const T& facts() {
  if (FactScope::folder().empty()) {
    static const T embedded = build();
    return embedded;
  }
  static std::mutex guard;
  static std::map<std::string, T> own;
  const std::scoped_lock lock(guard);
  const auto found = own.find(FactScope::folder());
  return found != own.end() ? found->second : own.emplace(FactScope::folder(), build()).first->second;
}

// The tables of a folder that cannot be read, or that lack a column which the embedded table of that name has.
Diagnostics check_facts(const std::string& folder, Sources& sources);

// The parts of `text` between separators; nothing for an empty text.
std::vector<std::string_view> split(std::string_view text, char separator);
// Lower case without '-', '_', '.', '/' and blanks: how names are compared.
std::string folded(std::string_view word);

}  // namespace floptally
