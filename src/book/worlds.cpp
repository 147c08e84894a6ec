#include "book/worlds.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>

#include "base/elementary.h"
#include "base/parallel.h"
#include "book/polynomial.h"
#include "book/sift.h"

namespace floptally {
namespace {

constexpr std::uint32_t kBlock = Points::kBlock;
constexpr std::uint32_t kBlocksATurn = 16;  // what a thread takes at once; a turn's brackets are found with it
constexpr std::uint32_t kPilot = 1u << 14;  // an eighth of fewer worlds, a 128th of many
constexpr std::size_t kStreamsAPass = 64;   // bounds what is kept inside brackets
constexpr double kWanted[] = {0.05, 0.5, 0.95};

std::uint32_t blocks_of(std::uint32_t worlds) { return (worlds + kBlock - 1) / kBlock; }

// Brackets around the percentiles, so wide that all but never is one outside.
Brackets brackets_of(std::vector<double>& pilot) {
  Brackets result;
  const double n = static_cast<double>(pilot.size());
  auto from = pilot.begin();
  const auto value_at = [&](double position) {
    const auto at = pilot.begin() + static_cast<std::ptrdiff_t>(position);
    std::nth_element(from, at, pilot.end());
    from = at;
    return *at;
  };
  for (std::size_t k = 0; k < Brackets::kCount; ++k) {
    constexpr double kDeviations = 3.5;  // of the rank of a percentile in a sample: it lies outside in 1 of 2,000
    const double spread = kDeviations * std::sqrt(kWanted[k] * (1 - kWanted[k]) * n);
    const double low = kWanted[k] * n - spread;
    const double high = kWanted[k] * n + spread;
    result.low[k] = low < 1 ? -std::numeric_limits<double>::infinity() : value_at(low);
    result.high[k] = high >= n - 1 ? std::numeric_limits<double>::infinity() : value_at(high);
  }
  return result;
}

}  // namespace

struct Worlds::Stream {
  Program program;
  Brackets brackets;
  // A product of log-normal leaves is drawn as the sum of their logarithms, relative to their best guesses: the program
  // adds those up, and the number is this times e to the sum.
  std::optional<double> scale;
};

// What one thread works with. A column holds a leaf's draws of the current block, or their logarithms.
struct Worlds::Scratch {
  struct Column {
    std::uint32_t leaf = 0;
    bool value = true;  // sorts logarithms first: values can be made from them
    auto operator<=>(const Column&) const = default;
  };
  explicit Scratch(const std::vector<Stream>& streams) {
    for (const Stream& stream : streams)
      for (const std::uint32_t leaf : stream.program.leaves) columns.push_back({leaf, !stream.scale});
    std::sort(columns.begin(), columns.end());
    columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
    room.resize(columns.size() * kBlock);
    drawn.resize(columns.size());
    for (const Stream& stream : streams) {
      sifted.push_back({stream.brackets, {}});
      std::vector<std::size_t>& at = inputs.emplace_back();
      for (const std::uint32_t leaf : stream.program.leaves)
        at.push_back(static_cast<std::size_t>(
            std::lower_bound(columns.begin(), columns.end(), Column{leaf, !stream.scale}) - columns.begin()));
    }
  }
  std::vector<Column> columns;
  std::vector<std::vector<std::size_t>> inputs;  // by stream: its columns
  std::vector<double> room;
  std::vector<const double*> drawn;  // by column
  std::vector<const double*> given;
  std::vector<double> registers;
  struct Sifted {
    Brackets brackets;
    std::array<std::vector<double>, Brackets::kCount> kept;
  };
  std::vector<Sifted> sifted;  // by stream
};

Worlds::Worlds(const Trace& trace, std::uint32_t count) : trace_(trace), count_(std::max(count, 16u)) {
  const auto& leaves = trace.leaves();
  draws_.resize(leaves.size());
  points_.resize(leaves.size());
  rank_.assign(leaves.size(), 0);
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < leaves.size(); ++i)
    if (leaves[i].distribution.shape != Distribution::Shape::point && !leaves[i].unknown) order.push_back(i);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::pair(seed_of(leaves[a].name), leaves[a].name) < std::pair(seed_of(leaves[b].name), leaves[b].name);
  });
  keeps_ = count_ <= kKept && order.size() * count_ <= kMostKept;
  // A leaf keeps its dimension when others come and go (another plan, one more assumption), as far as they do not
  // collide: two answers can then be compared world by world.
  std::vector<bool> taken(Points::kSobolDimensions, false);
  for (std::uint32_t r = 0; r < order.size(); ++r) {
    if (r >= Points::kSobolDimensions) {
      rank_[order[r]] = r;
      continue;
    }
    auto slot = static_cast<std::uint32_t>(seed_of(leaves[order[r]].name) >> 40) % Points::kSobolDimensions;
    while (taken[slot]) slot = (slot + 1) % Points::kSobolDimensions;
    taken[slot] = true;
    rank_[order[r]] = slot;
  }
}

