#include "base/codes.h"

#include <algorithm>
#include <array>

namespace floptally {
namespace {

constexpr CodeInfo kRows[] = {
#define CODE(word, explanation) {word, explanation},
#include "base/codes.def"
#undef CODE
};

constexpr auto kSorted = [] {
  std::array<CodeInfo, std::size(kRows)> rows{};
  std::copy(std::begin(kRows), std::end(kRows), rows.begin());
  std::sort(rows.begin(), rows.end(), [](const CodeInfo& a, const CodeInfo& b) { return a.word < b.word; });
  return rows;
}();

}  // namespace

std::span<const CodeInfo> all_codes() { return kSorted; }

}  // namespace floptally
