#include "numerics/kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

// Baseline, AVX2 and AVX-512 are built and the best one is chosen at run time.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "numerics/kernels.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/cache_control.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace floptally::numerics {
namespace HWY_NAMESPACE {
// NOLINTBEGIN(readability-identifier-naming): named as the functions that dispatch to them, in their own case

namespace hn = hwy::HWY_NAMESPACE;

// Four pages are read side by side and the next four prefetched: one stream alone stops at each page's end, where the
// hardware prefetcher does (measured: 12 against 16 GB/s on one core of a Xeon).
constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kStreams = 4;
// Outputs from this size on bypass the cache, as memcpy does.
constexpr std::size_t kStreamingFrom = std::size_t{1} << 20;

// Floating-point order as integer order: negative patterns get their low bits flipped. One pair of integer minimum and
// maximum then tells the range and whether anything was not finite (such patterns lie beyond those of +-infinity).
template <class T>
struct Extremes {
  T low = std::numeric_limits<T>::max();
  T high = std::numeric_limits<T>::min();
};

template <class T>
HWY_ATTR Extremes<T> extremes(const T* bits, std::size_t count) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  constexpr int kTop = sizeof(T) * 8 - 1;
  const auto mask = hn::Set(d, std::numeric_limits<T>::max());
  const auto ordered = [&](std::size_t i) HWY_ATTR {
    const auto v = hn::LoadU(d, bits + i);
    return hn::Xor(v, hn::And(hn::ShiftRight<kTop>(v), mask));
  };
  auto low0 = hn::Set(d, std::numeric_limits<T>::max());
  auto low1 = low0, low2 = low0, low3 = low0;
  auto high0 = hn::Set(d, std::numeric_limits<T>::min());
  auto high1 = high0, high2 = high0, high3 = high0;
  std::size_t i = 0;
  constexpr std::size_t kPage = kPageBytes / sizeof(T);
  for (; i + kStreams * kPage <= count; i += kStreams * kPage) {
    const bool more = i + 2 * kStreams * kPage <= count;
    for (std::size_t k = 0; k < kPage; k += lanes) {
      const std::size_t at = i + k;
      if (more)
        for (std::size_t s = 0; s < kStreams; ++s) __builtin_prefetch(bits + at + (kStreams + s) * kPage);
      const auto a = ordered(at);
      const auto b = ordered(at + kPage);
      const auto c = ordered(at + 2 * kPage);
      const auto e = ordered(at + 3 * kPage);
      low0 = hn::Min(low0, a);
      high0 = hn::Max(high0, a);
      low1 = hn::Min(low1, b);
      high1 = hn::Max(high1, b);
      low2 = hn::Min(low2, c);
      high2 = hn::Max(high2, c);
      low3 = hn::Min(low3, e);
      high3 = hn::Max(high3, e);
    }
  }
  for (; i + lanes <= count; i += lanes) {
    const auto a = ordered(i);
    low0 = hn::Min(low0, a);
    high0 = hn::Max(high0, a);
  }
  low0 = hn::Min(low0, hn::Min(low2, low3));
  high0 = hn::Max(high0, hn::Max(high2, high3));
  Extremes<T> result;
  HWY_ALIGN T buffer[hn::MaxLanes(d)];
  hn::Store(hn::Min(low0, low1), d, buffer);
  for (std::size_t k = 0; k < lanes; ++k) result.low = std::min(result.low, buffer[k]);
  hn::Store(hn::Max(high0, high1), d, buffer);
  for (std::size_t k = 0; k < lanes; ++k) result.high = std::max(result.high, buffer[k]);
  for (; i < count; ++i) {
    const T v = static_cast<T>(bits[i] ^ (static_cast<T>(bits[i] >> kTop) & std::numeric_limits<T>::max()));
    result.low = std::min(result.low, v);
    result.high = std::max(result.high, v);
  }
  return result;
}

HWY_ATTR void Extremes16(const std::int16_t* bits, std::size_t count, std::int16_t* low, std::int16_t* high) {
  const auto e = extremes(bits, count);
  *low = e.low;
  *high = e.high;
}
HWY_ATTR void Extremes32(const std::int32_t* bits, std::size_t count, std::int32_t* low, std::int32_t* high) {
  const auto e = extremes(bits, count);
  *low = e.low;
  *high = e.high;
}

using D32 = hn::ScalableTag<float>;

