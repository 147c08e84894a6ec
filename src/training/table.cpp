#include "training/table.h"

#include <charconv>
#include <utility>

#include "base/embedded.h"
#include "base/file.h"

namespace floptally {

std::string folded(std::string_view word) {
  std::string out;
  for (const char c : word) {
    if (c == '-' || c == '_' || c == '.' || c == ' ' || c == '/') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

namespace {

thread_local FactScope* scope_in_force = nullptr;

// The user's table of that name in the folder in force.
std::optional<std::string> own_text(std::string_view path) {
  if (FactScope::folder().empty()) return std::nullopt;
  const std::string own = FactScope::folder() + "/" + std::string(path);
  if (!path_exists(own)) return std::nullopt;
  const Result<MappedFile> file = MappedFile::open(own);
  return file.ok() ? std::optional<std::string>(file->view()) : std::nullopt;
}

}  // namespace

FactScope::FactScope(std::string folder) : folder_(std::move(folder)), before_(scope_in_force) {
  if (!folder_.empty()) scope_in_force = this;
}
FactScope::~FactScope() { scope_in_force = before_; }

FactScope* FactScope::in_force() { return scope_in_force; }

const std::string& FactScope::folder() {
  static const std::string none;
  return scope_in_force != nullptr ? scope_in_force->folder_ : none;
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
      const bool hidden = !parts_.empty() && part->csv->find("aliases") && !name.empty() && find(name);
      if (!hidden) rows_.push_back({part.get(), row});
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

double FactTable::number(std::size_t row, std::string_view column) const {
  const std::string_view text = cell(row, column);
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
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
