// The parts of a device's peak as expressions that `explain` can open: parameters x bytes / ranks, micro-batches x
// bytes.
#pragma once

#include "book/trace.h"
#include "estimate/memory.h"

namespace floptally {

// The bytes that `peak` holds for `what`. Its value is peak[what]: where the parts do not give that (something rarer
// plays a role), it is the number alone.
Traced part_of(Trace& trace, Holds what, const DeviceMemory& peak, const RankParts& parts, const Run& run);

}  // namespace floptally
