// Encoder: how a tensor is cut into chunks, and what the passes before encoding gather. encode_chunk.cpp encodes.
#include "numerics/encode.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "numerics/small_float.h"

namespace floptally::numerics {
namespace {

constexpr std::uint64_t kNf4Super = std::uint64_t{256} * 64;  // weights under one second-level scale
constexpr double kLargestHalf = 65504;
constexpr double kLargestScaled = std::numeric_limits<float>::max() / 4;  // a range of both signs, and a level above it
constexpr int kCandidates = 49;  // clips of k / 64 of the largest magnitude, k = 16..64
constexpr int kFirstCandidate = 16;

std::uint32_t magnitude_bits(float value) { return std::bit_cast<std::uint32_t>(value) & 0x7fffffffu; }

double largest_code(const Scheme& scheme) {
  return scheme.kind == Scheme::Kind::integer ? static_cast<double>(scheme.element->max_code())
                                              : max_finite(*scheme.element);
}

// Sum of squared errors of absmax with this clip.
double clipped_error(const Scheme& scheme, std::span<const float> values, float clip) {
  const auto top = static_cast<float>(largest_code(scheme));
  const float multiplier = top / clip;
  const float step = clip / top;
  double sum[4] = {0, 0, 0, 0};
  if (scheme.kind == Scheme::Kind::integer) {
    constexpr float kShifter = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number, halves to even
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float scaled = std::min(std::max(values[i] * multiplier, -top), top);
      const float back = ((scaled + kShifter) - kShifter) * step;
      const double miss = static_cast<double>(values[i]) - static_cast<double>(back);
      sum[i & 3] += miss * miss;
    }
  } else {
    const SmallFloat element(*scheme.element);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float back = element.decode(element.encode(values[i] * multiplier)) * step;
      const double miss = static_cast<double>(values[i]) - static_cast<double>(back);
      sum[i & 3] += miss * miss;
    }
  }
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

std::uint64_t rank_of(double percentile, std::uint64_t count) {
  const auto rank = static_cast<std::uint64_t>(std::ceil(percentile / 100 * static_cast<double>(count)));
  return std::clamp<std::uint64_t>(rank, 1, count);
}

}  // namespace

Encoder::Encoder(const Scheme& scheme, std::vector<std::int64_t> shape, Stored stored, const Range& range,
                 const std::vector<std::uint32_t>* outliers)
    : scheme_(scheme), shape_(std::move(shape)), stored_(stored), range_(range), view_(view_of(scheme_, shape_)) {
  cut();
  const bool wanted = scheme_.method == Method::llm_int8;
  plan_passes(wanted && outliers == nullptr);
  if (wanted && outliers != nullptr) keep_columns(*outliers);
}

// A matrix that is mostly outliers is not one this method is for; keeping all columns would quantize nothing.
void Encoder::keep_columns(std::vector<std::uint32_t> columns) {
  outliers_ = std::move(columns);
  if (outliers_.size() * 2 > view_.columns) outliers_.clear();
}

void Encoder::cut() {
  if (view_.count() == 0) return;
  if (view_.rows > 1 && view_.columns <= kChunk) {
    const std::uint64_t rows = kChunk / view_.columns;
    for (std::uint64_t row = 0; row < view_.rows; row += rows)
      chunks_.push_back({row * view_.columns, std::min(view_.rows, row + rows) * view_.columns});
    return;
  }
  // Within rows, on boundaries of units and of whole bytes.
  std::uint64_t unit = scheme_.grain == Grain::group ? 8 * scheme_.group : 8;
  if (scheme_.kind == Scheme::Kind::nf4) unit = kNf4Super;
  const std::uint64_t segment = std::max(unit, kChunk / unit * unit);
  for (std::uint64_t row = 0; row < view_.rows; ++row)
    for (std::uint64_t column = 0; column < view_.columns; column += segment)
      chunks_.push_back(
          {row * view_.columns + column, row * view_.columns + std::min(view_.columns, column + segment)});
}

void Encoder::plan_passes(bool search_outliers) {
  const bool scaled = scheme_.kind == Scheme::Kind::integer || scheme_.kind == Scheme::Kind::floating;
  tensor_clip_ = static_cast<float>(range_.magnitude());
  if (view_.count() == 0) return;
  if (scaled && scheme_.grain == Grain::tensor && tensor_clip_ > 0) {
    if (scheme_.method == Method::percentile) passes_ = {Pass::coarse_histogram, Pass::fine_histogram};
    if (scheme_.method == Method::mse) passes_ = {Pass::candidates};
  }
  if (scaled && scheme_.grain == Grain::channel && view_.columns > kChunk && view_.rows > 1)
    passes_.push_back(Pass::row_ranges);
  if (search_outliers) passes_.insert(passes_.begin(), Pass::columns);
  if (scheme_.double_quantized) passes_ = {Pass::block_scales};
  if (!passes_.empty()) gathered_.assign(pass_size(passes_[0]), 0.0);
}

