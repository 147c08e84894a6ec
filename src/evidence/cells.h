// What the readers of evidence rows share: typed cells, and words in free text.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "base/csv.h"
#include "base/letters.h"
#include "evidence/row.h"
#include "quantity/quantity_text.h"
#include "training/table.h"

namespace floptally {

// Reads cells of one row; the first bad one becomes the row's reason.
class Cells {
 public:
  // `line`: where the row begins.
  Cells(const Csv& csv, std::size_t row, std::uint64_t line, EvidenceRow& out)
      : csv_(csv), row_(row), line_(line), out_(out) {}

  [[nodiscard]] std::string_view text(std::string_view column) const { return csv_.cell(row_, column); }
  // Whether a number's cell says nothing: empty, or one of the words that scripts write for it.
  [[nodiscard]] bool blank(std::string_view column) const {
    const std::string word = folded(text(column));
    return word.empty() || word == "none" || word == "null" || word == "nan" || word == "na";
  }
  // Whether the table has the column and says nothing here.
  [[nodiscard]] bool skipped(std::string_view column) const { return csv_.find(column).has_value() && blank(column); }
  [[nodiscard]] std::optional<double> number(std::string_view column) {
    const std::string_view cell = text(column);
    if (blank(column)) return std::nullopt;
    if (const std::string word = folded(cell); word == "true" || word == "false") return word == "true" ? 1 : 0;
    double value = 0;
    std::string pointed;  // tables with ';' between cells write 60,5
    if (csv_.separator() == ';' && cell.find('.') == std::string_view::npos) {
      pointed = cell;
      if (const std::size_t comma = pointed.find(','); comma != std::string::npos) pointed[comma] = '.';
    }
    const std::string_view plain = pointed.empty() ? cell : std::string_view(pointed);
    const auto [end, status] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
    if (status != std::errc{} || end != plain.data() + plain.size() || !std::isfinite(value)) {
      fail(column, "is not a plain number (units stand in the column's name)");
      return std::nullopt;
    }
    if (value < 0) {
      fail(column, "is negative");
      return std::nullopt;
    }
    return value;
  }
  // Bytes: a plain number of `unit`, or any number with its own unit ("57.2 GiB"); without `unit` one must stand there.
  [[nodiscard]] std::optional<double> bytes(std::string_view column, double unit) {
    if (blank(column)) return std::nullopt;
    if (const Result<Amount> amount = parse_amount(text(column));
        amount.ok() && !amount->bare && amount->dim == dim::kByte && amount->best >= 0)
      return amount->best;
    const std::optional<double> value = number(column);
    if (value && !(unit > 0)) {
      fail(column, "has no unit: call the column peak_mem_gib or peak_mem_gb");
      return std::nullopt;
    }
    return value ? std::optional(*value * unit) : std::nullopt;
  }
  // A length in tokens ("4k" is 4,096, as in RUN files), or a number of parameters ("7B", decimal).
  [[nodiscard]] std::int64_t length(std::string_view column, std::int64_t otherwise, Suffix suffix = Suffix::length) {
    const std::string_view cell = text(column);
    const NumberText value = read_number(cell, suffix);
    const bool suffixed = value.length == cell.size() && !cell.empty() && (cell.back() < '0' || cell.back() > '9');
    if (suffixed && value.exact && Integer(0) < *value.exact && *value.exact < Integer(std::int64_t{1} << 50))
      return value.exact->to_int64();
    return count(column, otherwise);
  }
  // The same where the cell may be any number.
  [[nodiscard]] double amount(std::string_view column) {
    const std::string_view cell = text(column);
    if (!cell.empty() && (cell.back() < '0' || cell.back() > '9') && cell.back() != '.')
      if (const std::int64_t value = blank(column) ? 0 : length(column, 0, Suffix::decimal); value > 0)
        return static_cast<double>(value);
    return number(column).value_or(0);
  }
  [[nodiscard]] std::int64_t count(std::string_view column, std::int64_t otherwise) {
    const auto value = number(column);
    if (!value) return otherwise;
    if (*value != std::floor(*value) || *value > 1e15) {
      fail(column, "is not a whole number");
      return otherwise;
    }
    return static_cast<std::int64_t>(*value);
  }

 private:
  void fail(std::string_view column, const char* what) {
    if (!out_.reason.empty()) return;
    const Span cell = csv_.span(row_, *csv_.find(column)), whole = csv_.row_span(row_);
    const std::string_view before =
        std::string_view(cell.source->text).substr(whole.begin, cell.begin - whole.begin);  // a quoted cell has lines
    const auto more = static_cast<std::uint64_t>(std::count(before.begin(), before.end(), '\n'));
    out_.reason = "line " + std::to_string(line_ + more) + ", column " + std::string(column) + ": \"" +
                  std::string(text(column)) + "\" " + what;
  }

  const Csv& csv_;
  std::size_t row_;
  std::uint64_t line_;
  EvidenceRow& out_;
};

// The whole number after `key` in free text ("q_lora 1536 kv_lora 512"), or 0.
inline std::int64_t number_after(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return 0;
  std::size_t i = at + key.size();
  while (i < text.size() && text[i] == ' ') ++i;
  std::int64_t value = 0;
  std::from_chars(text.data() + i, text.data() + text.size(), value);
  return value;
}

// Names a label that is not known as the row's reason, but where Megatron-LM's arguments stand in the row: they rule
// it, whatever the labels beside them say.
void unknown_label(EvidenceRow& out, const char* column, std::string_view label);
// What was measured; `unit`: that of the row's source ("gb" or "gib"), where it is `known`.
void read_measured(EvidenceRow& out, Cells& cells, std::string_view unit, bool known);
// Sizes of a layout that cannot be are named in the row's reason and set to 1.
void bound_layout(EvidenceRow& out);
// The model's sizes from the row's columns.
void read_model(EvidenceRow& out, Cells& cells);
// What the row leaves to its source's recipes (data/evidence/recipes.csv, and the source's micro-batch), and what no
// recipe can say.
void read_recipe(EvidenceRow& out, const Cells& cells, std::int64_t micro_batch, bool known);
// What the columns leave empty, from a published model that the row names: first data/evidence/models.csv, then what
// `find` finds among the shipped ones.
void read_named_model(EvidenceRow& out);
void read_shipped(EvidenceRow& out, const FindModel& find);
// Sets the sizes that are still assumed against the stated parameters; the row is left out where they differ.
void check_parameters(EvidenceRow& out);

}  // namespace floptally
