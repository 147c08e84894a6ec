// floptally explain: where a number comes from: formula, inputs, numbers, sources, down to the line of the plan or the
// row of data.
#include <fmt/format.h>

#include <algorithm>

#include "base/integer.h"
#include "base/nearest.h"
#include "engine/command.h"
#include "engine/delegate.h"
#include "quantity/print.h"

namespace floptally {
namespace {

constexpr int kDefaultDepth = 3;

std::string where(const Step& step) {
  std::string out;
  if (step.place) {
    const Location at = locate(step.place);
    out = at.line > 0 ? fmt::format("{}:{}:{}", step.place.source->name, at.line, at.column)
                      : fmt::format("{}: byte {}", step.place.source->name, step.place.begin);
  }
  if (!step.source.empty()) out += (out.empty() ? "" : "; ") + step.source;
  return out;
}

constexpr double kRounded = 1e7;  // from here on numbers are printed rounded

std::string head(const Step& step) {
  std::string line = step.name + " = " + figure_text(step.figure, 6);
  if (!step.figure.exact.empty() && step.figure.value >= kRounded && step.figure.dim != dim::kUsdPerDeviceSecond)
    line += " (exactly " + grouped(step.figure.exact) + ")";
  const std::string range = range_text(step.figure, 3);
  if (!range.empty()) line += ", 90% " + range;
  if (step.mark != Mark::derived) {
    line += fmt::format("  [{}", to_text(step.mark));
    if (!step.stated.empty()) line += ": " + step.stated;
    line += "]";
  }
  const std::string place = where(step);
  if (!place.empty()) line += "  <- " + place;
  return line;
}

// A named constant: its formula is the number itself.
bool is_constant(const Step& step) {
  return step.inputs.empty() && !step.formula.empty() &&
         step.formula.find_first_not_of("0123456789.,e+-") == std::string::npos;
}

std::string without(std::string text, const std::string& prefix) {
  if (prefix.size() < 3) return text;
  for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at))
    text.erase(at, prefix.size());
  return text;
}

// A step that only passes on another of the same name: its one input is what is meant.
const Step& meant(const Book& book, std::uint32_t& index) {
  while (book.steps[index].inputs.size() == 1 && book.steps[index].formula == book.steps[index].name &&
         book.steps[book.steps[index].inputs.front()].name == book.steps[index].name)
    index = book.steps[index].inputs.front();
  return book.steps[index];
}

struct Teller {
  const Book& book;
  int depth;
  std::vector<std::string> lines;
  std::vector<bool> told;
  Table table;

  // `scope`: the account a formula stands in; its own sizes ("layers/q_proj: rows") are called by their short names
  // there.
  void tell(std::uint32_t index, int level, const std::string& scope = {}) {
    const Step& step = meant(book, index);
    const std::string indent(static_cast<std::size_t>(level) * 4, ' ');
    lines.push_back(indent + without(head(step), scope));
    if (is_constant(step)) {
      const bool digits = step.formula.find_first_not_of("0123456789") == std::string::npos;
      if (digits && step.figure.value >= kRounded && step.figure.exact.empty())
        lines.back() += " (exactly " + grouped(step.formula) + ")";
      table.rows.push_back({step.name, step.figure, step.formula, where(step)});
      return;
    }
    if (step.formula.empty()) return;
    const bool again = told[index];
    const std::string own = step.name.substr(0, step.name.rfind('/')) + ": ";
    lines.push_back(indent + "  = " + without(step.formula, own) + (again ? "   (opened above)" : ""));
    table.rows.push_back({step.name, step.figure, step.formula, where(step)});
    told[index] = true;
    if (again) return;
    if (level >= depth) {
      if (!step.inputs.empty())
        lines.push_back(indent + fmt::format("    ... --depth {} opens {} more", depth + 2, step.inputs.size()));
      return;
    }
    for (const std::uint32_t input : step.inputs) tell(input, level + 1, own);
  }
};

// The step a path means: a step's whole name, a headline's key, or the end of one name only.
Result<std::uint32_t> find_step(const Book& book, const std::string& path) {
  std::vector<std::string> names;
  std::vector<std::uint32_t> ends;
  for (const Headline& each : book.headlines) {
    if (each.key == path) return each.step;
    names.push_back(each.key);
  }
  for (std::uint32_t i = 0; i < book.steps.size(); ++i) {
    const std::string& name = book.steps[i].name;
    if (name == path) return i;
    if (name.size() > path.size() && name.ends_with(path) && name[name.size() - path.size() - 1] == '/')
      ends.push_back(i);
    names.push_back(name);
  }
  if (ends.size() == 1) return ends.front();
  if (ends.size() > 1) {
    std::string which;
    for (const std::uint32_t each : ends) which += (which.empty() ? "" : ", ") + book.steps[each].name;
    return error("ambiguous-path", "'" + path + "' is the end of several names", {}, "one of: " + which);
  }
  const std::string_view near = nearest(path, names);
  std::string keys;
  for (const Headline& each : book.headlines) keys += (keys.empty() ? "" : ", ") + each.key;
  return error("unknown-path", "no number is called '" + path + "'", {},
               (near.empty() ? std::string() : "did you mean '" + std::string(near) + "'? ") + "headlines: " + keys);
}

// The path with "line 2" of a subset as that line is called.
std::string with_line_names(const Account& account, const std::string& above, std::string path) {
  for (std::size_t i = 0; i < account.children.size(); ++i) {
    const std::string numbered = above + "line " + std::to_string(i + 1), own = above + account.children[i].name;
    if (path.starts_with(numbered + "/") || path.starts_with(numbered + ":")) path.replace(0, numbered.size(), own);
    path = with_line_names(account.children[i], own + "/", std::move(path));
  }
  return path;
}

