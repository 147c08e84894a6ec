#include "base/codes.h"

namespace floptally {
namespace {

constexpr CodeInfo kCodes[] = {
#define CODE(word, explanation) {word, explanation},
#include "base/codes.def"
#undef CODE
};

}  // namespace

std::span<const CodeInfo> all_codes() { return kCodes; }

}  // namespace floptally
