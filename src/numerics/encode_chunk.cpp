// Encoder::encode: a chunk of values becomes codes, scales and the values that a reader will get back.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "numerics/encode.h"
#include "numerics/small_float.h"

namespace floptally::numerics {
namespace {

constexpr std::uint64_t kNf4Blocks = 256;  // under one second-level scale

template <class T>
void append(std::vector<std::byte>& bytes, T value) {
  const std::size_t at = bytes.size();
  bytes.resize(at + sizeof value);
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

float power_of_two(int exponent) { return std::ldexp(1.0f, exponent); }

}  // namespace

std::uint64_t Encoder::units_per_row() const {
  if (scheme_.grain != Grain::group) return 1;
  return (view_.columns + scheme_.group - 1) / scheme_.group;
}

// body(unit index, place in the chunk, weights in it) for each unit the chunk holds whole.
template <class F>
void Encoder::each_unit(const Chunk& chunk, F&& body) const {
  for (std::uint64_t at = chunk.begin; at < chunk.end;) {
    const std::uint64_t row = at / view_.columns;
    const std::uint64_t column = at % view_.columns;
    const std::uint64_t width = scheme_.grain == Grain::group ? scheme_.group : view_.columns;
    const std::uint64_t stop = std::min({chunk.end, row * view_.columns + view_.columns, at - column % width + width});
    body(row * units_per_row() + column / width, static_cast<std::size_t>(at - chunk.begin),
         static_cast<std::size_t>(stop - at));
    at = stop;
  }
}

void Encoder::codes_out(const Chunk& chunk, std::span<const std::uint8_t> codes, Encoded1& out) const {
  const int bits = scheme_.code_bits();
  const std::uint64_t row_bytes = packed_bytes(view_.columns, bits);
  const std::uint64_t row = chunk.begin / view_.columns;
  const std::uint64_t column = chunk.begin % view_.columns;
  Piece piece{0, row * row_bytes + column * static_cast<std::uint64_t>(bits) / 8, {}};
  for (std::size_t at = 0; at < codes.size();) {
    const std::size_t n = std::min<std::size_t>(codes.size() - at, view_.columns - (chunk.begin + at) % view_.columns);
    const std::size_t begin = piece.bytes.size();
    piece.bytes.resize(begin + packed_bytes(n, bits));
    pack(codes.subspan(at, n), bits, piece.bytes.data() + begin);
    at += n;
  }
  out.pieces.push_back(std::move(piece));
}

void Encoder::unit_codes(std::span<const float> values, const Unit& unit, std::uint8_t* codes, float* restored,
                         std::uint64_t& saturated) const {
  if (scheme_.kind == Scheme::Kind::integer) {
    const auto top = static_cast<int>(scheme_.element->max_code());
    const bool affine = scheme_.has_zero_point();
    auto* const out = reinterpret_cast<std::int8_t*>(codes);
    quantize_int8(Stored::fp32, values.data(), values.size(), unit.multiplier, unit.shift, affine ? -top - 1 : -top,
                  top, out);
    dequantize_int8(out, values.size(), unit.step, affine ? unit.shift : 0.0f, restored);
    if (scheme_.method == Method::percentile || scheme_.method == Method::mse) {
      const float limit = static_cast<float>(top) + 0.5f;
      for (const float v : values) saturated += std::fabs(v * unit.multiplier) > limit ? 1u : 0u;
    }
    return;
  }
  const SmallFloat element(*scheme_.element);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float scaled = values[i] * unit.multiplier;
    codes[i] = element.encode(scaled);
    restored[i] = element.decode(codes[i]) * unit.step;
    saturated += std::fabs(scaled) > element.max() ? 1u : 0u;
  }
}

void Encoder::encode_scaled(const Chunk& chunk, std::span<const float> values, Encoded1& out) const {
  std::vector<std::uint8_t> codes(values.size());
  Piece scales{1, 0, {}};
  Piece zeros{2, 0, {}};
  // Outlier columns neither stretch a row's scale nor leave a code behind.
  std::vector<float> masked;
  std::span<const float> kept = values;
  if (!outliers_.empty()) {
    masked.assign(values.begin(), values.end());
    std::vector<bool> is_outlier(view_.columns, false);
    for (const std::uint32_t c : outliers_) is_outlier[c] = true;
    for (std::size_t i = 0; i < masked.size(); ++i)
      if (is_outlier[(chunk.begin + i) % view_.columns]) masked[i] = 0;
    kept = masked;
  }
  const bool whole_tensor = scheme_.grain == Grain::tensor;
  bool first = true;
  each_unit(chunk, [&](std::uint64_t index, std::size_t at, std::size_t n) {
    const std::span<const float> own = kept.subspan(at, n);
    const std::uint64_t row = index / units_per_row();
    Unit unit;
    if (whole_tensor)
      unit = scheme_.has_zero_point() ? unit_from(static_cast<float>(range_.low), static_cast<float>(range_.high))
                                      : unit_from(-tensor_clip_, tensor_clip_);
    else
      unit = row_units_.empty() ? unit_of(own) : row_units_[row];
    unit_codes(own, unit, codes.data() + at, out.restored.data() + at, out.saturated);
    if (first) {
      scales.offset = 4 * index;
      zeros.offset = 4 * index;
      first = false;
    }
    append(scales.bytes, unit.step);
    if (scheme_.has_zero_point()) append(zeros.bytes, static_cast<std::int32_t>(unit.shift));
  });
  codes_out(chunk, codes, out);
  // Several chunks of one unit would all write the same scale: the one that begins it does.
  const bool begins_unit = scheme_.grain == Grain::group || chunk.begin % view_.columns == 0;
  if (begins_unit) {
    out.pieces.push_back(std::move(scales));
    if (scheme_.has_zero_point()) out.pieces.push_back(std::move(zeros));
  }
  if (!outliers_.empty()) keep_outliers(chunk, values, out);
}

// Outlier columns: their values go to a part of their own in the type they came in, and come back as they were.
void Encoder::keep_outliers(const Chunk& chunk, std::span<const float> values, Encoded1& out) const {
  const std::uint64_t width = stored_ == Stored::fp16 || stored_ == Stored::bf16 ? 2 : 4;
  Piece piece{3, 0, {}};  // codes, scale, outlier_columns, outliers
  for (std::uint64_t row = chunk.begin / view_.columns; row * view_.columns < chunk.end; ++row) {
    for (std::size_t k = 0; k < outliers_.size(); ++k) {
      const std::uint64_t at = row * view_.columns + outliers_[k];
      if (at < chunk.begin || at >= chunk.end) continue;
      if (piece.bytes.empty()) piece.offset = (row * outliers_.size() + k) * width;
      const float value = values[at - chunk.begin];
      out.restored[at - chunk.begin] = value;
      if (stored_ == Stored::fp16)
        append(piece.bytes, float_to_half(value));
      else if (stored_ == Stored::bf16)
        append(piece.bytes, static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16));
      else
        append(piece.bytes, value);
    }
  }
  if (!piece.bytes.empty()) out.pieces.push_back(std::move(piece));
}

