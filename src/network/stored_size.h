// The bytes that a network's parameters take where they lie.
#pragma once

#include <optional>

#include "network/network.h"

namespace floptally {

// As the tensor files' headers say, else each parameter in the format that its description names; nothing where a
// format is not known. Tied weights count once.
std::optional<Integer> stored_parameter_bytes(const Network& network);

}  // namespace floptally
