// Layer-wise memory profiles (Galvatron): model states of one device for several layer counts. The difference is what
// one layer costs, whatever else the device holds.
#pragma once

#include "base/csv.h"
#include "evidence/card.h"

namespace floptally {

// Columns family, model, strategy (pp_tp_dp ...), n_layers, quantity, mib.
bool is_layer_profile(const Csv& csv);
// Every group of profiles that differ in n_layers alone is one measurement; what cannot be told apart is left out by
// its reason. `find` is asked for models that are named without their sizes.
MemoryCard layer_profile_card(const Csv& csv, const FindModel& find);

}  // namespace floptally
