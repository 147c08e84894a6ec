#include "plan/hardware_terms.h"

#include <algorithm>

#include "book/leaf.h"
#include "plan/plan_tables.h"
#include "quantity/print.h"

namespace floptally {
namespace {

constexpr double kPerHour = 1.0 / 3600;

Traced catalogue_value(Trace& trace, std::string name, double value, std::optional<Integer> exact, Dim dim,
                       std::string source) {
  Leaf leaf;
  leaf.name = std::move(name);
  leaf.distribution = Distribution::point(value);
  leaf.exact = exact;
  leaf.dim = dim;
  leaf.mark = Mark::catalogue;
  leaf.source = std::move(source);
  return trace.leaf(std::move(leaf));
}

}  // namespace

bool hardware_field(std::string_view name) { return plan_tables::kHardware.find(name) != nullptr; }

std::optional<Traced> HardwareReader::term(const std::vector<PlanEntry>& set, const std::string& line, const char* key,
                                           Dim dim, const char* what, double bare_scale) {
  const auto checked = [&](std::optional<Traced> value, const PlanEntry& entry) {
    const bool free = dim == dim::kUsdPerDeviceSecond;  // a price may be 0
    if (value && (free ? value->value() < 0 : value->value() <= 0))
      names_.report(error("negative-count",
                          "'" + entry.name + "' is " + (free ? "0 or more" : "above 0") + ", found " +
                              quantity_text(value->value(), value->dim()),
                          entry.value.place));
    return value;
  };
  for (const PlanEntry& each : set)
    if (each.name == key)
      return checked(scalar_of(names_, each.value, line + ": " + key, dim, what, bare_scale, line), each);
  for (const PlanEntry& each : plan_.hardware)
    if (each.name == key)
      return checked(scalar_of(names_, each.value, std::string("hardware.") + key, dim, what, bare_scale), each);
  return std::nullopt;
}

std::optional<Traced> HardwareReader::peak_of(const Device& device) {
  std::optional<Arithmetic> format = device.training_arithmetic();
  if (!plan_.precision.empty()) {
    format = arithmetic_named(plan_.precision);
    if (!format) {
      names_.report(error("unknown-word", "'" + plan_.precision + "' is no number format of a peak",
                          plan_.precision_place, "bf16, fp16, tf32, fp8, fp4, fp32 ..."));
      return std::nullopt;
    }
  }
  if (!format || !device.peak_of(*format)) {
    names_.report(error(
        "missing-key",
        "the catalogue has no " + (plan_.precision.empty() ? "peak" : plan_.precision + " peak") + " of " + device.name,
        plan_.device_place, "give hardware: {peak: ... TFLOP/s} or a rate"));
    return std::nullopt;
  }
  const double peak = *device.peak_of(*format);
  return catalogue_value(names_.trace(), "peak of " + device.name + ", dense " + std::string(name_of(*format)), peak,
                         Integer::from_double(peak), dim::kFlopPerSecond,
                         "data/hardware/devices.csv:" + std::to_string(device.row) + ", " + device.source);
}

std::optional<Traced> HardwareReader::price_of(const Device& device) {
  const std::optional<UsualPrice> usual = catalogue_.usual_price(device, PriceKind::on_demand);
  if (!usual) return std::nullopt;
  Leaf leaf;
  leaf.name = "price of " + device.name;
  leaf.distribution = Distribution::range(usual->usd * kPerHour, usual->low * kPerHour, usual->high * kPerHour);
  leaf.dim = dim::kUsdPerDeviceSecond;
  leaf.mark = Mark::catalogue;
  const std::string dates =
      usual->first.to_string() + (usual->last == usual->first ? "" : " to " + usual->last.to_string());
  leaf.source =
      (usual->providers == 1 ? "the price on demand of one provider, "
                             : "median price on demand of " + std::to_string(usual->providers) + " providers, ") +
      dates + ", data/hardware/prices.csv";
  return names_.trace().leaf(std::move(leaf));
}

bool HardwareReader::gives(const std::vector<PlanEntry>& set, std::initializer_list<std::string_view> names) const {
  for (const std::vector<PlanEntry>* entries : {&set, &plan_.hardware})
    for (const PlanEntry& each : *entries)
      if (std::find(names.begin(), names.end(), each.name) != names.end()) return true;
  return false;
}

HardwareTerms HardwareReader::terms(const std::vector<PlanEntry>& set, const std::string& line) {
  bool own = false;
  for (const PlanEntry& each : set) {
    own = own || hardware_field(each.name);
    if (each.name == "device" || each.name == "precision")
      names_.report(error("unknown-axis", "'" + each.name + "' cannot be set in a line", each.key,
                          "set its rate, price and node instead"));
  }
  if (!own && base_) return *base_;
  HardwareTerms out;
  if (!plan_.hardware_place && !own) return *(base_ = out);
  const Device* device = nullptr;
  if (!plan_.device.empty()) {
    Result<const Device*> found = catalogue_.find(plan_.device, plan_.device_place);
    if (found)
      device = *found;
    else if (!base_)
      for (Diagnostic& each : found.take_problems()) names_.report(std::move(each));
  }
  out.rate = term(set, line, "rate", dim::kFlopPerSecond, "an achieved rate such as 350 TFLOP/s", 0);
  std::optional<Traced> share = term(set, line, "mfu", {}, "a share of the peak such as 38%", 1);
  if (!share) share = term(set, line, "utilization", {}, "a share of the peak such as 38%", 1);
  std::optional<Traced> peak = term(set, line, "peak", dim::kFlopPerSecond, "a peak rate such as 989 TFLOP/s", 0);
  const bool has_rate = gives(set, {"rate"}), has_share = gives(set, {"mfu", "utilization"});
  if (!has_rate && share) {
    if (!peak && device != nullptr) peak = peak_of(*device);
    if (peak)
      out.rate = *peak * *share;
    else if (plan_.device.empty() && !base_)
      names_.report(error("missing-key", "a utilization needs a 'device' or a 'peak'", plan_.hardware_place,
                          "hardware: {device: H100-SXM, mfu: 38%}"));
  }
  if (!has_rate && !has_share && !base_)
    names_.report(error("missing-key", "'rate' or 'mfu' is missing here", plan_.hardware_place,
                        "add 'rate: 350 (300 to 400) TFLOP/s', what one device achieves, or 'mfu: 38% (30% to 45%)', "
                        "its share of the peak"));
  out.price = term(set, line, "price", dim::kUsdPerDeviceSecond,
                   "a price per device and hour, such as 2.5 USD/device-hour", kPerHour);
  if (!gives(set, {"price"}) && device != nullptr) out.price = price_of(*device);
  out.node = term(set, line, "node", dim::kDevice / dim::kNode, "a number of devices", 1);
  if (!out.node && device != nullptr && device->per_node > 0)
    out.node = catalogue_value(names_.trace(), "devices in a node of " + device->name,
                               static_cast<double>(device->per_node), Integer(static_cast<long>(device->per_node)),
                               dim::kDevice / dim::kNode, "data/hardware/devices.csv:" + std::to_string(device->row));
  out.devices = term(set, line, "devices", dim::kDevice, "a number of devices", 1);
  if (!base_ && !own) base_ = out;
  return out;
}

}  // namespace floptally
