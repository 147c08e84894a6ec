// Csv: a table with a header row, read by RFC 4180, where every cell knows its place in the source.
//
// Always holds: every row has as many cells as the header; cell(r, c) and span(r, c) describe the same bytes. The
// Source must be UTF-8 and outlive the table (cells are views into its text; only cells that hold a doubled quote are
// copied).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "floptally/diagnostic.h"

namespace floptally {

struct CsvOptions {
  char separator = ',';
  bool comments = true;  // skip lines that start with '#' (our own tables under data/ open with their sources)
};

// What separates the cells of the table's first line, where it is told from the line itself: ',', ';' or a tab,
// whichever there is most of outside quotes.
char sniff_separator(std::string_view text);

class Csv;

// Takes the rows of a table one at a time.
class CsvVisitor {
 public:
  virtual ~CsvVisitor() = default;
  // The table holds its header and one row, row 0.
  virtual void row(const Csv& table) = 0;
};

class Csv {
 public:
  // Reads the whole table; blank lines are skipped, a byte-order mark is ignored, lines end in \n or \r\n.
  // Errors (all of a file at once): csv-no-header, csv-duplicate-column, csv-row-width, csv-unclosed-quote,
  // csv-stray-quote, file-too-large (past 4 GiB).
  static Result<Csv> read(const Source& source, CsvOptions options = {});
  // The same without keeping the rows: each is shown to `visitor`, and the header is returned. Rows that stand before a
  // mistake have been shown by then.
  static Result<Csv> visit(const Source& source, CsvVisitor& visitor, CsvOptions options = {});

  [[nodiscard]] std::size_t rows() const { return columns_ == 0 ? 0 : cells_.size() / columns_ - 1; }
  [[nodiscard]] std::size_t columns() const { return columns_; }
  [[nodiscard]] std::string_view header(std::size_t column) const { return text_of(cells_[column]); }
  [[nodiscard]] Span header_span(std::size_t column) const { return span_of(cells_[column]); }
  // What separates its cells.
  [[nodiscard]] char separator() const { return separator_; }
  // Calls the column by another name; its span stays.
  void rename(std::size_t column, std::string_view name);
  // The column with this name, if there is one.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;

  // Row 0 is the first row below the header. Quotes are taken off; blanks around unquoted cells are kept.
  [[nodiscard]] std::string_view cell(std::size_t row, std::size_t column) const { return text_of(at(row, column)); }
  // The cell's text in a named column; empty if there is no such column.
  [[nodiscard]] std::string_view cell(std::size_t row, std::string_view column) const;
  // Where the cell stands, quotes included. Line and column come from locate().
  [[nodiscard]] Span span(std::size_t row, std::size_t column) const { return span_of(at(row, column)); }
  [[nodiscard]] Span row_span(std::size_t row) const;
  [[nodiscard]] bool quoted(std::size_t row, std::size_t column) const { return at(row, column).form != Form::plain; }

 private:
  enum class Form : std::uint32_t { plain, quoted, copied };
  struct Cell {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t copy = 0;  // index into copies_ when form is copied
    Form form = Form::plain;
  };
  friend class CsvReader;
  [[nodiscard]] const Cell& at(std::size_t row, std::size_t column) const {
    return cells_[(row + 1) * columns_ + column];
  }
  [[nodiscard]] std::string_view text_of(const Cell& cell) const;
  [[nodiscard]] Span span_of(const Cell& cell) const { return {source_, cell.begin, cell.end}; }

  char separator_ = ',';
  const Source* source_ = nullptr;
  std::size_t columns_ = 0;
  std::vector<Cell> cells_;  // row by row, the header first
  std::deque<std::string> copies_;
};

// `text` as a CSV cell: quoted only where it has to be.
// Lines of a table's rows asked for from its top to its end: each line of the text is looked at once.
class RowLines {
 public:
  explicit RowLines(const Csv& csv) : csv_(csv) {}
  // Where the row begins; not before the one that was asked for last.
  std::uint64_t line_of(std::size_t row);

 private:
  const Csv& csv_;
  std::size_t at_ = 0;
  std::uint64_t line_ = 1;
};

std::string csv_quote(std::string_view text, char separator = ',');

}  // namespace floptally
