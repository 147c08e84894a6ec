// floptally quantize MODEL: real tensors to fewer bits and back, with the error made and the bits really stored.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/json_quote.h"
#include "base/split.h"
#include "book/ledger.h"
#include "engine/command.h"
#include "engine/format_memory.h"
#include "engine/override.h"
#include "network/count.h"
#include "network/format.h"
#include "network/tensor_file/expected.h"
#include "numerics/format.h"
#include "numerics/quantize_file.h"
#include "quantity/print.h"
#include "quantity/quantity_text.h"

namespace floptally {
namespace {

using numerics::Measure;
using numerics::QuantizeOptions;
using numerics::QuantizeReport;
using numerics::TensorReport;

constexpr std::size_t kShown = 40;
constexpr std::string_view kCompared[] = {"bf16",  "fp16", "int8",  "e4m3",   "mxfp8", "q8_0", "q6_k",
                                          "mxfp6", "q5_k", "nf4",   "nf4-dq", "nvfp4", "q4_k", "iq4_nl",
                                          "q4_0",  "int4", "mxfp4", "q3_k",   "q2_k"};

std::string brief(double value, int digits = 4) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}

std::string decibels(double value) {
  if (std::isinf(value)) return "lossless";
  char text[32];
  std::snprintf(text, sizeof text, "%.2f dB", value);
  return text;
}

std::string share(std::uint64_t part, std::uint64_t whole) {
  if (part == 0 || whole == 0) return "0";
  return brief(100 * static_cast<double>(part) / static_cast<double>(whole), 3) + "%";
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string out;
  for (const std::int64_t size : shape) out += (out.empty() ? "" : "x") + std::to_string(size);
  return out.empty() ? "scalar" : out;
}

Figure bytes_figure(std::uint64_t bytes) { return figure(Integer(bytes), dim::kByte); }

// The words of an option that are parted by commas; none where it is not given.
std::vector<std::string> listed(const Request& request, const std::string& name, Diagnostics& problems) {
  std::vector<std::string> out;
  for (const std::string& word : request.words(name))
    for (const std::string_view part : split(word, ',')) out.emplace_back(part);
  if (request.has(name) && out.empty()) problems.push_back(error("bad-option", "--" + name + " names nothing"));
  return out;
}

std::optional<double> number_option(const Request& request, const std::string& name, Diagnostics& problems) {
  if (!request.has(name)) return std::nullopt;
  Result<numerics::Unrounded> number = numerics::parse_number(request.word(name));
  if (number.ok() && std::isfinite(numerics::to_double(*number))) return numerics::to_double(*number);
  problems.push_back(error("bad-option", "--" + name + " expects a number, found '" + request.word(name) + "'"));
  return std::nullopt;
}

std::size_t count_option(const Request& request, const std::string& name, std::size_t otherwise, double most,
                         Diagnostics& problems) {
  const std::optional<double> number = number_option(request, name, problems);
  if (!number) return otherwise;
  if (*number >= 0 && *number <= most && *number == std::floor(*number)) return static_cast<std::size_t>(*number);
  problems.push_back(error("bad-option", "--" + name + " expects a whole number from 0 to " + brief(most, 6) +
                                             ", found '" + request.word(name) + "'"));
  return otherwise;
}

struct Asked {
  QuantizeOptions options;
  std::vector<numerics::Scheme> compared;
  std::string output;
  std::optional<double> budget;
  ServingQuestion serving;
  std::optional<numerics::Activations> activations;
  std::string assumed;  // what was not said about the format
  bool serves = false;  // the budget is for serving: weights, keys and values, one step
  // What `weights` bytes need of the budget.
  [[nodiscard]] bool fits(std::uint64_t weights, double beside) const {
    return !budget || static_cast<double>(weights) + (serves ? beside : 0) <= *budget;
  }
};

// --context, --batch and --cache.
void ask_serving(const Request& request, Asked& asked, Diagnostics& problems) {
  const auto size = [&](const std::string& name) -> std::int64_t {
    const Result<Amount> amount = parse_amount(request.word(name), {}, Suffix::length);
    constexpr std::int64_t kMost = std::int64_t{1} << 40;
    if (amount.ok() && amount->exact && Integer(0) < *amount->exact && *amount->exact < Integer(kMost))
      return amount->exact->to_int64();
    problems.push_back(
        error("bad-option", "--" + name + " expects a whole number of at least 1, found '" + request.word(name) + "'"));
    return 1;
  };
  if (request.has("context")) asked.serving.context = size("context");
  if (request.has("batch")) asked.serving.batch = size("batch");
  if (request.has("cache")) {
    Result<numerics::Scheme> scheme = cache_scheme(request.word("cache"));
    if (scheme.ok())
      asked.serving.cache = *std::move(scheme);
    else
      for (Diagnostic& problem : scheme.take_problems()) problems.push_back(std::move(problem));
  }
  asked.serves = request.has("context") || request.has("batch") || request.has("cache");
}

// --to, --compare and what says more of them.
void ask_formats(const Request& request, Asked& asked, Diagnostics& problems) {
  const auto take = [&](Result<numerics::Scheme> scheme, auto&& use) {
    if (scheme.ok())
      use(*std::move(scheme));
    else
      for (Diagnostic& problem : scheme.take_problems()) problems.push_back(std::move(problem));
  };
  numerics::SchemeOptions scheme{request.word("to"), request.word("method"), request.word("per"),
                                 number_option(request, "percentile", problems),
                                 number_option(request, "outliers", problems)};
  if (request.has("compare")) {
    std::vector<std::string> names = listed(request, "compare", problems);
    if (names.size() == 1 && names[0] == "all") names.assign(std::begin(kCompared), std::end(kCompared));
    for (const std::string& name : names) {
      // --method and --per go to the formats that leave them open.
      numerics::SchemeOptions one{name, {}, {}, {}, {}};
      if (name == "int8" || name == "int4")
        one = {name, scheme.method, scheme.grain, scheme.percentile, scheme.outlier_threshold};
      take(numerics::make_scheme(one), [&](numerics::Scheme s) { asked.compared.push_back(std::move(s)); });
    }
  } else {
    if (scheme.to.empty()) {
      scheme.to = "int8";
      asked.assumed = "format: int8 (not given)";
    }
    take(numerics::make_scheme(scheme), [&](numerics::Scheme s) { asked.options.scheme = std::move(s); });
  }
}

Result<Asked> asked_of(const Request& request) {
  Asked asked;
  Diagnostics problems;
  ask_formats(request, asked, problems);
  asked.options.only = listed(request, "only", problems);
  asked.options.keep = listed(request, "keep", problems);
  asked.options.dequantize = request.has("dequantize");
  asked.options.threads = count_option(request, "threads", 0, 1024, problems);
  constexpr std::size_t kMostProbes = 65536;
  asked.options.probes = request.has("activations") ? QuantizeOptions::kAllVectors : 4;
  if (request.has("probes")) asked.options.probes = count_option(request, "probes", 4, kMostProbes, problems);
  const std::string policy = request.word("non-finite", "refuse");
  if (policy == "keep")
    asked.options.non_finite = numerics::NonFinite::keep;
  else if (policy == "zero")
    asked.options.non_finite = numerics::NonFinite::zero;
  else if (policy != "refuse")
    problems.push_back(error("bad-option", "--non-finite expects refuse, keep or zero, found '" + policy + "'"));
  for (const std::string& file : request.words("output"))
    if (file.ends_with(".safetensors") || file.ends_with(".gguf") || file.ends_with("/")) {
      if (!asked.output.empty())
        problems.push_back(error("bad-option", "-o names two models: '" + asked.output + "' and '" + file + "'"));
      asked.output = file;
    }
  if (!asked.output.empty() && (request.has("compare") || request.has("dry-run")))
    problems.push_back(error("bad-option", std::string("-o ") + asked.output + " does not go with --" +
                                               (request.has("compare") ? "compare" : "dry-run") +
                                               ", which writes no model"));
  if (request.has("activations") && request.has("dry-run"))
    problems.push_back(error("bad-option", "--activations does not go with --dry-run, which measures nothing"));
  if (request.has("budget")) {
    const Result<Amount> budget = parse_amount(request.word("budget"));
    if (budget.ok() && (budget->dim == dim::kByte || budget->dim == Dim{}))
      asked.budget = budget->best;
    else
      problems.push_back(error(
          "bad-option", "--budget expects an amount of memory such as 8 GiB, found '" + request.word("budget") + "'"));
  }
  ask_serving(request, asked, problems);
  if (asked.serves) asked.serving.budget = asked.budget;
  if (!problems.empty()) return problems;
  return asked;
}

// The numbers of a measure as members of a JSON object.
std::string json_of(const Measure& m) {
  const auto number = [](double v) { return std::isfinite(v) ? shortest(v) : std::string("null"); };
  const double count = static_cast<double>(std::max<std::uint64_t>(m.count, 1));
  return "\"weights\": " + std::to_string(m.count) + ", \"max_abs_error\": " + number(m.largest) +
         ", \"mean_abs_error\": " + number(m.mean_absolute()) + ", \"rmse\": " + number(m.rmse()) +
         ", \"sqnr_db\": " + number(m.sqnr_db()) + ", \"cosine\": " + number(m.cosine()) +
         ", \"saturated\": " + number(static_cast<double>(m.saturated) / count) +
         ", \"zeroed\": " + number(static_cast<double>(m.zeroed) / count) +
         ", \"matmul_error\": " + (m.matmul_signal > 0 ? number(m.matmul_error()) : "null");
}

std::string tensors_json(const QuantizeReport& report, bool measured) {
  std::string out = "\"tensors\": [";
  for (const TensorReport& t : report.tensors) {
    out += (out.back() == '[' ? "{\"name\": " : ", {\"name\": ") + json_quote(t.tensor->name) +
           ", \"quantized\": " + (t.quantized ? "true" : "false");
    if (!t.quantized) out += ", \"reason\": " + json_quote(t.reason);
    out += ", \"bytes_before\": " + std::to_string(t.tensor->bytes) +
           ", \"bytes_after\": " + std::to_string(t.bytes_after);
    if (t.quantized && measured) {
      out += ", " + json_of(t.measure);
      if (t.range.nans + t.range.infinities > 0)
        out +=
            ", \"nans\": " + std::to_string(t.range.nans) + ", \"infinities\": " + std::to_string(t.range.infinities);
      if (t.outliers > 0) out += ", \"outlier_columns\": " + std::to_string(t.outliers);
    }
    out += "}";
  }
  return out + "]";
}

std::vector<Value> measure_cells(const Measure& m) {
  return {brief(m.largest),         brief(m.mean_absolute()),
          brief(m.rmse()),          decibels(m.sqnr_db()),
          brief(m.cosine(), 7),     share(m.saturated, m.count),
          share(m.zeroed, m.count), m.matmul_signal > 0 ? brief(100 * m.matmul_error(), 3) + "%" : std::string("-")};
}

void add_measure_columns(std::vector<Column>& columns) {
  for (const auto& [key, title] : {std::pair("max", "Max error"),
                                   {"mean", "Mean error"},
                                   {"rmse", "RMSE"},
                                   {"sqnr", "SQNR"},
                                   {"cosine", "Cosine"},
                                   {"saturated", "Saturated"},
                                   {"zeroed", "Zeroed"},
                                   {"matmul", "W a error"}})
    columns.push_back({key, title, true});
}

// What the matrices were multiplied with.
std::string activations_text(const QuantizeReport& report) {
  std::size_t given = 0;
  std::size_t random = 0;
  for (const TensorReport& t : report.tensors)
    if (t.quantized) ++(t.given_activations ? given : random);
  if (given == 0) return "random activations";
  return random == 0 ? std::string("the activations given")
                     : "the activations given for " + std::to_string(given) + ", random ones for the rest";
}

Table tensor_table(const QuantizeReport& report, bool measured) {
  Table table{"tensors",
              measured ? "Quantized tensors, worst first" : "Tensors to quantize, largest first",
              {{"tensor", "Tensor"},
               {"shape", "Shape"},
               {"from", "From"},
               {"bytes", "Bytes", true},
               {"bits", "Bits/weight", true}},
              {},
              {}};
  if (measured) add_measure_columns(table.columns);
  std::vector<const TensorReport*> rows;
  for (const TensorReport& t : report.tensors)
    if (t.quantized) rows.push_back(&t);
  std::stable_sort(rows.begin(), rows.end(), [&](const TensorReport* a, const TensorReport* b) {
    return measured ? a->measure.sqnr_db() < b->measure.sqnr_db() : a->bytes_after > b->bytes_after;
  });
  for (std::size_t i = 0; i < std::min(rows.size(), kShown); ++i) {
    const TensorReport& t = *rows[i];
    const double count = t.tensor->elements().to_double();
    std::vector<Value> row{std::string(t.tensor->name), shape_text(t.tensor->shape), std::string(t.tensor->type->name),
                           bytes_figure(t.bytes_after),
                           count > 0 ? brief(8.0 * static_cast<double>(t.bytes_after) / count, 5) : std::string()};
    if (measured)
      for (Value& cell : measure_cells(t.measure)) row.push_back(std::move(cell));
    table.rows.push_back(std::move(row));
  }
  if (rows.size() > kShown) table.note = std::to_string(rows.size() - kShown) + " more are in --json. ";
  if (measured)
    table.note += "W a error: the product with " + activations_text(report) +
                  ", relative (Frobenius). Saturated and zeroed are shares of the weights.";
  return table;
}

Table kept_table(const QuantizeReport& report) {
  struct Row {
    std::string reason;
    std::uint64_t tensors = 0, bytes = 0;
    std::string first;
  };
  std::vector<Row> rows;
  for (const TensorReport& t : report.tensors) {
    if (t.quantized) continue;
    auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.reason == t.reason; });
    if (found == rows.end()) found = rows.insert(rows.end(), {t.reason, 0, 0, std::string(t.tensor->name)});
    ++found->tensors;
    found->bytes += t.tensor->bytes;
  }
  Table table{"kept",
              "Tensors left as they are",
              {{"reason", "Because"}, {"count", "Tensors", true}, {"bytes", "Bytes", true}, {"first", "For example"}},
              {},
              {}};
  for (const Row& r : rows) table.rows.push_back({r.reason, std::to_string(r.tensors), bytes_figure(r.bytes), r.first});
  return table;
}

