#include "network/formats/onnx/rules.h"

#include <algorithm>
#include <vector>

#include "network/formats/onnx/model.h"

namespace floptally::onnx {
namespace {

// Every row, sorted by name and domain.
const std::vector<const Rule*>& table() {
  static const std::vector<const Rule*> sorted = [] {
    std::vector<const Rule*> all;
    for (const Rule* part : {kElementwiseRules, kShapeRules, kMovementRules, kMatrixRules, kConvolutionRules,
                             kReductionRules, kRecurrentRules, kQuantizedRules, kContribRules, kControlRules,
                             kDetectionRules, kMicrosoftRules, kStateRules})
      for (; !part->name.empty(); ++part) all.push_back(part);
    std::sort(all.begin(), all.end(), [](const Rule* a, const Rule* b) {
      return a->name != b->name ? a->name < b->name : a->domain < b->domain;
    });
    return all;
  }();
  return sorted;
}

}  // namespace

std::uint16_t find_rule(std::string_view domain, std::string_view name) {
  if (domain == "ai.onnx") domain = {};
  const auto& all = table();
  auto at =
      std::lower_bound(all.begin(), all.end(), name, [](const Rule* r, std::string_view n) { return r->name < n; });
  for (; at != all.end() && (*at)->name == name; ++at)
    if ((*at)->domain == domain) return static_cast<std::uint16_t>(at - all.begin());
  return kNoRule;
}

const Rule& rule_at(std::uint16_t index) { return *table()[index]; }

std::uint16_t rule_count() { return static_cast<std::uint16_t>(table().size()); }

}  // namespace floptally::onnx