// Blocks of small floats under scales of one byte: `scale_of` makes the byte and the step from a block's magnitude.
template <class ScaleOf>
void Encoder::encode_scaled(const Chunk& chunk, std::span<const float> values, Encoded1& out, ScaleOf scale_of) const {
  const SmallFloat element(*scheme_.element);
  std::vector<std::uint8_t> codes(values.size());
  Piece scales{1, 0, {}};
  bool first = true;
  each_unit(chunk, [&](std::uint64_t index, std::size_t at, std::size_t n) {
    if (first) scales.offset = index;
    first = false;
    const auto magnitude = static_cast<float>(range_of(Stored::fp32, &values[at], n).magnitude());
    const auto [byte, step] = scale_of(magnitude, element.max());
    scales.bytes.push_back(byte);
    for (std::size_t i = at; i < at + n; ++i) {
      const float scaled = step > 0 ? values[i] / step : 0.0f;
      codes[i] = element.encode(scaled);
      out.restored[i] = element.decode(codes[i]) * step;
      out.saturated += std::fabs(scaled) > element.max() ? 1u : 0u;
    }
  });
  codes_out(chunk, codes, out);
  out.pieces.push_back(std::move(scales));
}

// E8M0 scales: the power of two that brings the magnitude to the element's largest exponent.
void Encoder::encode_mx(const Chunk& chunk, std::span<const float> values, Encoded1& out) const {
  encode_scaled(chunk, values, out, [](float magnitude, float largest) {
    const int exponent = magnitude > 0 ? std::clamp(std::ilogb(magnitude) - std::ilogb(largest), -127, 127) : -127;
    return std::pair(static_cast<std::byte>(exponent + 127), power_of_two(exponent));
  });
}

// E4M3 scales under one fp32 scale of the tensor.
void Encoder::encode_nvfp4(const Chunk& chunk, std::span<const float> values, Encoded1& out) const {
  static const SmallFloat scale_format(*find_number_format("e4m3"));
  encode_scaled(chunk, values, out, [&](float magnitude, float largest) {
    const float tensor_scale = tensor_clip_ / (scale_format.max() * largest);
    const std::uint8_t code =
        tensor_scale > 0 ? scale_format.encode(magnitude / largest / tensor_scale) : std::uint8_t{0};
    return std::pair(static_cast<std::byte>(code), scale_format.decode(code) * tensor_scale);
  });
}

