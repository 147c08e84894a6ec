// LayerBytes: what one layer of a layer-wise profile (Galvatron) holds on one device: its states, and what it keeps for
// the backward pass.
//
// Always holds: sizes come from the profile's name or its family's published rules; code that cannot be told from the
// profile is taken from data/evidence/profiles.csv by source.
#pragma once

#include <cstdint>
#include <string>

#include "evidence/row.h"

namespace floptally {

// One profile, whatever its layer counts.
struct LayerProfile {
  std::string family, model, strategy, source;
  std::int64_t batch = 0, sequence = 0;  // samples of a step over all devices, tokens of one; 0: not said
  std::int64_t pipeline = 1, tensor = 1, data = 1;
  bool sequence_parallel = false, checkpointed = false;
};
// Reads the strategy ("1_2_4_c_sp": stages, tensor ranks, data ranks, flags). False: it is none.
bool read_strategy(LayerProfile& profile);

struct LayerBytes {
  double states = 0;  // weights, gradients, master copies and optimizer states
  double kept = 0;    // for the backward pass, of one step's samples; 0: `unkept` says why
  std::string reason, unkept;
};
LayerBytes layer_bytes(const LayerProfile& profile, const FindModel& find);

}  // namespace floptally
