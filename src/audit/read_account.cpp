// Reading a RUN as an auditor does: what was stated, with its range and its place; nothing is computed here but
// products that define a fact (steps x batch x sequence = tokens).
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "audit/account.h"
#include "base/nearest.h"
#include "training/run_hint.h"
#include "training/run_tables.h"

namespace floptally {
namespace {

void scale(Amount& amount, double by) {
  amount.best *= by;
  amount.low *= by;
  amount.high *= by;
  for (double& v : amount.values) v *= by;
  if (amount.exact) {
    const std::optional<Integer> factor = Integer::from_double(by);
    amount.exact = factor ? std::optional(*amount.exact * *factor) : std::nullopt;
  }
}

double lowest(const Amount& a) {
  return a.form == Amount::Form::point || a.form == Amount::Form::floor ? a.best
         : a.form == Amount::Form::either                               ? a.values.front()
                                                                        : a.low;
}

class AccountReader {
 public:
  AccountReader(const Catalogue& catalogue, Diagnostics& problems) : catalogue_(catalogue), problems_(problems) {}

  // A positive quantity of that dimension; a bare number is taken to be `bare` of it (0: a unit is needed).
  MaybeFact fact(const Node& record, std::string_view key, Dim dim, std::string_view what, double bare) {
    const Node node = record.find(key);
    if (!node) return std::nullopt;
    Result<Amount> read = parse_amount(node.text(), dim, what, node.span(), bare != 0, suffix_of(key));
    if (!read) {
      for (Diagnostic& problem : read.take_problems()) problems_.push_back(std::move(problem));
      return std::nullopt;
    }
    if (!(lowest(*read) > 0) || !std::isfinite(read->best)) {
      problems_.push_back(error("not-positive", "'" + std::string(key) + "' is greater than 0", node.span()));
      return std::nullopt;
    }
    constexpr double kMost = 1e40;  // far above every run; products of a few facts stay finite
    if (std::max(read->best, read->high) > kMost || lowest(*read) < 1 / kMost) {
      problems_.push_back(error("bad-number", "'" + std::string(key) + "' is out of all proportion", node.span(),
                                "values between 1e-40 and 1e40 are read"));
      return std::nullopt;
    }
    Fact result{std::move(*read), node.span(), Mark::given, {}};
    if (result.amount.bare) scale(result.amount, bare);
    result.amount.dim = dim;
    return result;
  }
  MaybeFact count(const Node& record, std::string_view key, Dim dim, std::string_view what) {
    return fact(record, key, dim, what, 1);
  }

  MaybeFact share(const Node& record, std::string_view key) {
    MaybeFact result = fact(record, key, dim::kNone, "a share such as 40%", 1);
    if (!result) return result;
    const double top = std::max(result->amount.best, result->amount.high);
    if (top > 1) {
      const std::string text(record.find(key).text());
      problems_.push_back(
          error("utilization-over-one", "a utilization of " + text + " is more than all of the peak", result->place,
                result->amount.best <= 100 && !result->amount.percent ? "did you mean " + text + "%?"
                                                                      : "a utilization is between 0 and 1"));
      return std::nullopt;
    }
    return result;
  }

  Phase phase(const Node& model, const Node& train) {
    Phase p;
    p.parameters = count(model, "parameters", dim::kParameter, "a number of parameters such as 70e9");
    p.active = count(model, "active_parameters", dim::kParameter, "a number of parameters such as 37e9");
    p.connections = count(model, "connections", dim::kNone, "multiply-adds of one forward pass");
    p.layers = count(model, "layers", dim::kNone, "a number of layers");
    p.width = count(model, "width", dim::kNone, "a width");
    p.vocabulary = count(model, "vocab", dim::kNone, "a vocabulary");
    p.architecture = model.find("architecture").text();
    p.tokens = count(train, "tokens", dim::kToken, "a number of tokens such as 15T");
    p.words = count(train, "words", dim::kToken, "a number of words");
    p.passes = count(train, "epochs", dim::kNone, "a number of passes");
    p.examples = count(train, "examples", dim::kSample, "a number of examples");
    p.sequence = count(train, "sequence", dim::kNone, "tokens a sequence");
    p.generated = count(train, "generated", dim::kToken, "a number of tokens");
    p.scored = count(train, "scored", dim::kToken, "a number of tokens");
    p.place = train.span();
    tokens_from_steps(train, p);
    if (p.active && p.parameters &&
        lowest(p.active->amount) > std::max(p.parameters->amount.best, p.parameters->amount.high)) {
      problems_.push_back(contradiction("more parameters are active than there are", p.active->place, "active",
                                        p.parameters->place, "all"));
    }
    return p;
  }

