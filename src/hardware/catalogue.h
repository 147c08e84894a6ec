// Catalogue: the devices, prices, overheads and grid carbon under data/hardware and data/carbon, found by forgiving
// names.
//
// A Catalogue is made of text (the embedded tables, or the user's with --data DIR) and never changes afterwards; what
// it returns lives as long as it does. Of the embedded tables only the devices are read at once, the others when they
// are first asked for, since most answers need none of them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "floptally/diagnostic.h"
#include "hardware/device.h"

namespace floptally {

struct CatalogueRest;  // all but the devices

class Catalogue {
 public:
  // The tables, known by the end of their names: hardware/devices.csv, hardware/ceilings.csv, hardware/prices.csv,
  // hardware/overheads.csv, carbon/*.csv. Those that are missing are taken from the binary, so a folder given with
  // --data may hold one table only. Errors (all at once): the CSV reader's; missing-column, bad-number, bad-date,
  // duplicate-name, unknown-device.
  static Result<Catalogue> read(const std::vector<const Source*>& tables);
  // The tables compiled into the binary; read once, on first use. They are tested to be readable.
  static const Catalogue& embedded();

  // Case, spaces and punctuation are forgiven ("h100 sxm" is H100-SXM, "tpuv5p" TPU-v5p), vendor names may lead.
  // Errors: unknown-device (with the nearest names), ambiguous-device (with the candidates: "A100" is four).
  Result<const Device*> find(std::string_view name, Span at = {}) const;
  // Every device that the name may stand for: one where it is a name or alias, several where it is the beginning of
  // several ("H100"), none where it is unknown.
  [[nodiscard]] std::vector<const Device*> matches(std::string_view name) const;
  [[nodiscard]] const std::vector<Device>& devices() const { return devices_; }
  [[nodiscard]] const std::vector<Price>& prices() const;  // by device, then date
  [[nodiscard]] std::vector<const Price*> prices_of(const Device& device) const;
  // The median over providers of their latest prices, of the two years before the newest. The range is log-normal, its
  // spread that of providers' prices around their mean, pooled over all devices that several providers offer, widened
  // for the few that the median itself is taken from (a prediction interval: sigma * sqrt(1 + 1 / providers)).
  [[nodiscard]] std::optional<UsualPrice> usual_price(const Device& device, PriceKind kind) const;
  // The row for the device itself, else for its kind ("gpu"), else for "any".
  [[nodiscard]] const Overhead* overhead(std::string_view quantity, const Device& device) const;
  [[nodiscard]] const Overhead* overhead(std::string_view quantity, std::string_view applies_to) const;
  [[nodiscard]] const std::vector<Overhead>& overheads() const;
  // By key or name, forgiving: "france", "FRA", "gcp/us-central1", "us-central1", "coal". Errors: unknown-region,
  // ambiguous-region ("Georgia" is a country and a state).
  Result<const CarbonRow*> carbon(std::string_view name, Span at = {}) const;
  [[nodiscard]] const std::vector<CarbonRow>& carbon_rows() const;
  // The day the tables were put together: ages are counted from it, never from a clock.
  [[nodiscard]] Date date() const { return date_; }

 private:
  friend class CatalogueReader;
  std::vector<Device> devices_;
  std::shared_ptr<CatalogueRest> rest_;
  std::map<std::string, std::vector<std::size_t>, std::less<>> names_;  // folded name -> devices
  Date date_;
};

// Lower case, letters and digits only: "A100-SXM4 80 GB" is "a100sxm480gb".
std::string folded_name(std::string_view name);

}  // namespace floptally
