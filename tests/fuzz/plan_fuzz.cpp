// Any bytes as a plan, a sweep, Hydra overrides or a table of runs: an answer or problems that can be shown, in bounded
// time.
#include <cstdlib>

#include "base/sources.h"
#include "hardware/catalogue.h"
#include "plan/plan.h"
#include "plan/tally.h"

namespace {

void show(const floptally::Diagnostics& problems) {
  if (problems.empty() || floptally::to_text(problems).empty()) std::abort();
}

void answer(const floptally::Result<floptally::Plan>& plan, floptally::Sources& sources) {
  if (!plan.ok()) return show(plan.problems());
  floptally::TallyOptions options;
  options.worlds = 16;
  const auto book = floptally::tally_plan(*plan, options, floptally::Catalogue::embedded(), sources);
  if (!book.ok()) show(book.problems());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace floptally;
  if (size == 0) return 0;
  std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (find_invalid_utf8(text) != std::string::npos) return 0;
  if (text.find("from") != std::string::npos) return 0;  // files are not this target's affair
  Sources sources;
  if (data[0] == 'h') {
    answer(import_hydra(text, Plan{}, sources), sources);
    return 0;
  }
  const Source& source = sources.add("fuzz", std::move(text));
  if (data[0] == 'c') {
    answer(import_runs_csv(source, Plan{}), sources);
    return 0;
  }
  ReadOptions options;
  options.max_nodes = 10000;
  const auto document = read_document(source, options);
  if (!document.ok()) return 0;
  if (is_wandb_sweep(document->root()))
    answer(import_wandb(document->root(), Plan{}), sources);
  else
    answer(read_plan(document->root()), sources);
  return 0;
}
