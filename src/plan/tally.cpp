#include "plan/tally.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "base/nearest.h"
#include "book/ledger.h"
#include "plan/hardware_terms.h"
#include "plan/line_names.h"
#include "plan/sweep.h"
#include "quantity/print.h"

namespace floptally {
namespace {

using Cells = std::vector<std::pair<std::string, Traced>>;

// What one line comes to, split by the values of an axis where that is asked for.
struct LinePart {
  std::string label;
  double order = 0;
  Cells cells;
};

constexpr double kHour = 3600, kDay = 24 * kHour;  // seconds
constexpr const char* kWithout = "(lines without it)";

class PlanTally {
 public:
  PlanTally(const Plan& plan, const TallyOptions& options, const Catalogue& catalogue, Sources& sources)
      : plan_(plan),
        options_(options),
        sources_(sources),
        ledger_("tally"),
        names_(plan, ledger_.trace(), problems_),
        hardware_(plan, catalogue, names_) {}

  Result<Book> run() {
    problems_ = plan_.problems;
    convention_ = plan_convention(plan_, problems_);
    names_.evaluate_all();
    make_counter();
    terms_ = hardware_.terms({}, {});
    Entry total;
    total.name = "Total";
    for (const PlanSubset& subset : plan_.subsets) add_subset(subset, total);
    if (!by_parts_.empty()) total.children = by_entries();
    check_by();
    if (!problems_.empty()) return std::move(problems_);
    const Cells totals = ledger_.add(std::move(total));
    headlines(totals);
    words();
    Book& book = ledger_.book();
    book.title = plan_.title;
    book.notes = plan_.notes;
    for (const Diagnostic& each : notes_) book.notes.push_back(each);
    for (const Diagnostic& each : hardware_.notes()) book.notes.push_back(each);
    for (const auto& [key, value] : totals)
      if (key == "usd" || (key == "flop" && find(totals, "usd") == nullptr))
        ledger_.influences(key == "flop" ? "flop_training" : key);
    Book result = ledger_.finish(options_.worlds, options_.keep_worlds);
    check(result);
    return result;
  }

 private:
  static const Traced* find(const Cells& cells, std::string_view key) {
    for (const auto& [name, value] : cells)
      if (name == key) return &value;
    return nullptr;
  }

  void make_counter() {
    const bool by_numbers = std::any_of(plan_.fields.begin(), plan_.fields.end(), [](const PlanEntry& each) {
      return each.name == "parameters" || each.name == "flop_per_token";
    });
    if (!plan_.from.empty()) {
      std::int64_t sequence = 0;
      for (const PlanEntry& each : plan_.fields)
        if (each.name == "sequence" && each.value.is_amount() && each.value.top().amount.exact)
          sequence = each.value.top().amount.exact->to_int64();
      counter_ = file_counter(plan_, convention_, sources_, sequence, problems_, notes_);
      counter_failed_ = counter_ == nullptr;
    } else if (!plan_.kind.empty()) {
      counter_ = decoder_counter(plan_, convention_);
    } else if (plan_.model_place && !by_numbers && !swept("parameters")) {
      problems_.push_back(error("missing-key", "'kind' is missing here", plan_.model_place,
                                "add 'kind: decoder', or 'from: config.json', or 'parameters: 7B'"));
      counter_failed_ = true;
    }
    if (counter_ && counter_->own(FieldId::width) > 0 && swept("width")) {
      std::string kept;  // a config's other sizes stay what they are: said, because it is seldom meant
      for (const FieldId id : {FieldId::ffn, FieldId::heads}) {
        const std::string_view field = kFieldNames[static_cast<std::size_t>(id)];
        const bool given = std::any_of(plan_.fields.begin(), plan_.fields.end(),
                                       [&](const PlanEntry& each) { return each.name == field; });
        if (counter_->own(id) > 0 && !given && !swept(field))
          kept += (kept.empty() ? "" : " and ") + std::string(field) + " " + std::to_string(counter_->own(id));
      }
      if (!kept.empty())
        notes_.push_back(note("config-sizes", "the width changes, the config's " + kept + " stay as they are",
                              plan_.from_place,
                              "model: {from: " + plan_.from + ", ffn: 4 * width, heads: width / 128}"));
    }
    if (counter_ && plan_.count_flop.empty())
      notes_.push_back(note("assumed-convention", "'count' is not given: FLOP are those of " + convention_.flop_words,
                            plan_.model_place, "count: {flop: [matmul, causal, unembed], parameters: [all]}"));
  }

