// floptally tally PLAN: what a programme of runs costs.
#include "plan/tally.h"

#include <charconv>

#include "base/nearest.h"
#include "document/edit.h"
#include "engine/facts.h"
#include "plan/plan.h"

namespace floptally {
namespace {

constexpr std::uint64_t kLargestPlan = 64u << 20;  // a plan that a person wrote; tables of runs may be larger
constexpr std::uint64_t kLargestTable = 1u << 28;

// What --set and --let say; a value is named "let.lrs" either way.
Result<std::vector<Edit>> edits_of(const Request& request, Context& context) {
  Result<std::vector<Edit>> set = parse_edits(request.words("set"), "--set", context.sources);
  Result<std::vector<Edit>> let = parse_edits(request.words("let"), "--let", context.sources);
  Diagnostics problems;
  for (Result<std::vector<Edit>>* const each : {&set, &let})
    if (!*each)
      for (Diagnostic& problem : each->take_problems()) problems.push_back(std::move(problem));
  if (!problems.empty()) return problems;
  for (Edit& each : *let) set->push_back({"let." + each.path, std::move(each.value)});
  return set;
}

// The plan as a file says it, with what the command line says in its place. A new name would be one that nothing uses.
Result<Plan> edited_plan(Document document, const std::vector<Edit>& edits,
                         std::vector<std::unique_ptr<Document>>& documents) {
  const Node let = document.root().find("let");
  std::vector<std::string_view> names;
  for (const Node each : let) names.push_back(each.key());
  Diagnostics problems;
  for (const Edit& each : edits) {
    if (!each.path.starts_with("let.")) continue;
    const std::string_view name = std::string_view(each.path).substr(4);
    if (!let.find(name.substr(0, name.find('.'))))
      problems.push_back(error("unknown-key", "the plan has no value '" + std::string(name) + "' under 'let'",
                               each.value->root().span(), suggestion(name, names)));
  }
  if (!problems.empty()) return problems;
  if (!edits.empty()) {
    Result<Document> changed = edited(document, edits);
    if (!changed) return changed.take_problems();
    document = *std::move(changed);
  }
  documents.push_back(std::make_unique<Document>(std::move(document)));
  return read_plan(documents.back()->root());
}

// A plan whose runs come from elsewhere may lack them.
void excuse_missing_runs(Plan& plan) {
  std::erase_if(plan.problems, [](const Diagnostic& each) {
    return each.code == "empty-list" || each.code == "empty-runs" ||
           (each.code == "missing-key" && each.message.starts_with("'runs' "));
  });
}

// A plan that only says what the runs are.
void without_runs(Plan& plan) {
  excuse_missing_runs(plan);
  plan.subsets.clear();
}

// A table of runs and a sweep do not say what the runs are: `--plan FILE` does.
Result<Plan> base_plan(const Request& request, Context& context, const std::vector<Edit>& edits,
                       std::vector<std::unique_ptr<Document>>& documents) {
  if (!request.has("plan")) {
    if (edits.empty()) return Plan{};
    // Sections named on the command line alone.
    const Source& empty =
        context.sources.add("--set", "{plan: 1, runs: {none: []}, hardware: {}, model: {}, train: {}}");
    Result<Document> document = read_yaml(empty);
    Result<Plan> plan = edited_plan(*std::move(document), edits, documents);
    if (plan) without_runs(*plan);
    return plan;
  }
  Result<const Source*> source = context.sources.read(request.word("plan"), kLargestPlan);
  if (!source) return source.take_problems();
  Result<Document> document = read_document(**source);
  if (!document) return document.take_problems();
  Result<Plan> plan = edited_plan(*std::move(document), edits, documents);
  if (plan) without_runs(*plan);
  return plan;
}

Result<Plan> plan_of(const Request& request, Context& context, std::vector<std::unique_ptr<Document>>& documents) {
  const Result<std::vector<Edit>> edits = edits_of(request, context);
  if (!edits) return edits.problems();
  const std::string& path = request.inputs.front();
  const bool table = path.ends_with(".csv");
  Result<const Source*> source = context.sources.read(path, table ? kLargestTable : kLargestPlan);
  if (!source) return source.take_problems();
  if (table) {
    Result<Plan> base = base_plan(request, context, *edits, documents);
    if (!base) return base;
    return import_runs_csv(**source, std::move(*base));
  }
  Result<Document> document = read_document(**source);
  if (!document) return document.take_problems();
  if (is_wandb_sweep(document->root())) {
    documents.push_back(std::make_unique<Document>(std::move(*document)));
    const Node sweep = documents.back()->root();
    Result<Plan> base = base_plan(request, context, *edits, documents);
    if (!base) return base;
    return import_wandb(sweep, std::move(*base));
  }
  Result<Plan> plan = edited_plan(*std::move(document), *edits, documents);
  if (!plan || !request.has("over")) return plan;
  excuse_missing_runs(*plan);
  return import_hydra(request.word("over"), std::move(*plan), context.sources);
}

// How many worlds: --worlds N, none with --no-ranges.
Result<std::uint32_t> worlds_of(const Request& request) {
  constexpr std::uint32_t kMost = 10'000'000;
  if (request.has("no-ranges")) return std::uint32_t{0};
  if (!request.has("worlds")) return Worlds::kDefault;
  const std::string word = request.word("worlds");
  std::uint32_t count = 0;
  const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), count);
  if (problem != std::errc() || end != word.data() + word.size() || count > kMost)
    return error("bad-option", "--worlds takes a whole number from 0 to 10000000, not '" + word + "'");
  return count;
}