void add_histogram(const QuantizeReport& report, Book& book) {
  Chart chart;
  chart.form = Chart::Form::histogram;
  chart.key = "histogram";
  chart.title = "Weights before and after, relative to the largest of their tensor";
  chart.x_title = "value / largest magnitude";
  chart.y_title = "weights";
  chart.log_y = true;
  for (const bool after : {false, true}) {
    const numerics::Histogram& bins = after ? report.after : report.before;
    for (std::size_t b = 0; b < bins.size(); ++b) {
      const auto edge = [&](std::size_t n) {
        return 2 * static_cast<double>(n) / static_cast<double>(bins.size()) - 1;
      };
      Mark2d mark;
      mark.low = edge(b);
      mark.high = edge(b + 1);
      mark.x = (mark.low + mark.high) / 2;
      mark.y = static_cast<double>(bins[b]);
      mark.group = after ? "after" : "before";
      mark.label = std::to_string(bins[b]) + " " + mark.group;
      chart.marks.push_back(std::move(mark));
    }
  }
  book.charts.push_back(std::move(chart));
}

void add_headline(Book& book, const char* key, const char* label, Figure value, const char* formula) {
  Step step;
  step.name = key;
  step.figure = std::move(value);
  step.formula = formula;
  book.headlines.push_back({key, label, static_cast<std::uint32_t>(book.steps.size())});
  book.steps.push_back(std::move(step));
}

