// What a Catalogue holds beside its devices; each part is made when it is first asked for.
#pragma once

#include <mutex>
#include <vector>

#include "hardware/catalogue.h"

namespace floptally {

struct CatalogueRest {
  std::once_flag prices_once, overheads_once, carbon_once;
  std::vector<Price> prices;
  std::vector<Overhead> overheads;
  std::vector<CarbonRow> carbon;
  bool own_devices = false;  // devices.csv is the user's
  // By kind of price: how far providers lie apart, as the standard deviation of a price's logarithm.
  std::once_flag spread_once[kPriceKindNames.size()];
  double spread[kPriceKindNames.size()] = {};
};

}  // namespace floptally
