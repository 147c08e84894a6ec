// The decoding tables of the plan language: what each mapping may hold. check() reads them for mistakes, plan_schema()
// for editors.
#pragma once

#include "document/decode.h"

namespace floptally::plan_tables {

inline constexpr std::string_view kKinds[] = {"decoder"};
inline constexpr std::string_view kNorms[] = {"none", "rms", "layer", "layer_scale_only"};
inline constexpr std::string_view kPositions[] = {"none", "learned", "rotary"};

inline constexpr Field kHardwareFields[] = {
    {.key = "device", .expect = Expect::text, .doc = "an accelerator of the catalogue, such as H100-SXM"},
    {.key = "rate",
     .expect = Expect::quantity,
     .doc = "achieved FLOP/s of one device, such as 350 (300 to 400) TFLOP/s"},
    {.key = "mfu",
     .expect = Expect::quantity,
     .doc = "model FLOP utilization, the achieved share of the peak, such as 38% (30% to 45%)"},
    {.key = "utilization", .expect = Expect::quantity, .doc = "the same as mfu"},
    {.key = "peak",
     .expect = Expect::quantity,
     .doc = "peak FLOP/s of one device; the catalogue's dense peak where it is not given"},
    {.key = "precision", .expect = Expect::text, .doc = "the number format whose peak counts, such as bf16"},
    {.key = "price",
     .expect = Expect::quantity,
     .doc = "a price per device and hour, such as 3 (2 to 3.5) USD/device-hour"},
    {.key = "node", .expect = Expect::quantity, .doc = "devices in a node"},
    {.key = "devices", .expect = Expect::quantity, .doc = "devices that work at the same time"},
};
inline constexpr FieldTable kHardware{"hardware", "what the runs run on", kHardwareFields};

inline constexpr Field kCountFields[] = {
    {.key = "flop",
     .expect = Expect::text,
     .doc = "parts whose FLOP count: matmul, causal or full (attention), unembed, embed, norm, all",
     .shape = Shape::one_or_list},
    {.key = "parameters",
     .expect = Expect::text,
     .doc = "parts whose parameters count: matmul, embed, unembed, norm, position, all",
     .shape = Shape::one_or_list},
};
inline constexpr FieldTable kCount{"count", "which parts of the model count", kCountFields};

inline constexpr Field kModelFields[] = {
    {.key = "kind", .expect = Expect::word, .doc = "the shape of the network", .words = kKinds},
    {.key = "from", .expect = Expect::text, .doc = "a config.json, a model file or the name of a shipped model"},
    {.key = "layers", .expect = Expect::quantity, .doc = "transformer blocks"},
    {.key = "width", .expect = Expect::quantity, .doc = "model width (hidden size)"},
    {.key = "head_dim", .expect = Expect::quantity, .doc = "size of one attention head"},
    {.key = "heads", .expect = Expect::quantity, .doc = "attention heads; width / head_dim where it is not given"},
    {.key = "kv_heads",
     .expect = Expect::quantity,
     .doc = "key and value heads; as many as heads where it is not given"},
    {.key = "ffn", .expect = Expect::quantity, .doc = "width of the feed-forward layer, such as 4 * width"},
    {.key = "gated", .expect = Expect::boolean, .doc = "a gated feed-forward layer (three matrices)"},
    {.key = "vocab", .expect = Expect::quantity, .doc = "vocabulary size"},
    {.key = "tied", .expect = Expect::boolean, .doc = "the logits use the embedding table"},
    {.key = "norm", .expect = Expect::word, .doc = "the kind of norm before each part", .words = kNorms},
    {.key = "positions", .expect = Expect::word, .doc = "how positions enter", .words = kPositions},
    {.key = "window", .expect = Expect::quantity, .doc = "attention window; 0 is none"},
    {.key = "experts", .expect = Expect::quantity, .doc = "experts of a mixture"},
    {.key = "top_k", .expect = Expect::quantity, .doc = "experts that one token uses"},
    {.key = "expert_ffn", .expect = Expect::quantity, .doc = "feed-forward width of one expert"},
    {.key = "shared_ffn", .expect = Expect::quantity, .doc = "feed-forward width of the shared experts together"},
    {.key = "dense_first", .expect = Expect::quantity, .doc = "leading layers without experts"},
    {.key = "moe_every", .expect = Expect::quantity, .doc = "every n-th layer has experts"},
    {.key = "parameters",
     .expect = Expect::quantity,
     .doc = "parameters, where the model is given by its size alone (6 FLOP per parameter and token)"},
    {.key = "active_parameters", .expect = Expect::quantity, .doc = "parameters that one token uses"},
    {.key = "flop_per_token", .expect = Expect::quantity, .doc = "training FLOP per token, where they are given"},
    {.key = "count", .expect = Expect::record, .doc = "which parts count", .table = &kCount},
};
inline constexpr FieldTable kModel{"model", "the network that a run trains", kModelFields};

inline constexpr Field kTrainFields[] = {
    {.key = "steps", .expect = Expect::quantity, .doc = "optimizer steps"},
    {.key = "batch",
     .expect = Expect::quantity,
     .doc = "sequences a step (1k is 1,024); or tokens, with the unit (4M tokens is 4,000,000)"},
    {.key = "sequence", .expect = Expect::quantity, .doc = "tokens in a sequence (8k is 8,192)"},
    {.key = "tokens",
     .expect = Expect::quantity,
     .doc = "tokens of one run; steps * batch * sequence where it is not given"},
    {.key = "flop", .expect = Expect::quantity, .doc = "training FLOP of one run, where they are given"},
};
inline constexpr FieldTable kTrain{"train", "what one run does", kTrainFields};

inline constexpr Field kLineFields[] = {
    {.key = "over",
     .expect = Expect::any,
     .doc = "axes: fields of the model or the run; the cost is summed over them",
     .shape = Shape::map},
    {.key = "zip", .expect = Expect::any, .doc = "axes that go together, element by element"},
    {.key = "times",
     .expect = Expect::any,
     .doc = "factors: a number, a list, or a map of counts that adds up",
     .shape = Shape::map},
    {.key = "set", .expect = Expect::any, .doc = "fields of this line alone", .shape = Shape::map},
    {.key = "fail", .expect = Expect::quantity, .doc = "share of runs that fail at the end and are run again"},
    {.key = "reserve",
     .expect = Expect::quantity,
     .doc = "hours and money set aside beyond the estimate, as a share of it"},
    {.key = "overhead",
     .expect = Expect::quantity,
     .doc = "time beyond training (start-up, evaluation, checkpoints), as a share of it"},
    {.key = "note", .expect = Expect::text, .doc = "a remark"},
    {.key = "source", .expect = Expect::text, .doc = "where the line comes from"},
    {.key = "id", .expect = Expect::text, .doc = "a short name of the line (else what tells it from the others)"},
};
inline constexpr FieldTable kLine{"line", "runs of one kind", kLineFields};

inline constexpr Field kLimitFields[] = {
    {.key = "flop", .expect = Expect::quantity, .doc = "training FLOP"},
    {.key = "usd", .expect = Expect::quantity, .doc = "US dollars"},
    {.key = "runs", .expect = Expect::quantity, .doc = "runs"},
    {.key = "tokens", .expect = Expect::quantity, .doc = "training tokens"},
    {.key = "device_hours", .expect = Expect::quantity, .doc = "device-hours"},
    {.key = "node_hours", .expect = Expect::quantity, .doc = "node-hours"},
    {.key = "days", .expect = Expect::quantity, .doc = "days on `devices` devices"},
    {.key = "devices", .expect = Expect::quantity, .doc = "devices that work at the same time"},
};
inline constexpr FieldTable kLimits{"limits", "totals to reach or to stay within", kLimitFields};

inline constexpr Field kPlanFields[] = {
    {.key = "plan", .expect = Expect::text, .doc = "version of the language: 1", .required = true},
    {.key = "title", .expect = Expect::text, .doc = "what is planned"},
    {.key = "refs", .expect = Expect::any, .doc = "publications", .shape = Shape::map},
    {.key = "note", .expect = Expect::text, .doc = "a remark"},
    {.key = "hardware", .expect = Expect::record, .doc = "what the runs run on", .table = &kHardware},
    {.key = "let", .expect = Expect::any, .doc = "named values", .shape = Shape::map},
    {.key = "model", .expect = Expect::record_or_text, .doc = "the network that a run trains", .table = &kModel},
    {.key = "train", .expect = Expect::record, .doc = "what one run does", .table = &kTrain},
    {.key = "runs",
     .expect = Expect::any,
     .doc = "subsets of runs by name, each a list of lines",
     .required = true,
     .shape = Shape::map},
    {.key = "expect", .expect = Expect::record, .doc = "totals that the plan must reach", .table = &kLimits},
    {.key = "limits", .expect = Expect::record, .doc = "totals that the plan must not pass", .table = &kLimits},
    {.key = "fail", .expect = Expect::quantity, .doc = "as in a line, for every line that does not say"},
    {.key = "reserve", .expect = Expect::quantity, .doc = "as in a line, for every line that does not say"},
    {.key = "overhead", .expect = Expect::quantity, .doc = "as in a line, for every line that does not say"},
};
inline constexpr FieldTable kPlan{"plan", "a programme of training runs", kPlanFields};

}  // namespace floptally::plan_tables