Result<Book> run(const Request& request, Context& context) {
  std::vector<std::unique_ptr<Document>> documents;
  Result<Plan> plan = plan_of(request, context, documents);
  if (!plan) return plan.take_problems();
  Result<std::shared_ptr<const Catalogue>> catalogue = catalogue_of(request, context);
  if (!catalogue) return catalogue.take_problems();
  plan->name = request.inputs.front();
  TallyOptions options;
  options.by = request.word("by");
  if (options.by == "subset") options.by.clear();
  Result<std::uint32_t> worlds = worlds_of(request);
  if (!worlds) return worlds.take_problems();
  options.worlds = *worlds;
  options.keep_worlds = context.compare;
  Result<Book> book = tally_plan(*plan, options, **catalogue, context.sources);
  if (!book || !request.has("strict")) return book;
  Diagnostics assumed;  // with --strict what was noted as assumed is a mistake
  for (Diagnostic& each : book->notes)
    if (each.code.starts_with("assumed-")) {
      assumed.push_back(each);
      assumed.back().severity = Severity::error;
    }
  if (!assumed.empty()) return assumed;
  return book;
}

}  // namespace

namespace commands {
extern const CommandDef k_tally;
const CommandDef k_tally = {
    {"tally",
     "what a whole programme of runs costs: runs, FLOP, device-hours, money, with 90% ranges",
     "PLAN",
     1,
     1,
     {{"by", "AXIS", "a row per value of an axis (width, optimizer ...) instead of per subset", false},
      {"let", "NAME=VALUE", "replace a named value of the plan: --let lrs=12", true},
      {"over", "OVERRIDES", "one more line, in Hydra's words: --over 'model.width=512,1024 seed=range(0,5)'", false},
      {"plan", "FILE", "what the runs of a sweep or a CSV are: a plan with hardware, model and train", false},
      {"worlds", "N", "how many worlds the ranges are read from (16384)", false},
      {"no-ranges", "", "best guesses only", false}},
     {"floptally tally plans/gdm-scaling-exponents.yaml", "floptally tally plans/gdm-scaling-exponents.yaml --by width",
      "floptally tally plans/gdm-scaling-exponents.yaml --let lrs=12 --set hardware.price=2"}},
    run};
}  // namespace commands
}  // namespace floptally