Book one_book(const QuantizeReport& report, const Asked& asked, bool measured) {
  Book book;
  const std::string what = asked.options.scheme.describe();
  book.title = what;
  book.notes = report.notes;
  std::size_t quantized = 0;
  for (const TensorReport& t : report.tensors) quantized += t.quantized ? 1 : 0;
  std::string sentence = std::to_string(quantized) + " of " + std::to_string(report.tensors.size()) + " tensors as " +
                         what + ": " + quantity_text(static_cast<double>(report.bytes_before), dim::kByte) +
                         " become " + quantity_text(static_cast<double>(report.bytes_after), dim::kByte);
  if (report.weights > 0) sentence += ", " + brief(report.bits_per_weight(), 6) + " bits a quantized weight";
  book.summary.push_back(sentence);
  if (measured && quantized > 0)
    book.summary.push_back("Error: SQNR " + decibels(report.total.sqnr_db()) + ", RMSE " + brief(report.total.rmse()) +
                           ", largest " + brief(report.total.largest) + ", cosine " + brief(report.total.cosine(), 8) +
                           (report.total.matmul_signal > 0
                                ? ", products off by " + brief(100 * report.total.matmul_error(), 3) + "%"
                                : ""));
  for (const std::string& file : report.written) book.summary.push_back("Written: " + file);
  add_headline(book, "bytes_before", "Bytes before", bytes_figure(report.bytes_before), "sum over tensors");
  add_headline(book, "bytes_after", "Bytes after", bytes_figure(report.bytes_after), "sum over tensors");
  if (report.weights > 0)
    add_headline(book, "bits_per_weight", "Bits a quantized weight", figure(report.bits_per_weight()),
                 "8 * bytes / weights");
  book.words.emplace_back("scheme", what);
  book.json_answer =
      (measured ? "\"error\": {" + json_of(report.total) + "},\n    " : std::string()) + tensors_json(report, measured);
  if (quantized > 0) book.tables.push_back(tensor_table(report, measured));
  Table kept = kept_table(report);
  if (!kept.rows.empty()) book.tables.push_back(std::move(kept));
  if (measured && quantized > 0) add_histogram(report, book);
  return book;
}

