// Device, Link, Price: what the catalogue knows of an accelerator, each fact with its source and date.
//
// Always holds: a peak is dense (no 2:4 sparsity) and counted per *device*, the unit that vendors sell, clouds rent and
// software sees as one accelerator: one GPU, one TPU chip (not core, not board), one MI250X package (two dies), one
// Gaudi card, one GB200 GPU (half a superchip of two). A bandwidth is in bytes per second in one direction, per device.
// What is not known is absent, never 0.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/date.h"

namespace floptally {

// The number formats in which a matrix unit multiplies; fp4 is OCP MXFP4 (or plain E2M1), nvfp4 NVIDIA's block format.
enum class Arithmetic : std::uint8_t { fp64, fp32, tf32, fp16, bf16, fp8, fp6, fp4, nvfp4, int8, int4 };
inline constexpr std::size_t kArithmetics = 11;
inline constexpr std::array<std::string_view, kArithmetics> kArithmeticNames = {
    "fp64", "fp32", "tf32", "fp16", "bf16", "fp8", "fp6", "fp4", "nvfp4", "int8", "int4"};
[[nodiscard]] constexpr std::string_view name_of(Arithmetic a) { return kArithmeticNames[static_cast<std::size_t>(a)]; }
// "bf16", "BF16", "bfloat16", "float16", "half", "mxfp8", "e4m3" ...; nothing for a format that is not one of these.
[[nodiscard]] std::optional<Arithmetic> arithmetic_named(std::string_view text);

// One tier of the network as a single device sees it.
struct Link {
  std::string kind;                        // "NVLink 4", "ICI", "InfiniBand NDR"; empty: not known
  std::optional<double> bytes_per_second;  // one direction, all ports of the device together
  std::int64_t domain = 0;                 // devices that reach each other over this tier; 0: not known
};

struct Device {
  std::string name;    // "H100-SXM": as vendors write it, with the form factor
  std::string vendor;  // "NVIDIA"
  std::string kind;    // "gpu", "tpu", "npu", "wafer"
  Date release;
  std::array<std::optional<double>, kArithmetics> peak;  // dense FLOP/s (int8, int4: op/s) of the fastest unit for it
  std::array<std::optional<double>, kArithmetics> ceiling;  // best matmul rate anyone measured, FLOP/s (ceilings.csv)
  std::optional<double> vector_fp32;                        // FLOP/s of the ordinary (non-tensor) fp32 units
  std::optional<double> memory_bytes;  // whole capacity: "80 GB" is sold as 80 GiB; the driver keeps about 1%
  std::optional<double> memory_bytes_per_second;
  Link scale_up;                     // inside the node or pod: NVLink, xGMI, ICI
  Link scale_out;                    // between nodes, share of one device
  std::optional<double> watts;       // thermal design power of the device
  std::int64_t per_node = 0;         // devices in the usual node; 0: not known
  std::vector<std::string> aliases;  // other names people write
  std::string source;                // where the row's numbers stand
  Date source_date;                  // of that source
  std::string note;
  std::int64_t row = 0;  // line of data/hardware/devices.csv

  [[nodiscard]] std::optional<double> peak_of(Arithmetic a) const { return peak[static_cast<std::size_t>(a)]; }
  [[nodiscard]] std::optional<double> ceiling_of(Arithmetic a) const { return ceiling[static_cast<std::size_t>(a)]; }
  // The format whose peak training is counted against: bf16, else fp16 where a matrix unit multiplies it (at least four
  // times the fp32 rate), else tf32, else fp32.
  [[nodiscard]] std::optional<Arithmetic> training_arithmetic() const;
  // "an H100-SXM", "a TPU-v4": with the article it is spoken with.
  [[nodiscard]] std::string with_article() const;
};

enum class PriceKind : std::uint8_t { on_demand, spot, reserved_1y, reserved_3y, purchase };
inline constexpr std::array<std::string_view, 5> kPriceKindNames = {"on-demand", "spot", "reserved-1y", "reserved-3y",
                                                                    "purchase"};

struct Price {
  std::string device;  // a Device's name
  PriceKind kind = PriceKind::on_demand;
  double usd = 0;  // per device-hour; for a purchase per device
  Date date;
  std::string provider;  // "Lambda", "AWS"; empty for a list or market price
  std::string region;
  std::string covers;  // "instance", "device", "server share"
  std::string source;
  std::string note;
  std::int64_t row = 0;  // line of data/hardware/prices.csv
};

// What a device usually costs: the median over providers of the latest price each has published, and the 90% range in
// which one more provider's price would lie.
struct UsualPrice {
  double usd = 0, low = 0, high = 0;
  std::size_t providers = 0;
  Date first, last;  // when they were published
};

// A ratio or amount that belongs to a class of devices rather than to one: data/hardware/overheads.csv.
struct Overhead {
  std::string quantity;    // "server-power-ratio", "pue", "interconnect-cost-share" ...
  std::string applies_to;  // a device name, "tpu", "gpu", a provider, or "any"
  double value = 0;
  std::optional<double> low, high;  // a 90% range, where one is stated
  std::string unit;
  std::string source;
  Date date;
  std::string note;
  std::int64_t row = 0;
};

// Grid carbon intensity and power usage effectiveness of a country, cloud region or energy source: data/carbon/*.csv.
struct CarbonRow {
  std::string kind;                     // "country", "region", "source", "zone"
  std::string key;                      // "FRA", "gcp/europe-west9", "coal"
  std::string name;                     // "France", "Paris"
  std::optional<double> grams_per_kwh;  // CO2e
  std::optional<double> pue;
  int year = 0;  // of the measurement; 0: not stated
  std::string source;
  std::int64_t row = 0;
};

}  // namespace floptally