const Points& Worlds::points(std::uint32_t leaf) const {
  std::optional<Points>& made = points_[leaf];
  if (!made) made.emplace(seed_of(trace_.leaves()[leaf].name), rank_[leaf]);
  return *made;
}

const double* Worlds::block(std::uint32_t leaf, std::uint32_t start, std::uint32_t size, double* room) const {
  if (!draws_[leaf].empty()) return draws_[leaf].data() + start;
  double u[kBlock];
  points(leaf).block(start, size, u, nullptr);
  trace_.leaves()[leaf].distribution.quantiles(u, room, size);
  return room;
}

const std::vector<double>& Worlds::draws(std::uint32_t leaf) const {
  if (!draws_[leaf].empty()) return draws_[leaf];
  static_cast<void>(points(leaf));
  std::vector<double> made(count_);
  const std::size_t turns = (blocks_of(count_) + kBlocksATurn - 1) / kBlocksATurn;
  parallel_for(turns, threads_for(turns), [&](std::size_t turn, unsigned) {
    const std::uint32_t end = std::min(blocks_of(count_), static_cast<std::uint32_t>(turn + 1) * kBlocksATurn);
    for (std::uint32_t b = static_cast<std::uint32_t>(turn) * kBlocksATurn; b < end; ++b) {
      const std::uint32_t start = b * kBlock;
      static_cast<void>(block(leaf, start, std::min(count_ - start, kBlock), made.data() + start));
    }
  });
  return draws_[leaf] = std::move(made);
}

std::vector<double> Worlds::first_values(const Program& program, std::uint32_t count) const {
  const std::vector<std::uint32_t>& leaves = program.leaves;
  for (const std::uint32_t leaf : leaves) static_cast<void>(points(leaf));
  if (keeps_)
    for (const std::uint32_t leaf : leaves) static_cast<void>(draws(leaf));
  std::vector<double> out(count);
  const std::size_t turns = (blocks_of(count) + kBlocksATurn - 1) / kBlocksATurn;
  parallel_for(turns, threads_for(turns), [&](std::size_t turn, unsigned) {
    std::vector<double> room(leaves.size() * kBlock);
    std::vector<const double*> inputs(leaves.size());
    std::vector<double> registers;
    const std::uint32_t end = std::min(blocks_of(count), static_cast<std::uint32_t>(turn + 1) * kBlocksATurn);
    for (std::uint32_t b = static_cast<std::uint32_t>(turn) * kBlocksATurn; b < end; ++b) {
      const std::uint32_t start = b * kBlock;
      const std::uint32_t size = std::min(count - start, kBlock);
      for (std::size_t i = 0; i < leaves.size(); ++i) inputs[i] = block(leaves[i], start, size, &room[i * kBlock]);
      std::copy_n(run(program, inputs.data(), size, registers), size, out.data() + start);
    }
  });
  return out;
}