// A model to quantize: its tensors, and where a config, header or name describes it, its network.
struct Subject {
  TensorFile file;
  std::optional<Network> network;
  bool described = false;  // no tensors are here: `file` lists those a checkpoint would hold
  double beside = 0;       // what serving takes beside the weights
};

Result<Subject> subject_of(const Request& request, const ServingQuestion& serving, Context& context) {
  const std::string& model = request.inputs.front();
  Subject subject;
  Result<TensorFile> file = read_tensor_file(context.sources, model);
  Inputs inputs;
  inputs.sequence = serving.context;
  Result<Network> network = load_edited(model, request, inputs, context);
  if (file.ok()) {
    if (request.has("set"))
      return error("bad-option", "--set changes a config; '" + model + "' holds tensors", {},
                   "name the config.json itself, with --dry-run");
    subject.file = *std::move(file);
    // Tensors alone do not say what is computed with them.
    if (network.ok() && !count(*network).total().at_least) subject.network = *std::move(network);
  } else {
    if (!network.ok()) {
      const bool path =
          model.find('/') != std::string::npos || model.ends_with(".safetensors") || model.ends_with(".gguf");
      const bool absent = file.problems().front().code == "file-not-found";
      return absent && !path ? network.take_problems() : file.take_problems();
    }
    Result<TensorFile> expected = expected_tensors(*network);
    if (!expected.ok()) return expected.take_problems();
    subject.file = *std::move(expected);
    subject.described = true;
    subject.network = *std::move(network);
  }
  if (subject.network) subject.beside = serving_line(*subject.network, serving).beside();
  return subject;
}

