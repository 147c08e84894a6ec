// The formula behind an op's numbers: its cost function run over traced attributes, so that what is explained is the
// line of code that counted.
#pragma once

#include <optional>
#include <string>

#include "book/trace.h"
#include "network/op.h"

namespace floptally {

enum class CostPart { parameters, forward, backward };

// `value` = copies * a sum of parts of the op's cost, as a formula over its attributes (leaves called "<path>:
// <attribute>"), with the attention pairs of `rules`. Nothing where no such sum gives exactly `value` (a convention
// that counts otherwise). `copies` counts the repeats of the blocks around the op; its own `times` is added where it
// applies.
std::optional<Traced> derive(Trace& trace, const std::string& path, const Op& op, const Rules& rules, CostPart part,
                             Integer copies, Integer value);

}  // namespace floptally