  Phase extra_phase(const Node& node) {
    Phase p;
    p.name = node.find("name") ? std::string(node.find("name").text()) : "phase";
    p.component = node.find("component") ? std::string(node.find("component").text()) : "fine-tuning";
    static constexpr std::string_view kComponents[] = {"pretraining", "fine-tuning", "reinforcement", "generation",
                                                       "scoring",     "auxiliary",   "teacher",       "distillation",
                                                       "evaluation",  "exploration", "base"};
    if (std::find(std::begin(kComponents), std::end(kComponents), p.component) == std::end(kComponents)) {
      problems_.push_back(error("unknown-component", "no account counts a '" + p.component + "'",
                                node.find("component").span(), suggestion(p.component, kComponents)));
    }
    p.architecture = node.find("architecture").text();
    p.parameters = count(node, "parameters", dim::kParameter, "a number of parameters");
    p.active = count(node, "active_parameters", dim::kParameter, "a number of parameters");
    p.tokens = count(node, "tokens", dim::kToken, "a number of tokens");
    p.passes = count(node, "epochs", dim::kNone, "a number of passes");
    p.generated = count(node, "generated", dim::kToken, "a number of tokens");
    p.scored = count(node, "scored", dim::kToken, "a number of tokens");
    p.flop = fact(node, "flop", dim::kFlop, "a number of FLOP", 1);
    p.public_data = node.find("public").as_bool().value_or(false);
    p.place = node.span();
    return p;
  }

  Period period(const Node& node) {
    Period p;
    p.place = node.span();
    p.name = node.find("name").text();
    if (const Node device = node.find("device")) {
      // "A100" is four devices: an auditor takes what the source says, and the peak is uncertain where theirs differ.
      p.variants = catalogue_.matches(device.text());
      if (!p.variants.empty())
        p.device = p.variants.front();
      else
        problems_.push_back(catalogue_.find(device.text(), device.span()).take_problems().front());
      p.device_place = device.span();
    }
    p.devices = count(node, "devices", dim::kDevice, "a number of devices");
    if (!p.devices) devices_from_nodes(node, p);
    p.seconds = fact(node, "days", dim::kSecond, "a number of days", 86400);
    if (!p.seconds) p.seconds = fact(node, "hours", dim::kSecond, "a number of hours", 3600);
    if (!p.seconds) p.seconds = fact(node, "time", dim::kSecond, "a time such as 54 days", 0);
    p.device_seconds = fact(node, "device_hours", dim::kDeviceSecond, "device-hours", 3600);
    p.peak = fact(node, "peak", dim::kFlopPerSecond, "a rate such as 312 TFLOP/s", 0);
    p.rate = fact(node, "rate", dim::kFlopPerSecond, "a rate such as 400 TFLOP/s", 0);
    p.utilization = share(node, "utilization");
    if (!p.utilization && node.find("mfu")) {
      p.utilization = share(node, "mfu");
      p.of_steps = true;
    }
    if (!p.utilization && node.find("hfu")) {
      p.utilization = share(node, "hfu");
      p.of_steps = p.hardware_flop = true;
    }
    p.derived = node.find("utilization_from").text() == "derived";
    p.joules = fact(node, "energy", dim::kJoule, "an energy such as 1287 MWh", 0);
    p.usd = fact(node, "cost", dim::kUsd, "an amount such as 5.6e6 USD", 0);
    p.price =
        fact(node, "price", dim::kUsdPerDeviceSecond, "a price per device and hour, such as 2.5 USD/device-hour", 0);
    if (const Node format = node.find("format")) {
      p.format = arithmetic_named(format.text());
      if (!p.format)
        problems_.push_back(error("unknown-format", "'" + std::string(format.text()) + "' is no number format",
                                  format.span(), suggestion(format.text(), kArithmeticNames)));
    }
    check_hours(p);
    return p;
  }

