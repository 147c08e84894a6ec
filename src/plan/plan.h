// Plan: a programme of training runs as the user wrote it (docs: the plan language), parsed but not yet counted.
//
//   plan file (YAML or JSON), W&B sweep, Hydra overrides or a CSV of runs  ->  Plan  ->  tally_plan() (plan/tally.h)
//
// Always holds: every part remembers its place; expressions are parsed; names are not resolved yet.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/sources.h"
#include "document/document.h"
#include "plan/expression.h"
#include "plan/whole_numbers.h"

namespace floptally {

// A key with the expression under it.
struct PlanEntry {
  std::string name;
  Span key;
  Expression value;
};

// What multiplies a line: a number, a list (its length counts) or a map of these (which adds up).
struct PlanFactor {
  std::string name;
  Span key, place;
  std::optional<Expression> value;  // a number or a list
  std::vector<PlanFactor> parts;    // of a map
};

struct PlanLine {
  std::string id, note, source;
  Span place;
  std::vector<PlanEntry> over;              // axes; fields of the model or of the run
  std::vector<std::vector<PlanEntry>> zip;  // groups of axes that go together; "times" in a group counts per element
  std::vector<PlanFactor> times;
  std::vector<PlanEntry> set;  // fields of this line alone
  std::optional<Expression> fail, reserve, overhead;
  // Rows of a table of runs (CSV): `columns` are fields, one value per run in row order; counted like one long zip.
  std::vector<std::string> columns;
  WholeNumbers table;
  WholeNumbers table_counts;  // how many runs each row stands for; empty: one each
};

struct PlanSubset {
  std::string name;
  Span place;
  std::vector<PlanLine> lines;
};

struct PlanExpectation {
  std::string key;  // "flop", "usd", "runs", "device_hours", "node_hours", "tokens", "days"; limits also "devices"
  Span place;
  Amount amount;
};

struct Plan {
  std::string name;  // of the file
  std::string title, note;
  std::vector<std::pair<std::string, std::string>> refs;
  std::vector<PlanEntry> hardware;  // rate, price, mfu ... as expressions; `device` and `precision` below
  std::string device, precision;
  Span hardware_place, device_place, precision_place;
  std::vector<PlanEntry> let;
  // Model: fields that are sizes stand in `fields` with those of train; words stand here.
  std::vector<PlanEntry> fields;
  std::string kind;  // "decoder", "" where a config or a bare number of parameters describes the model
  std::string from;  // a config file, a model file or a shipped model
  Span model_place, kind_place, from_place, count_place;
  bool gated = false, tied = false;
  bool imported = false;  // a sweep or a table of runs, which says not what its runs are: --plan does
  std::string norm = "none", positions = "none";
  std::vector<std::pair<std::string, Span>> count_flop, count_parameters;
  std::vector<PlanSubset> subsets;
  std::vector<PlanExpectation> expect, limits;
  std::optional<Expression> fail, reserve, overhead;
  Diagnostics notes;
  Diagnostics
      problems;  // mistakes found while reading; tally_plan() adds its own and refuses the plan with all of them
};

// A plan file. Every mistake is kept in Plan::problems (unknown-key, missing-key, wrong-type, empty-runs,
// bad-expression
// ...); fails only where there is no mapping to read.
Result<Plan> read_plan(const Node& root);

// Is this document a Weights & Biases sweep (it has `parameters:` and no `plan:`)?
bool is_wandb_sweep(const Node& root);
// A sweep as one line of `base` (which gives hardware, model and train): its parameters that are fields become axes,
// the others factors. Grid, random and Bayesian; the last two ask for `run_cap` (error missing-run-cap).
Result<Plan> import_wandb(const Node& sweep, Plan base);
// Hydra's multirun overrides ("model.width=512,1024 seed=range(0,5)") as one more line of `base`.
Result<Plan> import_hydra(std::string_view overrides, Plan base, Sources& sources);
// A CSV with one run a row: columns that are fields, `runs` (how often), `subset`, `note`; others are ignored with a
// note.
Result<Plan> import_runs_csv(const Source& source, Plan base);

// The fields a line may set or sweep, in a fixed order.
enum class FieldId : std::uint8_t {
  layers,
  width,
  head_dim,
  heads,
  kv_heads,
  ffn,
  vocab,
  experts,
  top_k,
  expert_ffn,
  shared_ffn,
  dense_first,
  moe_every,
  window,
  parameters,
  active_parameters,
  flop_per_token,  // of a model given by numbers
  steps,
  batch,
  sequence,
  tokens,
  flop,  // of the run
  count_,
};
inline constexpr std::size_t kFieldCount = static_cast<std::size_t>(FieldId::count_);
inline constexpr std::string_view kFieldNames[kFieldCount] = {
    "layers",         "width",      "head_dim",   "heads",
    "kv_heads",       "ffn",        "vocab",      "experts",
    "top_k",          "expert_ffn", "shared_ffn", "dense_first",
    "moe_every",      "window",     "parameters", "active_parameters",
    "flop_per_token", "steps",      "batch",      "sequence",
    "tokens",         "flop"};
std::optional<FieldId> field_named(std::string_view name);

// JSON Schema of the plan language, made from the decoding tables.
std::string plan_schema();

}  // namespace floptally