  [[nodiscard]] bool swept(std::string_view field) const {
    const auto named = [&](const std::vector<PlanEntry>& entries) {
      return std::any_of(entries.begin(), entries.end(), [&](const PlanEntry& each) { return each.name == field; });
    };
    for (const PlanSubset& subset : plan_.subsets)
      for (const PlanLine& line : subset.lines) {
        if (named(line.over) || named(line.set)) return true;
        for (const auto& group : line.zip)
          if (named(group)) return true;
        if (std::find(line.columns.begin(), line.columns.end(), field) != line.columns.end()) return true;
      }
    return false;
  }

  void add_subset(const PlanSubset& subset, Entry& total) {
    Entry entry;
    entry.name = subset.name;
    entry.place = subset.place;
    const bool single = subset.lines.size() == 1;
    const std::vector<std::string> names = line_names(subset);
    for (std::size_t i = 0; i < subset.lines.size(); ++i) {
      const PlanLine& line = subset.lines[i];
      const std::string name = single && line.id.empty() ? subset.name : subset.name + "/" + names[i];
      std::vector<LinePart> parts = add_line(line, name);
      if (parts.empty()) continue;
      if (!options_.by.empty()) {
        for (LinePart& part : parts) by_parts_.push_back(std::move(part));
        continue;
      }
      Entry row;
      row.name = names[i];
      row.note = line.note;
      row.source = line.source;
      row.place = line.place;
      row.cells = std::move(parts.front().cells);
      if (single) {
        row.name = subset.name;
        row.place = subset.place;
        entry = std::move(row);
      } else {
        entry.children.push_back(std::move(row));
      }
    }
    if (options_.by.empty()) total.children.push_back(std::move(entry));
  }

  std::vector<LinePart> add_line(const PlanLine& line, const std::string& name) {
    std::optional<SweepResult> sweep;
    if (!counter_failed_) {
      sweep = sweep_line(plan_, line, name, options_.by, counter_.get(), convention_, names_, cache_);
    }
    Traced factor(1);
    const bool ok = multiply(line, name, factor);
    const std::vector<LinePart> split = options_.by.empty() ? std::vector<LinePart>{} : split_factor(line);
    const std::optional<Traced> again = share(line.fail ? line.fail : plan_.fail, "fail", line.fail ? name : "");
    const std::optional<Traced> overhead =
        share(line.overhead ? line.overhead : plan_.overhead, "overhead", line.overhead ? name : "");
    const std::optional<Traced> reserve =
        share(line.reserve ? line.reserve : plan_.reserve, "reserve", line.reserve ? name : "");
    const HardwareTerms terms = hardware_.terms(line.set, name);
    if (!sweep || !ok || !problems_.empty()) return {};  // mistakes elsewhere: only looking for more
    if (sweep->least_parameters >= 0) {
      least_ = least_ < 0 ? sweep->least_parameters : std::min(least_, sweep->least_parameters);
      most_ = std::max(most_, sweep->most_parameters);
    }
    std::vector<LinePart> parts;
    for (const SweepGroup& group : sweep->groups) {
      const bool has_label = !group.label.empty();
      if (has_label || split.empty()) {
        parts.push_back({has_label ? group.label : fixed_label(line), has_label ? group.order : 0,
                         cells(group, factor, again, overhead, reserve, terms, *sweep)});
        continue;
      }
      for (const LinePart& each : split)  // the axis is one of the factors
        parts.push_back({each.label, each.order,
                         cells(group, factor * each.cells[0].second, again, overhead, reserve, terms, *sweep)});
    }
    return parts;
  }

