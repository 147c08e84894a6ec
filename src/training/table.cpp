#include "training/table.h"

#include <utility>

#include "base/embedded.h"
#include "base/file.h"

namespace floptally {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

std::string folded(std::string_view word) {
  std::string out;
  for (const char c : word) {
    if (c == '-' || c == '_' || c == '.' || c == ' ' || c == '/') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

namespace {

std::string& folder_in_force() {
  static thread_local std::string folder;
  return folder;
}

// The user's table of that name in the folder in force.
std::optional<std::string> own_text(std::string_view path) {
  if (FactScope::folder().empty()) return std::nullopt;
  const std::string own = FactScope::folder() + "/" + std::string(path);
  if (!path_exists(own)) return std::nullopt;
  const Result<MappedFile> file = MappedFile::open(own);
  return file.ok() ? std::optional<std::string>(file->view()) : std::nullopt;
}

}  // namespace

FactScope::FactScope(std::string folder) : before_(std::exchange(folder_in_force(), std::move(folder))) {}
FactScope::~FactScope() { folder_in_force() = std::move(before_); }
const std::string& FactScope::folder() { return folder_in_force(); }

Diagnostics check_facts(const std::string& folder, Sources& sources) {
  Diagnostics problems;
  for (const char* const part : {"training/", "evidence/"}) {
    for (const std::string_view name : embedded_files(part)) {
      const std::string path = folder + "/" + std::string(name);
      if (!path_exists(path)) continue;
      const Result<const Source*> source = sources.read(path);
      if (!source) return source.problems();
      const Result<Csv> own = Csv::read(**source);
      if (!own) return own.problems();
      const Result<Csv> shipped = Csv::read(sources.add(std::string(name), std::string(*embedded_file(name))));
      for (std::size_t column = 0; shipped.ok() && column < shipped->columns(); ++column) {
        if (own->find(shipped->header(column))) continue;
        problems.push_back(
            error("missing-column", "this table lacks the column '" + std::string(shipped->header(column)) + "'",
                  own->columns() > 0 ? own->header_span(0) : Span{}, "the shipped table of that name has it"));
      }
    }
  }
  return problems;
}

FactTable::FactTable(std::string_view path) {
  const auto add = [&](std::optional<std::string_view> text) {
    if (!text) return;
    auto part = std::make_unique<Part>();
    part->source.name = std::string(path);
    part->source.text = std::string(*text);
    auto csv = Csv::read(part->source);
    if (!csv.ok()) return;
    part->csv.emplace(*std::move(csv));
    for (std::size_t row = 0; row < part->csv->rows(); ++row) {
      const std::string_view name = part->csv->cell(row, "name");
      const bool own = parts_.empty();
      if (own || name.empty() || !find(name)) rows_.push_back({part.get(), row});
    }
    parts_.push_back(std::move(part));
  };
  const auto own = own_text(path);
  if (own) add(*own);
  add(embedded_file(path));
  for (std::size_t row = 0; row < rows(); ++row) names_.push_back(cell(row, "name"));
  for (std::size_t row = 0; row < rows(); ++row) {
    for (const std::string_view alias : split(cell(row, "aliases"), '|')) names_.push_back(alias);
  }
}

std::optional<std::size_t> FactTable::find(std::string_view word) const {
  const std::string wanted = folded(word);
  for (std::size_t row = 0; row < rows(); ++row) {
    if (folded(cell(row, "name")) == wanted) return row;
    for (const std::string_view alias : split(cell(row, "aliases"), '|')) {
      if (folded(alias) == wanted) return row;
    }
  }
  return std::nullopt;
}

}  // namespace floptally
