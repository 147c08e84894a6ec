// What a device usually costs, from the prices that providers have published.
#include <algorithm>
#include <cmath>
#include <map>

#include "hardware/catalogue.h"
#include "hardware/catalogue_rest.h"

namespace floptally {
namespace {

// Of one device and kind: the latest price of each provider, of the two years before the newest.
std::vector<const Price*> current_prices(const std::vector<Price>& prices, std::string_view device, PriceKind kind) {
  constexpr std::int64_t kTwoYears = 731;
  std::map<std::string_view, const Price*> latest;
  std::int64_t newest = 0;
  for (const Price& price : prices) {
    if (price.device != device || price.kind != kind || price.provider.empty()) continue;
    const Price*& known = latest[price.provider];
    if (known == nullptr || price.date >= known->date) known = &price;
    newest = std::max(newest, price.date.days());
  }
  std::vector<const Price*> found;
  for (const auto& [provider, price] : latest)
    if (price->date.days() >= newest - kTwoYears) found.push_back(price);
  std::sort(found.begin(), found.end(), [](const Price* a, const Price* b) { return a->usd < b->usd; });
  return found;
}

// Standard deviation of the logarithm of providers' prices around each device's mean.
double spread_over_providers(const std::vector<Price>& prices, const std::vector<Device>& devices, PriceKind kind) {
  double squares = 0, freedom = 0;
  for (const Device& device : devices) {
    const std::vector<const Price*> found = current_prices(prices, device.name, kind);
    const double n = static_cast<double>(found.size());
    if (found.size() < 2) continue;
    double sum = 0, sum_of_squares = 0;
    for (const Price* price : found) {
      const double log_usd = std::log(price->usd);
      sum += log_usd;
      sum_of_squares += log_usd * log_usd;
    }
    squares += std::max(0.0, sum_of_squares - sum * sum / n);
    freedom += n - 1;
  }
  return freedom > 0 ? std::sqrt(squares / freedom) : 0;
}

}  // namespace

std::optional<UsualPrice> Catalogue::usual_price(const Device& device, PriceKind kind) const {
  constexpr double kZ95 = 1.6448536269514722;
  const std::vector<const Price*> found = current_prices(prices(), device.name, kind);
  if (found.empty()) return std::nullopt;
  UsualPrice usual;
  usual.providers = found.size();
  usual.usd = std::sqrt(found[(found.size() - 1) / 2]->usd * found[found.size() / 2]->usd);
  const auto k = static_cast<std::size_t>(kind);
  std::call_once(rest_->spread_once[k], [&] { rest_->spread[k] = spread_over_providers(prices(), devices_, kind); });
  const double sigma = rest_->spread[k];
  const double factor = std::exp(kZ95 * sigma * std::sqrt(1 + 1 / static_cast<double>(found.size())));
  usual.low = usual.usd / factor;
  usual.high = usual.usd * factor;
  usual.first = usual.last = found.front()->date;
  for (const Price* price : found) {
    if (price->date.days() < usual.first.days()) usual.first = price->date;
    if (price->date.days() > usual.last.days()) usual.last = price->date;
  }
  return usual;
}

}  // namespace floptally