std::uint64_t Encoder::pass_size(Pass pass) const {
  switch (pass) {
    case Pass::coarse_histogram:
      return 32768;
    case Pass::fine_histogram:
      return 65536;
    case Pass::candidates:
      return kCandidates;
    case Pass::block_scales:
      return 1;
    case Pass::columns:
      return view_.columns + 2;  // largest magnitudes; sum and sum of squares of all
    case Pass::row_ranges:
      return 2 * view_.rows;  // minus the smallest, and the largest
  }
  return 0;
}

Gathered Encoder::gather(const Chunk& chunk, std::span<const float> values) const {
  const Pass pass = passes_[next_pass_];
  Gathered out{std::vector<double>(pass_size(pass), 0.0)};
  std::vector<double>& into = out.values;
  switch (pass) {
    case Pass::coarse_histogram:
      for (const float v : values) ++into[magnitude_bits(v) >> 16];
      break;
    case Pass::fine_histogram:
      for (const float v : values)
        if (magnitude_bits(v) >> 16 == coarse_bin_) ++into[magnitude_bits(v) & 0xffffu];
      break;
    case Pass::candidates:
      for (int k = 0; k < kCandidates; ++k)
        into[static_cast<std::size_t>(k)] =
            clipped_error(scheme_, values, tensor_clip_ * static_cast<float>(k + kFirstCandidate) / 64.0f);
      break;
    case Pass::block_scales:
      for (std::size_t i = 0; i < values.size(); i += scheme_.group)
        into[0] +=
            range_of(Stored::fp32, &values[i], std::min<std::size_t>(scheme_.group, values.size() - i)).magnitude();
      break;
    case Pass::columns:
      for (std::size_t i = 0; i < values.size(); ++i) {
        const auto x = static_cast<double>(values[i]);
        double& largest = into[(chunk.begin + i) % view_.columns];
        largest = std::max(largest, std::fabs(x));
        into[view_.columns] += x;
        into[view_.columns + 1] += x * x;
      }
      break;
    case Pass::row_ranges: {
      std::fill(into.begin(), into.end(), -HUGE_VAL);
      const Range range = range_of(Stored::fp32, values.data(), values.size());
      const std::uint64_t row = chunk.begin / view_.columns;
      into[2 * row] = -range.low;
      into[2 * row + 1] = range.high;
      break;
    }
  }
  return out;
}

void Encoder::merge(const Gathered& part) {
  const Pass pass = passes_[next_pass_];
  const std::uint64_t maxima = pass == Pass::columns ? view_.columns : pass == Pass::row_ranges ? pass_size(pass) : 0;
  if (pass == Pass::row_ranges && row_units_.empty()) {
    std::fill(gathered_.begin(), gathered_.end(), -HUGE_VAL);
    row_units_.resize(view_.rows);
  }
  for (std::uint64_t i = 0; i < gathered_.size(); ++i)
    gathered_[i] = i < maxima ? std::max(gathered_[i], part.values[i]) : gathered_[i] + part.values[i];
}

void Encoder::end_pass() {
  const auto count = static_cast<double>(view_.count());
  switch (passes_[next_pass_]) {
    case Pass::coarse_histogram: {
      const auto rank = static_cast<double>(rank_of(scheme_.percentile, view_.count()));
      double below = 0;
      std::uint32_t bin = 0;
      while (bin + 1 < 32768 && below + gathered_[bin] < rank) below += gathered_[bin++];
      coarse_bin_ = bin;
      below_bin_ = below;
      break;
    }
    case Pass::fine_histogram: {
      const auto rank = static_cast<double>(rank_of(scheme_.percentile, view_.count()));
      double below = below_bin_;
      std::uint32_t bin = 0;
      while (bin + 1 < 65536 && below + gathered_[bin] < rank) below += gathered_[bin++];
      const float clip = std::bit_cast<float>(coarse_bin_ << 16 | bin);
      if (clip > 0) tensor_clip_ = clip;  // more than that share of zeros: nothing to clip
      break;
    }
    case Pass::candidates: {
      int best = kCandidates - 1;
      for (int k = kCandidates - 2; k >= 0; --k)
        if (gathered_[static_cast<std::size_t>(k)] < gathered_[static_cast<std::size_t>(best)]) best = k;
      tensor_clip_ = tensor_clip_ * static_cast<float>(best + kFirstCandidate) / 64.0f;
      break;
    }
    case Pass::block_scales:
      block_mean_ = static_cast<float>(gathered_[0] / std::ceil(count / static_cast<double>(scheme_.group)));
      break;
    case Pass::columns: {
      const double mean = gathered_[view_.columns] / count;
      const double deviation = std::sqrt(std::max(0.0, gathered_[view_.columns + 1] / count - mean * mean));
      std::vector<std::uint32_t> found;
      for (std::uint64_t c = 0; c < view_.columns; ++c)
        if (deviation > 0 && gathered_[c] >= scheme_.outlier_threshold * deviation)
          found.push_back(static_cast<std::uint32_t>(c));
      keep_columns(std::move(found));
      break;
    }
    case Pass::row_ranges:
      for (std::uint64_t row = 0; row < view_.rows; ++row)
        row_units_[row] =
            unit_from(static_cast<float>(-gathered_[2 * row]), static_cast<float>(gathered_[2 * row + 1]));
      break;
  }
  ++next_pass_;
  if (wants_pass())
    gathered_.assign(pass_size(passes_[next_pass_]), 0.0);
  else
    std::vector<double>().swap(gathered_);
}