std::vector<double> Worlds::values(NodeId id) const {
  if (!trace_.node(id).uncertain) return std::vector<double>(count_, trace_.node(id).value);
  PolynomialBuilder builder(trace_);
  return first_values(compile(trace_, builder, id), count_);
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

// Of a product of log-normal leaves with a positive coefficient.
std::optional<Worlds::Stream> Worlds::as_sum_of_logarithms(const Polynomial& terms) const {
  if (terms.size() != 1 || !(terms.begin()->second > 0)) return std::nullopt;
  Stream stream;
  double scale = terms.begin()->second;
  std::vector<Instruction> code;
  for (const auto& [atom, power] : terms.begin()->first) {
    const TraceNode& node = trace_.node(atom);
    if (node.op != NodeOp::leaf || !trace_.leaf_of(node).distribution.multiplicative()) return std::nullopt;
    Instruction& add = code.emplace_back();
    add.op = code.size() == 1 ? Instruction::Op::term : Instruction::Op::add_term;
    add.coefficient = power;
    add.factors.emplace_back(static_cast<std::uint32_t>(stream.program.leaves.size()), 1);
    stream.program.leaves.push_back(node.a);
    scale *= std::pow(trace_.leaf_of(node).distribution.best, power);
  }
  if (code.empty()) return std::nullopt;
  stream.program.result = static_cast<std::uint32_t>(stream.program.leaves.size());
  for (Instruction& each : code) each.to = stream.program.result;
  stream.program.registers = stream.program.result + 1;
  stream.program.code = std::move(code);
  stream.scale = scale;
  return stream;
}

template <class Part>
void Worlds::evaluate(const std::vector<Stream>& streams, std::uint32_t start, std::uint32_t size, Scratch& scratch,
                      Part&& part) const {
  for (std::size_t i = 0; i < scratch.columns.size(); ++i) {
    const Scratch::Column& column = scratch.columns[i];
    const Distribution& distribution = trace_.leaves()[column.leaf].distribution;
    double* room = &scratch.room[i * kBlock];
    if (!column.value) {
      double u[kBlock];
      points(column.leaf).block(start, size, u, nullptr);
      distribution.log_ratios(u, room, size);
      scratch.drawn[i] = room;
    } else if (i > 0 && scratch.columns[i - 1].leaf == column.leaf) {
      distribution.from_log_ratios(scratch.drawn[i - 1], room, size);
      scratch.drawn[i] = room;
    } else {
      scratch.drawn[i] = block(column.leaf, start, size, room);
    }
  }
  for (std::size_t s = 0; s < streams.size(); ++s) {
    scratch.given.clear();
    for (const std::size_t at : scratch.inputs[s]) scratch.given.push_back(scratch.drawn[at]);
    part(s, run(streams[s].program, scratch.given.data(), size, scratch.registers));
  }
}

std::vector<std::optional<Percentiles>> Worlds::stream(std::vector<Stream> streams) const {
  Scratch pilot_scratch(streams);
  for (const Scratch::Column& column : pilot_scratch.columns) {
    static_cast<void>(points(column.leaf));
    if (keeps_) static_cast<void>(draws(column.leaf));
  }
  const std::uint32_t pilot_count = std::min(std::max(kPilot, count_ / 128), count_ / 8) / kBlock * kBlock;
  std::vector<std::vector<double>> pilots(streams.size());
  for (std::uint32_t start = 0; start < pilot_count; start += kBlock)
    evaluate(streams, start, kBlock, pilot_scratch,
             [&](std::size_t s, const double* values) { pilots[s].insert(pilots[s].end(), values, values + kBlock); });
  const std::uint32_t blocks = blocks_of(count_);
  const std::size_t turns = (blocks + kBlocksATurn - 1) / kBlocksATurn;
  const unsigned threads = threads_for(turns);
  parallel_for(streams.size(), threads_for(streams.size(), threads),
               [&](std::size_t s, unsigned) { streams[s].brackets = brackets_of(pilots[s]); });
  std::vector<Scratch> parts(threads, Scratch(streams));
  parallel_for(turns, threads, [&](std::size_t turn, unsigned worker) {
    Scratch& mine = parts[worker];
    const std::uint32_t end = std::min(blocks, static_cast<std::uint32_t>(turn + 1) * kBlocksATurn);
    for (std::uint32_t b = static_cast<std::uint32_t>(turn) * kBlocksATurn; b < end; ++b) {
      const std::uint32_t start = b * kBlock;
      const std::uint32_t size = std::min(count_ - start, kBlock);
      evaluate(streams, start, size, mine, [&](std::size_t s, const double* values) {
        double inside[Brackets::kCount][kBlock + 16];
        double* const out[] = {inside[0], inside[1], inside[2]};
        std::size_t found[Brackets::kCount];
        sift(values, size, mine.sifted[s].brackets, out, found);
        for (std::size_t k = 0; k < Brackets::kCount; ++k)
          mine.sifted[s].kept[k].insert(mine.sifted[s].kept[k].end(), out[k], out[k] + found[k]);
      });
    }
  });

  std::vector<std::optional<Percentiles>> result(streams.size());
  parallel_for(streams.size(), threads_for(streams.size(), threads), [&](std::size_t s, unsigned) {
    double found[Brackets::kCount] = {};
    for (std::size_t k = 0; k < Brackets::kCount; ++k) {
      std::uint64_t below = 0;
      std::vector<double> kept;
      for (Scratch& part : parts) {
        below += part.sifted[s].brackets.below[k];
        kept.insert(kept.end(), part.sifted[s].kept[k].begin(), part.sifted[s].kept[k].end());
      }
      const double position = kWanted[k] * static_cast<double>(count_ - 1);
      const auto rank = static_cast<std::uint64_t>(position);
      if (rank < below || rank + 1 >= below + kept.size()) return;
      const auto at = kept.begin() + static_cast<std::ptrdiff_t>(rank - below);
      std::nth_element(kept.begin(), at, kept.end());
      found[k] = *at + (position - static_cast<double>(rank)) * (*std::min_element(at + 1, kept.end()) - *at);
    }
    if (streams[s].scale)
      for (double& each : found) each = *streams[s].scale * portable_exp(each);
    result[s] = Percentiles{found[0], found[1], found[2]};
  });
  return result;
}

std::vector<Percentiles> Worlds::percentiles(const std::vector<NodeId>& ids) const {
  PolynomialBuilder builder(trace_);
  // By shape: a number that is c times another shares its percentiles.
  struct Unit {
    NodeId of = 0;
    double scale = 1;
    std::optional<Percentiles> found;
  };
  std::map<std::string, std::size_t> known;
  std::vector<Unit> units;
  std::vector<std::pair<std::size_t, double>> unit_of(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!trace_.node(ids[i]).uncertain) continue;
    NumberShape shape = builder.shape(ids[i]);
    const auto [at, fresh] = known.emplace(std::move(shape.key), units.size());
    if (fresh) units.push_back({ids[i], shape.scale, of_one_leaf(ids[i], builder)});
    unit_of[i] = {at->second, shape.scale};
  }
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < units.size(); ++i)
    if (!units[i].found) open.push_back(i);
  for (std::size_t first = 0; first < open.size(); first += kStreamsAPass) {
    const std::size_t last = std::min(open.size(), first + kStreamsAPass);
    std::vector<Stream> streams;
    for (std::size_t k = first; k < last; ++k) {
      // While draws are kept, multiplying them is as quick.
      std::optional<Stream> sum;
      if (count_ > kKept) sum = as_sum_of_logarithms(builder.of(units[open[k]].of));
      streams.push_back(sum ? *std::move(sum) : Stream{compile(trace_, builder, units[open[k]].of), {}, {}});
    }
    const std::vector<std::optional<Percentiles>> found = stream(std::move(streams));
    for (std::size_t k = first; k < last; ++k) {
      Unit& unit = units[open[k]];
      unit.found = found[k - first];
      if (unit.found) continue;
      std::vector<double> all = values(unit.of);
      unit.found = percentiles_of(all);
    }
  }
  std::vector<Percentiles> result(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const TraceNode& node = trace_.node(ids[i]);
    result[i] = {node.value, node.value, node.value};
    if (!node.uncertain) continue;
    const auto& [unit, scale] = unit_of[i];
    const Percentiles& p = *units[unit].found;
    const double ratio = scale / units[unit].scale;
    result[i] = {p.p5 * ratio, p.p50 * ratio, p.p95 * ratio};
    if (ratio < 0) std::swap(result[i].p5, result[i].p95);
  }
  return result;
}

