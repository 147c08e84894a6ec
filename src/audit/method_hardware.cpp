#include <algorithm>
#include <cmath>

#include "audit/method_parts.h"

namespace floptally {
namespace {

constexpr const char* kTime = "Sevilla et al. 2022, method 2: time x devices x peak x utilization";

// Devices, time and rate, period by period; and what energy or money say of device-time.
class Hardware {
 public:
  // `derived`: the utilization was worked out from the operation count, so that nothing was lost of it.
  Hardware(const AuditRun& run, const Catalogue& catalogue, const Assumptions& assumptions, Trace& trace,
           double flop_hint, bool derived)
      : run_(run),
        catalogue_(catalogue),
        assumptions_(assumptions),
        trace_(trace),
        hint_(flop_hint),
        derived_(derived) {}

  void count(Methods& out) {
    std::vector<Traced> by_time, by_energy, by_cost;
    bool guessed = false;
    for (const Period& period : run_.hardware) {
      bool guess = false;
      const std::optional<Traced> rate = achieved(period, guess);
      if (!rate) continue;
      if (const std::optional<Traced> time = device_time(period)) {
        by_time.push_back(
            trace_.name(at(period) + "work of the hardware", *time * *rate * stated_residual(period, guess), kTime));
        guessed = guessed || guess;
        continue;  // device-time is stated: energy and money say less of it
      }
      if (const std::optional<Traced> time = time_from_energy(period)) by_energy.push_back(*time * *rate);
      if (const std::optional<Traced> time = time_from_cost(period)) by_cost.push_back(*time * *rate);
    }
    add(out, "hardware", "devices x time x peak x utilization", by_time, guessed);
    add(out, "energy", "energy / power of a device x peak x utilization", by_energy, true);
    add(out, "cost", "money / price of a device-hour x peak x utilization", by_cost, true);
  }

 private:
  [[nodiscard]] std::string at(const Period& period) const {
    if (run_.hardware.size() < 2) return {};
    return (period.name.empty() ? "period " + std::to_string(&period - run_.hardware.data() + 1) : period.name) + ": ";
  }

  void add(Methods& out, std::string name, std::string formula, const std::vector<Traced>& parts, bool guessed) {
    if (parts.empty()) return;
    Traced total = trace_.sum(parts);
    if (run_.base_flop) total = total + fact_leaf(trace_, "base model", *run_.base_flop);
    out.methods.push_back({std::move(name), std::move(formula), total, {}, {}, guessed});
  }

  std::optional<Traced> device_time(const Period& p) {
    if (p.device_seconds) return fact_leaf(trace_, at(p) + "device-hours", *p.device_seconds);
    if (!p.devices || !p.seconds) return std::nullopt;
    const Traced devices = fact_leaf(trace_, at(p) + "devices", *p.devices);
    return devices * fact_leaf(trace_, at(p) + "time", *p.seconds);
  }

  // The peak that is stated, else the catalogue's; where the device's variants differ in theirs, one of them.
  std::optional<Traced> peak_rate(const Period& p) {
    if (p.peak) return fact_leaf(trace_, at(p) + "peak", *p.peak);
    const std::optional<double> catalogued = peak_of(p);
    if (!catalogued) return std::nullopt;
    const std::string format(name_of(p.format ? *p.format : *p.device->training_arithmetic()));
    std::vector<double> peaks;
    for (const Device* variant : p.variants) {
      Period other = p;
      other.device = variant;
      if (const std::optional<double> each = peak_of(other)) peaks.push_back(*each);
    }
    constexpr double kSame = 1.001;  // figures of one chip that vendors round differently
    const auto [least, most] = std::minmax_element(peaks.begin(), peaks.end());
    const bool several = peaks.size() > 1 && *most > kSame * *least;
    return assumed_leaf(
        trace_, at(p) + "dense " + format + " peak of " + p.device->name + (several ? " or its variants" : ""),
        several ? Distribution::either(std::move(peaks)) : Distribution::point(*catalogued), kRatePerDevice,
        "data/hardware/devices.csv:" + std::to_string(p.device->row) + ", " + p.device->source,
        several ? Mark::assumed : Mark::catalogue);
  }

  std::optional<Traced> achieved(const Period& p, bool& guessed) {
    if (p.rate) return fact_leaf(trace_, at(p) + "rate", *p.rate);
    const std::optional<Traced> peak = peak_rate(p);
    if (!peak) return std::nullopt;
    Traced utilization;
    if (p.utilization) {
      utilization = fact_leaf(trace_, at(p) + "utilization", *p.utilization);
    } else {
      guessed = true;
      utilization = guessed_utilization(p);
    }
    if (p.hardware_flop) {
      utilization =
          utilization * assumed_leaf(trace_, "model FLOP in hardware FLOP", Distribution::range(0.8, 0.74, 0.99, true),
                                     dim::kNone, "6 of 8 FLOP with all activations recomputed, 6 of 6 with none");
    }
    return *peak * utilization;
  }

