// Any bytes as a RUN file or as a table of measured runs: an answer or problems that can be shown, in bounded time.
#include <cstdlib>

#include "base/sources.h"
#include "document/document.h"
#include "estimate/evidence.h"
#include "training/run_file.h"

namespace {

void show(const floptally::Diagnostics& problems) {
  if (problems.empty() || floptally::to_text(problems).empty()) std::abort();
}

void score(const floptally::Source& source) {
  using namespace floptally;
  const auto csv = Csv::read(source);
  if (!csv.ok()) return show(csv.problems());
  const auto rows = read_evidence(*csv);
  if (!rows.ok()) return show(rows.problems());
  const MemoryCard card = memory_card(*rows, nullptr);
  for (const Scored& row : card.scored) {
    if (!(row.predicted >= 0)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace floptally;
  if (size == 0) return 0;
  std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (find_invalid_utf8(text) != std::string::npos) return 0;
  Sources sources;
  const Source& source = sources.add("fuzz", std::move(text));
  if (data[0] == 'e') {
    score(source);
    return 0;
  }
  const auto document = read_document(source);
  if (!document.ok()) {
    show(document.problems());
    return 0;
  }
  const auto run = read_run(document->root(), Catalogue::embedded());
  if (!run.ok()) {
    show(run.problems());
    return 0;
  }
  const Divisors none;
  const Diagnostics broken = check_layout({run->run.layout, none, run->devices}, run->layout_at);
  if (!broken.empty()) show(broken);
  return 0;
}