  Cells cells(const SweepGroup& group, const Traced& factor, const std::optional<Traced>& again,
              const std::optional<Traced>& overhead, const std::optional<Traced>& reserve, const HardwareTerms& terms,
              const SweepResult& sweep) {
    Trace& trace = ledger_.trace();
    Cells out;
    out.emplace_back("runs", group.runs * factor);
    Traced flop = group.flop * factor;
    Traced tokens = group.tokens * factor;
    if (again) {
      flop = flop / (Traced(1) - *again);
      tokens = tokens / (Traced(1) - *again);
    }
    out.emplace_back("flop", flop);
    if (sweep.has_tokens) out.emplace_back(sweep.of_samples ? "samples" : "tokens", tokens);
    if (!terms.rate) return out;
    Traced time = flop / *terms.rate;
    if (overhead) time = time * (Traced(1) + *overhead);
    if (reserve) time = time * (Traced(1) + *reserve);
    time = trace.as(time, dim::kDeviceSecond);
    out.emplace_back("device_hours", time);
    if (terms.node) out.emplace_back("node_hours", trace.as(time / *terms.node, dim::kNodeSecond));
    if (terms.price) out.emplace_back("usd", time * *terms.price);
    return out;
  }

  // fail, overhead, reserve: shares from 0 on (fail below 1).
  std::optional<Traced> share(const std::optional<Expression>& expression, const char* what, const std::string& line) {
    if (!expression) return std::nullopt;
    const std::string name = line.empty() ? what : line + ": " + what;
    std::optional<Traced> value = scalar_of(names_, *expression, name, {}, "a share such as 5% (2% to 15%)", 1, line);
    if (!value) return std::nullopt;
    const bool below_one = std::string_view(what) != "fail" || value->value() < 1;
    if (value->value() >= 0 && below_one) return value;
    problems_.push_back(
        error("bad-share",
              std::string("'") + what + "' is " + shortest(value->value()) + ", a share from 0 to 1 was expected",
              expression->place));
    return std::nullopt;
  }

  bool multiply(const PlanLine& line, const std::string& name, Traced& factor) {
    bool ok = true;
    for (const PlanFactor& each : line.times) {
      warn_of_field(each);
      if (!options_.by.empty() && each.name == options_.by && (!each.parts.empty() || listed(each))) {
        by_found_ = true;
        PlanLine unused;
        Traced ignored(1);
        ok = count_of(each, name + ": " + each.name, ignored) && ok;
        continue;  // split_factor() takes it apart
      }
      Traced count(1);
      if (count_of(each, name + ": " + each.name, count))
        factor = factor * count;
      else
        ok = false;
    }
    return ok;
  }

  void warn_of_field(const PlanFactor& factor) {
    static constexpr std::string_view kCosts[] = {"layers", "width",    "head_dim", "ffn",     "vocab",     "steps",
                                                  "batch",  "sequence", "tokens",   "experts", "parameters"};
    for (const std::string_view field : kCosts)
      if (factor.name == field)
        notes_.push_back(warning("times-field", "'" + factor.name + "' under 'times' only multiplies", factor.key,
                                 "a field whose values change the cost stands under 'over'"));
  }

  [[nodiscard]] static bool listed(const PlanFactor& factor) {
    return factor.value && factor.value->root >= 0 && factor.value->top().op == ExprOp::list;
  }

  // A number counts itself, a list its elements, a map what its values add up to.
  bool count_of(const PlanFactor& factor, const std::string& name, Traced& count) {
    if (!factor.value) {
      std::vector<Traced> parts;
      bool ok = true;
      for (const PlanFactor& part : factor.parts) {
        Traced each(1);
        ok = count_of(part, name + "." + part.name, each) && ok;
        parts.push_back(each);
      }
      if (ok) count = ledger_.trace().name(name, ledger_.trace().sum(parts), {}, factor.place);
      return ok;
    }
    LetScope scope(names_, name, *factor.value, true, name);
    PlanValue value;
    if (!evaluate(*factor.value, scope, value)) return false;
    if (value.is_list) {
      count = ledger_.trace().given(name, value.size(), {}, factor.place);
      return true;
    }
    const PlanItem& item = value.items.front();
    if (!item.word.empty()) {
      std::vector<std::string_view> known = names_.names();
      problems_.push_back(
          error("unknown-name", "'" + item.word + "' is not defined", item.place, suggestion(item.word, known)));
      return false;
    }
    if (item.number.value() < 0) {
      problems_.push_back(error("negative-count", "'" + factor.name + "' cannot be " + shortest(item.number.value()),
                                factor.place, "a factor is 0 or more"));
      return false;
    }
    if (!(item.number.dim() == Dim{})) {
      problems_.push_back(error("wrong-unit",
                                "'" + factor.name + "' counts runs and has no unit, found " +
                                    quantity_text(item.number.value(), item.number.dim()),
                                factor.place));
      return false;
    }
    count = item.number;
    return true;
  }

