#include "book/worlds.h"

#include <tbb/blocked_range.h>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <bit>
#include <boost/random/sobol.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>

#include "base/elementary.h"
#include "book/polynomial.h"
#include "book/sift.h"

namespace floptally {
namespace {

// Sobol's first dimensions project well onto every pair; of later ones some pairs are as uneven as 1% of a percentile.
constexpr std::uint32_t kSobolDimensions = 8;
constexpr std::uint32_t kBlock = 1024;
constexpr unsigned kSliceBits = 6;

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t h = 14695981039346656037ull;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  // Finish as in MurmurHash3, so that similar names give unrelated seeds.
  h ^= h >> 33;
  h *= 0xFF51AFD7ED558CCDull;
  h ^= h >> 33;
  h *= 0xC4CEB9FE1A85EC53ull;
  return h ^ (h >> 33);
}

std::uint32_t reverse_bits(std::uint32_t x) {
  x = (x >> 16) | (x << 16);
  x = ((x & 0x00FF00FFu) << 8) | ((x & 0xFF00FF00u) >> 8);
  x = ((x & 0x0F0F0F0Fu) << 4) | ((x & 0xF0F0F0F0u) >> 4);
  x = ((x & 0x33333333u) << 2) | ((x & 0xCCCCCCCCu) >> 2);
  return ((x & 0x55555555u) << 1) | ((x & 0xAAAAAAAAu) >> 1);
}

// Owen's nested uniform scramble by Laine and Karras's hash (constants: Burley 2020, listing 2, improved by Vegdahl).
std::uint32_t scramble(std::uint32_t x, std::uint32_t seed) {
  x = reverse_bits(x);
  x ^= x * 0x3D20ADEAu;
  x += seed;
  x *= (seed >> 16) | 1u;
  x ^= x * 0x05526C56u;
  x ^= x * 0x53A22864u;
  return reverse_bits(x);
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

constexpr double kWanted[] = {0.05, 0.5, 0.95};
constexpr std::uint32_t kPilot = 4096;  // at most; an eighth of fewer worlds

// What lies below a bracket is counted, what lies inside it is kept.
struct Bracket {
  double low = 0, high = 0;
  std::uint64_t below = 0;
  std::vector<double> kept;
};

double unit_interval(std::uint32_t x) { return (static_cast<double>(x) + 0.5) * 0x1p-32; }

}  // namespace

Worlds::Worlds(const Trace& trace, std::uint32_t count) : trace_(trace), count_(std::max(count, 16u)) {
  const auto& leaves = trace.leaves();
  draws_.resize(leaves.size());
  slice_.resize(leaves.size());
  rank_.assign(leaves.size(), 0);
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < leaves.size(); ++i)
    if (leaves[i].distribution.shape != Distribution::Shape::point && !leaves[i].unknown) order.push_back(i);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::pair(fnv1a(leaves[a].name), leaves[a].name) < std::pair(fnv1a(leaves[b].name), leaves[b].name);
  });
  // A leaf keeps its dimension when others come and go (another plan, one more assumption), as far as they do not
  // collide: two answers can then be compared world by world.
  std::vector<bool> taken(kSobolDimensions, false);
  for (std::uint32_t r = 0; r < order.size(); ++r) {
    if (r >= kSobolDimensions) {
      rank_[order[r]] = r;
      continue;
    }
    auto slot = static_cast<std::uint32_t>(fnv1a(leaves[order[r]].name) >> 40) % kSobolDimensions;
    while (taken[slot]) slot = (slot + 1) % kSobolDimensions;
    taken[slot] = true;
    rank_[order[r]] = slot;
  }
}