Result<std::uint32_t> find_step_or_line(const Book& book, const std::string& path) {
  Result<std::uint32_t> found = find_step(book, path);
  for (const Account& account : book.accounts)
    for (const std::string& above : {std::string(), account.name + "/"})
      if (const std::string named = with_line_names(account, above, path); !found.ok() && named != path)
        found = find_step(book, named);
  return found;
}

// The account at a path ("Total/Alignment", "Alignment"), where it is no number: it has several.
const Account* find_account(const Account& account, const std::string& above, const std::string& path) {
  const std::string own = above + account.name;
  if (own == path || own.ends_with("/" + path)) return &account;
  for (const Account& child : account.children)
    if (const Account* found = find_account(child, own + "/", path)) return found;
  return nullptr;
}

// What the asked numbers stand on, in its order: nothing else of the answer is told of.
std::vector<Step> steps_under(const Book& book, std::vector<std::uint32_t> asked) {
  constexpr std::uint32_t kNone = UINT32_MAX;
  std::vector<std::uint32_t> place(book.steps.size(), kNone);
  while (!asked.empty()) {
    const std::uint32_t step = asked.back();
    asked.pop_back();
    if (place[step] != kNone) continue;
    place[step] = 0;
    asked.insert(asked.end(), book.steps[step].inputs.begin(), book.steps[step].inputs.end());
  }
  std::vector<Step> out;
  for (std::size_t i = 0; i < place.size(); ++i) {
    if (place[i] == kNone) continue;
    place[i] = static_cast<std::uint32_t>(out.size());
    out.push_back(book.steps[i]);
  }
  for (Step& step : out)
    for (std::uint32_t& input : step.inputs) input = place[input];
  return out;
}

// The steps a path means: one number, or all of an account.
Result<std::vector<std::uint32_t>> steps_at(const Book& book, const std::string& path) {
  const Result<std::uint32_t> step = find_step_or_line(book, path);
  if (step.ok()) return std::vector<std::uint32_t>{*step};
  for (const Account& account : book.accounts) {
    const Account* found = find_account(account, "", path);
    if (found == nullptr || found->cells.empty()) continue;
    std::vector<std::uint32_t> steps;
    for (const Cell& cell : found->cells) steps.push_back(cell.step);
    return steps;
  }
  return step.problems();
}

Result<Book> explain(const Request& request, Context& context) {
  std::string input = request.inputs.front();
  std::vector<std::string> paths(request.inputs.begin() + 1, request.inputs.end());
  if (const std::size_t hash = input.find('#'); paths.empty() && hash != std::string::npos) {
    paths = {input.substr(hash + 1)};
    input = input.substr(0, hash);
  }
  Request asked = request;
  asked.options["derive"];
  auto answer = answer_for(input, asked, context);
  if (!answer) return answer;
  const Book& told = *answer;
  int depth = kDefaultDepth;
  if (request.has("depth")) {
    const auto wanted = Integer::parse(request.word("depth"));
    if (!wanted || *wanted < Integer(0) || Integer(1000) < *wanted)
      return error("command-line", "--depth takes a whole number from 0 to 1000, not '" + request.word("depth") + "'");
    depth = static_cast<int>(wanted->to_int64());
  }
  Teller teller{told, depth, {}, std::vector<bool>(told.steps.size(), false), {}};
  teller.table.key = "derivation";
  teller.table.columns = {
      {"name", "Name", false}, {"value", "Value", true}, {"formula", "Formula", false}, {"source", "Source", false}};
  std::vector<std::uint32_t> asked_for;
  if (paths.empty()) {
    teller.depth = request.has("depth") ? depth : 0;
    for (const Headline& each : told.headlines) {
      teller.tell(each.step, 0);
      asked_for.push_back(each.step);
    }
  }
  Diagnostics problems;
  for (const std::string& path : paths) {
    const auto steps = steps_at(told, path);
    if (!steps) {
      problems.insert(problems.end(), steps.problems().begin(), steps.problems().end());
      continue;
    }
    if (steps->size() > 1 && !request.has("depth")) teller.depth = 0;
    for (const std::uint32_t step : *steps) teller.tell(step, 0);
    asked_for.insert(asked_for.end(), steps->begin(), steps->end());
    teller.depth = depth;
  }
  if (!problems.empty()) return problems;
  Book book;
  book.summary = std::move(teller.lines);
  book.headlines = told.headlines;
  book.steps = steps_under(told, std::move(asked_for));
  if (request.word("format") == "csv" || !request.words("output").empty())
    book.tables.push_back(std::move(teller.table));
  book.notes = told.notes;
  book.headlines.clear();
  return book;
}

}  // namespace

namespace commands {
extern const CommandDef k_explain;
const CommandDef k_explain = {
    {"explain",
     "where a number comes from",
     "FILE [PATH...] or FILE#PATH",
     1,
     64,
     {{"depth", "N", "how many levels of names to open (3; 0 shows the formula alone)", false},
      {"let", "NAME=VALUE", "as in tally", true},
      {"batch", "N", "as in model", false},
      {"sequence", "N", "as in model", false},
      {"convention", "NAME", "as in model", false}},
     {"floptally explain plans/gdm-scaling-exponents.yaml usd",
      "floptally explain plans/gdm-scaling-exponents.yaml 'Epsilon, heatmaps/flop' 'Table E1/usd'",
      "floptally explain plans/gdm-scaling-exponents.yaml Alignment"}},
    explain};
}  // namespace commands
}  // namespace floptally