void Encoder::encode_nf4(const Chunk& chunk, std::span<const float> values, Encoded1& out) const {
  static const SmallFloat scale_format(*find_number_format("e4m3"));
  const std::span<const float, 16> levels = nf4_levels();
  std::vector<std::uint8_t> codes(values.size());
  std::vector<float> magnitudes;
  each_unit(chunk, [&](std::uint64_t, std::size_t at, std::size_t n) {
    magnitudes.push_back(static_cast<float>(range_of(Stored::fp32, &values[at], n).magnitude()));
  });
  const std::uint64_t first = chunk.begin / scheme_.group;
  Piece scales{1, first * (scheme_.double_quantized ? 1 : 4), {}};
  Piece meta{2, first / kNf4Blocks * 4, {}};
  std::vector<float> read_back = magnitudes;
  if (scheme_.double_quantized) {
    for (std::size_t b = 0; b < magnitudes.size(); b += kNf4Blocks) {
      const std::size_t end = std::min<std::size_t>(magnitudes.size(), b + kNf4Blocks);
      float top = 0;
      for (std::size_t i = b; i < end; ++i) top = std::max(top, std::fabs(magnitudes[i] - block_mean_));
      const float step = top / scale_format.max();
      append(meta.bytes, step);
      for (std::size_t i = b; i < end; ++i) {
        const std::uint8_t code =
            step > 0 ? scale_format.encode((magnitudes[i] - block_mean_) / step) : std::uint8_t{0};
        scales.bytes.push_back(static_cast<std::byte>(code));
        read_back[i] = scale_format.decode(code) * step + block_mean_;
      }
    }
  } else {
    for (const float m : magnitudes) append(scales.bytes, m);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t b = i / scheme_.group;
    const float x = magnitudes[b] > 0 ? values[i] / magnitudes[b] : 0.0f;
    std::uint8_t code = 0;
    for (std::size_t k = 0; k + 1 < levels.size(); ++k)
      code = static_cast<std::uint8_t>(code + (x > (levels[k] + levels[k + 1]) / 2 ? 1 : 0));
    codes[i] = code;
    out.restored[i] = levels[code] * read_back[b];
  }
  codes_out(chunk, codes, out);
  out.pieces.push_back(std::move(scales));
  if (scheme_.double_quantized) out.pieces.push_back(std::move(meta));
}

void Encoder::encode_block(const Chunk& chunk, std::span<const float> values, Encoded1& out) const {
  const BlockFormat& block = *scheme_.block;
  const auto weights = static_cast<std::size_t>(block.weights);
  const auto size = static_cast<std::size_t>(block.bytes);
  Piece piece{0, chunk.begin / weights * size, std::vector<std::byte>(values.size() / weights * size)};
  for (std::size_t b = 0; b * weights < values.size(); ++b) {
    block.encode(&values[b * weights], &piece.bytes[b * size]);
    block.decode(&piece.bytes[b * size], &out.restored[b * weights]);
  }
  out.pieces.push_back(std::move(piece));
}

void Encoder::encode_cast(const Chunk& chunk, std::span<const float> values, Encoded1& out) const {
  const auto width = static_cast<std::uint64_t>(scheme_.element->bits() / 8);
  Piece piece{0, chunk.begin * width, {}};
  piece.bytes.reserve(values.size() * width);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float x = values[i];
    if (width == 4) {
      append(piece.bytes, x);
      out.restored[i] = x;
    } else if (scheme_.name == "fp16") {
      std::uint16_t half = float_to_half(x);
      if ((half & 0x7fffu) == 0x7c00u) {  // saturate, as everywhere in this room
        --half;
        ++out.saturated;
      }
      append(piece.bytes, half);
      out.restored[i] = half_to_float(half);
    } else {
      const auto bits = std::bit_cast<std::uint32_t>(x);
      std::uint32_t top = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
      if ((top & 0x7fffu) == 0x7f80u) {
        --top;
        ++out.saturated;
      }
      append(piece.bytes, static_cast<std::uint16_t>(top));
      out.restored[i] = std::bit_cast<float>(top << 16);
    }
  }
  out.pieces.push_back(std::move(piece));
}

void Encoder::encode(const Chunk& chunk, std::span<const float> values, Encoded1& out) const {
  out.pieces.clear();
  out.saturated = 0;
  out.restored.resize(values.size());
  switch (scheme_.kind) {
    case Scheme::Kind::cast:
      encode_cast(chunk, values, out);
      break;
    case Scheme::Kind::integer:
    case Scheme::Kind::floating:
      encode_scaled(chunk, values, out);
      break;
    case Scheme::Kind::mx:
      encode_mx(chunk, values, out);
      break;
    case Scheme::Kind::nvfp4:
      encode_nvfp4(chunk, values, out);
      break;
    case Scheme::Kind::nf4:
      encode_nf4(chunk, values, out);
      break;
    case Scheme::Kind::block:
      encode_block(chunk, values, out);
      break;
  }
}

std::vector<Piece> Encoder::tensor_pieces() const {
  std::vector<Piece> pieces;
  const std::vector<Part> all = parts();
  for (std::size_t i = 0; i < all.size(); ++i) {
    Piece piece{i, 0, {}};
    if (all[i].role == Part::Role::tensor_scale) append(piece.bytes, tensor_clip_ / (448.0f * 6.0f));
    if (all[i].role == Part::Role::mean) append(piece.bytes, block_mean_);
    if (all[i].role == Part::Role::outlier_columns)
      for (const std::uint32_t c : outliers_) append(piece.bytes, static_cast<std::int32_t>(c));
    if (!piece.bytes.empty()) pieces.push_back(std::move(piece));
  }
  return pieces;
}

}  // namespace floptally::numerics