const std::vector<double>& Worlds::draws(std::uint32_t leaf) const {
  std::vector<double>& out = draws_[leaf];
  if (!out.empty()) return out;
  out.resize(count_);
  std::vector<std::uint8_t>& slice = slice_[leaf];
  slice.resize(count_);
  const Leaf& info = trace_.leaves()[leaf];
  const std::uint64_t hash = fnv1a(info.name);
  const auto seed = static_cast<std::uint32_t>(hash);
  const std::uint32_t rank = rank_[leaf];
  // Past the Sobol dimensions in use, a one-dimensional scrambled sequence in an order shuffled by the name.
  const bool shuffled = rank >= kSobolDimensions;
  const std::vector<std::uint32_t> direction = shuffled ? std::vector<std::uint32_t>{} : directions(rank);
  // Point i of a Sobol sequence is the xor of the directions of i's bits: those of the low bits are the same in every
  // block.
  std::vector<std::uint32_t> low(kBlock, 0);
  if (!shuffled)
    for (std::uint32_t i = 1; i < kBlock; ++i)
      low[i] = low[i & (i - 1)] ^ direction[static_cast<std::size_t>(std::countr_zero(i))];
  tbb::parallel_for(std::uint32_t{0}, (count_ + kBlock - 1) / kBlock, [&](std::uint32_t block) {
    const std::uint32_t start = block * kBlock;
    const std::uint32_t size = std::min(count_, start + kBlock) - start;
    std::uint32_t high = 0;
    for (std::uint32_t rest = start; !shuffled && rest != 0; rest &= rest - 1)
      high ^= direction[static_cast<std::size_t>(std::countr_zero(rest))];
    double u[kBlock];
    for (std::uint32_t i = 0; i < size; ++i) {
      const std::uint32_t point =
          shuffled ? reverse_bits(scramble(start + i, static_cast<std::uint32_t>(hash >> 32))) : high ^ low[i];
      const std::uint32_t scrambled = scramble(point, seed);
      u[i] = unit_interval(scrambled);
      slice[start + i] = static_cast<std::uint8_t>(scrambled >> (32 - kSliceBits));
    }
    info.distribution.quantiles(u, out.data() + start, size);
  });
  return out;
}

std::vector<double> Worlds::values(NodeId id) const {
  if (!trace_.node(id).uncertain) return std::vector<double>(count_, trace_.node(id).value);
  PolynomialBuilder builder(trace_);
  const Program program = compile(trace_, builder, id);
  std::vector<const double*> inputs(program.leaves.size());
  for (std::size_t i = 0; i < program.leaves.size(); ++i) inputs[i] = draws(program.leaves[i]).data();
  std::vector<double> out(count_);
  tbb::parallel_for(std::uint32_t{0}, (count_ + kBlock - 1) / kBlock, [&](std::uint32_t block) {
    static thread_local std::vector<double> scratch;
    const std::uint32_t start = block * kBlock;
    const std::uint32_t size = std::min(count_, start + kBlock) - start;
    std::copy_n(run(program, inputs.data(), start, size, scratch), size, out.data() + start);
  });
  return out;
}

// A sum of positive multiples of powers of one leaf rises with that leaf: its percentiles are those of the leaf, put
// in.
std::optional<Percentiles> Worlds::of_one_leaf(NodeId id, PolynomialBuilder& builder) const {
  const Polynomial& terms = builder.of(id);
  std::optional<NodeId> only;
  for (const auto& [monomial, coefficient] : terms) {
    if (coefficient < 0 || monomial.size() > 1) return std::nullopt;
    if (monomial.empty()) continue;
    if (monomial[0].second < 0 || (only && *only != monomial[0].first)) return std::nullopt;
    only = monomial[0].first;
  }
  if (!only || trace_.node(*only).op != NodeOp::leaf) return std::nullopt;
  const Distribution& distribution = trace_.leaf_of(trace_.node(*only)).distribution;
  const auto at = [&](double u) {
    double sum = 0;
    for (const auto& [monomial, coefficient] : terms)
      sum += monomial.empty() ? coefficient : coefficient * std::pow(distribution.quantile(u), monomial[0].second);
    return sum;
  };
  if (distribution.low < 0) return std::nullopt;
  return Percentiles{at(0.05), at(0.5), at(0.95)};
}

