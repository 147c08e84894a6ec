// What must not compile. Without a macro this file compiles; with -DCASE_<NAME> one more line does not.
// Each case's line is marked "// fails: <text that the compiler's message holds>".
#include "floptally/diagnostic.h"
#include "floptally/quantity.h"

namespace floptally {

Result<int> answer() { return 42; }

double everything_that_compiles() {
  const Flop<> flop{6e23};
  const Byte<> held{80e9};
  const ByteMoved<> moved{3e12};
  const HardwareFlop<> executed{8e23};
  const Second<> time{3600};
  Usd<> money{2};
  const FlopPerSecond<> rate = flop / time;  // a quotient has its own unit
  const auto total = flop + flop;
  money += 3.0 * money;
#ifdef CASE_FLOP_PLUS_BYTE
  const auto sum = flop + held;  // fails: no match for 'operator+'
#endif
#ifdef CASE_USD_PLUS_SECOND
  const auto sum = money + time;  // fails: no match for 'operator+'
#endif
#ifdef CASE_HELD_PLUS_MOVED
  const auto sum = held + moved;  // fails: no match for 'operator+'
#endif
#ifdef CASE_MODEL_PLUS_HARDWARE_FLOP
  const auto sum = flop + executed;  // fails: no match for 'operator+'
#endif
#ifdef CASE_FLOP_IS_NO_RATE
  const FlopPerSecond<> wrong = flop;  // fails: conversion from
#endif
#ifdef CASE_BARE_DOUBLE_INTO_USD
  money = 2.5;  // fails: no match for 'operator='
#endif
#ifdef CASE_USD_INTO_DOUBLE
  const double bare = money;  // fails: cannot convert
#endif
#ifdef CASE_COMPARE_UNLIKE
  if (flop < held) return 0;  // fails: no match for 'operator<'
#endif
#ifdef CASE_IGNORED_RESULT
  answer();  // fails: nodiscard
#endif
  const Result<int> kept = answer();
  return total.value() + rate.value() + moved.value() + held.value() + executed.value() + money.value() +
         (kept ? *kept : 0);
}

}  // namespace floptally
