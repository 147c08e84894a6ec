// Dim and Quantity: numbers that cannot be added unless they measure the same thing.
//
// A Dim is a vector of exponents over the things this field counts, plus a Kind that keeps apart what has the same unit
// but another meaning (bytes held and bytes moved; FLOP of the model and FLOP the hardware executed). Quantities are
// held in base units: FLOP, byte, second, USD, joule, token, device, sample, parameter, gram CO2e. Prefixes and
// spellings exist only where text enters or leaves (src/quantity/). FLOP is a count, FLOP/s a rate; one multiply-add is
// 2 FLOP.
#pragma once

#include <cstdint>

namespace floptally {

// `any` mixes with every kind in a product; sums need equal kinds.
enum class Kind : std::uint8_t { any, moved, hardware };

struct Dim {
  std::int8_t flop = 0;
  std::int8_t byte = 0;
  std::int8_t second = 0;
  std::int8_t usd = 0;
  std::int8_t token = 0;
  std::int8_t device = 0;
  std::int8_t joule = 0;
  std::int8_t gram = 0;
  std::int8_t sample = 0;
  std::int8_t parameter = 0;
  std::int8_t node = 0;
  Kind kind = Kind::any;

  constexpr bool operator==(const Dim&) const = default;
  [[nodiscard]] constexpr bool dimensionless() const {
    return flop == 0 && byte == 0 && second == 0 && usd == 0 && token == 0 && device == 0 && joule == 0 && gram == 0 &&
           sample == 0 && parameter == 0 && node == 0;
  }
  [[nodiscard]] constexpr Dim scaled(int by) const {
    const auto times = [by](std::int8_t e) { return static_cast<std::int8_t>(e * by); };
    return {times(flop),  times(byte), times(second), times(usd),       times(token), times(device),
            times(joule), times(gram), times(sample), times(parameter), times(node),  kind};
  }
  friend constexpr Dim operator*(Dim a, Dim b) {
    const auto sum = [](std::int8_t x, std::int8_t y) { return static_cast<std::int8_t>(x + y); };
    Dim r{sum(a.flop, b.flop),
          sum(a.byte, b.byte),
          sum(a.second, b.second),
          sum(a.usd, b.usd),
          sum(a.token, b.token),
          sum(a.device, b.device),
          sum(a.joule, b.joule),
          sum(a.gram, b.gram),
          sum(a.sample, b.sample),
          sum(a.parameter, b.parameter),
          sum(a.node, b.node),
          a.kind == Kind::any ? b.kind : (b.kind == Kind::any || b.kind == a.kind ? a.kind : Kind::any)};
    if (r.dimensionless()) r.kind = Kind::any;
    return r;
  }
  friend constexpr Dim operator/(Dim a, Dim b) { return a * b.scaled(-1); }
};

namespace dim {
inline constexpr Dim kNone{};
inline constexpr Dim kFlop{.flop = 1};
inline constexpr Dim kHardwareFlop{.flop = 1, .kind = Kind::hardware};
inline constexpr Dim kByte{.byte = 1};
inline constexpr Dim kByteMoved{.byte = 1, .kind = Kind::moved};
inline constexpr Dim kSecond{.second = 1};
inline constexpr Dim kUsd{.usd = 1};
inline constexpr Dim kToken{.token = 1};
inline constexpr Dim kDevice{.device = 1};
inline constexpr Dim kJoule{.joule = 1};
inline constexpr Dim kGram{.gram = 1};  // CO2e
inline constexpr Dim kSample{.sample = 1};
inline constexpr Dim kParameter{.parameter = 1};
inline constexpr Dim kNode{.node = 1};
inline constexpr Dim kFlopPerSecond = kFlop / kSecond;
inline constexpr Dim kBytePerSecond = kByte / kSecond;
inline constexpr Dim kDeviceSecond = kDevice * kSecond;
inline constexpr Dim kNodeSecond = kNode * kSecond;
inline constexpr Dim kUsdPerDeviceSecond = kUsd / kDeviceSecond;
inline constexpr Dim kWatt = kJoule / kSecond;
inline constexpr Dim kGramPerJoule = kGram / kJoule;
inline constexpr Dim kFlopPerToken = kFlop / kToken;
}  // namespace dim

// A number of type N (double for speed, Integer for exactness, Traced for explanation) that measures D.
template <Dim D, class N = double>
class Quantity {
 public:
  using Number = N;
  static constexpr Dim kDim = D;

  constexpr Quantity() = default;
  constexpr explicit Quantity(N value) : value_(value) {}
  [[nodiscard]] constexpr const N& value() const { return value_; }

  friend constexpr Quantity operator+(const Quantity& a, const Quantity& b) { return Quantity(a.value_ + b.value_); }
  friend constexpr Quantity operator-(const Quantity& a, const Quantity& b) { return Quantity(a.value_ - b.value_); }
  friend constexpr Quantity operator*(const N& k, const Quantity& q) { return Quantity(k * q.value_); }
  friend constexpr Quantity operator*(const Quantity& q, const N& k) { return Quantity(q.value_ * k); }
  friend constexpr Quantity operator/(const Quantity& q, const N& k) { return Quantity(q.value_ / k); }
  constexpr Quantity& operator+=(const Quantity& b) { return *this = *this + b; }
  friend constexpr bool operator==(const Quantity& a, const Quantity& b) { return a.value_ == b.value_; }
  friend constexpr bool operator<(const Quantity& a, const Quantity& b) { return a.value_ < b.value_; }

 private:
  N value_{};
};

template <Dim A, Dim B, class N>
constexpr auto operator*(const Quantity<A, N>& a, const Quantity<B, N>& b) {
  return Quantity<A * B, N>(a.value() * b.value());
}
template <Dim A, Dim B, class N>
constexpr auto operator/(const Quantity<A, N>& a, const Quantity<B, N>& b) {
  return Quantity<A / B, N>(a.value() / b.value());
}

template <class N = double>
using Flop = Quantity<dim::kFlop, N>;
template <class N = double>
using HardwareFlop = Quantity<dim::kHardwareFlop, N>;
template <class N = double>
using FlopPerSecond = Quantity<dim::kFlopPerSecond, N>;
template <class N = double>
using Byte = Quantity<dim::kByte, N>;
template <class N = double>
using ByteMoved = Quantity<dim::kByteMoved, N>;
template <class N = double>
using BytePerSecond = Quantity<dim::kBytePerSecond, N>;
template <class N = double>
using Second = Quantity<dim::kSecond, N>;
template <class N = double>
using Usd = Quantity<dim::kUsd, N>;
template <class N = double>
using Token = Quantity<dim::kToken, N>;

template <class N = double>
using DeviceSecond = Quantity<dim::kDeviceSecond, N>;
template <class N = double>
using NodeSecond = Quantity<dim::kNodeSecond, N>;
template <class N = double>
using UsdPerDeviceSecond = Quantity<dim::kUsdPerDeviceSecond, N>;
template <class N = double>
using Joule = Quantity<dim::kJoule, N>;
template <class N = double>
using Watt = Quantity<dim::kWatt, N>;
template <class N = double>
using GramCo2e = Quantity<dim::kGram, N>;
template <class N = double>
using Parameter = Quantity<dim::kParameter, N>;
template <class N = double>
using Ratio = Quantity<dim::kNone, N>;

}  // namespace floptally
