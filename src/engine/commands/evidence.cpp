// floptally evidence [CSV]: predicted against measured, as an error card.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <map>
#include <optional>

#include "audit/table_card.h"
#include "base/file.h"
#include "base/gzip.h"
#include "base/json_quote.h"
#include "book/ledger.h"
#include "engine/facts.h"
#include "estimate/memory_range.h"
#include "evidence/card.h"
#include "evidence/columns.h"
#include "evidence/labels.h"
#include "evidence/layer_profiles.h"
#include "network/count.h"
#include "network/shipped.h"
#include "quantity/print.h"
#include "training/table.h"

namespace floptally {
namespace {

constexpr const char* kShipped = "evidence/memory.csv";
constexpr const char* kPublished = "evidence/published_memory.csv";  // shipped as well
constexpr double kGib = 1024.0 * 1024 * 1024;

// Usable memory of a device as evidence names it: "a100_80gb" says so itself; "h100_sxm", "4090" stand in the
// catalogue.
double capacity_of(std::string_view device) {
  std::string digits;
  for (std::size_t i = 0; i < device.size(); ++i) {
    if (device[i] >= '0' && device[i] <= '9') {
      digits += device[i];
    } else if (device.substr(i, 2) == "gb" && !digits.empty() && digits.size() < 4) {
      return std::stod(digits) * kGib * device_overhead(device).usable;
    } else {
      digits.clear();
    }
  }
  const std::vector<const Device*> found = Catalogue::embedded().matches(device);
  return found.empty() ? 0 : usable_bytes(*found.front());
}

// What nothing was scored for is not known: null, not 0.
std::string json_score(std::size_t rows, std::size_t skipped, const Score& s, bool shipped) {
  std::string out = "{\"rows\": " + std::to_string(rows) + ", \"scored\": " + std::to_string(rows - skipped) +
                    ", \"skipped\": " + std::to_string(skipped) + ", \"measurements\": " + std::to_string(s.rows);
  const auto add = [&](const char* key, double value) {
    char text[32] = "null";
    if (s.rows > 0) std::snprintf(text, sizeof text, "%.6g", value);
    out += ", \"" + std::string(key) + "\": " + text;
  };
  add("bias", s.bias);
  add("mean_abs_error", s.mean);
  add("median_abs_error", s.median);
  add("p90_abs_error", s.p90);
  add("coverage_90", s.coverage);
  if (const std::optional<double> left_out = coverage_left_out(s.name); shipped && left_out)
    add("coverage_90_model_left_out", *left_out);
  return out;
}

std::string json_skipped(const std::vector<Skipped>& rows) {
  std::string out = "[";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out += (i > 0 ? ", " : "") + std::string("{\"row\": ") + json_quote(rows[i].id) +
           ", \"reason\": " + json_quote(rows[i].reason) + "}";
  }
  return out + "]";
}

std::string json_answer(const MemoryCard& card, std::size_t timed, bool shipped) {
  std::string out = "\"memory\": " + json_score(card.rows, card.skipped.size(), card.total, shipped) + ", \"by\": {";
  for (std::size_t i = 0; i < card.by.size(); ++i)
    out += (i > 0 ? ", " : "") + json_quote(card.by[i].name) + ": " +
           json_score(card.by[i].rows, 0, card.by[i], shipped) + "}";
  out += "}},\n    \"time\": " + json_score(timed, timed, Score{}, shipped) +
         "},\n    \"rows_skipped\": " + json_skipped(card.skipped) + ",\n    \"rows_scored\": [";
  for (std::size_t i = 0; i < card.scored.size(); ++i) {
    const Scored& s = card.scored[i];
    char numbers[320];
    std::snprintf(numbers, sizeof numbers,
                  "\"allocated\": %.9g, \"expert_load\": %.4g, \"expert_bytes\": %.9g, \"scattered\": %.9g, "
                  "\"either\": %.9g, \"measured\": %.9g, "
                  "\"predicted\": %.9g, \"p5\": %.9g, \"p95\": %.9g}",
                  s.allocated, s.expert_load, s.expert_bytes, s.scattered, s.either, s.measured, s.predicted, s.low,
                  s.high);
    const auto list = [](const std::vector<std::string>& texts) {
      std::string json;
      for (const std::string& text : texts) json += (json.empty() ? "" : ", ") + json_quote(text);
      return json;
    };
    out += (i > 0 ? ", " : "") + std::string("{\"row\": ") + json_quote(s.id) + ", \"regimes\": [" + list(s.regimes) +
           "], \"assumed\": [" + list(s.assumed) + "], \"source\": " + json_quote(s.source) +
           ", \"framework\": " + json_quote(s.framework) + ", \"model\": " + json_quote(s.model) +
           ", \"kind\": " + json_quote(s.kind) + ", \"measure\": " + json_quote(s.measure) + ", " + numbers;
  }
  return out + "]";
}

Table card_table(const MemoryCard& card, bool shipped) {
  Table table{"memory",
              "Memory: predicted against measured",
              {{"regime", "Regime"},
               {"rows", "Rows", true},
               {"bias", "Bias", true},
               {"mean", "Mean", true},
               {"median", "Median", true},
               {"p90", "90th pct.", true},
               {"coverage", "In 90% range", true}},
              {},
              "Errors are predicted / measured - 1; mean, median and 90th percentile are of its absolute value. A "
              "regime needs at least three rows."};
  if (shipped) {
    table.columns.push_back({"left_out", "Model left out", true});
    table.note +=
        " Model left out: inside ranges made without any row of the same model, of regimes with thirty "
        "rows; a row that repeats another counts once.";
  }
  const auto add = [&](const Score& s) {
    table.rows.push_back({s.name, figure(Integer(static_cast<long>(s.rows))), percent_text(s.bias, 1),
                          percent_text(s.mean, 1), percent_text(s.median, 1), percent_text(s.p90, 1),
                          percent_text(s.coverage, 1)});
    if (!shipped) return;
    const std::optional<double> left_out = coverage_left_out(s.name);
    table.rows.back().emplace_back(left_out ? percent_text(*left_out, 1) : std::string());
  };
  add(card.total);
  for (const Score& s : card.by) add(s);
  return table;
}

Table rows_table(const MemoryCard& card) {
  Table table{"rows",
              "Rows",
              {{"row", "Row"},
               {"measure", "Measure"},
               {"measured", "Measured", true},
               {"predicted", "Predicted", true},
               {"error", "Error", true},
               {"range", "90% range"}},
              {},
              {}};
  for (const Scored& s : card.scored) {
    Figure predicted = figure(s.predicted, dim::kByte);
    predicted.p5 = s.low;
    predicted.p50 = s.predicted;
    predicted.p95 = s.high;
    table.rows.push_back({s.id, s.measure, figure(s.measured, dim::kByte), predicted, percent_text(s.error(), 1),
                          std::string(s.covered() ? "inside" : "outside")});
  }
  return table;
}

Table skipped_table(const MemoryCard& card) {
  Table table{"rows_skipped", "Rows left out", {{"row", "Row"}, {"reason", "Reason"}}, {}, {}};
  for (const Skipped& s : card.skipped) table.rows.push_back({s.id, s.reason});
  return table;
}

// What rows did not say, each thing with the rows that it was assumed for.
Table assumed_table(const MemoryCard& card) {
  Table table{"assumed",
              "What rows did not say",
              {{"assumed", "Assumed"}, {"count", "Rows", true}, {"first", "First"}},
              {},
              {}};
  std::map<std::string, std::pair<long, std::string>> rows;
  std::string last;
  for (const Scored& s : card.scored) {
    if (s.id == last) continue;  // a row may have two measurements
    last = s.id;
    for (const std::string& what : s.assumed) {
      auto& [count, first] = rows[what];
      if (count++ == 0) first = s.id;
    }
  }
  for (const auto& [what, found] : rows) table.rows.push_back({what, figure(Integer(found.first)), found.second});
  return table;
}

Chart scatter(const MemoryCard& card) {
  Chart chart;
  chart.form = Chart::Form::scatter;
  chart.key = "memory";
  chart.title = "Memory of a device: predicted against measured";
  chart.x_title = "measured";
  chart.y_title = "predicted";
  chart.log_x = chart.log_y = chart.diagonal = true;
  chart.x_dim = chart.y_dim = dim::kByte;
  for (const Scored& s : card.scored)
    chart.marks.push_back({s.measured, s.predicted, s.low, s.high, s.id, s.framework + ", " + s.measure});
  return chart;
}

// Fits and out-of-memory rows called right.
struct Calls {
  std::size_t fits = 0, fits_right = 0, full = 0, full_right = 0;
};
Calls count_calls(const MemoryCard& card) {
  Calls c;
  for (const FitCall& call : card.calls) {
    (call.fitted ? c.fits : c.full) += 1;
    if (call.fitted == call.predicted_fit) (call.fitted ? c.fits_right : c.full_right) += 1;
  }
  return c;
}

// The regime whose 90% ranges hold the smallest share of its rows: those they were made from, then rows whose model was
// left out when they were made; and how many of all those they hold.
template <typename Add>
void add_coverage(const MemoryCard& card, Add&& add) {
  constexpr std::size_t kMany = 30;
  constexpr double kLeast = 0.85, kMost = 0.95, kNominal = 0.9;
  const Score *least = nullptr, *least_out = nullptr;
  for (const Score& s : card.by) {
    if (s.rows < kMany) continue;
    if (least == nullptr || s.coverage < least->coverage) least = &s;
    const std::optional<double> out = coverage_left_out(s.name);
    if (out && (least_out == nullptr || *out < *coverage_left_out(least_out->name))) least_out = &s;
  }
  if (least != nullptr)
    add("90% range, of regimes of 30 rows: " + least->name, "least inside", least->rows, least->coverage, kLeast,
        kNominal, least->coverage >= kLeast);
  if (least_out != nullptr) {
    const double share = *coverage_left_out(least_out->name);
    add("90% range, model left out, of the same: " + least_out->name, "least inside", least_out->rows, share, kLeast,
        kNominal, share >= kLeast);
  }
  if (const std::optional<double> all = coverage_left_out("all"))
    add("90% range, model left out", "most inside", card.total.rows, *all, kMost, kNominal, *all <= kMost);
}

void add_verdicts(const MemoryCard& card, const Calls& calls, Book& book) {
  Table table{"thresholds",
              "What the card must reach",
              {{"quantity", "Quantity"},
               {"statistic", "Statistic"},
               {"rows", "Rows", true},
               {"value", "Value", true},
               {"limit", "Limit", true},
               {"aim", "Aim", true},
               {"holds", "Holds"}},
              {},
              {}};
  const auto add = [&](const std::string& quantity, const std::string& statistic, std::size_t rows, double value,
                       double limit, double aim, bool holds) {
    table.rows.push_back({quantity, statistic, figure(Integer(static_cast<long>(rows))), percent_text(value, 1),
                          percent_text(limit, 1), percent_text(aim, 1), std::string(holds ? "yes" : "NO")});
    if (!holds) book.yes = false;
  };
  for (const Verdict& v : judge(card))
    add(v.threshold.quantity, v.threshold.statistic, v.rows, v.value, v.threshold.limit, v.threshold.aim, v.holds);
  const auto share = [](std::size_t part, std::size_t whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 1.0;
  };
  const double fits = share(calls.fits_right, calls.fits), full = share(calls.full_right, calls.full);
  if (calls.fits > 0) add("runs that fitted, called right", "share", calls.fits, fits, 0.9, 0.95, fits >= 0.9);
  if (calls.full > 0) add("out-of-memory runs, called right", "share", calls.full, full, 0.9, 0.95, full >= 0.9);
  add_coverage(card, add);
  book.tables.push_back(std::move(table));
}

// The text of a CSV file, unpacked where it is gzipped.
Result<const Source*> read_table(const std::string& path, Context& context) {
  if (path == "-") return context.sources.read(path);
  const Result<MappedFile> file = MappedFile::open(path);
  if (file.ok() && is_gzip(file->view())) {
    Result<std::string> text = gunzip(file->view());
    if (!text.ok()) return text.take_problems();
    return &context.sources.add(path, *std::move(text));
  }
  return context.sources.read(path);
}

std::size_t timed_rows(const Csv& csv) {
  std::size_t n = 0;
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    if (!csv.cell(row, "iter_time_s").empty() || !csv.cell(row, "tokens_per_s_per_gpu").empty()) ++n;
  }
  return n;
}

