// floptally tally PLAN: what a programme of runs costs.
#include "plan/tally.h"

#include <charconv>

#include "engine/facts.h"
#include "plan/plan.h"

namespace floptally {
namespace {

constexpr std::uint64_t kLargestPlan = 64u << 20;  // a plan that a person wrote; tables of runs may be larger
constexpr std::uint64_t kLargestTable = 1u << 28;

Result<std::vector<PlanOverride>> overrides_of(const Request& request, Context& context) {
  std::vector<PlanOverride> out;
  Diagnostics problems;
  for (const char* option : {"set", "let"})
    for (const std::string& word : request.words(option)) {
      Result<PlanOverride> parsed =
          parse_override(word, option == std::string("set") ? "--set" : "--let", context.sources);
      if (parsed)
        out.push_back(std::move(*parsed));
      else
        for (Diagnostic& each : parsed.take_problems()) problems.push_back(std::move(each));
    }
  if (!problems.empty()) return problems;
  return out;
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
Result<Plan> base_plan(const Request& request, Context& context, const std::vector<PlanOverride>& overrides,
                       std::vector<std::unique_ptr<Document>>& documents) {
  if (!request.has("plan")) {
    if (overrides.empty()) return Plan{};
    // Sections named on the command line alone.
    const Source& empty =
        context.sources.add("--set", "{plan: 1, runs: {none: []}, hardware: {}, model: {}, train: {}}");
    Result<Document> document = read_yaml(empty);
    documents.push_back(std::make_unique<Document>(std::move(*document)));
    Result<Plan> plan = read_plan(documents.back()->root(), overrides);
    if (plan) without_runs(*plan);
    return plan;
  }
  Result<const Source*> source = context.sources.read(request.word("plan"), kLargestPlan);
  if (!source) return source.take_problems();
  Result<Document> document = read_document(**source);
  if (!document) return document.take_problems();
  documents.push_back(std::make_unique<Document>(std::move(*document)));
  Result<Plan> plan = read_plan(documents.back()->root(), overrides);
  if (plan) without_runs(*plan);
  return plan;
}

Result<Plan> plan_of(const Request& request, Context& context, std::vector<std::unique_ptr<Document>>& documents) {
  Result<std::vector<PlanOverride>> overrides = overrides_of(request, context);
  if (!overrides) return overrides.take_problems();
  const std::string& path = request.inputs.front();
  const bool table = path.ends_with(".csv");
  Result<const Source*> source = context.sources.read(path, table ? kLargestTable : kLargestPlan);
  if (!source) return source.take_problems();
  if (table) {
    Result<Plan> base = base_plan(request, context, *overrides, documents);
    if (!base) return base;
    return import_runs_csv(**source, std::move(*base));
  }
  Result<Document> document = read_document(**source);
  if (!document) return document.take_problems();
  documents.push_back(std::make_unique<Document>(std::move(*document)));
  const Node root = documents.back()->root();
  if (is_wandb_sweep(root)) {
    Result<Plan> base = base_plan(request, context, *overrides, documents);
    if (!base) return base;
    return import_wandb(root, std::move(*base));
  }
  Result<Plan> plan = read_plan(root, *overrides);
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
