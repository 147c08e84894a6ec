// The keys of a RUN file, of `floptally train` and `floptally audit` alike: one file serves both.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "document/decode.h"
#include "training/run.h"

namespace floptally {

inline constexpr std::pair<std::string_view, std::uint32_t> kModules[] = {
    {"core_attention", Recompute::core_attention},
    {"norms", Recompute::norms},
    {"activations", Recompute::activations},
    {"mlp", Recompute::mlp},
    {"mla_up", Recompute::mla_up},
    {"moe", Recompute::moe},
    {"shared_experts", Recompute::shared_experts},
    {"operators", Recompute::operators},
    {"expert_activations", Recompute::expert_activations}};

inline constexpr std::string_view kRunArchitectures[] = {"dense", "moe", "encoder-decoder", "recurrent"};
inline constexpr Field kRunModelFields[] = {
    {.key = "from", .expect = Expect::text, .doc = "a config.json, a model file or folder, or a shipped model"},
    {.key = "parameters", .expect = Expect::quantity, .doc = "parameters, all of them"},
    {.key = "active_parameters", .expect = Expect::quantity, .doc = "parameters that one token passes through"},
    {.key = "connections", .expect = Expect::quantity, .doc = "multiply-adds of the forward pass of one example"},
    {.key = "architecture", .expect = Expect::word, .doc = "what kind of network", .words = kRunArchitectures},
    {.key = "layers", .expect = Expect::quantity, .doc = "layers"},
    {.key = "width", .expect = Expect::quantity, .doc = "width of the attention: heads x head size"},
    {.key = "vocab", .expect = Expect::quantity, .doc = "vocabulary"}};
inline constexpr FieldTable kRunModel{"model", "what was trained", kRunModelFields, true};

inline constexpr Field kRunPhaseFields[] = {
    {.key = "name", .expect = Expect::text, .doc = "what the phase was"},
    {.key = "component", .expect = Expect::text, .doc = "a component of the laws' accounts (data/law/inclusions.csv)"},
    {.key = "architecture", .expect = Expect::word, .doc = "what kind of network", .words = kRunArchitectures},
    {.key = "parameters", .expect = Expect::quantity, .doc = "parameters, where they are not the model's"},
    {.key = "active_parameters", .expect = Expect::quantity, .doc = "parameters that one token passes through"},
    {.key = "tokens", .expect = Expect::quantity, .doc = "tokens that updated the parameters, in one pass"},
    {.key = "epochs", .expect = Expect::quantity, .doc = "passes over the tokens"},
    {.key = "generated", .expect = Expect::quantity, .doc = "tokens sampled, discarded ones too"},
    {.key = "scored", .expect = Expect::quantity, .doc = "tokens read by reward, value or reference models"},
    {.key = "flop", .expect = Expect::quantity, .doc = "FLOP of the phase, where stated"},
    {.key = "public", .expect = Expect::boolean, .doc = "the generated data were published"}};
inline constexpr FieldTable kRunPhase{"phase", "a part of the work on the model", kRunPhaseFields};

inline constexpr Field kRunPublishedFields[] = {
    {.key = "flop", .expect = Expect::quantity, .doc = "published training compute"},
    {.key = "from", .expect = Expect::text, .doc = "developer, operations, hardware or mixed"},
    {.key = "confidence", .expect = Expect::text, .doc = "Confident, Likely or Speculative"}};
inline constexpr FieldTable kRunPublished{"published", "compute as published", kRunPublishedFields};
inline constexpr Field kRunBaseFields[] = {
    {.key = "name", .expect = Expect::text, .doc = "the model that training started from"},
    {.key = "flop",
     .expect = Expect::quantity,
     .doc = "its training compute; looked up where a shipped run has that name"}};
inline constexpr FieldTable kRunBase{"base", "the model that training started from", kRunBaseFields};

inline constexpr Field kRunExpectFields[] = {
    {.key = "flop", .expect = Expect::quantity, .doc = "training compute, such as 7.5e22 +- 1%"}};
inline constexpr FieldTable kRunExpect{"expect", "what the answer must be", kRunExpectFields, true};

inline constexpr std::string_view kRunFactWords[] = {"own", "checked", "published"};

inline constexpr Field kRunNamedFields[] = {
    {.key = "name", .expect = Expect::text, .doc = "its name", .required = true}};
inline constexpr FieldTable kRunFramework{"framework", "whose rules hold", kRunNamedFields};
inline constexpr FieldTable kRunOptimizer{"optimizer", "what updates the weights", kRunNamedFields};

inline constexpr Field kRunPrecisionFields[] = {
    {.key = "recipe", .expect = Expect::text, .doc = "the recipe that the rest departs from"},
    {.key = "weights", .expect = Expect::text, .doc = "format of the weights"},
    {.key = "gradients", .expect = Expect::text, .doc = "format that gradients are accumulated in"},
    {.key = "master", .expect = Expect::text, .doc = "format of the master copy; none"},
    {.key = "compute", .expect = Expect::text, .doc = "format of the activations kept"},
    {.key = "kept", .expect = Expect::text, .doc = "format of the inputs that matrix products keep"}};
inline constexpr FieldTable kRunPrecision{"precision", "what each state is stored in", kRunPrecisionFields};

inline constexpr std::string_view kRunRecomputeWords[] = {"none", "selective", "full"};
inline constexpr Field kRunRecomputeFields[] = {
    {.key = "mode",
     .expect = Expect::word,
     .doc = "full, or selective: core_attention, or operators where that is what the framework means by it (fsdp)",
     .words = kRunRecomputeWords},
    {.key = "modules",
     .expect = Expect::text,
     .doc = "parts of a layer that are made again: core_attention, norms, activations, mlp, mla_up, moe, "
            "shared_experts, operators",
     .shape = Shape::list},
    {.key = "every", .expect = Expect::quantity, .doc = "every n-th layer is recomputed whole, the others keep all"},
    {.key = "group",
     .expect = Expect::quantity,
     .doc = "layers recomputed together: their first input alone is kept (Megatron-LM's uniform method)"},
    {.key = "layers",
     .expect = Expect::quantity,
     .doc = "layers of a stage that are recomputed, from its first (Megatron-LM's block method); all where not given"}};
inline constexpr FieldTable kRunRecompute{"recompute", "what is made again in the backward pass", kRunRecomputeFields};

inline constexpr std::string_view kRunContextWords[] = {"ring", "all-to-all"};
inline constexpr std::string_view kRunDispatchWords[] = {"all-to-all", "all-gather"};

inline constexpr Field kRunLayoutFields[] = {
    {.key = "data",
     .expect = Expect::quantity,
     .doc = "data-parallel replicas; devices / (tensor x pipeline x context) where it is not given"},
    {.key = "tensor", .expect = Expect::quantity, .doc = "ranks that share every matrix"},
    {.key = "pipeline", .expect = Expect::quantity, .doc = "ranks that share the layers"},
    {.key = "chunks", .expect = Expect::quantity, .doc = "model chunks per pipeline rank (virtual stages)"},
    {.key = "context", .expect = Expect::quantity, .doc = "ranks that share a sequence"},
    {.key = "context_kind", .expect = Expect::word, .doc = "ring or all-to-all", .words = kRunContextWords},
    {.key = "expert", .expect = Expect::quantity, .doc = "ranks that the experts of a layer are spread over"},
    {.key = "dispatch",
     .expect = Expect::word,
     .doc = "all-to-all, or all-gather: every rank of an expert group gets all its tokens",
     .words = kRunDispatchWords},
    {.key = "expert_load",
     .expect = Expect::quantity,
     .doc =
         "tokens of the fullest rank of an expert group over the mean: 1 where routing is forced to be even; a fitted "
         "value where it is not given"},
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
    {.key = "batch",
     .expect = Expect::quantity,
     .doc = "sequences a step (1k is 1,024); or tokens, with the unit (4M tokens is 4,000,000)"},
    {.key = "sequence", .expect = Expect::quantity, .doc = "tokens of a sequence (8k is 8,192)"},
    {.key = "packing",
     .expect = Expect::any,
     .doc = "documents packed into a sequence: tokens of each, or a list that adds up to it; attention stays inside"},
    {.key = "lengths",
     .expect = Expect::text,
     .doc = "fixed, or sorted or vary where micro-batches are padded to their longest sequence: the longest first, or "
            "in any "
            "order"},
    {.key = "recompute", .expect = Expect::record_or_text, .doc = "as at the top of the file", .table = &kRunRecompute},
    {.key = "optimizer", .expect = Expect::record_or_text, .doc = "as at the top of the file", .table = &kRunOptimizer},
    {.key = "precision", .expect = Expect::record_or_text, .doc = "as at the top of the file", .table = &kRunPrecision},
    {.key = "framework", .expect = Expect::record_or_text, .doc = "as at the top of the file", .table = &kRunFramework},
    {.key = "examples", .expect = Expect::quantity, .doc = "examples in one pass: images, or sequences"},
    {.key = "words", .expect = Expect::quantity, .doc = "words of the data, where tokens are not known"},
    {.key = "generated", .expect = Expect::quantity, .doc = "tokens sampled for training data, discarded ones too"},
    {.key = "scored", .expect = Expect::quantity, .doc = "tokens read by reward, value or reference models"}};
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
    {.key = "name", .expect = Expect::text, .doc = "what this stretch of time was"},
    {.key = "days", .expect = Expect::quantity, .doc = "wall-clock days"},
    {.key = "hours", .expect = Expect::quantity, .doc = "wall-clock hours"},
    {.key = "time", .expect = Expect::quantity, .doc = "wall-clock time with its unit"},
    {.key = "hfu", .expect = Expect::quantity, .doc = "hardware FLOP utilization: recomputation counted"},
    {.key = "utilization_from", .expect = Expect::text, .doc = "reported, or derived from the operation count"},
    {.key = "format", .expect = Expect::text, .doc = "number format whose peak is meant"},
    {.key = "energy", .expect = Expect::quantity, .doc = "energy used"},
    {.key = "cost", .expect = Expect::quantity, .doc = "USD paid for the hardware's time"}};
