// The table "What the closed formulas say" of `floptally train`.
#pragma once

#include "floptally/book.h"
#include "network/count.h"
#include "network/network.h"
#include "training/layout.h"
#include "training/run.h"

namespace floptally {

Table textbook_table(const Network& network, const Run& run, const Measure<Integer>& total, const Divisors& divisors);
// Where only the number of parameters is known: the formulas for states.
Table textbook_table(double parameters, const Run& run);

}  // namespace floptally