std::size_t unfit_tensors(const QuantizeReport& report) {
  return static_cast<std::size_t>(std::count_if(
      report.tensors.begin(), report.tensors.end(),
      [](const TensorReport& t) { return !t.quantized && t.reason.find("whole blocks") != std::string::npos; }));
}

std::string format_json(const numerics::Scheme& scheme, const QuantizeReport& report, bool dry) {
  return "{\"format\": \"" + scheme.name + "\", \"scheme\": \"" + scheme.describe() +
         "\", \"bits_per_weight\": " + shortest(report.bits_per_weight()) +
         ", \"bytes_after\": " + std::to_string(report.bytes_after) + (dry ? "" : ", " + json_of(report.total)) + "}";
}

Table compare_table(bool dry, bool fits) {
  Table table{"compare",
              "What each format stores and loses",
              {{"format", "Format"}, {"bits", "Bits/weight", true}, {"bytes", "Model bytes", true}},
              {},
              {}};
  if (!dry) add_measure_columns(table.columns);
  if (fits) table.columns.push_back({"fits", "Fits"});
  return table;
}

// The best of the formats that fit, if one does.
void say_best(Book& book, const Asked& asked, const std::string& best, bool dry) {
  const std::string what =
      quantity_text(*asked.budget, dim::kByte) + (asked.serves ? " with what serving holds beside the weights" : "");
  book.summary.push_back(best.empty()
                             ? "No format fits " + what
                             : "Within " + what + ", " + best + (dry ? " keeps the most bits" : " loses least"));
  book.yes = !best.empty();
}

