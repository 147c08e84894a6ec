#include "audit/notes.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string>

#include "base/letters.h"

namespace floptally {
namespace {

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// A word that does not go on to either side: "moe" in "MoE-1.1T", not in "mooeing".
bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_letter(text[at - 1])) && (end == text.size() || !is_letter(text[end]))) return true;
  }
  return false;
}

template <std::size_t N>
bool has_any(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view w) { return text.find(w) != std::string_view::npos; });
}

// "36B", "96.6 billion", "675 M": a number with its magnitude.
struct Said {
  double value = 0;
  std::size_t begin = 0, end = 0;
};

std::optional<Said> number_at(std::string_view text, std::size_t begin) {
  Said said{0, begin, begin};
  const auto [end, code] = std::from_chars(text.data() + begin, text.data() + text.size(), said.value);
  if (code != std::errc()) return std::nullopt;
  said.end = static_cast<std::size_t>(end - text.data());
  std::size_t at = said.end;
  if (at < text.size() && (text[at] == ' ' || text[at] == '-')) ++at;
  const std::string_view rest = text.substr(at);
  static constexpr std::pair<std::string_view, double> kMagnitudes[] = {
      {"trillion", 1e12}, {"billion", 1e9}, {"million", 1e6}, {"t", 1e12}, {"b", 1e9}, {"m", 1e6}};
  for (const auto& [word, magnitude] : kMagnitudes) {
    if (!rest.starts_with(word) || (rest.size() > word.size() && is_letter(rest[word.size()]))) continue;
    said.value *= magnitude;
    said.end = at + word.size();
    return said;
  }
  return std::nullopt;
}

// Calls `each(number, before, after)` for every number with a magnitude until it returns true.
template <typename Each>
void numbers_of(std::string_view text, std::size_t reach, const Each& each) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!is_digit(text[at]) || (at > 0 && (is_digit(text[at - 1]) || text[at - 1] == '.' || text[at - 1] == ',')))
      continue;
    const std::optional<Said> said = number_at(text, at);
    if (!said) continue;
    const std::size_t from = said->begin > reach ? said->begin - reach : 0;
    if (each(said->value, text.substr(from, said->begin - from), text.substr(said->end, reach))) return;
  }
}

}  // namespace

bool speaks_of_experts(std::string_view text) {
  const std::string low = lower(text);
  static constexpr std::array<std::string_view, 5> kWords{
      "mixture of expert", "mixture-of-expert", "sparsely activated", "sparse architecture", "activated parameters"};
  return has_any<5>(low, kWords) || has_word(low, "moe");
}

std::optional<double> active_parameters_in(std::string_view text, double total) {
  const std::string low = lower(text);
  std::optional<double> found;
  constexpr std::size_t kReach = 32;
  numbers_of(low, kReach, [&](double value, std::string_view before, std::string_view after) {
    const bool says = after.find("activ") != std::string_view::npos ||
                      after.find("per token") != std::string_view::npos ||
                      before.find("activate") != std::string_view::npos;
    if (!says || value < 1e6 || value > 0.9 * total) return false;
    found = value;
    return true;
  });
  return found;
}

std::optional<double> tokens_seen_in(std::string_view text) {
  const std::string low = lower(text);
  std::optional<double> found;
  constexpr std::size_t kReach = 48, kNear = 16;
  numbers_of(low, kReach, [&](double value, std::string_view before, std::string_view after) {
    const std::size_t unit = after.substr(0, kNear).find("token");
    if (unit == std::string_view::npos || value < 1e6) return false;
    // "trained for", "trained for a total of"; "trained on" names the data set. Nothing ends the sentence in between.
    const std::size_t verb = before.rfind("train");
    if (verb == std::string_view::npos || before.find_first_of(".;:\n", verb) != std::string_view::npos) return false;
    if (before.find(" for ", verb) == std::string_view::npos) return false;
    found = value;
    return true;
  });
  return found;
}

DataUnit data_unit_in(std::string_view text) {
  const std::string low = lower(text);
  if (low.find("token") != std::string::npos) return DataUnit::tokens;
  if (low.find("word") != std::string::npos) return DataUnit::words;
  static constexpr std::array<std::string_view, 8> kExamples{"pairs",     "images",    "samples",   "examples",
                                                             "instances", "sentences", "documents", "videos"};
  return has_any<8>(low, kExamples) ? DataUnit::examples : DataUnit::unsaid;
}

}  // namespace floptally
