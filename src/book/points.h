// The points of the worlds: for each uncertain leaf a scrambled low-discrepancy sequence in [0, 1), seeded by the
// leaf's name, of which any block can be made on its own.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace floptally {

// A 64-bit hash of a name; similar names give unrelated hashes.
std::uint64_t seed_of(std::string_view name);

class Points {
 public:
  // Sobol's first dimensions project well onto every pair; of later ones some pairs are as uneven as 1% of a
  // percentile. A rank past them takes a one-dimensional scrambled sequence in an order shuffled by the name.
  static constexpr std::uint32_t kSobolDimensions = 8;
  static constexpr std::uint32_t kBlock = 1024;
  // slice: which 64th of [0, 1) a point lies in.
  static constexpr unsigned kSliceBits = 6;

  Points(std::uint64_t seed, std::uint32_t rank);

  // Points [start, start + count), each strictly inside (0, 1); start is a multiple of kBlock and count <= kBlock.
  // `slice` may be null.
  void block(std::uint32_t start, std::uint32_t count, double* u, std::uint8_t* slice) const;

 private:
  std::uint64_t seed_;
  bool shuffled_;
  std::vector<std::uint32_t> directions_;  // of each bit of the index; bits reversed, as in low_
  std::vector<std::uint32_t> low_;         // the points of the first block: what the low bits of an index contribute
};

}  // namespace floptally
