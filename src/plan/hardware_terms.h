// The hardware section of a plan as traced terms: achieved rate, price, node size, devices. What the plan leaves out
// comes from the catalogue, marked so, or stays unknown; nothing is assumed.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "hardware/catalogue.h"
#include "plan/names.h"

namespace floptally {

struct HardwareTerms {
  std::optional<Traced> rate;     // FLOP/s of one device
  std::optional<Traced> price;    // USD per device-second
  std::optional<Traced> node;     // devices in a node
  std::optional<Traced> devices;  // that work at the same time
};

// Is this a key of the hardware section (which a line may `set`)?
bool hardware_field(std::string_view name);

class HardwareReader {
 public:
  HardwareReader(const Plan& plan, const Catalogue& catalogue, LetNames& names)
      : plan_(plan), catalogue_(catalogue), names_(names) {}
  // The plan's terms, with those that a line sets in their place. Problems are reported through `names`.
  HardwareTerms terms(const std::vector<PlanEntry>& set, const std::string& line);
  [[nodiscard]] const Diagnostics& notes() const { return notes_; }

 private:
  // Whether the line or the plan names one of these.
  [[nodiscard]] bool gives(const std::vector<PlanEntry>& set, std::initializer_list<std::string_view> names) const;
  std::optional<Traced> term(const std::vector<PlanEntry>& set, const std::string& line, const char* key, Dim dim,
                             const char* what, double bare_scale);
  std::optional<Traced> peak_of(const Device& device);
  std::optional<Traced> price_of(const Device& device);

  const Plan& plan_;
  const Catalogue& catalogue_;
  LetNames& names_;
  Diagnostics notes_;
  std::optional<HardwareTerms> base_;
};

}  // namespace floptally
