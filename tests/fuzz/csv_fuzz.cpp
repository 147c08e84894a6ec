// Any bytes as CSV: no crash, and cells that write and read back the same.
#include <cstdlib>

#include "base/csv.h"
#include "base/sources.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace floptally;
  const Source source{"fuzz.csv", std::string(reinterpret_cast<const char*>(data), size), false};
  if (find_invalid_utf8(source.text) != std::string::npos) return 0;
  const auto csv = Csv::read(source);
  if (!csv.ok()) {
    if (to_text(csv.problems()).empty()) std::abort();
    return 0;
  }
  std::string text;
  for (std::size_t c = 0; c < csv->columns(); ++c) text += (c ? "," : "") + csv_quote(csv->header(c));
  if (text.empty()) text = "\"\"";
  for (std::size_t r = 0; r < csv->rows(); ++r)
    for (std::size_t c = 0; c < csv->columns(); ++c) {
      const std::string cell = csv_quote(csv->cell(r, c));
      text += (c ? "," : "\n") + (cell.empty() ? std::string("\"\"") : cell);
    }
  const Source again{"again.csv", text, false};
  const auto second = Csv::read(again);
  if (!second.ok() || second->rows() != csv->rows() || second->columns() != csv->columns()) std::abort();
  for (std::size_t r = 0; r < csv->rows(); ++r)
    for (std::size_t c = 0; c < csv->columns(); ++c)
      if (csv->cell(r, c) != second->cell(r, c)) std::abort();
  return 0;
}
