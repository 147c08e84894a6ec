#include "base/csv.h"

#include <algorithm>

namespace floptally {

// One pass over the bytes; problems are collected and reading goes on with the next line.
class CsvReader {
 public:
  CsvReader(const Source& source, CsvOptions options, CsvVisitor* visitor = nullptr)
      : text_(source.text), options_(options), visitor_(visitor) {
    csv_.source_ = &source;
    csv_.separator_ = options.separator;
  }

  Result<Csv> read() {
    if (text_.size() > UINT32_MAX)
      return error("file-too-large", "'" + csv_.source_->name + "' is past 4 GiB, the most a table may have");
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
    while (at_ < text_.size()) {
      if (skip_line()) continue;
      read_row();
    }
    if (csv_.columns_ == 0)
      problems_.push_back(error("csv-no-header", "the table is empty: a first line with column names was expected",
                                {csv_.source_, 0, 0}));
    if (!problems_.empty()) return std::move(problems_);
    return std::move(csv_);
  }

 private:
  // Blank lines and comments.
  bool skip_line() {
    const char c = text_[at_];
    if (c == '\n') return ++at_, true;
    if (c == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') return at_ += 2, true;
    if (c != '#' || !options_.comments) return false;
    const std::size_t stop = text_.find('\n', at_);
    at_ = stop == std::string_view::npos ? text_.size() : stop + 1;
    return true;
  }

  void read_row() {
    const std::size_t row_begin = at_;
    const std::size_t first = csv_.cells_.size();
    bool more = true;
    while (more) {
      if (at_ < text_.size() && text_[at_] == '"')
        more = read_quoted();
      else
        more = read_plain();
    }
    const std::size_t count = csv_.cells_.size() - first;
    if (csv_.columns_ == 0) {
      csv_.columns_ = count;
      header_copies_ = csv_.copies_.size();
      check_header();
    } else if (unclosed_) {
      csv_.cells_.resize(first);
    } else if (count != csv_.columns_) {
      const std::size_t row_end = csv_.cells_.back().end;
      problems_.push_back(
          error("csv-row-width",
                "this row has " + std::to_string(count) + " cells, the header " + std::to_string(csv_.columns_),
                {csv_.source_, row_begin, row_end},
                count < csv_.columns_ ? "leave cells empty rather than out"
                                      : "a cell that holds the separator is put in double quotes"));
      csv_.cells_.resize(first);
    } else if (visitor_ != nullptr) {
      visitor_->row(csv_);
      csv_.cells_.resize(first);
      csv_.copies_.resize(header_copies_);
    }
  }

  bool read_plain() {
    const std::size_t begin = at_;
    const char separator = options_.separator;
    bool stray = false;
    std::size_t end = begin;
    for (; end < text_.size() && text_[end] != separator && text_[end] != '\n'; ++end) stray |= text_[end] == '"';
    at_ = end;
    if (stray) {
      const std::size_t quote = text_.find('"', begin);
      problems_.push_back(error("csv-stray-quote", "a quote inside an unquoted cell", {csv_.source_, quote, quote + 1},
                                "quote the whole cell and double the quotes inside it"));
    }
    if (end > begin && text_[end - 1] == '\r' && (at_ == text_.size() || text_[at_] == '\n')) --end;
    push(begin, end, Csv::Form::plain);
    return step();
  }

  bool read_quoted() {
    const std::size_t begin = at_++;
    bool doubled = false;
    while (true) {
      const std::size_t quote = text_.find('"', at_);
      if (quote == std::string_view::npos) {
        problems_.push_back(
            error("csv-unclosed-quote", "this quote is never closed", {csv_.source_, begin, begin + 1}));
        at_ = text_.size();
        unclosed_ = true;
        push(begin, at_, Csv::Form::plain);
        return false;
      }
      at_ = quote + 1;
      if (at_ >= text_.size() || text_[at_] != '"') break;
      doubled = true;
      ++at_;
    }
    push(begin, at_, doubled ? Csv::Form::copied : Csv::Form::quoted);
    if (doubled) copy_cell(begin + 1, at_ - 1);
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] != options_.separator && text_[at_] != '\n') {
      problems_.push_back(error("csv-stray-quote", "text after the closing quote of a cell",
                                {csv_.source_, at_, at_ + 1}, "double a quote that belongs to the text"));
      while (at_ < text_.size() && text_[at_] != options_.separator && text_[at_] != '\n') ++at_;
    }
    return step();
  }