  void date(const Node& node, AuditRun& run) {
    const Node date = node.find("date");
    if (!date) return;
    const std::optional<Date> read = Date::parse(date.text());
    if (!read)
      problems_.push_back(
          error("bad-date", "'" + std::string(date.text()) + "' is not a date such as 2024-07-30", date.span()));
    run.date = read.value_or(Date{});
    run.date_place = date.span();
  }

 private:
  static Diagnostic contradiction(std::string message, Span a, std::string a_text, Span b, std::string b_text) {
    Diagnostic d = error("contradictory-facts", std::move(message), a);
    d.labels.front().text = std::move(a_text);
    d.labels.push_back({b, std::move(b_text)});
    return d;
  }

  void tokens_from_steps(const Node& train, Phase& p) {
    const MaybeFact steps = count(train, "steps", dim::kNone, "a number of steps");
    const Node batch_node = train.find("batch");
    const Result<Amount> read =
        batch_node ? parse_amount(batch_node.text(), batch_node.span(), Suffix::batch) : Result<Amount>(Diagnostics{});
    const bool in_tokens = batch_node && read.ok() && read->dim == dim::kToken;  // "4M tokens" a step
    const MaybeFact batch = in_tokens ? count(train, "batch", dim::kToken, "tokens a step")
                                      : count(train, "batch", dim::kSample, "sequences a step");
    if (!steps || !batch || (!p.sequence && !in_tokens)) return;
    const double product = steps->amount.best * batch->amount.best * (in_tokens ? 1 : p.sequence->amount.best);
    if (p.tokens) {
      const double stated = p.tokens->amount.best * (p.passes ? p.passes->amount.best : 1);
      if (p.tokens->amount.form == Amount::Form::point && std::fabs(std::log(stated / product)) > 0.05) {
        problems_.push_back(contradiction("steps x batch x sequence is not the number of tokens", p.tokens->place,
                                          "stated", steps->place, "steps"));
      }
      return;
    }
    p.tokens = steps;
    scale(p.tokens->amount, batch->amount.best * (in_tokens ? 1 : p.sequence->amount.best));
    p.tokens->amount.dim = dim::kToken;
    p.tokens->amount.text += in_tokens ? " steps x batch" : " steps x batch x sequence";
  }

  void devices_from_nodes(const Node& node, Period& p) {
    MaybeFact nodes = count(node, "nodes", dim::kNode, "a number of nodes");
    if (!nodes) return;
    const MaybeFact each = count(node, "node", dim::kNone, "devices a node");
    const double per_node = each ? each->amount.best : p.device ? static_cast<double>(p.device->per_node) : 0;
    if (per_node <= 0) {
      problems_.push_back(
          error("missing-fact", "nodes of how many devices?", nodes->place, "add `node: 8`, the devices of a node"));
      return;
    }
    scale(nodes->amount, per_node);
    nodes->amount.dim = dim::kDevice;
    p.devices = nodes;
  }

  // 1,000 devices for 10 days is 240,000 device-hours and not 10^6.
  void check_hours(const Period& p) {
    if (!p.devices || !p.seconds || !p.device_seconds) return;
    if (p.devices->amount.form != Amount::Form::point || p.seconds->amount.form != Amount::Form::point ||
        p.device_seconds->amount.form != Amount::Form::point)
      return;
    const double product = p.devices->amount.best * p.seconds->amount.best;
    if (std::fabs(std::log(product / p.device_seconds->amount.best)) <= 0.1) return;
    char text[96];
    std::snprintf(text, sizeof text, "devices x time is %.4g device-hours, not %.4g", product / 3600,
                  p.device_seconds->amount.best / 3600);
    problems_.push_back(contradiction(text, p.device_seconds->place, "device-hours", p.devices->place, "devices"));
  }

