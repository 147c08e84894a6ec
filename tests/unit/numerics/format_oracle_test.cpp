// fp16 and bf16 against PyTorch: the same questions as tests/differential/number_formats.py, compared by hash.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <fstream>
#include <sstream>

#include "numerics/format.h"

namespace floptally::numerics {
namespace {

class Hash {
 public:
  void add(double value) {
    const std::uint32_t word =
        std::isnan(value) ? 0x7fc00000u : std::bit_cast<std::uint32_t>(static_cast<float>(value));
    state_ = (state_ ^ word) * 1099511628211ull;
  }
  [[nodiscard]] std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 14695981039346656037ull;
};

std::uint64_t ask(const NumberFormat& f, const std::string& question) {
  Hash hash;
  if (question == "decode-all") {
    for (std::uint64_t code = 0; code < 65536; ++code) hash.add(decode(f, code));
  } else if (question == "encode-weyl") {
    for (std::uint64_t i = 0; i < (1u << 20); ++i)
      hash.add(decode(f, encode(f, std::bit_cast<float>(static_cast<std::uint32_t>(i * 2654435761u))).code));
  } else if (question == "encode-halfway") {
    for (std::uint64_t code = 0; code < f.max_code(); ++code)
      hash.add(decode(f, encode(f, static_cast<float>((decode(f, code) + decode(f, code + 1)) / 2)).code));
  }
  return hash.value();
}

TEST(NumberFormatOracle, AgreesWithPyTorchOnEveryQuestion) {
  std::ifstream file(FLOPTALLY_SOURCE_DIR "/tests/differential/number_formats.csv");
  std::string line;
  std::getline(file, line);
  int rows = 0;
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    std::string name, question, values, hash;
    std::getline(cells, name, ',');
    std::getline(cells, question, ',');
    std::getline(cells, values, ',');
    std::getline(cells, hash, ',');
    EXPECT_EQ(std::to_string(ask(*find_number_format(name), question)), hash) << line;
    ++rows;
  }
  EXPECT_EQ(rows, 6);
}

}  // namespace
}  // namespace floptally::numerics
