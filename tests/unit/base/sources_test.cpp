#include "base/sources.h"

#include <gtest/gtest.h>

#include <string>

namespace floptally {
namespace {

// Plain letters are passed over eight at a time: what is wrong must be found wherever it stands among them.
TEST(InvalidUtf8, IsFoundAtItsByte) {
  for (std::size_t place = 0; place < 24; ++place) {
    std::string text(24, 'a');
    EXPECT_EQ(find_invalid_utf8(text), std::string::npos);
    for (const char bad : {'\0', '\x80', '\xFF'}) {
      text[place] = bad;
      EXPECT_EQ(find_invalid_utf8(text), place);
    }
    EXPECT_EQ(find_invalid_utf8(text.replace(place, 1, "\xC3\xA9")), std::string::npos);
    EXPECT_EQ(find_invalid_utf8(std::string(place, 'a') + "\xC3"), place);
  }
}

}  // namespace
}  // namespace floptally