Percentiles Worlds::stream(NodeId id, PolynomialBuilder& builder) const {
  if (const auto exact = of_one_leaf(id, builder)) return *exact;
  const Program program = compile(trace_, builder, id);
  std::vector<const double*> inputs(program.leaves.size());
  for (std::size_t i = 0; i < program.leaves.size(); ++i) inputs[i] = draws(program.leaves[i]).data();
  const std::uint32_t pilot_count = std::min(kPilot, count_ / 8 / kBlock * kBlock);
  if (pilot_count == 0) {
    std::vector<double> all = values(id);
    return percentiles_of(all);
  }
  // A pilot of the first worlds brackets each percentile widely enough that it is all but never outside (then: the long
  // way).
  std::vector<double> pilot;
  std::vector<double> scratch;
  for (std::uint32_t start = 0; start < pilot_count; start += kBlock) {
    const double* part = run(program, inputs.data(), start, kBlock, scratch);
    pilot.insert(pilot.end(), part, part + kBlock);
  }
  std::sort(pilot.begin(), pilot.end());
  Bracket brackets[3];
  for (int k = 0; k < 3; ++k) {
    const double n = pilot_count;
    const double spread = 3.5 * std::sqrt(kWanted[k] * (1 - kWanted[k]) * n);
    const double middle = kWanted[k] * n;
    const double from = middle - spread;
    const double to = middle + spread;
    brackets[k].low = from < 1 ? -std::numeric_limits<double>::infinity() : pilot[static_cast<std::size_t>(from)];
    brackets[k].high = to >= n - 1 ? std::numeric_limits<double>::infinity() : pilot[static_cast<std::size_t>(to)];
  }
  tbb::enumerable_thread_specific<std::array<Bracket, 3>> parts([&] {
    return std::array<Bracket, 3>{brackets[0], brackets[1], brackets[2]};
  });
  tbb::parallel_for(tbb::blocked_range<std::uint32_t>(0, (count_ + kBlock - 1) / kBlock, 64), [&](const auto& range) {
    static thread_local std::vector<double> own;
    std::array<Bracket, 3>& mine = parts.local();
    for (std::uint32_t block = range.begin(); block != range.end(); ++block) {
      const std::uint32_t start = block * kBlock;
      const std::uint32_t size = std::min(count_, start + kBlock) - start;
      const double* part = run(program, inputs.data(), start, size, own);
      double inside[kBlock + 16];
      for (Bracket& bracket : mine) {
        const std::size_t found = sift(part, size, bracket.low, bracket.high, inside, bracket.below);
        bracket.kept.insert(bracket.kept.end(), inside, inside + found);
      }
    }
  });
  double result[3];
  for (int k = 0; k < 3; ++k) {
    std::uint64_t below = 0;
    std::vector<double> kept;
    for (auto& part : parts) {
      below += part[static_cast<std::size_t>(k)].below;
      kept.insert(kept.end(), part[static_cast<std::size_t>(k)].kept.begin(),
                  part[static_cast<std::size_t>(k)].kept.end());
    }
    const double position = kWanted[k] * static_cast<double>(count_ - 1);
    const auto rank = static_cast<std::uint64_t>(position);
    if (rank < below || rank + 1 >= below + kept.size()) {
      std::vector<double> all = values(id);
      return percentiles_of(all);
    }
    const auto at = kept.begin() + static_cast<std::ptrdiff_t>(rank - below);
    std::nth_element(kept.begin(), at, kept.end());
    result[k] = *at + (position - static_cast<double>(rank)) * (*std::min_element(at + 1, kept.end()) - *at);
  }
  return {result[0], result[1], result[2]};
}

std::vector<Percentiles> Worlds::percentiles(const std::vector<NodeId>& ids) const {
  std::vector<Percentiles> result(ids.size());
  PolynomialBuilder builder(trace_);
  std::map<std::string, Percentiles> known;  // by shape: a number that is c times another shares its percentiles
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const TraceNode& node = trace_.node(ids[i]);
    if (!node.uncertain) {
      result[i] = {node.value, node.value, node.value};
      continue;
    }
    const NumberShape shape = builder.shape(ids[i]);
    auto found = known.find(shape.key);
    if (found == known.end()) {
      Percentiles p = stream(ids[i], builder);
      p = {p.p5 / shape.scale, p.p50 / shape.scale, p.p95 / shape.scale};
      if (shape.scale < 0) std::swap(p.p5, p.p95);
      found = known.emplace(shape.key, p).first;
    }
    const Percentiles& p = found->second;
    result[i] = {p.p5 * shape.scale, p.p50 * shape.scale, p.p95 * shape.scale};
    if (shape.scale < 0) std::swap(result[i].p5, result[i].p95);
  }
  return result;
}

double Worlds::value_with(NodeId id, const std::vector<std::pair<std::uint32_t, double>>& replaced) const {
  PolynomialBuilder builder(trace_);
  const Program program = compile(trace_, builder, id);
  std::vector<double> at(program.leaves.size());
  std::vector<const double*> inputs(program.leaves.size());
  for (std::size_t i = 0; i < program.leaves.size(); ++i) {
    at[i] = trace_.leaves()[program.leaves[i]].distribution.best;
    for (const auto& [leaf, value] : replaced)
      if (leaf == program.leaves[i]) at[i] = value;
    inputs[i] = &at[i];
  }
  std::vector<double> scratch;
  return *run(program, inputs.data(), 0, 1, scratch);
}