  // The values of a factor that --by asks for, each with its share of the count.
  std::vector<LinePart> split_factor(const PlanLine& line) {
    std::vector<LinePart> out;
    for (const PlanFactor& each : line.times) {
      if (each.name != options_.by) continue;
      for (const PlanFactor& part : each.parts) {
        Traced count(1);
        if (count_of(part, part.name, count)) out.push_back({part.name, 0, {{"count", count}}});
      }
      if (listed(each))
        for (const int item : each.value->top().items) {
          const ExprNode& node = each.value->nodes[static_cast<std::size_t>(item)];
          out.push_back({!node.name.empty() ? node.name : node.amount.text, node.amount.best, {{"count", Traced(1)}}});
        }
    }
    return out;
  }

  // Where a line lacks the axis: the value it has all the same, or "(lines without it)".
  std::string fixed_label(const PlanLine& line) const {
    if (options_.by.empty()) return {};
    for (const std::vector<PlanEntry>* entries : {&line.set, &plan_.fields})
      for (const PlanEntry& each : *entries)
        if (each.name == options_.by && each.value.is_amount() && each.value.top().amount.exact)
          return each.value.top().amount.exact->to_string();
    for (const PlanFactor& each : line.times)
      if (each.name == options_.by) return "all of them";
    return kWithout;
  }

  std::vector<Entry> by_entries() {
    // Numbers first, by their size, then words as they came, then the lines without the axis.
    enum class Group : std::uint8_t { number, word, without };
    std::map<std::tuple<Group, double, std::string>, std::vector<Cells>> rows;
    std::vector<std::string> first_seen;
    for (LinePart& part : by_parts_) {
      const double number = part.order != 0 ? part.order : double_or(part.label, -1);
      auto at = std::find(first_seen.begin(), first_seen.end(), part.label);
      if (at == first_seen.end()) at = first_seen.insert(first_seen.end(), part.label);
      const Group group = part.label == kWithout          ? Group::without
                          : part.order != 0 || number > 0 ? Group::number
                                                          : Group::word;
      const double order = group == Group::number ? number : static_cast<double>(at - first_seen.begin());
      rows[{group, order, part.label}].push_back(std::move(part.cells));
    }
    std::vector<Entry> out;
    for (auto& [key, all] : rows) {
      Entry row;
      const std::string& label = std::get<std::string>(key);
      const bool number = double_or(label, -1) >= 0;
      row.name = number ? options_.by + " " + label : label;
      std::vector<std::string> keys;
      std::map<std::string, std::vector<Traced>> columns;
      for (const Cells& each : all)
        for (const auto& [name, value] : each) {
          if (columns.find(name) == columns.end()) keys.push_back(name);
          columns[name].push_back(value);
        }
      for (const std::string& name : keys) row.cells.emplace_back(name, ledger_.trace().sum(columns[name]));
      out.push_back(std::move(row));
    }
    return out;
  }

  static double double_or(const std::string& text, double otherwise) {
    const NumberText number = read_number(text);
    return number.length == text.size() && number.length > 0 ? number.value : otherwise;
  }

  void check_by() {
    if (options_.by.empty() || !problems_.empty()) return;
    std::vector<std::string_view> known;
    for (const PlanSubset& subset : plan_.subsets)
      for (const PlanLine& line : subset.lines) {
        for (const PlanEntry& each : line.over) known.push_back(each.name);
        for (const auto& group : line.zip)
          for (const PlanEntry& each : group) known.push_back(each.name);
        for (const PlanFactor& each : line.times) known.push_back(each.name);
        for (const std::string& each : line.columns) known.push_back(each);
      }
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    if (std::find(known.begin(), known.end(), options_.by) == known.end())
      problems_.push_back(
          error("unknown-axis", "no line has an axis '" + options_.by + "'", {}, suggestion(options_.by, known)));
  }