// Rows that say something and measured nothing, in a table that has a place for it.
void add_unmeasured(const Csv& csv, const std::vector<EvidenceRow>& rows, MemoryCard& card) {
  if (!has_memory_column(csv)) return;
  for (const EvidenceRow& row : rows) {
    if (row.has_memory || row.out_of_memory) continue;
    bool says = false;
    for (std::size_t column = 0; column < csv.columns(); ++column) says = says || !csv.cell(row.row, column).empty();
    const bool timed = !csv.cell(row.row, "iter_time_s").empty() || !csv.cell(row.row, "tokens_per_s_per_gpu").empty();
    if (!says || timed) continue;
    ++card.rows;
    card.skipped.push_back(
        {row.id, "no memory was measured (mem_alloc_gib, mem_reserved_gib, peak_mem_gib ...)", row.row});
  }
  std::stable_sort(card.skipped.begin(), card.skipped.end(),
                   [](const Skipped& a, const Skipped& b) { return a.row < b.row; });
}

Diagnostic unread_note(const Csv& csv, const std::vector<std::string>& columns) {
  std::string names, help;
  for (const std::string& name : columns) {
    names += (names.empty() ? "" : ", ") + name;
    const std::string word = folded(name);
    if (word == "batch" || word == "batchsize" || word == "bs")
      help = "'" + name + "' may be of one device or of all: call it micro_batch or global_batch";
  }
  return note("ignored-columns", "columns that nothing reads: " + names, csv.header_span(0), help);
}