  void copy_cell(std::size_t begin, std::size_t end) {
    std::string out;
    out.reserve(end - begin);
    for (std::size_t i = begin; i < end; ++i) {
      out.push_back(text_[i]);
      if (text_[i] == '"') ++i;
    }
    csv_.cells_.back().copy = static_cast<std::uint32_t>(csv_.copies_.size());
    csv_.copies_.push_back(std::move(out));
  }

  void push(std::size_t begin, std::size_t end, Csv::Form form) {
    csv_.cells_.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), 0, form});
  }

  // Past the separator (true: the row goes on) or the newline.
  bool step() {
    if (at_ >= text_.size()) return false;
    return text_[at_++] == options_.separator;
  }

  void check_header() {
    for (std::size_t i = 0; i < csv_.columns_; ++i)
      for (std::size_t k = 0; k < i; ++k)
        if (csv_.header(i) == csv_.header(k)) {
          Diagnostic twice = error("csv-duplicate-column",
                                   "column '" + std::string(csv_.header(i)) + "' is there twice", csv_.header_span(i));
          twice.labels.push_back({csv_.header_span(k), "first here"});
          problems_.push_back(std::move(twice));
          k = i;
        }
  }

  Csv csv_;
  std::string_view text_;
  CsvOptions options_;
  CsvVisitor* visitor_;
  std::size_t header_copies_ = 0;
  std::size_t at_ = 0;
  bool unclosed_ = false;
  Diagnostics problems_;
};

Result<Csv> Csv::read(const Source& source, CsvOptions options) { return CsvReader(source, options).read(); }

Result<Csv> Csv::visit(const Source& source, CsvVisitor& visitor, CsvOptions options) {
  return CsvReader(source, options, &visitor).read();
}

char sniff_separator(std::string_view text) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  while (!text.empty() && (text.front() == '#' || text.front() == '\n' || text.front() == '\r')) {
    const std::size_t end = text.find('\n');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  std::size_t commas = 0, semicolons = 0, tabs = 0;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n') break;
    commas += c == ',' ? 1 : 0;
    semicolons += c == ';' ? 1 : 0;
    tabs += c == '\t' ? 1 : 0;
  }
  if (semicolons > commas && semicolons >= tabs) return ';';
  return tabs > commas ? '\t' : ',';
}

void Csv::rename(std::size_t column, std::string_view name) {
  cells_[column].form = Form::copied;
  cells_[column].copy = static_cast<std::uint32_t>(copies_.size());
  copies_.emplace_back(name);
}

std::optional<std::size_t> Csv::find(std::string_view name) const {
  for (std::size_t i = 0; i < columns_; ++i)
    if (header(i) == name) return i;
  return std::nullopt;
}

std::string_view Csv::cell(std::size_t row, std::string_view column) const {
  const std::optional<std::size_t> index = find(column);
  return index ? cell(row, *index) : std::string_view{};
}

Span Csv::row_span(std::size_t row) const { return {source_, at(row, 0).begin, at(row, columns_ - 1).end}; }

std::string_view Csv::text_of(const Cell& cell) const {
  if (cell.form == Form::copied) return copies_[cell.copy];
  std::string_view text = std::string_view(source_->text).substr(cell.begin, cell.end - cell.begin);
  return cell.form == Form::quoted ? text.substr(1, text.size() - 2) : text;
}

std::uint64_t RowLines::line_of(std::size_t row) {
  const Span span = csv_.row_span(row);
  const std::string& text = span.source->text;
  const auto from = text.begin() + static_cast<std::ptrdiff_t>(at_),
             to = text.begin() + static_cast<std::ptrdiff_t>(span.begin);
  line_ += static_cast<std::uint64_t>(std::count(from, to, '\n'));
  at_ = span.begin;
  return line_;
}

std::string csv_quote(std::string_view text, char separator) {
  const bool needs = text.find_first_of("\"\n\r") != std::string_view::npos ||
                     text.find(separator) != std::string_view::npos ||
                     (!text.empty() && (text.front() == '#' || text.front() == '\xEF'));
  if (!needs) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

}  // namespace floptally