std::vector<double> Worlds::values_with(const Program& program,
                                        const std::vector<std::pair<std::size_t, double>>& replaced) const {
  constexpr std::size_t kLanes = 256;  // a lane a replacement
  const std::size_t leaves = program.leaves.size();
  std::vector<double> room(leaves * kLanes), registers, out;
  std::vector<const double*> inputs(leaves);
  const auto best = [&](std::size_t leaf) { return trace_.leaves()[program.leaves[leaf]].distribution.best; };
  for (std::size_t i = 0; i < leaves; ++i) {
    inputs[i] = &room[i * kLanes];
    std::fill_n(&room[i * kLanes], kLanes, best(i));
  }
  out.reserve(replaced.size());
  for (std::size_t start = 0; start < replaced.size(); start += kLanes) {
    const std::size_t size = std::min(kLanes, replaced.size() - start);
    for (std::size_t k = 0; k < size; ++k) room[replaced[start + k].first * kLanes + k] = replaced[start + k].second;
    const double* found = run(program, inputs.data(), static_cast<std::uint32_t>(size), registers);
    out.insert(out.end(), found, found + size);
    for (std::size_t k = 0; k < size; ++k)
      room[replaced[start + k].first * kLanes + k] = best(replaced[start + k].first);
  }
  return out;
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
  PolynomialBuilder builder(trace_);
  const Program program = compile(trace_, builder, id);
  const std::uint32_t count = std::min(count_, kKept);
  std::vector<double> y = first_values(program, count);
  if (std::all_of(y.begin(), y.end(), [](double v) { return v > 0; })) portable_log(y.data(), y.data(), y.size());
  const double n = static_cast<double>(count);
  const double mean = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double variance = 0;
  for (double& v : y) {
    v -= mean;
    variance += v * v;
  }
  variance /= n;
  if (!(variance > 0)) return result;
  // The correlation ratio: variance of the mean of y within slices of equal probability of the input.
  constexpr std::size_t kSlices = 1u << Points::kSliceBits;
  std::vector<std::pair<std::size_t, double>> ends;  // each leaf at its 5th and 95th percentile
  for (std::size_t input = 0; input < program.leaves.size(); ++input) {
    const std::uint32_t leaf = program.leaves[input];
    const Distribution& distribution = trace_.leaves()[leaf].distribution;
    if (distribution.shape == Distribution::Shape::point) continue;
    double sum[kSlices] = {};
    double members[kSlices] = {};
    for (std::uint32_t start = 0; start < count; start += kBlock) {
      double u[kBlock];
      std::uint8_t slice[kBlock];
      const std::uint32_t size = std::min(count - start, kBlock);
      points(leaf).block(start, size, u, slice);
      for (std::uint32_t i = 0; i < size; ++i) {
        sum[slice[i]] += y[start + i];
        members[slice[i]] += 1;
      }
    }
    double between = 0;
    for (std::size_t s = 0; s < kSlices; ++s)
      if (members[s] > 0) between += sum[s] * sum[s] / members[s];
    const double share = std::clamp(between / n / variance, 0.0, 1.0);
    result.push_back({leaf, share, 0, 0});
    ends.emplace_back(input, distribution.quantile(0.05));
    ends.emplace_back(input, distribution.quantile(0.95));
  }
  const std::vector<double> at_ends = values_with(program, ends);
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i].low = at_ends[2 * i];
    result[i].high = at_ends[2 * i + 1];
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
