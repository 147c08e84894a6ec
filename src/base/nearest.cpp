#include "base/nearest.h"

#include <algorithm>

namespace floptally {
namespace {

constexpr std::size_t kLongestWord = 64;  // beyond this a word is no typing mistake
constexpr std::size_t kListed = 24;

std::string fold(std::string_view word) {
  std::string out;
  for (const char c : word.substr(0, kLongestWord)) {
    if (c == '-' || c == '_' || c == ' ') continue;
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return out;
}

// The last row of the table of distances: of `a` to every beginning of `b`. Empty where all are past `limit`.
std::vector<std::size_t> distances_folded(const std::string& a, const std::string& b, std::size_t limit) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    std::size_t least = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
      least = std::min(least, row[j]);
    }
    if (least > limit) return {};
    before.swap(above);
    above.swap(row);
  }
  return above;
}

std::size_t distance_folded(const std::string& a, const std::string& b, std::size_t limit) {
  const std::size_t gap = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (gap > limit) return limit + 1;
  const std::vector<std::size_t> distances = distances_folded(a, b, limit);
  return distances.empty() ? limit + 1 : std::min(distances.back(), limit + 1);
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  return distance_folded(fold(a), fold(b), limit);
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string folded = fold(word);
  std::string_view best;
  std::size_t least = std::max<std::size_t>(1, (folded.size() + 2) / 3);
  bool found = false;
  for (const std::string_view candidate : candidates) {
    const std::string other = fold(candidate);
    std::size_t distance = distance_folded(folded, other, least);
    if (folded.size() >= 3 && distance > 1 && other.starts_with(folded)) distance = 1;
    if (distance < least || (distance == least && !found)) {
      best = candidate;
      least = distance;
      found = true;
    }
  }
  return best;
}

std::string_view nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const std::vector<std::string_view> views(candidates.begin(), candidates.end());
  return nearest(word, views);
}

std::vector<std::string_view> nearest_few(std::string_view word, std::span<const std::string_view> candidates,
                                          std::size_t count) {
  const std::string folded = fold(word);
  std::vector<std::pair<std::size_t, std::string_view>> ranked;
  ranked.reserve(candidates.size());
  for (const std::string_view candidate : candidates) {
    const std::string other = fold(candidate);
    const std::vector<std::size_t> distances = distances_folded(folded, other, kLongestWord);
    std::size_t distance = 2 * distances.back();
    // An ending that was left off costs half a mistake: H101 is nearer to H100-SXM than to A10.
    const std::size_t begins = *std::ranges::min_element(distances);
    if (4 * begins <= folded.size()) distance = std::min(distance, 2 * begins + 1);
    if (!folded.empty() && other.find(folded) != std::string::npos) distance = std::min<std::size_t>(distance, 1);
    ranked.emplace_back(distance, candidate);
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < ranked.size() && i < count; ++i) out.push_back(ranked[i].second);
  return out;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string_view near = nearest(word, candidates);
  if (!near.empty()) return "did you mean '" + std::string(near) + "'?";
  if (candidates.empty() || candidates.size() > kListed) return {};
  std::string out = "known here: ";
  for (std::size_t i = 0; i < candidates.size(); ++i) out += (i == 0 ? "" : ", ") + std::string(candidates[i]);
  return out;
}

}  // namespace floptally
