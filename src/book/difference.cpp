#include "book/difference.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "book/worlds.h"
#include "quantity/print.h"

namespace floptally {
namespace {

using Cells = std::map<std::string, double>;

struct Lines {
  std::vector<std::string> order;
  std::map<std::string, Cells> cells;
};

void collect(const Book& book, const Account& account, const std::string& path, const std::string& key, Dim& dim,
             Lines& lines) {
  if (!account.children.empty()) {
    for (const Account& child : account.children)
      collect(book, child, path.empty() ? child.name : path + "/" + child.name, key, dim, lines);
    return;
  }
  Cells cells;
  for (const Cell& cell : account.cells) {
    cells[cell.key] = book.steps[cell.step].figure.value;
    if (cell.key == key) dim = book.steps[cell.step].figure.dim;
  }
  if (cells.count(key) == 0) return;
  if (lines.cells.emplace(path, cells).second)
    lines.order.push_back(path);
  else
    for (const auto& [name, value] : cells) lines.cells[path][name] += value;  // lines of one name are one line
}

Lines lines_of(const Book& book, const std::string& key, Dim& dim) {
  Lines lines;
  for (const Account& account : book.accounts) collect(book, account, {}, key, dim, lines);
  return lines;
}

// Which path of `before` is which of `after`, where that is not the one of the same name: the lines of a plan's subset
// are called by what they run, so those that were changed go by their order where there are as many of them.
using Renamed = std::map<std::string, std::string>;

void pair_lines(const Account& before, const Account& after, const std::string& path, Renamed& out) {
  const std::vector<Account>&a = before.children, &b = after.children;
  const auto among = [](const std::vector<Account>& all, const Account& one) {
    return std::find_if(all.begin(), all.end(), [&](const Account& each) { return each.name == one.name; });
  };
  const bool known = std::all_of(a.begin(), a.end(), [&](const Account& each) { return among(b, each) != b.end(); });
  if (!path.empty() && !known && a.size() == b.size())
    for (std::size_t i = 0; i < a.size(); ++i) out[path + a[i].name] = path + b[i].name;
  if (path.empty())
    for (const Account& each : a)
      if (const auto other = among(b, each); other != b.end()) pair_lines(each, *other, each.name + "/", out);
}

Renamed renamed_lines(const Book& before, const Book& after) {
  Renamed out;
  if (before.command == "tally" && !before.accounts.empty() && !after.accounts.empty())
    pair_lines(before.accounts.front(), after.accounts.front(), {}, out);
  return out;
}

// "Compute-optimal/width 1024 -> width 2048".
std::string both_names(const std::string& before, const std::string& after) {
  if (before == after || before.empty()) return after;
  if (after.empty()) return before;
  std::size_t same = 0;
  for (std::size_t i = 0; i < std::min(before.size(), after.size()) && before[i] == after[i]; ++i)
    if (before[i] == '/') same = i + 1;
  return before + " -> " + after.substr(same);
}

double log_mean(double a, double b) { return a == b ? a : (b - a) / (std::log(b) - std::log(a)); }

// The chain of factors whose product is `key`, as far as both sides know them.
std::vector<std::pair<std::string, std::string>> chain(const std::string& key) {
  const std::vector<std::pair<std::string, std::string>> all = {
      {"runs", "runs"}, {"FLOP a run", "flop"}, {"rate", "device_hours"}, {"price", "usd"}};
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& link : all) {
    out.push_back(link);
    if (link.second == key) return out;
  }
  return {};
}

void split(Change& change, const Cells& a, const Cells& b, const std::string& key) {
  const auto links = chain(key);
  bool usable = !links.empty() && change.before > 0 && change.after > 0;
  for (const auto& [factor, column] : links)
    usable = usable && a.count(column) != 0 && b.count(column) != 0 && a.at(column) > 0 && b.at(column) > 0;
  if (!usable) {
    change.parts.emplace_back("amount", change.after - change.before);
    return;
  }
  const double weight = log_mean(change.before, change.after);
  double previous = 0;
  for (const auto& [factor, column] : links) {
    const double ratio = std::log(b.at(column) / a.at(column));
    const double part = weight * (ratio - previous);
    previous = ratio;
    if (std::abs(part) > 1e-12 * std::abs(change.before)) change.parts.emplace_back(factor, part);
  }
}

}  // namespace

