#include "audit/published_table.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "audit/notes.h"
#include "quantity/quantity_text.h"

namespace floptally {
namespace {

// A fact's columns: how they may be spelled (folded: letters and digits only), and what a bare number in them is worth.
struct Spelling {
  std::string_view fact, folded;
  double unit = 1;
};
constexpr double kRounding = 0.01;         // stated numbers that differ by less are one number, rounded differently
constexpr double kAtMostPublished = 1.05;  // a base model's compute is part of what is published, but for rounding
constexpr double kDay = 86400, kHour = 3600, kMegawattHour = 3.6e9;
constexpr Spelling kSpellings[] = {
    {"name", "model"},
    {"name", "name"},
    {"name", "system"},
    {"name", "title"},
    {"date", "date"},
    {"date", "publicationdate"},
    {"date", "year"},
    {"organization", "organization"},
    {"organization", "org"},
    {"domain", "domain"},
    {"kind", "kind"},
    {"kind", "arch"},
    {"kind", "architecture"},
    {"kind", "type"},
    {"parameters", "parameters"},
    {"parameters", "params"},
    {"parameters", "parametersb", 1e9},
    {"parameters", "parameterb", 1e9},
    {"parameters", "paramsb", 1e9},
    {"active", "activeparameters"},
    {"active", "activeparams"},
    {"active", "activeparametersb", 1e9},
    {"active", "basemodelparamb", 1e9},  // Patterson et al. 2021: of the dense model beside
    {"tokens", "tokens"},
    {"tokens", "trainingtokens"},
    {"tokens", "tokenb", 1e9},
    {"tokens", "tokensb", 1e9},
    {"dataset", "datasetsizedatapoints"},
    {"dataset", "trainingdatasetsizedatapoints"},
    {"dataset", "trainingdatasetsize"},
    {"dataset", "trainingdatasetsizetotal"},
    {"dataset", "datasetsizetotal"},
    {"dataset", "datasetsize"},
    {"dataset", "dataset"},
    {"epochs", "epochs"},
    {"passes", "passes"},
    {"device", "traininghardware"},
    {"device", "hardware"},
    {"device", "device"},
    {"device", "computingdevice"},
    {"device", "accelerator"},
    {"device", "gpu"},
    {"devices", "hardwarequantity"},
    {"devices", "ndevices"},
    {"devices", "devices"},
    {"devices", "ngpus"},
    {"devices", "gpus"},
    {"time", "trainingtimehours", kHour},
    {"time", "traininghours", kHour},
    {"time", "hours", kHour},
    {"time", "trainingtimedays", kDay},
    {"time", "trainingdays", kDay},
    {"time", "days", kDay},
    {"device_time", "devicehours", kHour},
    {"device_time", "gpuhours", kHour},
    {"device_time", "trainingchiphours", kHour},
    {"utilization", "hardwareutilization"},
    {"utilization", "hardwareutilizationmfu"},
    {"utilization", "utilization"},
    {"utilization", "mfu"},
    {"utilization", "mfupct", 0.01},
    {"hfu", "hardwareutilizationhfu"},
    {"hfu", "hfu"},
    {"hfu", "hfupct", 0.01},
    {"flop", "trainingcomputeflop"},
    {"flop", "trainingflop"},
    {"flop", "publishedflop"},
    {"flop", "flopsreported"},
    {"flop", "flop"},
    {"flop", "totalzettaflops", 1e21},
    {"base", "basemodel"},
    {"base", "base"},
    {"base_flop", "baseflop"},
    {"finetune_flop", "finetunecomputeflop"},
    {"energy", "energymwh", kMegawattHour},
    {"confidence", "confidence"},
    {"seq", "seqlen"},
    {"seq", "seq"},
    {"layers", "layers"},
    {"hidden", "hidden"},
    {"note", "computenotes"},
    {"note", "trainingcomputenotes"},
    {"note", "notes"},
    {"note", "note"},
    {"parameters_note", "parametersnotes"},
    {"data_note", "datasetnotes"},
    {"data_note", "datasetsizenotes"},
    {"data_note", "trainingdatasetnotes"},
    {"link", "link"},
    {"link", "source"}};
// "device #" folds to "device", a name.
constexpr std::pair<std::string_view, std::string_view> kExact[] = {{"device #", "devices"}};
// What only tables of measured steps have.
constexpr std::string_view kOfSteps[] = {"micro_batch", "global_batch", "iter_time_s", "mem_alloc_gib", "tp"};

// What a fact may be called in a sentence.
std::string_view said(std::string_view fact) {
  static constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"flop", "published compute"},
      {"time", "training time"},
      {"device_time", "device-hours"},
      {"devices", "number of devices"},
      {"passes", "passes over the data"},
      {"dataset", "dataset size"},
      {"active", "active parameters"},
      {"base_flop", "compute of the base model"},
      {"finetune_flop", "compute of the fine-tuning"}};
  for (const auto& [key, words] : kWords) {
    if (key == fact) return words;
  }
  return fact;
}