struct LoadF32 {
  using Type = float;
  HWY_ATTR static hn::VFromD<D32> load(const float* p) { return hn::LoadU(D32(), p); }
};
struct LoadF16 {
  using Type = hwy::float16_t;
  HWY_ATTR static hn::VFromD<D32> load(const hwy::float16_t* p) {
    const hn::Rebind<hwy::float16_t, D32> narrow;
    return hn::PromoteTo(D32(), hn::LoadU(narrow, p));
  }
};
struct LoadBF16 {
  using Type = std::uint16_t;
  HWY_ATTR static hn::VFromD<D32> load(const std::uint16_t* p) {
    const hn::Rebind<std::uint16_t, D32> narrow;
    const hn::RebindToUnsigned<D32> wide;
    return hn::BitCast(D32(), hn::ShiftLeft<16>(hn::PromoteTo(wide, hn::LoadU(narrow, p))));
  }
};

// Calls body(pointer, count) with whole vectors, the tail padded with zeros through `buffer`.
template <class Loader>
HWY_ATTR void widen_all(const typename Loader::Type* in, std::size_t count, float* out) {
  const D32 d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(Loader::load(in + i), d, out + i);
  if (i < count) {
    typename Loader::Type padded[hn::MaxLanes(d)] = {};
    HWY_ALIGN float result[hn::MaxLanes(d)];
    std::memcpy(padded, in + i, (count - i) * sizeof(padded[0]));
    hn::Store(Loader::load(padded), d, result);
    std::memcpy(out + i, result, (count - i) * sizeof(float));
  }
}

// Codes of whole vectors. Adding 1.5 * 2^23 rounds what the clamp left to a whole number, halves to even, and leaves
// that number's low bits in the low bits of the sum; NearestInt would add a check for overflow that cannot happen here.
template <class Loader>
struct Quantizer {
  using In = typename Loader::Type;
  using D8 = hn::Rebind<std::uint8_t, D32>;
  hn::VFromD<D32> multiplier, shift, low, high;

  HWY_ATTR hn::VFromD<D8> one(const In* p) const {
    const D32 d;
    // The sum with -0 leaves every value as it is, so absmax and zero-point share this loop.
    const auto scaled = hn::Add(hn::Mul(Loader::load(p), multiplier), shift);
    const auto whole = hn::Add(hn::Min(hn::Max(scaled, low), high), hn::Set(d, 12582912.0f));
    return hn::TruncateTo(D8(), hn::BitCast(hn::RebindToUnsigned<D32>(), whole));
  }
#if HWY_TARGET == HWY_SCALAR
  static constexpr std::size_t kVectors = 1;
  HWY_ATTR auto several(const In* p) const { return one(p); }
#else
  static constexpr std::size_t kVectors = 4;
  HWY_ATTR auto several(const In* p) const {
    const D8 d8;
    const hn::Twice<D8> twice;
    const hn::Twice<decltype(twice)> whole;
    const std::size_t lanes = hn::Lanes(d8);
    return hn::Combine(whole, hn::Combine(twice, one(p + 3 * lanes), one(p + 2 * lanes)),
                       hn::Combine(twice, one(p + lanes), one(p)));
  }
#endif
};

template <class Loader>
HWY_ATTR void quantize_all(const typename Loader::Type* in, std::size_t count, float multiplier, float shift, float low,
                           float high, std::int8_t* out) {
  const D32 d;
  const Quantizer<Loader> quantizer{hn::Set(d, multiplier), hn::Set(d, shift), hn::Set(d, low), hn::Set(d, high)};
  auto* const codes = reinterpret_cast<std::uint8_t*>(out);
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t step = Quantizer<Loader>::kVectors * lanes;
  const hn::ScalableTag<std::uint8_t> whole;
  std::size_t i = 0;
  constexpr std::size_t kPage = kPageBytes / sizeof(typename Loader::Type);
  constexpr std::size_t kLine = 64 / sizeof(typename Loader::Type);
  const bool past_cache = count >= kStreamingFrom && reinterpret_cast<std::uintptr_t>(out) % 64 == 0;
  for (; i + kStreams * kPage <= count; i += kStreams * kPage) {
    const bool more = i + 2 * kStreams * kPage <= count;
    for (std::size_t k = 0; k < kPage; k += step) {
      for (std::size_t page = 0; page < kStreams; ++page) {
        const std::size_t at = i + k + page * kPage;
        if (more)
          for (std::size_t line = 0; line < step; line += kLine)
            __builtin_prefetch(in + at + line + kStreams * kPage, 0, 2);
        if (past_cache)
          hn::Stream(quantizer.several(in + at), whole, codes + at);
        else
          hn::StoreU(quantizer.several(in + at), whole, codes + at);
      }
    }
  }
  if (past_cache) hwy::FlushStream();
  while (i < count) {
    const std::size_t rest = std::min(lanes, count - i);
    typename Loader::Type padded[hn::MaxLanes(d)] = {};
    std::uint8_t result[hn::MaxLanes(d)];
    std::memcpy(padded, in + i, rest * sizeof(padded[0]));
    hn::StoreU(quantizer.one(padded), typename Quantizer<Loader>::D8(), result);
    std::memcpy(out + i, result, rest);
    i += rest;
  }
}

