#include "network/formats/onnx/model.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "network/formats/wire/protobuf.h"

namespace floptally::onnx {

using wire::Message;
using wire::WireError;

void Arena::refill(std::size_t bytes) {
  const std::size_t size = std::max(bytes, std::size_t{64} * 1024);
  chunks_.push_back(std::make_unique_for_overwrite<char[]>(size));
  at_ = chunks_.back().get();
  left_ = size;
}

std::int64_t Model::opset(std::string_view domain) const {
  if (domain == "ai.onnx") domain = {};
  for (const Opset& o : opsets)
    if (o.domain == domain || (domain.empty() && o.domain == "ai.onnx")) return o.version;
  return domain.empty() && !opsets.empty() ? opsets.front().version : 1;
}

std::span<const Model::Body> Model::bodies_of(const Node& node) const {
  const auto [first, last] =
      std::equal_range(bodies.begin(), bodies.end(), Body{node.bytes, {}, 0},
                       [](const Body& a, const Body& b) { return std::less<const char*>{}(a.node, b.node); });
  return {first, last};
}

const std::int64_t* Model::keep(const std::int64_t* dims, int rank) {
  if (rank == 0) return nullptr;
  auto* kept = static_cast<std::int64_t*>(arena.take(static_cast<std::size_t>(rank) * sizeof(std::int64_t)));
  std::memcpy(kept, dims, static_cast<std::size_t>(rank) * sizeof(std::int64_t));
  return kept;
}

Data* Model::new_data(std::uint32_t count, bool real) {
  auto* data = static_cast<Data*>(arena.take(sizeof(Data) + std::size_t{count} * 8));
  data->count = count;
  data->real = real;
  return data;
}

namespace {

float half_to_float(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double value = exponent == 0 ? fraction / 1024.0 / 16384.0 : (1 + fraction / 1024.0) * std::exp2(exponent - 15);
  if (exponent == 31) value = fraction != 0 ? std::nan("") : HUGE_VAL;
  return static_cast<float>((bits & 0x8000) != 0 ? -value : value);
}

template <class T>
T load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Element `i` of a raw little-endian payload.
void raw_element(std::uint8_t elem, const char* raw, std::size_t i, Data& out) {
  switch (elem) {
    case kFloat:
      out.reals()[i] = load<float>(raw + 4 * i);
      break;
    case kDouble:
      out.reals()[i] = load<double>(raw + 8 * i);
      break;
    case kFloat16:
      out.reals()[i] = half_to_float(load<std::uint16_t>(raw + 2 * i));
      break;
    case kBfloat16: {
      const std::uint32_t bits = std::uint32_t{load<std::uint16_t>(raw + 2 * i)} << 16;
      out.reals()[i] = load<float>(reinterpret_cast<const char*>(&bits));
      break;
    }
    case kInt64:
    case kUint64:
      out.integers()[i] = load<std::int64_t>(raw + 8 * i);
      break;
    case kInt32:
      out.integers()[i] = load<std::int32_t>(raw + 4 * i);
      break;
    case kUint32:
      out.integers()[i] = load<std::uint32_t>(raw + 4 * i);
      break;
    case kInt16:
      out.integers()[i] = load<std::int16_t>(raw + 2 * i);
      break;
    case kUint16:
      out.integers()[i] = load<std::uint16_t>(raw + 2 * i);
      break;
    case kInt8:
      out.integers()[i] = load<std::int8_t>(raw + i);  // NOLINT(bugprone-signed-char-misuse): the sign counts
      break;
    default:
      out.integers()[i] = load<std::uint8_t>(raw + i);
      break;
  }
}

int bytes_of(std::uint8_t elem) {
  switch (elem) {
    case kFloat:
    case kInt32:
    case kUint32:
      return 4;
    case kDouble:
    case kInt64:
    case kUint64:
      return 8;
    case kFloat16:
    case kBfloat16:
    case kInt16:
    case kUint16:
      return 2;
    case kInt8:
    case kUint8:
    case kBool:
      return 1;
    default:
      return 0;
  }
}

struct Payload {
  std::string_view raw, packed;  // packed: one of float_data, int32_data, int64_data, double_data, uint64_data
  std::uint32_t packed_field = 0;
  bool has_raw = false;
  std::vector<std::uint64_t> single;  // elements that were not packed
};

// Elements from the typed fields.
bool typed_elements(const Payload& p, std::uint8_t elem, Data& out) {
  std::uint32_t done = 0;
  auto put = [&](std::uint64_t bits) {
    if (done >= out.count) return;
    if (p.packed_field == 4)
      out.reals()[done] = load<float>(reinterpret_cast<const char*>(&bits));
    else if (p.packed_field == 10)
      out.reals()[done] = load<double>(reinterpret_cast<const char*>(&bits));
    else if (out.real)
      out.reals()[done] = elem == kFloat16 ? half_to_float(static_cast<std::uint16_t>(bits)) : std::nan("");
    else
      out.integers()[done] = static_cast<std::int64_t>(bits);
    ++done;
  };
  if (((p.packed_field == 4 || p.packed_field == 10) != out.real) && !(out.real && p.packed_field == 5)) return false;
  for (std::uint64_t bits : p.single) put(bits);
  const char* at = p.packed.data();
  const char* end = at + p.packed.size();
  while (at < end) {
    std::uint64_t bits = 0;
    if (p.packed_field == 4 || p.packed_field == 10) {
      const std::ptrdiff_t size = p.packed_field == 4 ? 4 : 8;
      if (end - at < size) return false;
      std::memcpy(&bits, at, static_cast<std::size_t>(size));
      at += size;
    } else if (!wire::read_varint(at, end, bits)) {
      return false;
    }
    put(bits);
  }
  return done == out.count;
}

// A dimension list multiplied out; false where it leaves 63 bits or a size is negative.
bool multiply_out(TensorHeader& header) {
  header.elements = 1;
  bool empty = false;
  for (int i = 0; i < header.rank; ++i) {
    if (header.dims[i] < 0) return false;
    empty = empty || header.dims[i] == 0;
  }
  if (empty) {
    header.elements = 0;
    return true;
  }
  for (int i = 0; i < header.rank; ++i)
    if (__builtin_mul_overflow(header.elements, header.dims[i], &header.elements)) return false;
  return true;
}

}  // namespace

bool read_tensor(Model& model, std::string_view bytes, TensorHeader& header, const Data** data, const char*& reason) {
  WireError error;
  Message field(bytes, model.file.data(), error);
  Payload payload;
  bool too_deep = false;
  while (field.next()) {
    if (field.number == 1 && (field.type == 0 || field.type == 2)) {
      wire::each_integer(field, [&](std::int64_t d) {
        if (header.rank < kMaxRank)
          header.dims[header.rank++] = d;
        else
          too_deep = true;
      });
    } else if (field.varint(2)) {
      header.elem = field.value < 64 ? static_cast<std::uint8_t>(field.value) : std::uint8_t{kNone};
    } else if (field.text(8)) {
      header.name = field.bytes;
    } else if (field.text(9)) {
      payload.raw = field.bytes;
      payload.has_raw = true;
    } else if (field.number == 4 || field.number == 5 || field.number == 7 || field.number == 10 ||
               field.number == 11) {
      payload.packed_field = field.number;
      if (field.type == 2)
        payload.packed = field.bytes;
      else if (payload.single.size() < kMaxData)
        payload.single.push_back(field.value);
    } else if (field.varint(14)) {
      header.external = field.value == 1;
    }
  }
  reason = error.reason;
  if (reason == nullptr && too_deep) reason = "a tensor has more than 32 dimensions";
  if (reason == nullptr && !multiply_out(header))
    reason = "a tensor's sizes are negative or their product leaves 63 bits";
  if (reason != nullptr) return false;
  if (!header.external) header.raw = payload.raw;
  const int width = bytes_of(header.elem);
  if (payload.has_raw && width > 0 && !header.external &&
      static_cast<std::uint64_t>(header.elements) != payload.raw.size() / static_cast<unsigned>(width) &&
      !payload.raw.empty()) {
    reason = "a tensor's raw data does not have the size that its shape asks for";
    return false;
  }
  if (data == nullptr || header.external || header.elements > kMaxData || width == 0) return true;
  if (header.elements > 0 && payload.raw.empty() && payload.packed_field == 0) return true;  // weights kept elsewhere
  Data* out = model.new_data(static_cast<std::uint32_t>(header.elements), is_float(header.elem));
  if (!payload.raw.empty())
    for (std::uint32_t i = 0; i < out->count; ++i) raw_element(header.elem, payload.raw.data(), i, *out);
  else if (out->count > 0 && !typed_elements(payload, header.elem, *out))
    return true;
  for (std::uint32_t i = 0; i < out->count && !out->real; ++i) out->integers()[i] = element(out->integers()[i]);
  *data = out;
  return true;
}

}  // namespace floptally::onnx