  const Catalogue& catalogue_;
  Diagnostics& problems_;
};

}  // namespace

void attach_network(AuditRun& run, ExactCount exact) {
  if (run.phases.empty()) run.phases.emplace_back();
  Phase& p = run.phases.front();
  const auto counted = [&](Integer value) {
    Fact fact;
    fact.amount.dim = dim::kParameter;
    fact.amount.best = value.to_double();
    fact.amount.exact = value;
    fact.amount.text = value.to_string();
    fact.place = run.model_place;
    fact.mark = Mark::file;
    fact.source = "counted from " + exact.name;
    return fact;
  };
  if (!p.parameters) p.parameters = counted(exact.parameters);
  if (exact.active < exact.parameters && run.architecture != "encoder-decoder") {
    if (!p.active) p.active = counted(exact.active);
    if (exact.active.to_double() < 0.8 * exact.parameters.to_double()) run.architecture = "moe";
  }
  run.exact = std::move(exact);
}

namespace {

// Who made it, where that is written, and of what kind it is.
void read_identity(const Node& root, AuditRun& run) {
  const auto text = [&](const char* key) { return std::string(root.find(key).text()); };
  run.title = text("title");
  run.name = text("name");
  run.organization = text("organization");
  run.source = text("source");
  run.note = text("note");
  if (root.find("domain")) run.domain = text("domain");
  run.own_records = text("facts") == "own";
  run.checked = text("facts") == "checked";
  const Node modalities = root.find("modalities");
  for (const Node each : modalities) run.modalities.emplace_back(each.text());
  if (modalities && !modalities.is_sequence()) run.modalities.emplace_back(modalities.text());
}

void read_phases(const Node& root, AccountReader& reader, AuditRun& run) {
  const Node model = root.find("model"), train = root.find("train");
  const Node from = model.is_mapping() ? model.find("from") : model;
  run.model_from = from.text();
  run.model_place = from.span();
  if (model || train) run.phases.push_back(reader.phase(model, train));
  if (const std::string_view architecture = model.find("architecture").text(); !architecture.empty())
    run.architecture = architecture;
  run.architecture_stated = static_cast<bool>(model.find("architecture"));
  if (!run.phases.empty() && run.phases.front().active) run.architecture = "moe";
  for (const Node each : root.find("phases")) run.phases.push_back(reader.extra_phase(each));
}

void read_hardware(const Node& root, AccountReader& reader, AuditRun& run) {
  const Node hardware = root.find("hardware");
  if (hardware.is_mapping()) run.hardware.push_back(reader.period(hardware));
  if (hardware.is_sequence())
    for (const Node each : hardware) run.hardware.push_back(reader.period(each));
}

// FLOP that the account takes from elsewhere, expects, or has published.
void read_stated_compute(const Node& root, AccountReader& reader, AuditRun& run) {
  const auto flop = [&](const Node& node) { return reader.fact(node, "flop", dim::kFlop, "a number of FLOP", 1); };
  if (const Node base = root.find("base")) {
    run.base = base.find("name").text();
    run.base_place = base.find("name").span();
    run.base_flop = flop(base);
  }
  if (const Node expect = root.find("expect")) run.expected = flop(expect);
  if (const Node published = root.find("published")) {
    run.published = flop(published);
    run.published_from = published.find("from").text();
    run.confidence = published.find("confidence").text();
  }
}

}  // namespace

Result<AuditRun> read_audit_run(const Document& document, const Catalogue& catalogue) {
  Diagnostics problems;
  const Node root = document.root();
  if (std::optional<Diagnostic> other = other_file(root, "run")) return *std::move(other);
  check(kRunFileTable, root, problems);
  explain_keys(root, problems);
  if (!root.is_mapping()) return problems;  // else go on: all mistakes of a file are said at once
  AccountReader reader(catalogue, problems);
  AuditRun run;
  read_identity(root, run);
  reader.date(root, run);
  Result<std::optional<Packing>> packing = read_packing(root.find("train").find("packing"));
  if (packing.ok())
    run.packing = *std::move(packing);
  else
    for (Diagnostic& problem : packing.take_problems()) problems.push_back(std::move(problem));
  read_phases(root, reader, run);
  read_hardware(root, reader, run);
  read_stated_compute(root, reader, run);
  if (!problems.empty()) return problems;
  return run;
}

}  // namespace floptally
