// Run: one training run, typed: what is trained on, how it is split, stored, optimized and recomputed.
//
// Always holds: a Run that read_run() returned has a positive batch and sequence, a known precision, optimizer and
// framework. Whether its layout is legal for a model is asked of check_layout().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "training/framework.h"
#include "training/layout.h"
#include "training/optimizer.h"
#include "training/precision.h"

namespace floptally {

// Which activations are thrown away in the forward pass and made again in the backward pass.
struct Recompute {
  enum class Mode : std::uint8_t { none, selective, full };
  // Parts of a layer that `selective` names; bits.
  enum Module : std::uint32_t {
    core_attention = 1,
    norms = 2,
    activations = 4,
    mlp = 8,
    mla_up = 16,
    moe = 32,
    shared_experts = 64,
    operators = 128,
    expert_activations = 256,  // Megatron-LM's moe_act: of the routed experts alone
  };
  Mode mode = Mode::none;
  std::uint32_t modules = core_attention;
  std::int64_t every = 1;   // full: every n-th layer of a stage is recomputed
  std::int64_t group = 1;   // full: layers per recomputed group; only the group's input is kept
  std::int64_t layers = 0;  // full: layers of a stage that are recomputed, counted from its start; 0: all
};

// States that live in host memory.
struct Offload {
  bool optimizer = false, weights = false, activations = false;
  std::int64_t layers = 0;  // of a rank, from its first, whose activations go there; 0: all
};

// Low-rank adapters on a frozen base (Hu et al. 2106.09685; QLoRA 2305.14314).
struct LowRankAdapter {
  std::int64_t rank = 0;            // 0: none, every parameter is trained
  Dtype base = Dtype::unspecified;  // how frozen matrices are stored; unspecified: as the recipe's weights
  bool dropout = false;             // each adapter drops out its own copy of the input
  bool scales_outputs = false;      // Adapter v2 (Gao et al. 2304.15010): a scale and a bias on every linear output,
                                    // and norms are trained
  // Adapter (Zhang et al. 2303.16199): attention to learned prompts is gated and added; layers before `first` are left
  // as they are and keep nothing.
  bool prompts = false;
  std::int64_t first = 0;
  bool query = true, key = true, value = true, output = true, mlp = false, head = false;
  bool wide = false;  // adapters are computed in fp32: their weights are, and nothing casts them
};

// How long micro-batches are: all alike, else padded to the longest of each. Where they differ the fullest finds
// neither gradients nor the last one's logits (sorted: the longest come first, and the cache is emptied now and then).
// In any order (vary) the blocks that shorter ones leave in the allocator's cache fit no longer one.
enum class Lengths : std::uint8_t { fixed, sorted, vary };

struct Run {
  std::int64_t batch = 1;     // sequences (samples) per optimizer step, over all devices
  std::int64_t sequence = 0;  // tokens per sequence; 0: as the model says
  double tokens = 0;          // trained on in all; 0: not said
  double steps = 0;
  double epochs = 0, examples = 0;  // passes, and samples of one
  Layout layout;
  Precision precision;
  Optimizer optimizer;
  Recompute recompute;
  Offload offload;
  LowRankAdapter adapter;
  Framework framework;
  bool fused_attention = true;  // scores are never stored
  bool softmax_fp32 = false;    // unfused attention keeps its probabilities in fp32
  bool loader_mask = false;     // the data loader brings a mask of sequence x sequence bytes
  bool caches_keys = false;     // keys and values of every layer are kept as for generating, those of the last step too
  bool attention_dropout = false, hidden_dropout = false;  // dropout masks are kept
  bool fused_gradients = true;                             // the framework's fused weight-gradient accumulation is on
  bool fused_loss = false;                                 // one kernel for softmax and loss
  bool grouped_experts = true;                             // all experts of a rank in one grouped product
  bool chunked_loss = false;     // the loss is made piece by piece: 16-bit logits and their gradients are all of it
  bool linear_loss = false;      // one kernel for output layer and loss: logits exist block by block, never whole
  bool loss_in_place = false;    // the logits' gradients are written over them (Transformer Engine's cross entropy)
  int narrow_loss = 0;           // logits are not cast to fp32: so many numbers in their format at the loss's peak
  bool whole_logits = false;     // tensor ranks gather the logits of the whole vocabulary
  bool whole_embedding = false;  // every tensor rank holds all of the embedding
  bool keeps_gathered = false;   // ZeRO 3: weights gathered in the forward pass stay so until the backward pass
  bool unsynced = false;         // FSDP2 without gradient synchronization but in the last micro-batch of a step
  bool fused_optimizer = false;  // weights are updated within the backward pass: gradients are never all there
  bool compiled = false;         // torch.compile: elementwise chains are one kernel and keep their inputs alone
  bool softcapped =
      false;  // scores and logits go through a tanh in eager code: it, an fp32 softmax and its cast are kept
  Lengths lengths = Lengths::fixed;
  bool deterministic = false;      // cuBLAS workspaces of 32 MiB (CUBLAS_WORKSPACE_CONFIG=:4096:8)
  bool whole_shards = false;       // optimizer states are shared parameter by parameter: none is cut
  std::int64_t loss_deferred = 0;  // micro-batches whose logit gradients are held back
  double expert_load = 0;          // tokens of the fullest rank of an expert group over the mean; 0: the framework's
  std::string device;              // catalogue name; empty: not known
};

// Tokens of the fullest rank of an expert group over the mean; experts on one rank get all of them anyway.
inline double expert_load_of(const Run& run) {
  return run.expert_load > 0 ? run.expert_load : run.framework.expert_load;
}

// What weights, gradients and the master copy are stored in; unspecified: there is none.
struct StoredFormats {
  Dtype weights, gradients, master;
};
inline StoredFormats stored_formats(const Run& run) {
  const Precision& p = run.precision;
  const Dtype accumulated = run.framework.gradients;
  StoredFormats out{p.weights, p.gradients, p.master};
  if (accumulated != Dtype::unspecified && p.gradients == Dtype::bfloat16) out.gradients = accumulated;
  if (run.framework.one_copy && run.layout.zero == Zero::weights && run.adapter.rank == 0 &&
      p.master != Dtype::unspecified)
    out = {p.master, p.master, Dtype::unspecified};
  return out;
}

// An empty run with the recipe bf16-mixed, AdamW and Megatron's rules.
Run default_run();

}  // namespace floptally
