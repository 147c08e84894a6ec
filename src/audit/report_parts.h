// Parts of an audit's Book: figures with ranges, inputs with their marks, energy, pictures, the lists of the JSON
// contract.
#pragma once

#include "audit/evaluations.h"
#include "audit/law.h"
#include "audit/published.h"
#include "audit/sensitivity.h"

namespace floptally {

Figure ranged(Evaluations& worlds, const Traced& value);
// Every leaf of the trace: value, range, mark, source.
Table inputs_table(const Trace& trace);
// Energy of the run: stated, or device-time x power x overheads; empty where neither is known.
Table energy_table(const AuditRun& run, const Catalogue& catalogue);
// Stated energy or money that is far from what the devices take in the stated time.
Diagnostics odd_bills(const AuditRun& run, const Catalogue& catalogue);
// Published runs whose utilization was reported independently: what wall-clock time kept of it.
Table wall_clock_table(const PublishedRuns& runs);
// Log compute by date with the thresholds, and the audited run (may be null).
Chart compute_by_date(const PublishedRuns& published, const AuditRun* run, double flop, const Laws& laws);
Chart quantile_dots(Evaluations& worlds, const Traced& flop);
// "methods" and "thresholds" of the answer, as members of a JSON object.
std::string json_lists(const Methods& methods, const std::vector<Assessment>& standings, Evaluations& worlds);

}  // namespace floptally
