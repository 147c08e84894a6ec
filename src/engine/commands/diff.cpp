// floptally diff: what changed between two plans, runs or models, and how the change of the totals splits among the
// changes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/file.h"
#include "base/json_quote.h"
#include "book/difference.h"
#include "book/ledger.h"
#include "document/flow_text.h"
#include "engine/command.h"
#include "engine/delegate.h"
#include "engine/override.h"
#include "quantity/print.h"
#include "render/grid/grid.h"

namespace floptally {
namespace {

// A signed amount with every cent, or with the unit's usual digits.
std::string signed_text(double value, Dim dim) {
  const char* sign = value < 0 ? "-" : "+";
  const double size = std::abs(value);
  if (dim == dim::kUsd) {
    std::string cents = fmt::format("{:.2f}", size);
    return sign + ("$" + grouped(cents.substr(0, cents.size() - 3))) + cents.substr(cents.size() - 3);
  }
  return sign + quantity_text(size, dim);
}

std::string signed_range(double low, double high, Dim dim) {
  const auto end = [&](double value) {
    return (value < 0 ? "-" : "+") + quantity_text(std::abs(value), dim, range_digits(low, high));
  };
  return end(low) + " to " + end(high);
}

// Both sides with as many digits as it takes to tell them apart.
std::pair<std::string, std::string> apart(double before, double after, Dim dim) {
  for (int digits = 3; digits < 12; ++digits) {
    auto a = quantity_text(before, dim, digits);
    auto b = quantity_text(after, dim, digits);
    if (a != b || before == after) return {a, b};
  }
  return {quantity_text(before, dim, 12), quantity_text(after, dim, 12)};
}

std::string percent(double before, double after) {
  constexpr double kTimes = 10;  // from here on a factor reads better
  if (before > 0 && after >= kTimes * before) return fmt::format(", {} times as much", count_text(after / before, 3));
  return before == 0 ? "" : fmt::format(", {:+.1f}%", 100 * (after - before) / before);
}

void add_headlines(Book& book, const Book& a, const Book& b) {
  for (const Headline& each : a.headlines) {
    const Step* other = find_headline(b, each.key);
    if (other == nullptr) continue;
    const Figure& before = a.steps[each.step].figure;
    const Figure& after = other->figure;
    if (before.value == after.value) continue;
    const auto [left, right] = apart(before.value, after.value, before.dim);
    std::string line =
        fmt::format("{}  {} -> {}  ({}{})", each.label, left, right,
                    signed_text(after.value - before.value, before.dim), percent(before.value, after.value));
    const Difference d = difference(a, b, each.key);
    if (d.known_spread) {
      if (d.low <= 0 && d.high >= 0)
        line += "; within its own uncertainty: 90% " + signed_range(d.low, d.high, before.dim);
      else
        line += "; 90% " + signed_range(d.low, d.high, before.dim);
    }
    book.summary.push_back(std::move(line));
  }
}

// "usd": {"value": after - before, "p5", "p95", "before", "after", "by": {"price": ...}} for every headline of both.
std::string json_differences(const Book& a, const Book& b) {
  std::string out;
  for (const Headline& each : a.headlines) {
    const Step* other = find_headline(b, each.key);
    if (other == nullptr) continue;
    const double scale = json_scale(each.key);
    const auto number = [&](double value) { return std::isfinite(value) ? shortest(value * scale) : "null"; };
    const Difference d = difference(a, b, each.key);
    const double before = a.steps[each.step].figure.value, after = other->figure.value;
    out += (out.empty() ? "" : ",\n    ") + json_quote(each.key) + ": {\"value\": " + number(after - before);
    if (d.known_spread) out += ", \"p5\": " + number(d.low) + ", \"p95\": " + number(d.high);
    out += ", \"before\": " + number(before) + ", \"after\": " + number(after);
    std::string by;  // where the lines add up to this headline (those of a sample are not those of a token)
    double sum = 0;
    const Difference lines = d.factors.empty() && each.key == "flop_training" ? difference(a, b, "flop") : d;
    for (const auto& [factor, part] : lines.factors) {
      by += (by.empty() ? "" : ", ") + json_quote(factor) + ": " + number(part);
      sum += part;
    }
    if (std::abs(sum - (after - before)) > 1e-6 * std::abs(after - before)) by.clear();
    out += by.empty() ? "}" : ", \"by\": {" + by + "}}";
  }
  return out;
}

void add_changes(Book& book, const Difference& d, const std::string& label) {
  if (d.changes.empty()) return;
  Table table;
  table.key = "changes-" + d.key;
  table.title = label + ", line by line";
  table.columns = {{"change", "", false},
                   {"line", "Line", false},
                   {"before", "Before", true},
                   {"after", "After", true},
                   {"difference", "Difference", true},
                   {"why", "By", false}};
  double sum = 0;
  for (const Change& change : d.changes) {
    if (change.before == 0 && change.after == 0) continue;
    static constexpr const char* kSigns[] = {"+", "-", "~"};
    std::string why;
    for (const auto& [factor, part] : change.parts)
      if (change.parts.size() > 1)
        why += (why.empty() ? "" : "  ") + factor + " " + signed_text(part, d.dim);
      else
        why = factor;
    sum += change.after - change.before;
    table.rows.push_back({std::string(kSigns[static_cast<int>(change.kind)]), change.path, figure(change.before, d.dim),
                          figure(change.after, d.dim), signed_text(change.after - change.before, d.dim), why});
  }
  table.rows.push_back({std::string(), std::string("Total"), figure(d.before, d.dim), figure(d.after, d.dim),
                        signed_text(sum, d.dim), std::string()});
  std::string by;
  for (const auto& [factor, part] : d.factors)
    by += (by.empty() ? "" : "   ") + factor + " " + signed_text(part, d.dim);
  if (d.factors.size() > 1 || (!d.factors.empty() && d.factors.begin()->first != "amount"))
    table.note = "By cause: " + by;
  book.tables.push_back(std::move(table));
}

// Whether lines only change their names: each is on one side alone, and the totals are one number.
bool only_names(const Difference& d) {
  return !d.changes.empty() && d.before == d.after &&
         std::none_of(d.changes.begin(), d.changes.end(),
                      [](const Change& c) { return c.kind == Change::Kind::changed && c.before != c.after; });
}

// What a FLOP figure of the answer is of: a token, or a sample (a graph knows no tokens).
std::string unit_of(const Book& answer) {
  const auto at = std::find_if(answer.headlines.begin(), answer.headlines.end(),
                               [](const Headline& h) { return h.key == "flop_forward"; });
  return at == answer.headlines.end() ? std::string() : at->label;
}

// Every value of a RUN file by its path: "layout.zero" is "3".
void settings_of(const Node& node, const std::string& path, std::map<std::string, std::string>& out) {
  if (!node.is_mapping()) {
    out[path] = flow_text(node);
    return;
  }
  for (const Node child : node) settings_of(child, (path.empty() ? "" : path + ".") + std::string(child.key()), out);
}

// Empty for what is no file of a run.
std::map<std::string, std::string> settings_of(const std::string& input, const Request& request, Context& context) {
  std::map<std::string, std::string> out;
  if (input == "-" || !path_exists(input)) return out;
  const Result<const Source*> source = context.sources.read(input);
  if (!source.ok()) return out;
  Result<Document> plain = read_document(**source);
  if (!plain.ok()) return out;
  const Result<Document> document = with_overrides(std::move(*plain), request, context);
  if (document.ok() && document->root().is_mapping()) settings_of(document->root(), "", out);
  return out;
}

// What the files of two runs say differently, by path; empty where an input is no file.
std::vector<InputChange> setting_changes(const Request& request, Context& context) {
  std::vector<InputChange> out;
  const auto before = settings_of(request.inputs[0], request, context);
  const auto after = settings_of(request.inputs[1], request, context);
  if (before.empty() || after.empty()) return out;
  const auto counts = [](const std::string& path) { return path != "title" && path != "name" && path != "note"; };
  for (const auto& [path, value] : before) {
    const auto other = after.find(path);
    const std::string now = other == after.end() ? std::string() : other->second;
    if (counts(path) && now != value) out.push_back({path, value, now});
  }
  for (const auto& [path, value] : after)
    if (counts(path) && !before.contains(path)) out.push_back({path, {}, value});
  return out;
}

// Inputs of the answers that differ; those of runs as their files say them, where they do.
void add_input_changes(Book& book, const Book& before, const Book& after, std::vector<InputChange> settings) {
  const std::size_t said = settings.size();
  for (const InputChange& change : input_changes(before, after)) {
    const bool known =
        std::any_of(settings.begin(), settings.begin() + static_cast<std::ptrdiff_t>(said),
                    [&](const InputChange& s) { return s.name == change.name || s.name.ends_with("." + change.name); });
    if (!known) settings.push_back(change);
  }
  for (const InputChange& change : settings) {
    if (change.before.empty())
      book.summary.push_back("+ " + change.name + "  " + change.after);
    else if (change.after.empty())
      book.summary.push_back("- " + change.name + "  " + change.before);
    else
      book.summary.push_back("~ " + change.name + "  " + change.before + " -> " + change.after);
  }
}

// The totals that are asked for line by line, else the first that differs.
std::vector<std::string> totals_to_split(const Request& request, const Book& before, const Book& after) {
  std::vector<std::string> keys = request.words("by");
  if (!keys.empty()) return keys;
  const bool memory = !difference(before, after, "bytes").changes.empty() && before.command == "train";
  for (const char* key : {"usd", "flop", "flop_training", "flop_forward", "parameters"})
    if (!difference(before, after, key).changes.empty())
      return memory ? std::vector<std::string>{key, "bytes"} : std::vector<std::string>{key};
  if (memory) keys.emplace_back("bytes");
  return keys;
}

// What holds for both is said once; a note without a place says which of the two it is about.
Diagnostics notes_of_both(const Book& before, const Book& after, const std::vector<std::string>& names) {
  const auto same = [](const Diagnostic& a) {
    return [&a](const Diagnostic& b) { return b.code == a.code && b.message == a.message && b.labels.empty(); };
  };
  Diagnostics out;
  const auto add = [&](const Book& book, const Book& other, const std::string& name, bool first) {
    for (const Diagnostic& each : book.notes) {
      const bool both = each.labels.empty() && std::any_of(other.notes.begin(), other.notes.end(), same(each));
      if (both && !first) continue;
      out.push_back(each);
      if (each.labels.empty() && !both) out.back().message = name + ": " + each.message;
    }
  };
  add(before, after, names[0], true);
  add(after, before, names[1], false);
  return out;
}

Result<Book> diff(const Request& request, Context& context) {
  context.compare = true;
  auto before = answer_for(request.inputs[0], request, context);
  if (!before) return before;
  auto after = answer_for(request.inputs[1], request, context);
  if (!after) return after;
  if (before->command != after->command)
    return error("unlike-answers",
                 fmt::format("'{}' is answered by {}, '{}' by {}: they cannot be compared", request.inputs[0],
                             before->command, request.inputs[1], after->command),
                 {}, "compare two plans, two runs or two models");
  // FLOP of a token and FLOP of a sample cannot stand side by side.
  if (before->command == "model" && unit_of(*before) != unit_of(*after)) {
    context.per_sample = true;
    before = answer_for(request.inputs[0], request, context);
    if (!before) return before;
    after = answer_for(request.inputs[1], request, context);
    if (!after) return after;
  }
  Book book;
  book.title = request.inputs[0] + " -> " + request.inputs[1];
  add_headlines(book, *before, *after);
  book.json_answer = json_differences(*before, *after);
  if (book.summary.empty()) book.summary.emplace_back("No headline differs.");
  const bool runs = before->command == "train";
  add_input_changes(book, *before, *after, runs ? setting_changes(request, context) : std::vector<InputChange>());
  for (const std::string& key : totals_to_split(request, *before, *after)) {
    const Difference d = difference(*before, *after, key);
    std::string label = key == "bytes" ? "memory of the fullest device" : key;
    for (const Headline& each : before->headlines)
      if (each.key == key) label = each.label;
    if (only_names(d))
      book.summary.push_back(label + ": the same total, in lines of other names");
    else
      add_changes(book, d, label);
  }
  book.yes = !(request.has("exit-code") && (book.summary.size() > 1 || !book.tables.empty()));
  book.notes = notes_of_both(*before, *after, request.inputs);
  return book;
}

}  // namespace

namespace commands {
extern const CommandDef k_diff;
const CommandDef k_diff = {{"diff",
                            "what changed between two plans, runs or models, and why",
                            "A B",
                            2,
                            2,
                            {{"by", "KEY", "the total to split line by line (usd, flop, parameters ...)", true},
                             {"exit-code", "", "exit status 1 when they differ", false},
                             {"let", "NAME=VALUE", "as in tally, for both", true},
                             {"batch", "N", "as in model", false},
                             {"sequence", "N", "as in model", false},
                             {"convention", "NAME", "as in model", false}},
                            {"floptally diff plans/gdm-scaling-exponents.yaml plans/gdm-as-written.yaml"}},
                           diff};
}  // namespace commands
}  // namespace floptally