  Traced guessed_utilization(const Period& p) {
    const bool language = run_.domain == "language" || run_.domain == "multimodal";
    if (run_.utilization_option == "article") {
      constexpr double kMost = 0.97;  // no run keeps a device busier
      const double value = language ? assumptions_.article_language : assumptions_.article_other;
      return assumed_leaf(trace_, at(p) + "utilization",
                          Distribution::range(value, value / 2, std::min(2 * value, kMost), true), dim::kNone,
                          "Sevilla et al. 2022: 30% for language models, 40% for others; within a factor of 2");
    }
    return assumed_leaf(trace_, at(p) + "utilization", assumptions_.utilization(hint_, run_, p.device), dim::kNone,
                        "data/audit/utilization.csv, fitted on published runs");
  }

  // A utilization of good steps times the hours of the whole run is too much work: restarts, stalls, smaller phases.
  Traced stated_residual(const Period& p, bool guessed) {
    if (guessed || p.rate) return Traced(1.0);
    Distribution kept = assumptions_.residual("hardware-stated", hint_);
    if (p.of_steps && !derived_) {
      kept.best = kept.quantile(0.5);
      return assumed_leaf(trace_, "kept of the utilization over the whole time", std::move(kept), dim::kNone,
                          "data/audit/residuals.csv: published runs that report both");
    }
    if (run_.own_records) return Traced(1.0);
    const double half = kept.quantile(0.95) / kept.quantile(0.5);
    return assumed_leaf(trace_, "published over hardware count", Distribution::range(1, 1 / half, half), dim::kNone,
                        "data/audit/residuals.csv");
  }

  Traced overhead(const Period& p, const char* quantity, double low, double high) {
    const Overhead* row = p.device ? catalogue_.overhead(quantity, *p.device) : catalogue_.overhead(quantity, "any");
    const double value = row ? row->value : 1;
    return assumed_leaf(
        trace_, quantity,
        Distribution::range(value, row && row->low ? *row->low : value * low,
                            row && row->high ? *row->high : value * high),
        dim::kNone,
        row ? "data/hardware/overheads.csv:" + std::to_string(row->row) + ", " + row->source : std::string());
  }

  std::optional<Traced> time_from_energy(const Period& p) {
    if (!p.joules || !p.device || !p.device->watts) return std::nullopt;
    Traced power = assumed_leaf(trace_, at(p) + "power of " + p.device->name, Distribution::point(*p.device->watts),
                                dim::kWatt / dim::kDevice, "data/hardware/devices.csv:" + std::to_string(p.device->row),
                                Mark::catalogue);
    power = power * overhead(p, "server-power-ratio", 0.8, 1.2);
    power = power * overhead(p, "load-fraction", 0.8, 1.25);
    power = power * overhead(p, "pue", 0.9, 1.3);
    return fact_leaf(trace_, at(p) + "energy", *p.joules) / power;
  }

  std::optional<Traced> time_from_cost(const Period& p) {
    if (!p.usd) return std::nullopt;
    if (p.price) {
      const Traced cost = fact_leaf(trace_, at(p) + "cost", *p.usd);
      return cost / fact_leaf(trace_, at(p) + "price", *p.price);
    }
    if (!p.device) return std::nullopt;
    std::vector<double> near;
    for (const Price* price : catalogue_.prices_of(*p.device)) {
      if (price->kind == PriceKind::purchase || price->kind == PriceKind::spot) continue;
      if (run_.date.known() && std::abs(static_cast<double>(price->date.days() - run_.date.days())) > 550) continue;
      near.push_back(price->usd / 3600);
    }
    if (near.size() < 2) return std::nullopt;
    std::sort(near.begin(), near.end());
    const Traced price = assumed_leaf(
        trace_, at(p) + "price of " + p.device->name, Distribution::samples(near), dim::kUsdPerDeviceSecond,
        std::to_string(near.size()) + " rows of data/hardware/prices.csv near the run's date", Mark::catalogue);
    return fact_leaf(trace_, at(p) + "cost", *p.usd) / price;
  }

  const AuditRun& run_;
  const Catalogue& catalogue_;
  const Assumptions& assumptions_;
  Trace& trace_;
  double hint_;
  bool derived_;
};

}  // namespace

void count_hardware(const AuditRun& run, const Catalogue& catalogue, const Assumptions& assumptions, Trace& trace,
                    double hint, bool derived, Methods& out) {
  Hardware(run, catalogue, assumptions, trace, hint, derived).count(out);
}

}  // namespace floptally
