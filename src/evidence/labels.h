// Labels of measured runs as their sources write them: number formats, what is recomputed, what is shared.
//
// Always holds: a label that is not known is told apart from one that says nothing; none is guessed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "training/run.h"

namespace floptally {

// The recipe (training/precision.csv) that a label means; empty where it is not known. `autocast`: the framework's
// "mixed" labels are PyTorch's autocast (Lightning).
std::string precision_label(std::string_view label, bool autocast);

// "nf4" or "nf4-dq" where a label says that weights are packed into four bits ("bnb.nf4", "int4", "bf16 + 4-bit");
// empty where it does not.
std::string packed_label(std::string_view label);

// The modules that a text in lower case names as Megatron-LM does: "core_attn", "layernorm", "moe_act", "mlp" ...; a
// word that is none of them is passed over.
std::uint32_t recompute_modules(std::string_view words);

// "full", "selective:moe_act+layernorm", "full/block/10/", "none", "true" ...; nothing where it is not known.
std::optional<Recompute> recompute_label(std::string_view label);
// Whether it says that layer inputs are kept on the host (MaxText's "custom(offload:decoder_layer_input)", unsloth).
bool offloads_inputs(std::string_view label);

struct Sharing {
  Zero zero = Zero::none;
  std::int64_t ranks = 0;  // that share, where the label says it ("zero1=8", "HSDP (8)")
  bool within_node = false;
  bool offloaded = false;  // what is shared lives in host memory
};
// "zero1", "ZeRO-3", "FSDP2", "HSDP (8)", "distributed_optimizer", "full_shard", "none" ...; nothing where it is not
// known.
std::optional<Sharing> sharing_label(std::string_view label);

// Why a run of that task is no step of training of one model ("dpo", "prefill", "GaLore"); empty where it is, or where
// the task says nothing.
std::string task_reason(std::string_view task);

// Names under which a model may be known, the most exact first: without its organization, "Instruct", "Base" and
// the like.
std::vector<std::string> model_spellings(std::string_view model);
// "gpt-3 175b": the name without its size, and the size in parameters; 0 where there is none.
std::pair<std::string, double> split_size(std::string_view model);

}  // namespace floptally