  void headlines(const Cells& totals) {
    static constexpr std::pair<const char*, const char*> kLabels[] = {
        {"runs", "Runs"},       {"flop", "Training compute"},     {"tokens", "Tokens"},
        {"samples", "Samples"}, {"device_hours", "Device-hours"}, {"node_hours", "Node-hours"},
        {"usd", "Cost"}};
    for (const auto& [key, label] : kLabels)
      if (const Traced* value = find(totals, key))
        ledger_.headline(key == std::string("flop") ? "flop_training" : key, label, *value);
    if (const Traced* nodes = find(totals, "node_hours")) {
      // Months of 30 days, as clouds and the plan's source count them.
      Trace& trace = ledger_.trace();
      ledger_.headline("node_months", "Node-months of 30 days",
                       trace.name("node-months", *nodes / trace.constant(Integer(30L * 86400), dim::kNodeSecond)));
    }
    if (find(totals, "device_hours") != nullptr && terms_.devices) {
      Trace& trace = ledger_.trace();
      ledger_.headline(
          "training_seconds", "Time on all devices",
          trace.name("wall-clock time", trace.as(*find(totals, "device_hours") / *terms_.devices, dim::kSecond)));
    }
  }

  void words() {
    Book& book = ledger_.book();
    if (counter_) book.words.emplace_back("convention", convention_.flop_words);
    if (most_ > 0) {
      std::string text = "Models of " + quantity_text(least_, dim::kParameter) +
                         (most_ > least_ ? " to " + quantity_text(most_, dim::kParameter) : "") +
                         (most_ == 1 ? " parameter" : " parameters");
      if (counter_)
        text += "; FLOP count " + convention_.flop_words + ", parameters " + convention_.parameter_words;
      else
        text += "; 6 FLOP per parameter and token";
      book.summary.push_back(text + ".");
    }
  }

  // `expect` and `limits` against the finished totals; a miss makes the answer "no".
  void check(Book& book) {
    answer(book);
    Table table{"checks",
                "",
                {{"check", ""}, {"total", ""}, {"stated", "Stated", true}, {"found", "Found", true}, {"verdict", ""}},
                {},
                {}};
    for (const PlanExpectation& each : plan_.expect) check_one(book, each, true, table);
    for (const PlanExpectation& each : plan_.limits)
      if (each.key != "devices") check_one(book, each, false, table);
    if (!table.rows.empty()) book.tables.push_back(std::move(table));
  }

  // The totals in one line, first of all.
  static void answer(Book& book) {
    std::string line;
    bool ranged = false;  // the first range says what it is
    for (const char* key : {"runs", "flop_training", "device_hours", "usd"}) {
      const Step* step = find_headline(book, key);
      if (step == nullptr) continue;
      line += (line.empty() ? "" : ", ") + figure_text(step->figure) +
              (key != std::string("runs")                          ? ""
               : step->figure.value == 1 && !step->figure.at_least ? " run"
                                                                   : " runs");
      if (!step->figure.p5 || *step->figure.p5 == *step->figure.p95) continue;
      const Figure& f = step->figure;
      const int digits = range_digits(*f.p5, *f.p95);
      line += (ranged ? " (" : " (90% ") + without_unit(quantity_text(*f.p5, f.dim, digits)) + " to " +
              without_unit(quantity_text(*f.p95, f.dim, digits)) + ")";
      ranged = true;
    }
    book.summary.insert(book.summary.begin(), line + ".");
  }

  // The step that `expect` or `limits` speaks of, and what turns its value into the unit of that key.
  struct Checked {
    const Step* step = nullptr;
    double scale = 1;
  };
  [[nodiscard]] Checked checked_step(const Book& book, const std::string& key) const {
    if (key == "days") {
      if (const Step* time = find_headline(book, "training_seconds")) return {time, 1 / kDay};
      const bool shared = limit_devices() > 0;
      return {shared ? find_headline(book, "device_hours") : nullptr, shared ? 1 / kDay / limit_devices() : 1};
    }
    const bool hours = key == "device_hours" || key == "node_hours";
    const Step* step = find_headline(book, key == "flop" ? "flop_training" : key);
    if (step == nullptr && key == "tokens") step = find_headline(book, "samples");  // of a network of images
    return {step, hours ? 1 / kHour : 1};
  }

