// The keys of a RUN file. Keys that only `floptally audit` reads are listed too: one file may serve both.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "document/decode.h"
#include "training/run.h"

namespace floptally {

inline constexpr std::pair<std::string_view, std::uint32_t> kModules[] = {{"core_attention", Recompute::core_attention},
                                                                          {"norms", Recompute::norms},
                                                                          {"activations", Recompute::activations},
                                                                          {"mlp", Recompute::mlp},
                                                                          {"mla_up", Recompute::mla_up},
                                                                          {"moe", Recompute::moe},
                                                                          {"shared_experts", Recompute::shared_experts},
                                                                          {"operators", Recompute::operators}};

inline constexpr Field kRunLayoutFields[] = {
    {.key = "data",
     .expect = Expect::quantity,
     .doc = "data-parallel replicas; devices / (tensor x pipeline x context) where it is not given"},
    {.key = "tensor", .expect = Expect::quantity, .doc = "ranks that share every matrix"},
    {.key = "pipeline", .expect = Expect::quantity, .doc = "ranks that share the layers"},
    {.key = "chunks", .expect = Expect::quantity, .doc = "model chunks per pipeline rank (virtual stages)"},
    {.key = "context", .expect = Expect::quantity, .doc = "ranks that share a sequence"},
    {.key = "context_kind", .expect = Expect::text, .doc = "ring or all-to-all"},
    {.key = "expert", .expect = Expect::quantity, .doc = "ranks that the experts of a layer are spread over"},
    {.key = "expert_tensor",
     .expect = Expect::quantity,
     .doc = "ranks that share one expert; as `tensor` where it is not given"},
    {.key = "sequence_parallel",
     .expect = Expect::boolean,
     .doc = "norms and residuals are split over the tensor ranks"},
    {.key = "zero",
     .expect = Expect::quantity,
     .doc = "0 to 3: optimizer states, gradients, weights shared over data ranks (3: FSDP)"},
    {.key = "shard",
     .expect = Expect::quantity,
     .doc = "ranks that share (HSDP); all data ranks where it is not given"},
    {.key = "schedule",
     .expect = Expect::text,
     .doc = "gpipe, 1f1b, interleaved, zb-h1, zb-h2, zb-v, dualpipe, dualpipe-v"},
    {.key = "micro_batch", .expect = Expect::quantity, .doc = "sequences of one pass on one replica"},
    {.key = "stages",
     .expect = Expect::integer,
     .doc = "layers of every chunk, where they are uneven",
     .shape = Shape::list}};
inline constexpr FieldTable kRunLayout{"layout", "how a run is split over devices", kRunLayoutFields};

inline constexpr Field kRunTrainFields[] = {
    {.key = "tokens", .expect = Expect::quantity, .doc = "tokens trained on, in one pass"},
    {.key = "steps", .expect = Expect::quantity, .doc = "optimizer steps"},
    {.key = "epochs", .expect = Expect::quantity, .doc = "passes over the tokens"},
    {.key = "batch", .expect = Expect::quantity, .doc = "sequences a step; or tokens, with the unit"},
    {.key = "sequence", .expect = Expect::quantity, .doc = "tokens of a sequence"},
    {.key = "recompute", .expect = Expect::any, .doc = "as at the top of the file"},
    {.key = "optimizer", .expect = Expect::any, .doc = "as at the top of the file"},
    {.key = "precision", .expect = Expect::any, .doc = "as at the top of the file"},
    {.key = "framework", .expect = Expect::any, .doc = "as at the top of the file"},
    {.key = "examples", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "generated", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "scored", .expect = Expect::any, .doc = "for floptally audit"}};
inline constexpr FieldTable kRunTrain{"train", "what a run trains on", kRunTrainFields};

inline constexpr Field kRunHardwareFields[] = {
    {.key = "device", .expect = Expect::text, .doc = "an accelerator of the catalogue, such as H100-SXM"},
    {.key = "devices", .expect = Expect::quantity, .doc = "how many"},
    {.key = "nodes", .expect = Expect::quantity, .doc = "how many nodes"},
    {.key = "node", .expect = Expect::quantity, .doc = "devices of a node"},
    {.key = "device_hours", .expect = Expect::quantity, .doc = "device-hours"},
    {.key = "rate", .expect = Expect::quantity, .doc = "achieved FLOP/s of one device"},
    {.key = "peak",
     .expect = Expect::quantity,
     .doc = "peak FLOP/s of one device; the catalogue's where it is not given"},
    {.key = "utilization", .expect = Expect::quantity, .doc = "share of the peak over the whole time"},
    {.key = "mfu", .expect = Expect::quantity, .doc = "model FLOP utilization"},
    {.key = "price", .expect = Expect::any, .doc = "USD per device-hour"},
    {.key = "name", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "days", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "hours", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "time", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "hfu", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "utilization_from", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "format", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "energy", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "cost", .expect = Expect::any, .doc = "for floptally audit"}};
inline constexpr FieldTable kRunHardware{"hardware", "what a run runs on", kRunHardwareFields};

inline constexpr Field kRunAdapterFields[] = {
    {.key = "rank", .expect = Expect::quantity, .doc = "rank of the adapters"},
    {.key = "base", .expect = Expect::text, .doc = "format of the frozen matrices, such as nf4"},
    {.key = "targets", .expect = Expect::text, .doc = "query, key, value, output, mlp", .shape = Shape::list}};
inline constexpr FieldTable kRunAdapter{"adapter", "low-rank adapters on a frozen base (LoRA, QLoRA)",
                                        kRunAdapterFields};

inline constexpr Field kServingFields[] = {
    {.key = "batch", .expect = Expect::quantity, .doc = "sequences served at once"},
    {.key = "context", .expect = Expect::quantity, .doc = "tokens held per sequence"},
    {.key = "weights", .expect = Expect::text, .doc = "format of the weights"},
    {.key = "cache", .expect = Expect::text, .doc = "format of keys and values"}};
inline constexpr FieldTable kServing{"inference", "memory of serving the model", kServingFields};

inline constexpr Field kRunFileFields[] = {
    {.key = "run", .expect = Expect::any, .doc = "the version of this format: 1", .required = true},
    {.key = "title", .expect = Expect::text, .doc = "a title"},
    {.key = "name", .expect = Expect::text, .doc = "a short name"},
    {.key = "model",
     .expect = Expect::any,
     .doc = "a shipped name, a file ({from: ...}), a spec ({kind: ...}), or {parameters: ...}"},
    {.key = "train", .expect = Expect::record, .doc = "tokens, steps or epochs; batch; sequence", .table = &kRunTrain},
    {.key = "hardware",
     .expect = Expect::record,
     .doc = "device, devices or nodes; or device-hours",
     .shape = Shape::one_or_list,
     .table = &kRunHardware},
    {.key = "layout", .expect = Expect::record, .doc = "how the run is split", .table = &kRunLayout},
    {.key = "precision",
     .expect = Expect::any,
     .doc = "a recipe (bf16-mixed, fp8-delayed ...), or formats state by state"},
    {.key = "optimizer",
     .expect = Expect::any,
     .doc = "adamw, adam-8bit, adafactor, lion, muon, shampoo, soap, momentum, sgd"},
    {.key = "recompute", .expect = Expect::any, .doc = "none, selective, full, or {mode, modules, every, layers}"},
    {.key = "offload",
     .expect = Expect::text,
     .doc = "optimizer, weights, activations: held in host memory",
     .shape = Shape::one_or_list},
    {.key = "adapter", .expect = Expect::record, .doc = "LoRA or QLoRA", .table = &kRunAdapter},
    {.key = "framework", .expect = Expect::any, .doc = "whose rules hold: megatron, fsdp, huggingface ..."},
    {.key = "attention", .expect = Expect::text, .doc = "fused or unfused"},
    {.key = "dropout", .expect = Expect::number, .doc = "above 0: masks are kept"},
    {.key = "inference", .expect = Expect::record, .doc = "memory of serving the model", .table = &kServing},
    {.key = "organization", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "date", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "domain", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "modalities", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "facts", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "phases", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "base", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "published", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "audit", .expect = Expect::any, .doc = "for floptally audit"},
    {.key = "limits", .expect = Expect::any, .doc = "budgets"},
    {.key = "expect", .expect = Expect::any, .doc = "what the answer must be"},
    {.key = "refs", .expect = Expect::any, .doc = "sources"},
    {.key = "source", .expect = Expect::any, .doc = "where the facts stand"},
    {.key = "note", .expect = Expect::any, .doc = "a remark"}};
inline constexpr FieldTable kRunFileTable{"run", "one training run", kRunFileFields};

}  // namespace floptally