double Worlds::probability_above(NodeId id, double threshold) const {
  if (!trace_.node(id).uncertain) return trace_.node(id).value > threshold ? 1 : 0;
  const std::vector<double> all = values(id);
  const auto above = std::count_if(all.begin(), all.end(), [&](double v) { return v > threshold; });
  return static_cast<double>(above) / static_cast<double>(all.size());
}

std::vector<Worlds::Share> Worlds::shares(NodeId id) const {
  std::vector<Share> result;
  if (!trace_.node(id).uncertain) return result;
  std::vector<double> y = values(id);
  if (std::all_of(y.begin(), y.end(), [](double v) { return v > 0; }))
    for (double& v : y) v = portable_log(v);
  const double n = static_cast<double>(count_);
  const double mean = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double variance = 0;
  for (const double v : y) variance += (v - mean) * (v - mean);
  variance /= n;
  if (!(variance > 0)) return result;
  PolynomialBuilder builder(trace_);
  const Program program = compile(trace_, builder, id);
  // The correlation ratio: variance of the mean of y within slices of equal probability of the input.
  constexpr std::size_t kSlices = 1u << kSliceBits;
  for (const std::uint32_t leaf : program.leaves) {
    const Distribution& distribution = trace_.leaves()[leaf].distribution;
    if (distribution.shape == Distribution::Shape::point) continue;
    static_cast<void>(draws(leaf));
    const std::vector<std::uint8_t>& slice = slice_[leaf];
    double sum[kSlices] = {};
    double members[kSlices] = {};
    for (std::uint32_t i = 0; i < count_; ++i) {
      sum[slice[i]] += y[i] - mean;
      members[slice[i]] += 1;
    }
    double between = 0;
    for (std::size_t s = 0; s < kSlices; ++s)
      if (members[s] > 0) between += sum[s] * sum[s] / members[s];
    const double share = std::clamp(between / n / variance, 0.0, 1.0);
    result.push_back({leaf, share, value_with(id, {{leaf, distribution.quantile(0.05)}}),
                      value_with(id, {{leaf, distribution.quantile(0.95)}})});
  }
  // Independent inputs explain at most all of the variance between them; what the slices say beyond that is sampling
  // error.
  double sum = 0;
  for (const Share& each : result) sum += each.share;
  if (sum > 1)
    for (Share& each : result) each.share /= sum;
  std::stable_sort(result.begin(), result.end(), [](const Share& a, const Share& b) { return a.share > b.share; });
  return result;
}

Percentiles percentiles_of(std::vector<double>& values) {
  constexpr std::size_t kBins = 4096;
  const std::size_t n = values.size();
  double result[3] = {};
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const double low = *least;
  const double scale = static_cast<double>(kBins) * (1 - 1e-12) / (*most - low);
  if (!std::isfinite(scale)) {  // all equal, or not finite: plain selection
    std::sort(values.begin(), values.end());
    return {values[n / 20], values[n / 2], values[n - 1 - n / 20]};
  }
  // Count into bins, then sort only the bins that hold the wanted order statistics.
  std::vector<std::uint32_t> bins(kBins + 1, 0);
  for (const double v : values) ++bins[static_cast<std::size_t>((v - low) * scale)];
  std::vector<double> kept;
  for (int k = 0; k < 3; ++k) {
    const double position = kWanted[k] * static_cast<double>(n - 1);
    const auto rank = static_cast<std::size_t>(position);
    std::size_t before = 0;
    std::size_t first = 0;
    while (before + bins[first] <= rank) before += bins[first++];
    std::size_t last = first;
    std::size_t through = before + bins[first];
    while (through <= rank + 1 && last < kBins) through += bins[++last];
    kept.clear();
    for (const double v : values) {
      const auto bin = static_cast<std::size_t>((v - low) * scale);
      if (bin >= first && bin <= last) kept.push_back(v);
    }
    const std::size_t inside = rank - before;
    std::nth_element(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(inside), kept.end());
    const double a = kept[inside];
    const double b = inside + 1 < kept.size()
                         ? *std::min_element(kept.begin() + static_cast<std::ptrdiff_t>(inside) + 1, kept.end())
                         : a;
    result[k] = a + (position - static_cast<double>(rank)) * (b - a);
  }
  return {result[0], result[1], result[2]};
}

}  // namespace floptally