std::vector<Part> Encoder::parts() const {
  const std::string_view dtype = stored_ == Stored::fp16 ? "F16" : stored_ == Stored::bf16 ? "BF16" : "F32";
  return parts_of(scheme_, shape_, outliers_.size(), dtype, stored_ == Stored::fp16 || stored_ == Stored::bf16 ? 2 : 4);
}

std::string Encoder::impossible() const {
  const bool scaled = scheme_.kind == Scheme::Kind::integer || scheme_.kind == Scheme::Kind::floating ||
                      scheme_.kind == Scheme::Kind::nvfp4;
  const double magnitude = range_.magnitude();
  const double top =
      scheme_.element != nullptr ? largest_code(scheme_) * (scheme_.kind == Scheme::Kind::nvfp4 ? 448 : 1) : 1;
  if (scaled && magnitude > 0 && magnitude / top < static_cast<double>(std::numeric_limits<float>::min()))
    return "its largest magnitude is so small that the scale would fall below fp32's normal numbers";
  if (scaled && magnitude > kLargestScaled)
    return "its largest magnitude is so large that values read back could leave fp32";
  if (scheme_.kind == Scheme::Kind::block && scheme_.block->fp16_scales && magnitude > kLargestHalf)
    return "its largest magnitude is beyond fp16, which the scales of this format are";
  const bool rows = scheme_.grain == Grain::channel && view_.columns > kChunk && view_.rows > 1;
  if (rows && scheme_.method != Method::absmax && scheme_.method != Method::zero_point)
    return "its rows are too long for this method one by one; use --per tensor or group";
  return {};
}

float Encoder::clip_of(std::span<const float> values) const {
  const auto largest = static_cast<float>(range_of(Stored::fp32, values.data(), values.size()).magnitude());
  if (largest == 0) return 0;
  if (scheme_.method == Method::percentile) {
    std::vector<std::uint32_t> bits(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) bits[i] = magnitude_bits(values[i]);
    const auto rank = static_cast<std::ptrdiff_t>(rank_of(scheme_.percentile, values.size()) - 1);
    std::nth_element(bits.begin(), bits.begin() + rank, bits.end());
    const float clip = std::bit_cast<float>(bits[static_cast<std::size_t>(rank)]);
    return clip > 0 ? clip : largest;
  }
  if (scheme_.method == Method::mse) {
    float best = largest;
    double best_error = clipped_error(scheme_, values, largest);
    for (int k = 63; k >= kFirstCandidate; --k) {
      const float clip = largest * static_cast<float>(k) / 64.0f;
      const double error = clipped_error(scheme_, values, clip);
      if (error < best_error) {
        best_error = error;
        best = clip;
      }
    }
    return best;
  }
  return largest;
}

Encoder::Unit Encoder::unit_from(float low, float high) const {
  const auto top = static_cast<float>(largest_code(scheme_));
  Unit unit;
  if (!scheme_.has_zero_point()) {
    unit.clip = std::max(-low, high);
    unit.step = unit.clip / top;
    if (unit.step < std::numeric_limits<float>::min()) unit.step = 0;  // below fp32's normal numbers: a unit of zeros
    unit.multiplier = unit.step > 0 ? top / unit.clip : 0.0f;
    unit.shift = -0.0f;  // adds to nothing, not even to -0
    return unit;
  }
  const float levels = 2 * top + 1;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const float width = high - low;
    const float spread = width / levels < std::numeric_limits<float>::min() ? 1.0f : width;
    unit.multiplier = levels / spread;
    unit.step = spread / levels;
    unit.shift = -std::nearbyint(unit.multiplier * low) - (top + 1);
    if (std::fabs(unit.shift) < 8388608.0f) break;
    // A range far from zero next to its width: take zero into it, so that the zero point is a number fp32 can add
    // exactly.
    low = std::min(low, 0.0f);
    high = std::max(high, 0.0f);
  }
  return unit;
}

Encoder::Unit Encoder::unit_of(std::span<const float> values) const {
  if (scheme_.has_zero_point()) {
    const Range range = range_of(Stored::fp32, values.data(), values.size());
    return unit_from(static_cast<float>(range.low), static_cast<float>(range.high));
  }
  const float clip = clip_of(values);
  return unit_from(-clip, clip);
}

}  // namespace floptally::numerics