  void check_one(Book& book, const PlanExpectation& want, bool expected, Table& table) {
    const auto [step, scale] = checked_step(book, want.key);
    if (step == nullptr) {
      book.notes.push_back(warning(
          "cannot-check", "'" + want.key + "' cannot be checked: the plan does not say enough to know it", want.place,
          want.key == "days" ? "limits: {days: 14, devices: 256}, or hardware: {devices: 256}"
                             : "give hardware with a rate and a price"));
      return;
    }
    const double value = step->figure.value * scale;
    const bool with_unit = want.key == "flop" || want.key == "usd" || want.key == "tokens";
    const Dim unit = with_unit ? step->figure.dim : Dim{};
    const auto print = [&](double v) { return unit == Dim{} ? count_text(v, 4) : quantity_text(v, unit, 4); };
    const Amount& amount = want.amount;
    const bool range = amount.form == Amount::Form::best_with_range || amount.form == Amount::Form::range;
    const double edge = range ? amount.high : amount.best;
    const bool met = expected ? meets(amount, value) : value <= edge;
    std::string verdict = expected ? (met ? "met" : "not met") : met ? "kept" : "passed";
    if (!met) {
      const std::string off = difference_text(value, expected ? amount.best : edge, print);
      verdict += ", off by " + off;
      Diagnostic miss = error(expected ? "expect-not-met" : "limit-passed",
                              "'" + want.key + "' is " + print(value) + (expected ? ", expected " : ", the limit is ") +
                                  amount.text + ": " + off,
                              want.place);
      miss.severity = Severity::warning;
      book.notes.push_back(std::move(miss));
      book.yes = false;
    } else if (!expected && step->figure.p95 && *step->figure.p95 * scale > edge) {
      verdict += ", but the 90% range reaches " + print(*step->figure.p95 * scale);
    } else if (!expected && step->figure.at_least) {
      verdict += " by what is known: a part is a floor";
    }
    table.rows.push_back({std::string(expected ? "expect" : "limit"), want.key, amount.text,
                          (step->figure.at_least ? ">= " : "") + print(value), verdict});
  }

  // Whether a value is what `expect` says: in its range, at or above its floor, or equal but for rounding.
  static bool meets(const Amount& amount, double value) {
    constexpr double kRounding = 1e-12;
    const bool range = amount.form == Amount::Form::best_with_range || amount.form == Amount::Form::range;
    const double low = range ? amount.low : amount.best * (1 - kRounding);
    const double high = range ? amount.high : amount.best * (1 + kRounding);
    return value >= low && (amount.form == Amount::Form::floor || value <= high);
  }

  // "+1.2M (+3.4%)", or "(12 times)" where it is far off.
  template <class Print>
  static std::string difference_text(double value, double reference, const Print& print) {
    const double off = reference == 0 ? 0 : value / reference - 1;
    char relative[32];
    if (std::abs(off) < 10)
      std::snprintf(relative, sizeof relative, "%+.3g%%", 100 * off);
    else
      std::snprintf(relative, sizeof relative, "%.3g times", off + 1);
    return (value >= reference ? "+" : "-") + print(std::abs(value - reference)) + " (" + relative + ")";
  }

  [[nodiscard]] double limit_devices() const {
    for (const PlanExpectation& each : plan_.limits)
      if (each.key == "devices") return each.amount.best;
    return 0;
  }

  const Plan& plan_;
  const TallyOptions& options_;
  Sources& sources_;
  Diagnostics problems_, notes_;
  Ledger ledger_;
  LetNames names_;
  HardwareReader hardware_;
  HardwareTerms terms_;
  SweepCache cache_;
  PlanConvention convention_;
  std::unique_ptr<ModelCounter> counter_;
  bool counter_failed_ = false, by_found_ = false;
  std::vector<LinePart> by_parts_;
  double least_ = -1, most_ = 0;
};

}  // namespace

Result<Book> tally_plan(const Plan& plan, const TallyOptions& options, const Catalogue& catalogue, Sources& sources) {
  return PlanTally(plan, options, catalogue, sources).run();
}

}  // namespace floptally
