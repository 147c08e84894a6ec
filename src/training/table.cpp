#include "training/table.h"

#include "base/embedded.h"

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

FactTable::FactTable(std::string_view path) : source_(std::make_unique<Source>()) {
  const auto text = embedded_file(path);
  if (!text) return;
  source_->name = std::string(path);
  source_->text = std::string(*text);
  auto csv = Csv::read(*source_);
  if (!csv.ok()) return;
  csv_.emplace(*std::move(csv));
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