inline constexpr FieldTable kRunHardware{"hardware", "what a run runs on", kRunHardwareFields};

inline constexpr Field kRunAdapterFields[] = {
    {.key = "rank", .expect = Expect::quantity, .doc = "rank of the adapters"},
    {.key = "base",
     .expect = Expect::text,
     .doc = "format of the frozen matrices, such as nf4 or nf4-dq (scales quantized too)"},
    {.key = "targets", .expect = Expect::text, .doc = "query, key, value, output, mlp, head", .shape = Shape::list},
    {.key = "dropout", .expect = Expect::boolean, .doc = "each adapter keeps its own dropped-out copy of its input"}};
inline constexpr FieldTable kRunAdapter{"adapter", "low-rank adapters on a frozen base (LoRA, QLoRA)",
                                        kRunAdapterFields};

inline constexpr Field kServingFields[] = {
    {.key = "batch", .expect = Expect::quantity, .doc = "sequences served at once"},
    {.key = "context", .expect = Expect::quantity, .doc = "tokens held per sequence (128k is 131,072)"},
    {.key = "weights",
     .expect = Expect::text,
     .doc = "format of the weights: a number format, or a quantized one such as q4_k"},
    {.key = "cache", .expect = Expect::text, .doc = "format of keys and values, likewise"}};