HWY_ATTR void WidenF16(const void* in, std::size_t n, float* out) {
  widen_all<LoadF16>(static_cast<const hwy::float16_t*>(in), n, out);
}
HWY_ATTR void WidenBF16(const void* in, std::size_t n, float* out) {
  widen_all<LoadBF16>(static_cast<const std::uint16_t*>(in), n, out);
}
HWY_ATTR void QuantizeF32(const void* in, std::size_t n, float m, float s, float lo, float hi, std::int8_t* out) {
  quantize_all<LoadF32>(static_cast<const float*>(in), n, m, s, lo, hi, out);
}
HWY_ATTR void QuantizeF16(const void* in, std::size_t n, float m, float s, float lo, float hi, std::int8_t* out) {
  quantize_all<LoadF16>(static_cast<const hwy::float16_t*>(in), n, m, s, lo, hi, out);
}
HWY_ATTR void QuantizeBF16(const void* in, std::size_t n, float m, float s, float lo, float hi, std::int8_t* out) {
  quantize_all<LoadBF16>(static_cast<const std::uint16_t*>(in), n, m, s, lo, hi, out);
}

HWY_ATTR void Dequantize(const std::int8_t* codes, std::size_t count, float step, float zero_point, float* out) {
  const D32 d;
  const hn::RebindToSigned<D32> d32;
  const hn::Rebind<std::int8_t, D32> d8;
  const std::size_t lanes = hn::Lanes(d);
  const auto s = hn::Set(d, step);
  const auto z = hn::Set(d, zero_point);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto code = hn::ConvertTo(d, hn::PromoteTo(d32, hn::LoadU(d8, codes + i)));
    hn::StoreU(hn::Mul(hn::Sub(code, z), s), d, out + i);
  }
  for (; i < count; ++i) out[i] = (static_cast<float>(codes[i]) - zero_point) * step;
}