// A table of published runs instead of measured ones.
Result<Book> published_answer(const Csv& csv, const Request& request, Context& context) {
  Result<std::shared_ptr<const Catalogue>> catalogue = catalogue_of(request, context);
  if (!catalogue) return catalogue.take_problems();
  std::vector<const Source*> tables;
  for (const char* path : {"audit/utilization.csv", "audit/residuals.csv", "audit/causes.csv", "audit/confidence.csv",
                           "audit/active_share.csv", "audit/words.csv", "published/runs.csv"}) {
    Result<const Source*> table = fact_table(request, context, path);
    if (!table) return table.take_problems();
    tables.push_back(*table);
  }
  Result<Assumptions> assumptions = Assumptions::read(tables);
  if (!assumptions) return assumptions.take_problems();
  Result<PublishedRuns> known = PublishedRuns::read(*tables.back(), **catalogue);
  if (!known) return known.take_problems();
  Book book =
      table_card(PublishedTable::read(csv, **catalogue, *known), **catalogue, *assumptions, request.has("rows"));
  book.title = "Published runs in " + request.inputs.front();
  return book;
}

// The shipped model of that name, if there is one; letter case, dashes and dots are forgiven.
std::string shipped_name(const std::string& spelling) {
  static const std::map<std::string, std::string> names = [] {
    std::map<std::string, std::string> all;
    for (std::string& name : shipped_model_names()) all.emplace(folded(name), name);
    return all;
  }();
  const auto at = names.find(folded(spelling));
  return at != names.end() ? at->second : std::string();
}