inline constexpr FieldTable kServing{"inference", "memory of serving the model", kServingFields};

inline constexpr std::string_view kRunAttentionWords[] = {"fused", "flash", "unfused", "unfused-fp32"};

inline constexpr Field kRunFileFields[] = {
    {.key = "run", .expect = Expect::any, .doc = "the version of this format: 1", .required = true},
    {.key = "title", .expect = Expect::text, .doc = "a title"},
    {.key = "name", .expect = Expect::text, .doc = "a short name"},
    {.key = "model",
     .expect = Expect::record_or_text,
     .doc = "a shipped name, a file ({from: ...}), a spec ({kind: ...}), or {parameters: ...}",
     .table = &kRunModel},
    {.key = "train", .expect = Expect::record, .doc = "tokens, steps or epochs; batch; sequence", .table = &kRunTrain},
    {.key = "hardware",
     .expect = Expect::record,
     .doc = "device, devices or nodes; or device-hours",
     .shape = Shape::one_or_list,
     .table = &kRunHardware},
    {.key = "layout", .expect = Expect::record, .doc = "how the run is split", .table = &kRunLayout},
    {.key = "precision",
     .expect = Expect::record_or_text,
     .doc = "a recipe (bf16-mixed, fp8-delayed ...), or formats state by state",
     .table = &kRunPrecision},
    {.key = "optimizer",
     .expect = Expect::record_or_text,
     .doc = "adamw, adam-8bit, adafactor, lion, muon, shampoo, soap, momentum, sgd",
     .table = &kRunOptimizer},
    {.key = "recompute",
     .expect = Expect::record_or_text,
     .doc = "none, selective, full, or {mode, modules, every, group, layers}",
     .table = &kRunRecompute},
    {.key = "offload",
     .expect = Expect::text,
     .doc = "optimizer, weights, activations: held in host memory",
     .shape = Shape::one_or_list},
    {.key = "adapter", .expect = Expect::record, .doc = "LoRA or QLoRA", .table = &kRunAdapter},
    {.key = "framework",
     .expect = Expect::record_or_text,
     .doc = "whose rules hold: megatron, fsdp, huggingface ...",
     .table = &kRunFramework},
    {.key = "attention",
     .expect = Expect::word,
     .doc = "fused (or flash), unfused or unfused-fp32 (probabilities are kept in fp32)",
     .words = kRunAttentionWords},
    {.key = "attention_mask",
     .expect = Expect::boolean,
     .doc = "the data loader brings a mask of sequence x sequence bytes to the device (Megatron-LM's default)"},
    {.key = "key_value_cache",
     .expect = Expect::boolean,
     .doc = "keys and values of every layer are kept through a step, as for generating (use_cache left on in "
            "transformers)"},
    {.key = "dropout", .expect = Expect::number, .doc = "above 0: masks are kept"},
    {.key = "compile",
     .expect = Expect::boolean,
     .doc = "torch.compile: chains of elementwise operators keep their inputs alone, and the loss where the framework "
            "compiles it"},
    {.key = "inference", .expect = Expect::record, .doc = "memory of serving the model", .table = &kServing},
    {.key = "organization", .expect = Expect::text, .doc = "who trained it"},
    {.key = "date", .expect = Expect::text, .doc = "when it was finished or published"},
    {.key = "domain", .expect = Expect::text, .doc = "language, vision, biology ..."},
    {.key = "modalities",
     .expect = Expect::text,
     .doc = "what it generates: text, speech, text-to-image, text-to-video",
     .shape = Shape::one_or_list},
    {.key = "facts",
     .expect = Expect::word,
     .doc = "own: the developer's records; published: read from outside",
     .words = kRunFactWords},
    {.key = "phases",
     .expect = Expect::record,
     .doc = "further work on the model",
     .shape = Shape::list,
     .table = &kRunPhase},
    {.key = "base", .expect = Expect::record, .doc = "the model that training started from", .table = &kRunBase},
    {.key = "published", .expect = Expect::record, .doc = "compute as published", .table = &kRunPublished},
    {.key = "margin", .expect = Expect::quantity, .doc = "the margin claimed for the result, such as 30%"},
    {.key = "law", .expect = Expect::any, .doc = "the law that a statement is made for"},
    {.key = "audit", .expect = Expect::any, .doc = "marks the file as an account to audit"},
    {.key = "limits", .expect = Expect::any, .doc = "budgets"},
    {.key = "expect", .expect = Expect::record, .doc = "what the answer must be", .table = &kRunExpect},
    {.key = "refs", .expect = Expect::any, .doc = "sources"},
    {.key = "source", .expect = Expect::text, .doc = "where the facts stand"},
    {.key = "note", .expect = Expect::text, .doc = "a remark"}};
inline constexpr FieldTable kRunFileTable{"run", "one training run", kRunFileFields};

}  // namespace floptally