class Columns {
 public:
  explicit Columns(const Csv& csv) {
    for (std::size_t c = 0; c < csv.columns(); ++c) {
      std::string_view fact;
      double unit = 1;
      for (const auto& [header, name] : kExact) {
        if (header == csv.header(c)) fact = name;
      }
      const std::string folded = folded_name(csv.header(c));
      for (const Spelling& each : kSpellings) {
        if (fact.empty() && each.folded == folded) {
          fact = each.fact;
          unit = each.unit;
        }
      }
      if (fact.empty())
        unread_.emplace_back(csv.header(c));
      else
        found_[fact].push_back({c, unit});
    }
  }
  struct Place {
    std::size_t column = 0;
    double unit = 1;
  };
  [[nodiscard]] bool has(std::string_view fact) const { return found_.contains(fact); }
  [[nodiscard]] const std::vector<Place>& of(std::string_view fact) const {
    static const std::vector<Place> kNone;
    const auto at = found_.find(fact);
    return at == found_.end() ? kNone : at->second;
  }
  [[nodiscard]] const std::vector<std::string>& unread() const { return unread_; }

 private:
  std::map<std::string_view, std::vector<Place>> found_;
  std::vector<std::string> unread_;
};

std::string domain_of(std::string_view cell) {
  std::vector<std::string> parts;
  while (!cell.empty()) {
    const std::size_t end = std::min(cell.find_first_of(",;"), cell.size());
    std::string part(cell.substr(0, end));
    std::transform(part.begin(), part.end(), part.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    part.erase(0, part.find_first_not_of(' '));
    parts.push_back(std::move(part));
    cell.remove_prefix(std::min(end + 1, cell.size()));
  }
  const auto any = [&](std::string_view word) { return std::find(parts.begin(), parts.end(), word) != parts.end(); };
  if (parts.empty()) return "language";
  if (any("multimodal") || (any("language") && any("vision"))) return "multimodal";
  return any("language") ? "language" : parts.front();
}

std::string kind_of(std::string_view cell, std::string_view notes) {
  const std::string folded = folded_name(cell);
  if (folded.starts_with("moe")) return "moe";
  if (folded == "encoderdecoder") return "encoder-decoder";
  if (folded == "recurrent" || folded == "lstm" || folded == "rnn") return "recurrent";
  if (folded.empty() && speaks_of_experts(notes)) return "moe";
  constexpr std::string_view kPlain[] = {
      "",    "dense",  "decoder", "encoder", "transformer", "decoderonly", "encoderonly", "densetransformer",
      "ssm", "hybrid", "llm"};
  return std::find(std::begin(kPlain), std::end(kPlain), folded) != std::end(kPlain) ? "dense" : "other";
}

class RowReader {
 public:
  RowReader(const Csv& csv, const Columns& columns, std::size_t row, const Catalogue& catalogue,
            const std::map<std::string, double>& compute)
      : csv_(csv), columns_(columns), row_(row), catalogue_(catalogue), compute_(compute) {}

  TableRun read() {
    AuditRun& run = out_.run;
    run.title = run.name = text("name");
    if (run.title.empty()) run.title = run.name = "row " + std::to_string(row_ + 1);
    run.organization = text("organization");
    run.source = text("link");
    run.confidence = text("confidence");
    run.date = Date::parse(text("date")).value_or(Date{});
    run.domain = domain_of(text("domain"));
    run.from_table = columns_.has("dataset");  // else tokens seen in training are stated
    const std::string notes =
        text("parameters_note") + " " + text("note") + " " + text("data_note") + " " + text("name");
    run.architecture = kind_of(text("kind"), notes);
    run.architecture_stated = !text("kind").empty();
    run.published = fact("flop", dim::kFlop);
    work(run, notes);
    hardware(run);
    base(run);
    return std::move(out_);
  }

 private:
  // Cells of a fact's columns, joined.
  [[nodiscard]] std::string text(std::string_view fact) const {
    std::string out;
    for (const Columns::Place& place : columns_.of(fact)) {
      std::string_view cell = csv_.cell(row_, place.column);
      while (!cell.empty() && (cell.back() == ' ' || cell.back() == '\n')) cell.remove_suffix(1);
      if (!cell.empty()) out += (out.empty() ? "" : " ") + std::string(cell);
    }
    return out;
  }
  void gap(std::string words) { out_.gaps.push_back(std::move(words)); }

  // The first column that gives it; a cell that is no such quantity is a gap.
  MaybeFact fact(std::string_view name, Dim dim) {
    for (const Columns::Place& place : columns_.of(name)) {
      std::string_view cell = csv_.cell(row_, place.column);
      while (!cell.empty() && cell.back() == ' ') cell.remove_suffix(1);
      if (cell.empty()) continue;
      const std::string column(csv_.header(place.column));
      Result<Amount> amount = parse_amount(cell, dim, said(name), csv_.span(row_, place.column), true);
      if (!amount) {
        gap(column + ": " + amount.problems().front().message);
        continue;
      }
      if (!(amount->best > 0) || !std::isfinite(amount->best)) {
        gap(column + ": '" + std::string(cell) + "' is not greater than 0");
        continue;
      }
      Fact read{std::move(*amount), csv_.span(row_, place.column), Mark::file, {}};
      read.amount.dim = dim;
      if (read.amount.bare && place.unit != 1) {
        read.amount.best *= place.unit;
        read.amount.exact.reset();
      }
      return read;
    }
    return std::nullopt;
  }

  void work(AuditRun& run, std::string_view notes) {
    Phase p;
    p.architecture = run.architecture;
    p.parameters = fact("parameters", dim::kParameter);
    p.active = fact("active", dim::kParameter);
    p.tokens = fact("tokens", dim::kToken);
    p.passes = fact("passes", dim::kNone);
    p.layers = fact("layers", dim::kNone);
    p.width = fact("hidden", dim::kNone);
    p.sequence = fact("seq", dim::kNone);
    const bool stated_tokens = p.tokens.has_value();
    // Beside a column of passes over the tokens, epochs are those of the data set.
    if (!p.passes && !(stated_tokens && columns_.has("passes"))) p.passes = fact("epochs", dim::kNone);
    if (!p.tokens) p.tokens = data(run);
    if (p.active && p.parameters && p.active->amount.best > p.parameters->amount.best) {
      gap("more parameters are active than there are");
      p.active.reset();
    }
    const bool language = run.domain == "language" || run.domain == "multimodal";
    if (language && !p.active && p.parameters) {
      if (const std::optional<double> active = active_parameters_in(notes, p.parameters->amount.best))
        p.active = noted(*p.parameters, *active, "active parameters, by the row's notes");
    }
    if (p.active && p.parameters && p.active->amount.best < p.parameters->amount.best)
      run.architecture = p.architecture = "moe";
    if (!stated_tokens && p.tokens) {
      const std::optional<double> seen = tokens_seen_in(text("data_note") + ". " + text("note"));
      if (seen && std::fabs(std::log(*seen / p.tokens->amount.best)) > kRounding) {
        p.tokens = noted(*p.tokens, *seen, "tokens seen, by the row's notes");
        p.passes.reset();
      }
    }
    if (text("parameters").empty()) gap("no parameters");
    if (!p.tokens && columns_.has("tokens") && text("tokens").empty()) gap("no tokens");
    if (p.parameters && run.architecture == "other")
      gap("operations of a '" + text("kind") + "' do not go by parameters x tokens");
    run.phases.push_back(std::move(p));
  }

  static Fact noted(const Fact& like, double value, const char* source) {
    Fact result = like;
    result.amount.best = value;
    result.amount.exact = value < 0x1p53 ? Integer::from_double(value) : std::nullopt;  // while doubles count exactly
    result.amount.form = Amount::Form::point;
    result.source = source;
    return result;
  }

  // The data as tokens; a gap where they are counted in something else.
  MaybeFact data(const AuditRun& run) {
    MaybeFact read = fact("dataset", dim::kToken);
    if (!read) {
      if (columns_.has("dataset") && text("dataset").empty()) gap("no dataset size");
      return std::nullopt;
    }
    const DataUnit unit = data_unit_in(text("data_note"));
    const bool language = run.domain == "language" || run.domain == "multimodal";
    if (unit == DataUnit::examples || (!language && unit != DataUnit::tokens)) {
      gap("the data are counted in " + std::string(language ? "examples" : "examples of " + run.domain) +
          ": operations need tokens, or the multiply-adds of one example");
      return std::nullopt;
    }
    return read;
  }

  void hardware(AuditRun& run) {
    Period p;
    if (const std::string device = text("device"); !device.empty()) {
      std::string_view rest = device;
      while (!rest.empty()) {
        const std::size_t end = std::min(rest.find_first_of(",;/"), rest.size());
        for (const Device* each : catalogue_.matches(rest.substr(0, end))) p.variants.push_back(each);
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
      if (p.variants.empty())
        gap("the catalogue has no device '" + device + "'");
      else
        p.device = p.variants.front();
    }
    p.devices = fact("devices", dim::kDevice);
    p.seconds = fact("time", dim::kSecond);
    p.device_seconds = fact("device_time", dim::kDeviceSecond);
    p.joules = fact("energy", dim::kJoule);
    p.utilization = fact("utilization", dim::kNone);
    if (!p.utilization) {
      p.utilization = fact("hfu", dim::kNone);
      p.hardware_flop = p.utilization.has_value();
    }
    if (p.utilization && p.utilization->amount.best > 1) {
      gap("a utilization of " + p.utilization->amount.text + " is more than all of the peak");
      p.utilization.reset();
    }
    p.of_steps = p.utilization.has_value();
    const bool timed = p.device_seconds || (p.devices && p.seconds);
    if (timed && !p.device) gap("device-time without a device");
    if (!timed && (p.device || p.devices || p.seconds))
      gap(!p.seconds && !p.devices ? "a device without time and number"
          : p.seconds              ? "no number of devices"
                                   : "no training time");
    if (p.device && (timed || p.joules)) run.hardware.push_back(std::move(p));
  }

  void base(AuditRun& run) {
    std::string name = text("base");
    if (name.empty() || name.find_first_not_of("0123456789.e+") == std::string::npos) return;
    run.base = name;
    if (const MaybeFact stated = fact("base_flop", dim::kFlop))
      run.base_flop =
          base_compute(stated->amount.best, stated->place, "compute of the base model, as the table has it");
    const MaybeFact tuning = fact("finetune_flop", dim::kFlop);
    double total = 0;
    std::string_view rest = name;
    while (!run.base_flop && !rest.empty()) {
      const std::size_t end = std::min(rest.find_first_of(",;"), rest.size());
      const auto known = compute_.find(folded_name(rest.substr(0, end)));
      if (known != compute_.end()) total += known->second;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (!run.base_flop && total > 0 && run.published && total < run.published->amount.best * kAtMostPublished) {
      run.base_flop = base_compute(total, run.published->place, "published compute of " + name);
    } else if (!run.base_flop && tuning) {
      // The fine-tuning alone, against its own count.
      run.published = tuning;
      run.base.clear();
    } else if (!run.base_flop) {
      gap("compute of the base model " + name + " is not known");
      run.phases.clear();
      run.hardware.clear();
    }
  }

  const Csv& csv_;
  const Columns& columns_;
  std::size_t row_;
  const Catalogue& catalogue_;
  const std::map<std::string, double>& compute_;
  TableRun out_;
};

// Published compute by every name that a base model may be given by.
std::map<std::string, double> computes(const Csv& csv, const Columns& columns, const PublishedRuns& known) {
  std::map<std::string, double> out;
  for (const AuditRun& run : known.runs()) {
    if (!run.published) continue;
    for (const std::string& name : {run.name, run.title}) out.emplace(folded_name(name), run.published->amount.best);
    for (const std::string& name : run.aliases) out.emplace(folded_name(name), run.published->amount.best);
  }
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    for (const Columns::Place& name : columns.of("name")) {
      for (const Columns::Place& flop : columns.of("flop")) {
        const NumberText number = read_number(csv.cell(row, flop.column));
        if (number.length > 0) out[folded_name(csv.cell(row, name.column))] = number.value * flop.unit;
      }
    }
  }
  return out;
}

}  // namespace

bool PublishedTable::is_one(const Csv& csv) {
  const bool steps = std::any_of(std::begin(kOfSteps), std::end(kOfSteps),
                                 [&](std::string_view column) { return csv.find(column).has_value(); });
  return !steps && Columns(csv).has("flop");
}

PublishedTable PublishedTable::read(const Csv& csv, const Catalogue& catalogue, const PublishedRuns& known) {
  PublishedTable out;
  const Columns columns(csv);
  out.unread_ = columns.unread();
  for (const std::string_view fact : {"name", "parameters", "device", "devices", "time"}) {
    if (!columns.has(fact) && !(fact == "time" && columns.has("device_time"))) out.missing_.emplace_back(said(fact));
  }
  if (!columns.has("tokens") && !columns.has("dataset")) out.missing_.emplace_back("tokens");
  const std::map<std::string, double> compute = computes(csv, columns, known);
  for (std::size_t row = 0; row < csv.rows(); ++row)
    out.rows_.push_back(RowReader(csv, columns, row, catalogue, compute).read());
  return out;
}

}  // namespace floptally