constexpr double kSameSize = 0.06;  // "7B" names models of 6.6 to 7.4 billion parameters

// A shipped model by one of its spellings: "mistralai/Mixtral-8x7B-v0.1", "GPT-3 175B" (if it has that size).
std::shared_ptr<const Network> shipped_network(std::string_view name, std::int64_t sequence, Context& context) {
  const auto read = [&](const std::string& shipped) -> std::shared_ptr<const Network> {
    Inputs inputs;
    inputs.sequence = sequence;
    Result<Network> network = read_shipped_model(shipped, inputs, context.sources);
    return network.ok() ? std::make_shared<const Network>(*std::move(network)) : nullptr;
  };
  for (const std::string& spelling : model_spellings(name)) {
    if (const std::string shipped = shipped_name(spelling); !shipped.empty()) return read(shipped);
    const auto [stem, size] = split_size(spelling);
    const std::string shipped = size > 0 ? shipped_name(stem) : std::string();
    if (shipped.empty()) continue;
    std::shared_ptr<const Network> network = read(shipped);
    if (network != nullptr && std::fabs(count(*network).total().parameters.to_double() / size - 1) < kSameSize)
      return network;
  }
  return nullptr;
}

Result<std::vector<EvidenceRow>> published_rows(const Request& request, Context& context, const FindModel& find) {
  Result<const Source*> source = fact_table(request, context, kPublished);
  if (!source) return source.take_problems();
  Result<Csv> csv = Csv::read(**source);
  if (!csv) return csv.take_problems();
  return read_evidence(*csv, find);
}