Result<Book> compare(const Subject& subject, Asked& asked, bool dry) {
  const TensorFile& file = subject.file;
  std::vector<FormatLine> lines;
  Book book;
  book.title = "Formats compared";
  Table table = compare_table(dry, asked.budget.has_value());
  std::string best;
  double best_sqnr = -HUGE_VAL;
  Chart chart;
  chart.form = Chart::Form::ranges;
  chart.key = "compare";
  chart.title = dry ? "Bytes of the model" : "Signal over quantization noise, dB";
  if (dry) chart.x_dim = dim::kByte;
  book.json_answer = "\"formats\": [";
  for (const numerics::Scheme& scheme : asked.compared) {
    asked.options.scheme = scheme;
    Result<QuantizeReport> report =
        dry ? numerics::plan_quantization(file, asked.options) : numerics::quantize_model(file, asked.options, "");
    if (!report.ok()) return report.take_problems();
    if (book.notes.empty()) book.notes = report->notes;
    const std::size_t unfit = unfit_tensors(*report);
    std::vector<Value> row;
    row.emplace_back(scheme.describe() + (unfit > 0 ? " (" + std::to_string(unfit) + " tensors do not fit)" : ""));
    row.emplace_back(report->weights > 0 ? brief(report->bits_per_weight(), 6) : std::string());
    row.emplace_back(bytes_figure(report->bytes_after));
    if (!dry)
      for (Value& cell : measure_cells(report->total)) row.push_back(std::move(cell));
    const bool fits = asked.fits(report->bytes_after, subject.beside);
    if (lines.empty()) lines.push_back({"as it is", static_cast<double>(report->bytes_before)});
    lines.push_back({scheme.describe(), static_cast<double>(report->bytes_after)});
    if (asked.budget) row.emplace_back(std::string(fits ? "yes" : "no"));
    const double sqnr = dry ? report->bits_per_weight() : report->total.sqnr_db();
    const double drawn = dry ? static_cast<double>(report->bytes_after) : sqnr;
    if (std::isfinite(drawn))
      chart.marks.push_back(
          {drawn, 0, 0, drawn, scheme.name + ", " + brief(report->bits_per_weight(), 4) + " bits", {}});
    if (fits && report->weights > 0 && sqnr > best_sqnr) {
      best_sqnr = sqnr;
      best = scheme.describe();
    }
    table.rows.push_back(std::move(row));
    book.json_answer += (book.json_answer.back() == '[' ? "" : ", ") + format_json(scheme, *report, dry);
  }
  book.json_answer += "]";
  if (!chart.marks.empty()) book.charts.push_back(std::move(chart));
  if (asked.budget) say_best(book, asked, best, dry);
  book.tables.push_back(std::move(table));
  if (subject.network) add_memory_tables(book, *subject.network, lines, asked.serving);
  return book;
}

