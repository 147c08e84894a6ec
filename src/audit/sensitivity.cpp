#include "audit/sensitivity.h"

#include <algorithm>
#include <cmath>

#include "book/polynomial.h"

namespace floptally {
namespace {

std::uint64_t mixed(std::uint64_t x) {  // SplitMix64's finisher (Steele et al. 2014)
  x ^= x >> 30;
  x *= 0xBF58476D1CE4E5B9ull;
  x ^= x >> 27;
  x *= 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

std::uint64_t seed_of(const std::string& name, std::uint64_t salt) {
  std::uint64_t h = 14695981039346656037ull ^ salt;
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return mixed(h);
}

// A Latin hypercube column: one draw in each of n slices of equal probability, in an order of its own.
std::vector<double> column(const Leaf& leaf, std::uint32_t n, std::uint64_t salt) {
  const std::uint64_t seed = seed_of(leaf.name, salt);
  std::vector<std::uint32_t> order(n);
  for (std::uint32_t i = 0; i < n; ++i) order[i] = i;
  for (std::uint32_t i = n - 1; i > 0; --i) std::swap(order[i], order[mixed(seed + i) % (i + 1)]);
  std::vector<double> out(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    const double inside = (static_cast<double>(mixed(seed ^ (0x9E3779B97F4A7C15ull * (i + 1))) >> 11) + 0.5) * 0x1p-53;
    out[i] = leaf.distribution.quantile((order[i] + inside) / n);
  }
  return out;
}

}  // namespace

std::vector<Sensitivity> sobol_indices(const Trace& trace, NodeId id, std::uint32_t n) {
  std::vector<Sensitivity> out;
  if (!trace.node(id).uncertain || n < 16) return out;
  PolynomialBuilder builder(trace);
  const Program program = compile(trace, builder, id);
  const std::size_t leaves = program.leaves.size();
  std::vector<std::vector<double>> a(leaves), b(leaves);
  for (std::size_t i = 0; i < leaves; ++i) {
    const Leaf& leaf = trace.leaves()[program.leaves[i]];
    a[i] = column(leaf, n, 1);
    b[i] = leaf.distribution.shape == Distribution::Shape::point ? a[i] : column(leaf, n, 2);
  }
  bool positive = true;
  const auto evaluate = [&](std::size_t replaced, bool from_b) {
    std::vector<const double*> inputs(leaves);
    std::vector<double> y(n);
    std::vector<double> scratch;
    for (std::uint32_t start = 0; start < n; start += 1024) {
      const std::uint32_t count = std::min(n - start, 1024u);
      for (std::size_t i = 0; i < leaves; ++i) inputs[i] = ((i == replaced) != from_b ? b[i] : a[i]).data() + start;
      const double* block = run(program, inputs.data(), count, scratch);
      std::copy(block, block + count, y.begin() + start);
    }
    return y;
  };
  std::vector<double> ya = evaluate(leaves, false), yb = evaluate(leaves, true);
  for (std::uint32_t i = 0; i < n; ++i) positive = positive && ya[i] > 0 && yb[i] > 0;
  const auto scaled = [&](std::vector<double> y) {
    if (positive) {
      for (double& v : y) v = std::log(std::max(v, 1e-300));
    }
    return y;
  };
  ya = scaled(std::move(ya));
  yb = scaled(std::move(yb));
  double mean = 0, variance = 0;
  for (std::uint32_t i = 0; i < n; ++i) mean += (ya[i] + yb[i]) / (2.0 * n);
  for (std::uint32_t i = 0; i < n; ++i)
    variance += ((ya[i] - mean) * (ya[i] - mean) + (yb[i] - mean) * (yb[i] - mean)) / (2.0 * n);
  if (!(variance > 0)) return out;
  for (std::size_t leaf = 0; leaf < leaves; ++leaf) {
    if (trace.leaves()[program.leaves[leaf]].distribution.shape == Distribution::Shape::point) continue;
    const std::vector<double> mixed_y = scaled(evaluate(leaf, false));  // A with this column from B
    double first = 0, total = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
      first += (yb[i] - mixed_y[i]) * (yb[i] - mixed_y[i]);
      total += (ya[i] - mixed_y[i]) * (ya[i] - mixed_y[i]);
    }
    // Two estimates of their own: sampling error must not put an input's whole effect below its own part.
    const double alone = std::clamp(1 - first / (2.0 * n * variance), 0.0, 1.0);
    out.push_back(
        {trace.leaves()[program.leaves[leaf]].name, alone, std::clamp(total / (2.0 * n * variance), alone, 1.0)});
  }
  std::sort(out.begin(), out.end(), [](const Sensitivity& x, const Sensitivity& y) { return x.total > y.total; });
  return out;
}

}  // namespace floptally