// How well the rows were met, in two sentences.
void add_summary(const MemoryCard& card, const Calls& calls, Book& book) {
  const auto many = [](std::size_t n, const char* what) { return std::to_string(n) + what + (n == 1 ? "" : "s"); };
  std::string scored = many(card.scored.size(), " measurement") + " of memory scored";
  if (!card.scored.empty())
    scored += ": bias " + percent_text(card.total.bias, 1) + ", median error " + percent_text(card.total.median, 1) +
              ", 90th percentile " + percent_text(card.total.p90, 1) + ", " + percent_text(card.total.coverage, 1) +
              " inside the 90% range";
  book.summary.push_back(scored + "; " + many(card.skipped.size(), " row") + " left out");
  if (calls.full > 0)
    book.summary.push_back("called right: " + std::to_string(calls.fits_right) + " of " + std::to_string(calls.fits) +
                           " runs that fitted, " + std::to_string(calls.full_right) + " of " +
                           std::to_string(calls.full) + " that ran out of memory");
}

Result<Book> run(const Request& request, Context& context) {
  const bool shipped = request.inputs.empty();
  Result<const Source*> source =
      shipped ? fact_table(request, context, kShipped) : read_table(request.inputs.front(), context);
  if (!source) return source.take_problems();
  Result<Csv> csv = Csv::read(**source, {shipped ? ',' : sniff_separator((*source)->text)});
  if (!csv) return csv.take_problems();
  if (!shipped && PublishedTable::is_one(*csv)) return published_answer(*csv, request, context);
  // Rows name the same few models again and again; a table of thousands names no more than it can hold.
  std::map<std::pair<std::string, std::int64_t>, std::shared_ptr<const Network>, std::less<>> found;
  constexpr std::size_t kHeld = 1024;
  const FindModel find = [&](std::string_view name, std::int64_t sequence) {
    const auto key = std::pair(std::string(name), sequence);
    if (const auto at = found.find(key); at != found.end()) return at->second;
    if (found.size() >= kHeld) found.clear();
    return found.emplace(key, shipped_network(name, sequence, context)).first->second;
  };
  std::vector<std::string> unread;
  Diagnostics notes;
  if (!shipped && !is_layer_profile(*csv)) unread = name_columns(*csv);
  MemoryCard card;
  if (is_layer_profile(*csv)) {
    card = layer_profile_card(*csv, find);
  } else {
    Result<std::vector<EvidenceRow>> rows = read_evidence(*csv, find);
    if (!rows) return rows.take_problems();
    if (shipped) {
      Result<std::vector<EvidenceRow>> more = published_rows(request, context, find);
      if (!more) return more.take_problems();
      std::move(more->begin(), more->end(), std::back_inserter(*rows));
    }
    card = memory_card(*rows, capacity_of);
    if (!shipped) add_unmeasured(*csv, *rows, card);
    if (!shipped && !has_memory_column(*csv))
      notes.push_back(warning("missing-column", "no column holds measured memory", csv->header_span(0),
                              "mem_alloc_gib, mem_reserved_gib, peak_mem_gib or peak_mem_gb"));
  }
  Book book;
  book.title = shipped ? "Evidence shipped with floptally" : "Evidence in " + request.inputs.front();
  const Calls calls = count_calls(card);
  add_summary(card, calls, book);
  if (shipped) add_verdicts(card, calls, book);
  if (!card.scored.empty()) book.tables.push_back(card_table(card, shipped));
  if (!card.skipped.empty()) book.tables.push_back(skipped_table(card));
  if (request.has("rows") && !card.scored.empty()) book.tables.push_back(rows_table(card));
  if (Table assumed = assumed_table(card); request.has("rows") && !assumed.rows.empty())
    book.tables.push_back(std::move(assumed));
  if (!card.scored.empty()) book.charts.push_back(scatter(card));
  book.notes = std::move(notes);
  if (!unread.empty()) book.notes.push_back(unread_note(*csv, unread));
  book.json_answer = json_answer(card, timed_rows(*csv), shipped);
  return book;
}

}  // namespace

namespace commands {
extern const CommandDef k_evidence;
const CommandDef k_evidence = {
    {"evidence",
     "predicted against measured or published runs, as an error card; the shipped rows, or a table of your own",
     "[CSV]",
     0,
     1,
     {{"rows", "", "list every scored row", false}},
     {"floptally evidence", "floptally evidence examples/measured-runs.csv --rows", "floptally evidence -o card.svg"}},
    run,
    false};
}  // namespace commands

}  // namespace floptally