Result<Book> run(const Request& request, Context& context) {
  Result<Asked> asked = asked_of(request);
  if (!asked.ok()) return asked.take_problems();
  Result<Subject> subject = subject_of(request, asked->serving, context);
  if (!subject.ok()) return subject.take_problems();
  const TensorFile& file = subject->file;
  for (const auto& [key, value] : file.text_metadata)
    if (key == "quantization")
      return error("already-quantized", "'" + request.inputs.front() + "' holds " + value + " already", {},
                   "quantize the model that it was made from");
  if (request.has("activations")) {
    Result<TensorFile> given = read_tensor_file(context.sources, request.word("activations"));
    if (!given.ok()) return given.take_problems();
    Result<numerics::Activations> activations = numerics::Activations::open(*given);
    if (!activations.ok()) return activations.take_problems();
    asked->activations = *std::move(activations);
    asked->options.activations = &*asked->activations;
  }
  const bool dry = request.has("dry-run");
  if (subject->described && !dry)
    return error("no-tensors", "'" + request.inputs.front() + "' is a description: there are no tensors to quantize",
                 {}, "--dry-run tells the sizes; for the error, name a safetensors or GGUF file or a folder of them");
  if (!asked->compared.empty()) {
    Result<Book> book = compare(*subject, *asked, dry);
    if (book.ok()) book->command = "quantize";
    return book;
  }
  Result<QuantizeReport> report = dry ? numerics::plan_quantization(file, asked->options)
                                      : numerics::quantize_model(file, asked->options, asked->output);
  if (!report.ok()) return report.take_problems();
  Book book = one_book(*report, *asked, !dry);
  book.command = "quantize";
  if (!asked->assumed.empty()) book.notes.push_back(note("assumed", asked->assumed, {}, "--to FORMAT, or --compare"));
  if (subject->network)
    add_memory_tables(
        book, *subject->network,
        std::vector<FormatLine>{{"as it is", static_cast<double>(report->bytes_before)},
                                {asked->options.scheme.describe(), static_cast<double>(report->bytes_after)}},
        asked->serving);
  if (!asked->fits(report->bytes_after, subject->beside)) book.yes = false;
  return book;
}

}  // namespace

namespace commands {
extern const CommandDef k_quantize;
const CommandDef k_quantize = {
    {"quantize",
     "real tensors to fewer bits and back, with the error made and the bits stored",
     "MODEL",
     1,
     1,
     {{"to", "FORMAT", "int8 int4 e4m3 e5m2 mxfp8 mxfp6 mxfp4 nvfp4 nf4 nf4-dq q4_0 ... q6_k iq4_nl fp16 bf16", false},
      {"method", "NAME", "absmax, zero-point, percentile, mse or llm-int8", false},
      {"per", "GRAIN", "which weights share a scale: tensor, channel, group or group:N", false},
      {"percentile", "P", "with --method percentile: clip at the P-th percentile of |w| (99.9)", false},
      {"outliers", "K",
       "with llm-int8: keep the inputs whose activation reaches K; without --activations, the columns of weights that "
       "reach K standard deviations (6)",
       false},
      {"only", "PATTERN", "quantize just the tensors that match (* and ?)", true},
      {"keep", "PATTERN", "leave the tensors that match as they are", true},
      {"non-finite", "POLICY", "NaN and infinity: refuse, keep the tensor, or zero them", false},
      {"dequantize", "", "write the values that are read back, as fp32", false},
      {"compare", "FORMATS", "a table over formats, parted by commas, or all", true},
      {"budget", "BYTES", "which formats fit, such as 8 GiB", false},
      {"context", "N", "tokens held for each sequence served; --budget then counts all that serving holds", false},
      {"batch", "N", "sequences served at once (1)", false},
      {"cache", "FORMAT", "format of keys and values (bf16)", false},
      {"dry-run", "", "sizes only, from the headers; MODEL may then be a config.json or a name", false},
      {"activations", "FILE", "what goes into the matrices: tensors called like the weights, or 'default'", false},
      {"probes", "N", "activations a matrix is multiplied with (4 random, or all given); 0 for none", false},
      {"threads", "N", "threads to use (all); the answer does not depend on it", false},
      {"output", "FILE",
       "the model to write (.safetensors, .gguf, or FOLDER/ for shards); other endings get the report", true}},
     {"floptally quantize examples/models/small.safetensors --to int8 --method absmax",
      "floptally quantize examples/models/small.safetensors --to q4_k -o model.gguf",
      "floptally quantize examples/models/small.safetensors --compare all --budget 8GiB",
      "floptally quantize llama-3.1-8b --dry-run --compare int8,q4_k --context 32k --cache q8_0 --budget 16GB"}},
    run};
}  // namespace commands

}  // namespace floptally
