#include "book/points.h"

#include <bit>
#include <boost/random/sobol.hpp>

#include "base/vector_clones.h"

namespace floptally {
namespace {

inline std::uint32_t reverse_bits(std::uint32_t x) {
  x = (x >> 16) | (x << 16);
  x = ((x & 0x00FF00FFu) << 8) | ((x & 0xFF00FF00u) >> 8);
  x = ((x & 0x0F0F0F0Fu) << 4) | ((x & 0xF0F0F0F0u) >> 4);
  x = ((x & 0x33333333u) << 2) | ((x & 0xCCCCCCCCu) >> 2);
  return ((x & 0x55555555u) << 1) | ((x & 0xAAAAAAAAu) >> 1);
}

// Laine and Karras's hash (constants: Burley 2020, listing 2, improved by Vegdahl). Of a number whose bits are reversed
// it is Owen's nested uniform scramble, reversed.
inline std::uint32_t scramble_reversed(std::uint32_t x, std::uint32_t seed) {
  x ^= x * 0x3D20ADEAu;
  x += seed;
  x *= (seed >> 16) | 1u;
  x ^= x * 0x05526C56u;
  x ^= x * 0x53A22864u;
  return x;
}

// The direction numbers of one Sobol dimension, read off Boost's generator: in Gray-code order point 2^k differs from
// the one before by exactly direction k.
std::vector<std::uint32_t> directions(std::uint32_t dimension) {
  boost::random::sobol_engine<std::uint32_t, 32u> engine(dimension + 1);
  std::vector<std::uint32_t> result;
  // Point n ^ (n >> 1) reaches direction k first at n = 2^k; seed(n) jumps there.
  for (int k = 0; k < 31; ++k) {
    const std::uint32_t n = 1u << k;
    std::uint32_t point = 0;
    engine.seed(n - 1);
    for (std::uint32_t d = 0; d <= dimension; ++d) point = engine();
    std::uint32_t known = 0;
    const std::uint32_t gray = n ^ (n >> 1);
    for (int j = 0; j < k; ++j)
      if ((gray >> j) & 1u) known ^= result[static_cast<std::size_t>(j)];
    result.push_back(point ^ known);
  }
  return result;
}

// points[i] := point `high ^ low[i]` of a sequence, both given with their bits reversed, scrambled.
FLOPTALLY_CLONES void scramble_all(const std::uint32_t* low, std::uint32_t high, std::uint32_t count,
                                   std::uint32_t seed, std::uint32_t* points) {
  for (std::uint32_t i = 0; i < count; ++i) points[i] = reverse_bits(scramble_reversed(high ^ low[i], seed));
}

// The bits of a shuffled index, start + i: reversed they are a point of van der Corput's sequence.
FLOPTALLY_CLONES void shuffle_all(std::uint32_t start, std::uint32_t count, std::uint32_t seed, std::uint32_t* points) {
  for (std::uint32_t i = 0; i < count; ++i) points[i] = reverse_bits(scramble_reversed(reverse_bits(start + i), seed));
}

FLOPTALLY_CLONES void to_unit_interval(const std::uint32_t* points, std::uint32_t count, double* u) {
  // The bits of a point at the bottom of 2^52's significand; the middle of its cell.
  for (std::uint32_t i = 0; i < count; ++i)
    u[i] = (std::bit_cast<double>(0x4330000000000000ull | points[i]) - (0x1p52 - 0.5)) * 0x1p-32;
}

FLOPTALLY_CLONES void to_slices(const std::uint32_t* points, std::uint32_t count, std::uint8_t* slice) {
  for (std::uint32_t i = 0; i < count; ++i)
    slice[i] = static_cast<std::uint8_t>(points[i] >> (32 - Points::kSliceBits));
}

}  // namespace

std::uint64_t seed_of(std::string_view name) {
  std::uint64_t h = 14695981039346656037ull;
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  // Finish as in MurmurHash3, so that similar names give unrelated seeds.
  h ^= h >> 33;
  h *= 0xFF51AFD7ED558CCDull;
  h ^= h >> 33;
  h *= 0xC4CEB9FE1A85EC53ull;
  return h ^ (h >> 33);
}

Points::Points(std::uint64_t seed, std::uint32_t rank) : seed_(seed), shuffled_(rank >= kSobolDimensions) {
  if (shuffled_) return;
  for (const std::uint32_t each : directions(rank)) directions_.push_back(reverse_bits(each));
  low_.assign(kBlock, 0);
  for (std::uint32_t i = 1; i < kBlock; ++i)
    low_[i] = low_[i & (i - 1)] ^ directions_[static_cast<std::size_t>(std::countr_zero(i))];
}

void Points::block(std::uint32_t start, std::uint32_t count, double* u, std::uint8_t* slice) const {
  std::uint32_t points[kBlock];
  const auto seed = static_cast<std::uint32_t>(seed_);
  if (shuffled_) {
    shuffle_all(start, count, static_cast<std::uint32_t>(seed_ >> 32), points);
    scramble_all(points, 0, count, seed, points);
  } else {
    // Point i of a Sobol sequence is the xor of the directions of i's bits: those above the block are shared by it.
    std::uint32_t high = 0;
    for (std::uint32_t rest = start; rest != 0; rest &= rest - 1)
      high ^= directions_[static_cast<std::size_t>(std::countr_zero(rest))];
    scramble_all(low_.data(), high, count, seed, points);
  }
  to_unit_interval(points, count, u);
  if (slice != nullptr) to_slices(points, count, slice);
}

}  // namespace floptally
