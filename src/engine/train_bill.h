// What a run's compute takes of time and money, where the file says how fast its devices are; and what it may cost.
//
// Always holds: nothing is assumed here. Without a stated rate or utilization there is no time, without a stated price
// no money.
#pragma once

#include "engine/train_answer.h"

namespace floptally {

// The amount under `key` as an input of the trace, its range included; `otherwise` where there is none. A bare number
// counts `scale` of `dim`.
Traced run_input(Trace& trace, const Node& record, std::string_view key, Dim dim, double scale, double otherwise);

// Adds device_hours, training_seconds and usd of `flop` to the headlines, as far as the file tells.
void add_bill(Ledger& ledger, const TrainQuestion& question, const Traced& flop);

// Adds usd of that device-time, where a price is stated.
void add_price(Ledger& ledger, const Node& hardware, const Traced& device_time);

// `expect: {flop: ...}` and `limits: {usd, days, flop, device_hours}` against the finished totals; a miss makes the
// answer "no".
void check_totals(const TrainQuestion& question, Book& book);

}  // namespace floptally