// NOLINTEND(readability-identifier-naming)
}  // namespace HWY_NAMESPACE
}  // namespace floptally::numerics
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace floptally::numerics {
namespace {

HWY_EXPORT(Extremes16);
HWY_EXPORT(Extremes32);
HWY_EXPORT(WidenF16);
HWY_EXPORT(WidenBF16);
HWY_EXPORT(QuantizeF32);
HWY_EXPORT(QuantizeF16);
HWY_EXPORT(QuantizeBF16);
HWY_EXPORT(Dequantize);

constexpr std::size_t kBlock = 4096;
constexpr std::size_t kSlab = std::size_t{1} << 20;

// The second pass over a tensor runs from its end to its start: what the first pass read last is still in the cache.
void quantize_backwards(Stored type, const void* values, std::size_t count, float multiplier, float shift, int low,
                        std::int8_t* out) {
  for (std::size_t end = count; end > 0;) {
    const std::size_t begin = (end - 1) / kSlab * kSlab;
    quantize_int8(type, static_cast<const char*>(values) + begin * size_of(type), end - begin, multiplier, shift, low,
                  127, out + begin);
    end = begin;
  }
}

// The value whose ordered pattern is `ordered`.
float value32(std::int32_t ordered) {
  return std::bit_cast<float>(ordered ^ ((ordered >> 31) & std::numeric_limits<std::int32_t>::max()));
}
float value16(Stored type, std::int16_t ordered) {
  const auto bits = static_cast<std::uint16_t>(ordered ^ ((ordered >> 15) & std::numeric_limits<std::int16_t>::max()));
  float out = 0;
  widen(type, &bits, 1, &out);
  return out;
}

// Value by value; used where something is not finite, and for fp64.
template <class T>
Range careful_range(const T* values, std::size_t count) {
  Range range;
  bool any = false;
  for (std::size_t i = 0; i < count; ++i) {
    const double v = static_cast<double>(values[i]);
    if (std::isnan(v)) {
      ++range.nans;
    } else if (std::isinf(v)) {
      ++range.infinities;
    } else {
      range.low = any ? std::min(range.low, v) : v;
      range.high = any ? std::max(range.high, v) : v;
      any = true;
    }
  }
  return range;
}

}  // namespace

std::size_t size_of(Stored type) { return type == Stored::fp64 ? 8 : type == Stored::fp32 ? 4 : 2; }

Range merge(const Range& a, std::uint64_t finite_a, const Range& b, std::uint64_t finite_b) {
  Range out = finite_a == 0 ? b : a;
  if (finite_a != 0 && finite_b != 0) {
    out.low = std::min(a.low, b.low);
    out.high = std::max(a.high, b.high);
  }
  out.nans = a.nans + b.nans;
  out.infinities = a.infinities + b.infinities;
  return out;
}

void widen(Stored type, const void* values, std::size_t count, float* out) {
  switch (type) {
    case Stored::fp32:
      std::memcpy(out, values, count * sizeof(float));
      break;
    case Stored::fp16:
      HWY_DYNAMIC_DISPATCH(WidenF16)(values, count, out);
      break;
    case Stored::bf16:
      HWY_DYNAMIC_DISPATCH(WidenBF16)(values, count, out);
      break;
    case Stored::fp64: {
      const auto* in = static_cast<const double*>(values);
      for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(in[i]);
      break;
    }
  }
}

Range range_of(Stored type, const void* values, std::size_t count) {
  if (count == 0) return {};
  if (type == Stored::fp64) return careful_range(static_cast<const double*>(values), count);
  float low = 0;
  float high = 0;
  if (type == Stored::fp32) {
    std::int32_t a = 0;
    std::int32_t b = 0;
    HWY_DYNAMIC_DISPATCH(Extremes32)(static_cast<const std::int32_t*>(values), count, &a, &b);
    low = value32(a);
    high = value32(b);
  } else {
    std::int16_t a = 0;
    std::int16_t b = 0;
    HWY_DYNAMIC_DISPATCH(Extremes16)(static_cast<const std::int16_t*>(values), count, &a, &b);
    low = value16(type, a);
    high = value16(type, b);
  }
  if (std::isfinite(low) && std::isfinite(high)) return {low, high, 0, 0};
  Range all;
  std::uint64_t finite = 0;
  float buffer[kBlock];
  for (std::size_t i = 0; i < count; i += kBlock) {
    const std::size_t n = std::min(kBlock, count - i);
    widen(type, static_cast<const char*>(values) + i * size_of(type), n, buffer);
    const Range part = careful_range(buffer, n);
    const std::uint64_t part_finite = n - part.nans - part.infinities;
    all = merge(all, finite, part, part_finite);
    finite += part_finite;
  }
  return all;
}

void quantize_int8(Stored type, const void* values, std::size_t count, float multiplier, float shift, int low, int high,
                   std::int8_t* out) {
  const auto lo = static_cast<float>(low);
  const auto hi = static_cast<float>(high);
  switch (type) {
    case Stored::fp32:
      HWY_DYNAMIC_DISPATCH(QuantizeF32)(values, count, multiplier, shift, lo, hi, out);
      break;
    case Stored::fp16:
      HWY_DYNAMIC_DISPATCH(QuantizeF16)(values, count, multiplier, shift, lo, hi, out);
      break;
    case Stored::bf16:
      HWY_DYNAMIC_DISPATCH(QuantizeBF16)(values, count, multiplier, shift, lo, hi, out);
      break;
    case Stored::fp64: {
      float buffer[kBlock];
      for (std::size_t i = 0; i < count; i += kBlock) {
        const std::size_t n = std::min(kBlock, count - i);
        widen(type, static_cast<const double*>(values) + i, n, buffer);
        HWY_DYNAMIC_DISPATCH(QuantizeF32)(buffer, n, multiplier, shift, lo, hi, out + i);
      }
      break;
    }
  }
}

void dequantize_int8(const std::int8_t* codes, std::size_t count, float step, float zero_point, float* out) {
  HWY_DYNAMIC_DISPATCH(Dequantize)(codes, count, step, zero_point, out);
}

float absmax_int8(Stored type, const void* values, std::size_t count, std::int8_t* out) {
  const auto magnitude = static_cast<float>(range_of(type, values, count).magnitude());
  if (magnitude == 0) {
    std::memset(out, 0, count);
    return 0;
  }
  quantize_backwards(type, values, count, 127.0f / magnitude, -0.0f, -127, out);
  return magnitude / 127.0f;
}

Affine zero_point_int8(Stored type, const void* values, std::size_t count, std::int8_t* out) {
  const Range range = range_of(type, values, count);
  const float width = static_cast<float>(range.high) - static_cast<float>(range.low);
  const float spread = width == 0 ? 1.0f : width;
  const float multiplier = 255.0f / spread;
  const float shift = -std::nearbyint(multiplier * static_cast<float>(range.low)) - 128.0f;
  quantize_backwards(type, values, count, multiplier, shift, -128, out);
  return {spread / 255.0f, static_cast<std::int32_t>(shift)};
}

}  // namespace floptally::numerics
#endif  // HWY_ONCE
