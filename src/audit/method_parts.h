// Pieces of the counting methods, shared by the files that count: facts and assumptions as inputs of a trace.
#pragma once

#include "audit/methods.h"

namespace floptally {

// A rate that was stated of one device.
inline constexpr Dim kRatePerDevice = dim::kFlopPerSecond / dim::kDevice;

Traced fact_leaf(Trace& trace, const std::string& name, const Fact& fact);
Traced assumed_leaf(Trace& trace, const std::string& name, Distribution distribution, Dim dim, std::string source,
                    Mark mark = Mark::assumed);

// Whether compute goes by parameters x tokens in that architecture, and how many FLOP one of each costs.
bool by_passes_of_tokens(const std::string& architecture);
int flop_per_parameter(const std::string& architecture);

// Method 1, phase by phase: adds components.
void count_operations(const AuditRun& run, const Assumptions& assumptions, Trace& trace, Methods& out);
// The same facts counted further: a network's own operators, or the attention that 6ND leaves out.
void count_further(const AuditRun& run, Trace& trace, Methods& out);
// Method 2, period by period; and what energy or money say of device-time. `derived`: the utilization was worked out
// from the operation count, so that nothing was lost of it. `hint`: about how many FLOP.
void count_hardware(const AuditRun& run, const Catalogue& catalogue, const Assumptions& assumptions, Trace& trace,
                    double hint, bool derived, Methods& out);

}  // namespace floptally
