// floptally audit RUN|NAME: a run known from outside, by both methods, and how it stands to the thresholds of law.
#include "audit/report.h"
#include "base/file.h"
#include "base/integer.h"
#include "engine/facts.h"
#include "engine/override.h"
#include "network/convention.h"
#include "network/format.h"
#include "network/shipped.h"
#include "network/spec.h"

namespace floptally {
namespace {

// The compute of the model that training started from, from the shipped runs where the file names it only.
// Errors: missing-fact.
Result<bool> find_base(AuditRun& run, const PublishedRuns& published) {
  if (run.base.empty() || run.base_flop) return false;
  const Result<AuditRun> found = published.find(run.base);
  if (found && !found->published) {  // its compute is not published: counted as the run's own would be
    if (const std::optional<double> flop = operations_flop(*found)) {
      run.base_flop = base_compute(*flop, run.base_place, "counted from the parameters and tokens of " + found->title);
      return true;
    }
  }
  if (!found || !found->published) {
    return error("missing-fact", "the training compute of the base model '" + run.base + "' is not known",
                 run.base_place,
                 "state base.flop" + (found ? "" : "; published runs: " + found.problems().front().help));
  }
  run.base_flop = base_compute(found->published->amount.best, run.base_place, "published compute of " + found->title);
  return true;
}

// What the network's own operators cost, for the sequences that the run trains on.
Result<bool> attach(AuditRun& run, Network& network, std::string name, bool named) {
  if (run.packing) {
    Result<bool> packed = pack(network, *run.packing);
    if (!packed) return packed;
  }
  const Measure<Integer> total = count(network).total();
  ExactCount exact;
  exact.name = std::move(name);
  exact.unit = network.unit;
  exact.flop = count_flop(network, *find_convention("causal")).training() / Integer(network.samples);
  exact.units = Integer(network.sequence);
  exact.parameters = total.parameters;
  exact.active = total.active();
  if (exact.unit == "image" && run.domain == "language") run.domain = "vision";  // the file does not say
  const bool of_images = exact.unit != "token" && !run.phases.empty() && run.phases.front().examples.has_value();
  exact.rules = named || of_images;  // of images nothing else can be counted
  attach_network(run, std::move(exact));
  return true;
}

Inputs inputs_of(const AuditRun& run) {
  Inputs inputs;
  if (!run.phases.empty() && run.phases.front().sequence)
    inputs.sequence = static_cast<std::int64_t>(run.phases.front().sequence->amount.best);
  return inputs;
}

Result<AuditRun> run_named(const Request& request, const PublishedRuns& published, const Catalogue& catalogue,
                           Context& context) {
  const std::string& input = request.inputs.front();
  if (input.ends_with(".csv") || input.ends_with(".csv.gz"))
    return error("unknown-run", "'" + input + "' is a table, not one run", {},
                 "`floptally evidence " + input + "` counts every row of a table of published runs");
  if (input == "-" || (path_exists(input) && !is_directory(input)) || input.ends_with(".yaml") ||
      input.ends_with(".yml") || input.ends_with(".json")) {
    Result<const Source*> source = context.sources.read(input);
    if (!source) return source.take_problems();
    Result<Document> document = read_document(**source);
    if (!document) return document.take_problems();
    Result<Document> changed = with_overrides(std::move(*document), request, context);
    if (!changed) return changed.take_problems();
    Result<AuditRun> run = read_audit_run(*changed, catalogue);
    if (!run) return run;
    const Result<bool> based = find_base(*run, published);
    if (!based) return based.problems();
    const Node model = changed->root().find("model");
    if (model.is_mapping() && is_spec(model)) {  // the network is written into the run
      Result<Network> network = build_spec(model, inputs_of(*run), context.sources, input);
      if (!network) return network.problems();
      const Result<bool> counted = attach(*run, *network, run->title.empty() ? "the run" : run->title, true);
      if (!counted) return counted.problems();
    }
    return run;
  }
  if (request.has("set"))
    return error("bad-override", "--set changes a file; '" + input + "' is a published run", {},
                 "write its facts into a run of your own");
  return published.find(input);
}

Result<std::vector<const Source*>> tables(const Request& request, Context& context,
                                          std::initializer_list<const char*> paths) {
  std::vector<const Source*> out;
  for (const char* path : paths) {
    Result<const Source*> table = fact_table(request, context, path);
    if (!table) return table.take_problems();
    out.push_back(*table);
  }
  return out;
}

// Counts the network that the run names, or the shipped one of its own name. Errors: the model reader's.
Result<bool> count_network(AuditRun& run, const std::string& input, Context& context) {
  const bool named = !run.model_from.empty();
  const std::string& model = named ? run.model_from : run.name;
  if (run.exact || (!named && !is_shipped_model(model))) return false;
  Result<Network> network = load_model(model, inputs_of(run), context.sources, named ? input : std::string());
  if (!network) {
    if (named) return network.take_problems();
    return false;
  }
  return attach(run, *network, model, named);
}

Result<Book> run(const Request& request, Context& context) {
  Result<std::shared_ptr<const Catalogue>> catalogue = catalogue_of(request, context);
  if (!catalogue) return catalogue.take_problems();
  Result<std::vector<const Source*>> given = tables(
      request, context,
      {"audit/utilization.csv", "audit/residuals.csv", "audit/causes.csv", "audit/confidence.csv",
       "audit/active_share.csv", "audit/words.csv", "law/rules.csv", "law/inclusions.csv", "published/runs.csv"});
  if (!given) return given.take_problems();
  Result<Assumptions> assumptions = Assumptions::read(*given);
  if (!assumptions) return assumptions.take_problems();
  Result<Laws> laws = Laws::read(*given);
  if (!laws) return laws.take_problems();
  Result<PublishedRuns> published = PublishedRuns::read(*given->back(), **catalogue);
  if (!published) return published.take_problems();
  if (!request.data_dir.empty()) {  // a table of the user's: all mistakes at once
    if (Diagnostics problems = published->check(); !problems.empty()) return problems;
  }
  const AuditFacts facts{**catalogue, *assumptions, *laws, *published};
  if (request.inputs.empty()) return audit_card(facts);
  Result<AuditRun> run = run_named(request, *published, **catalogue, context);
  if (!run) return run.take_problems();
  const Result<bool> counted = count_network(*run, request.inputs.front(), context);
  if (!counted) return counted.problems();
  AuditOptions options;
  options.on = (*catalogue)->date();
  if (request.has("on")) {
    const std::optional<Date> on = Date::parse(request.word("on"));
    if (!on) return error("bad-date", "--on needs a date such as 2026-08-01, not '" + request.word("on") + "'");
    options.on = *on;
  }
  if (request.has("utilization")) {
    if (request.word("utilization") != "article" && request.word("utilization") != "fitted") {
      return error("bad-option", "--utilization is 'fitted' or 'article', not '" + request.word("utilization") + "'",
                   {}, "a number belongs into the run: `hardware: {utilization: 40%}`");
    }
    run->utilization_option = request.word("utilization");
  }
  options.sure = request.has("sure");
  if (request.has("worlds")) {
    const std::optional<Integer> worlds = Integer::parse(request.word("worlds"));
    if (!worlds || *worlds < Integer(16) || *worlds > Integer(1 << 24))
      return error("bad-option", "--worlds needs a number from 16 to 16777216, not '" + request.word("worlds") + "'");
    options.worlds = static_cast<std::uint32_t>(worlds->to_int64());
  }
  return audit_run(*run, facts, options);
}

}  // namespace

namespace commands {
extern const CommandDef k_audit;
const CommandDef k_audit = {
    {"audit",
     "a published run by both methods, whether they agree, and how it stands to the legal thresholds",
     "[RUN|NAME]",
     0,
     1,
     {{"on", "DATE", "the day whose law is asked about (default: the catalogue's date)", false},
      {"sure", "", "how far the same count lay from published compute elsewhere", false},
      {"worlds", "N", "how many worlds the ranges are read from (16384)", false},
      {"utilization", "WORD", "where none is stated: 'fitted' on published runs, or the 'article' values 30% and 40%",
       false}},
     {"floptally audit gpt-3", "floptally audit examples/audits/press-release.yaml -o report.md", "floptally audit"}},
    run};
}  // namespace commands

}  // namespace floptally
