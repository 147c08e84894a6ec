// How far memory predictions miss: 90% ranges by class of run (data/evidence/spread.csv, tools/memory_ranges.py).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "training/framework.h"
#include "training/run.h"

namespace floptally {

// What a run's range depends on.
struct RunClass {
  std::string source;              // of the measurement; empty: a run that was not measured
  std::string framework, measure;  // measure: "allocated", "reserved", "nvidia-smi"
  std::string kind;                // see kind_of
};

// "dense tensor+pipeline", "experts expert full" ...
std::string kind_of(const Run& run, bool experts);
// "v100", "a100", ... "other" for a device of no measured generation, "unknown" for none.
std::string generation_of(std::string_view device);

// "generation h100", "precision bf16-mixed" ...; `parameters` of the layers on a rank x tensor ranks, devices 0: not
// known.
std::vector<std::string> regimes_of(const Run& run, std::string_view source, std::string_view framework,
                                    std::string_view measure, double parameters, std::int64_t devices, bool experts);

// 90% range of measured / predicted: exp(-+ scale x factor). A run whose source was not measured has its framework's
// scale and another factor.
Spread memory_spread(const RunClass& run);
// The same with both ends `times` as far away in logarithms.
Spread memory_spread(const RunClass& run, double times);
// The share of a regime's shipped rows ("all": of all) that lie inside ranges made without the row's model; nothing for
// a regime that is not held to a coverage.
std::optional<double> coverage_left_out(std::string_view regime);
// Whether runs of that framework with each feature of that kind (experts, pipeline ...), and of that size (bytes,
// within a factor of two), were measured on any meter; where not, a range should be widened, and say so.
bool memory_measured(std::string_view framework, std::string_view kind, double bytes);

}  // namespace floptally
