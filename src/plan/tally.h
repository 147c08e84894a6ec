// tally_plan: a plan becomes a Book: a row per subset and per line, totals computed from them, checks of `expect` and
// `limits`, where the ranges come from.
//
// Accounts have the cells runs, flop, tokens, device_hours, node_hours and usd (those that the plan gives the means
// for). Definitions: device-time = FLOP / rate x (1 + overhead) x (1 + reserve); money = device-time x price; a line's
// FLOP are those of its runs / (1 - fail), because a failed run is run again to its end.
#pragma once

#include "book/worlds.h"
#include "floptally/book.h"
#include "hardware/catalogue.h"
#include "plan/plan.h"

namespace floptally {

struct TallyOptions {
  std::string by;                           // split by an axis instead of by subset
  std::uint32_t worlds = Worlds::kDefault;  // that ranges are read from; 0: best guesses only
  bool keep_worlds = false;                 // of the headlines, for comparing answers
};

Result<Book> tally_plan(const Plan& plan, const TallyOptions& options, const Catalogue& catalogue, Sources& sources);

}  // namespace floptally
