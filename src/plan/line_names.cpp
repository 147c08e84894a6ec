#include "plan/line_names.h"

#include <algorithm>

namespace floptally {
namespace {

constexpr std::size_t kLongestWords = 32;
constexpr std::size_t kListed = 3;  // items of a list that are all named

using Words = std::vector<std::string>;

// "512, 1024", or "64 to 4096" where there are many.
std::string list_words(const Words& items) {
  if (items.size() > kListed) return items.front() + " to " + items.back();
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ", ") + item;
  return out;
}

// As the plan writes it, a list without its brackets; empty where that is long.
std::string value_words(const Expression& value) {
  std::string out = value.text;
  if (value.root >= 0 && value.top().op == ExprOp::list) {
    Words items;
    for (const int item : value.top().items) {
      const ExprNode& node = value.nodes[static_cast<std::size_t>(item)];
      items.push_back(node.op == ExprOp::name ? node.name : node.amount.text);
    }
    out = list_words(items);
  }
  return out.size() <= kLongestWords ? out : std::string();
}

void add(Words& words, const std::string& name, const std::string& value) {
  words.push_back(name + (value.empty() ? "" : " " + value));
}

// All that a line says of its runs, what shapes them first.
Words words_of(const PlanLine& line) {
  Words words;
  for (const PlanEntry& each : line.over) add(words, each.name, value_words(each.value));
  for (const auto& group : line.zip)
    for (const PlanEntry& each : group) add(words, each.name, value_words(each.value));
  for (const PlanFactor& each : line.times) {
    Words parts;
    for (const PlanFactor& part : each.parts) parts.push_back(part.name);
    add(words, each.name, each.value ? value_words(*each.value) : list_words(parts));
  }
  for (const PlanEntry& each : line.set) add(words, each.name, value_words(each.value));
  const std::pair<const char*, const std::optional<Expression>*> kShares[] = {
      {"fail", &line.fail}, {"reserve", &line.reserve}, {"overhead", &line.overhead}};
  for (const auto& [name, share] : kShares)
    if (*share) add(words, name, value_words(**share));
  return words;
}

// Only what not all of them say; all of it of a line that says nothing else.
void keep_differences(std::vector<Words>& lines) {
  const std::vector<Words> all = lines;
  for (Words& words : lines) {
    const Words before = words;
    std::erase_if(words, [&](const std::string& word) {
      return std::all_of(all.begin(), all.end(), [&](const Words& other) {
        return std::find(other.begin(), other.end(), word) != other.end();
      });
    });
    if (words.empty()) words = before;
  }
}

std::string first_of(const Words& words, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < std::min(count, words.size()); ++i) out += (i > 0 ? ", " : "") + words[i];
  return out;
}

}  // namespace

std::vector<std::string> line_names(const PlanSubset& subset) {
  const std::size_t count = subset.lines.size();
  std::vector<Words> words;
  for (const PlanLine& line : subset.lines) words.push_back(line.id.empty() ? words_of(line) : Words{line.id});
  keep_differences(words);
  std::vector<std::string> names(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!subset.lines[i].id.empty()) {
      names[i] = subset.lines[i].id;
      continue;
    }
    bool alone = false;
    for (std::size_t length = 1; !alone && length <= words[i].size(); ++length) {
      names[i] = first_of(words[i], length);
      alone = true;
      for (std::size_t k = 0; k < count; ++k) alone = alone && (k == i || first_of(words[k], length) != names[i]);
    }
    if (!alone) names[i] += (names[i].empty() ? "line " : ", line ") + std::to_string(i + 1);
  }
  return names;
}

}  // namespace floptally