Difference difference(const Book& before, const Book& after, const std::string& key) {
  Difference result;
  result.key = key;
  const Lines a = lines_of(before, key, result.dim);
  const Lines b = lines_of(after, key, result.dim);
  const Renamed renamed = renamed_lines(before, after);
  std::map<std::string, std::string> left_of;  // path after -> path before
  std::vector<std::pair<std::string, std::string>> order;
  for (const std::string& path : a.order) {
    const auto other = renamed.find(path);
    const std::string& now = other == renamed.end() ? path : other->second;
    order.emplace_back(path, b.cells.count(now) != 0 ? now : "");
    left_of.emplace(now, path);
  }
  for (const std::string& path : b.order)
    if (left_of.count(path) == 0) order.emplace_back("", path);
  std::map<std::string, double> factors;
  for (const auto& [then, now] : order) {
    Change change;
    change.path = both_names(then, now);
    const auto left = a.cells.find(then);
    const auto right = b.cells.find(now);
    change.before = left == a.cells.end() ? 0 : left->second.at(key);
    change.after = right == b.cells.end() ? 0 : right->second.at(key);
    result.before += change.before;
    result.after += change.after;
    if (left == a.cells.end()) {
      change.kind = Change::Kind::added;
      change.parts.emplace_back("lines added", change.after);
    } else if (right == b.cells.end()) {
      change.kind = Change::Kind::removed;
      change.parts.emplace_back("lines removed", -change.before);
    } else if (change.before != change.after) {
      split(change, left->second, right->second, key);
    } else {
      continue;
    }
    for (const auto& [factor, part] : change.parts) factors[factor] += part;
    result.changes.push_back(std::move(change));
  }
  std::stable_sort(result.changes.begin(), result.changes.end(), [](const Change& x, const Change& y) {
    return std::abs(x.after - x.before) > std::abs(y.after - y.before);
  });
  result.factors.assign(factors.begin(), factors.end());
  std::stable_sort(result.factors.begin(), result.factors.end(),
                   [](const auto& x, const auto& y) { return std::abs(x.second) > std::abs(y.second); });
  const auto wa = before.worlds.find(key);
  const auto wb = after.worlds.find(key);
  if (wa != before.worlds.end() && wb != after.worlds.end() && wa->second.size() == wb->second.size()) {
    std::vector<double> gap(wa->second.size());
    for (std::size_t i = 0; i < gap.size(); ++i) gap[i] = wb->second[i] - wa->second[i];
    const Percentiles p = percentiles_of(gap);
    result.known_spread = true;
    result.low = p.p5;
    result.high = p.p95;
  }
  return result;
}

std::vector<InputChange> input_changes(const Book& before, const Book& after) {
  const auto inputs = [](const Book& book, const Renamed& renamed) {
    std::map<std::string, std::string> out;
    for (const Step& step : book.steps) {
      if (!step.formula.empty() || step.mark == Mark::derived) continue;
      const std::size_t end = step.name.find(": ");  // of the line that states it
      const auto line = renamed.find(step.name.substr(0, end));
      out[line == renamed.end() ? step.name : line->second + step.name.substr(end)] =
          step.stated.empty() ? figure_text(step.figure, 6) : step.stated;
    }
    return out;
  };
  const auto a = inputs(before, renamed_lines(before, after));
  const auto b = inputs(after, {});
  std::vector<InputChange> out;
  for (const auto& [name, words] : a) {
    const auto other = b.find(name);
    if (other == b.end())
      out.push_back({name, words, {}});
    else if (other->second != words)
      out.push_back({name, words, other->second});
  }
  for (const auto& [name, words] : b)
    if (a.count(name) == 0) out.push_back({name, {}, words});
  return out;
}

}  // namespace floptally
