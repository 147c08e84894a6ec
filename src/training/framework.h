// Framework: what training software does with memory beyond the model's own arithmetic. Rows of
// data/training/frameworks.csv and data/training/device_overheads.csv, each a rule with its source; the few numbers
// that are fitted over measured runs stand in data/training/fitted.csv, written by tools/fit-memory.py alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "floptally/diagnostic.h"
#include "network/dtype.h"

namespace floptally {

struct Device;  // hardware/device.h

enum class Wgrad : std::uint8_t { in_place, dummy, transient };

// A best guess with its 90% range.
struct Spread {
  double best = 0, low = 0, high = 0;
};

struct Framework {
  std::string name = "megatron";
  Dtype gradients = Dtype::unspecified;  // unspecified: the precision recipe's
  Wgrad wgrad = Wgrad::dummy;
  double loss_forward = 6, loss_backward = 6;  // bytes per logit at the peak of the loss
  double loss_compiled = 0;                    // ... where the run is compiled; 0: the same
  double loss_parallel = 0;                    // ... where the logits are split over tensor ranks; 0: the same
  double loss_blocks = 0;                      // bytes per logit that stay reserved beside the peak of the loss
  double attention_copies = 0;
  double norm_bytes = 0;    // bytes that an RMS norm keeps per number in place of its input; 0: it keeps its input
  double norm_trained = 0;  // further bytes per number where the norm's scale is trained
  double gated_kept = 0;
  bool expert_scaled = false;
  bool expert_outputs = false;
  double handles = 2;
  bool engine_workspace = false;
  double buckets = 0;              // bytes of full communication buckets
  double optimizer_temporary = 0;  // bytes per updated parameter
  double shard_gradients = 0;      // bytes per parameter of the optimizer's shard, kept for good
  double second_gradients = 0;     // bytes per trained parameter held beside gradients accumulated in fp32
  double reducer = 0;              // bytes per trained parameter of the reducer's buckets, with more than one data rank
  double packed_inputs = 0;        // steps whose inputs products with 4-bit weights keep
  bool fused_values = false;       // values are a view of the fused query-key-value output, which is held whole
  bool repeats_keys = false;       // grouped keys and values are repeated to all heads before attention
  bool products_policy = false;    // selective recomputation by operator: every second product is kept
  bool late_gradients = false;     // gradients exist only once the backward pass has made them
  bool copies_output = false;      // the output projection reads a copy of the attention output
  bool whole_gradients = false;    // sharded gradients are accumulated whole, frozen parameters included
  bool score_buffer = false;       // unfused attention makes its scores beside a buffer of their size, kept for good
  bool flat_step = false;          // the optimizer's step works in single flat tensors
  bool one_copy = false;           // sharded weights and gradients are in the master's format, with no 16-bit copy
  bool root_gathered = false;      // the embedding stays gathered with the output layer
  bool saves_gathered = false;     // products keep what was gathered for them, not their share of it
  bool router_graphs = false;      // modules hold the router's loss, and with it what was made again before the router
  bool reshards_root = false;      // the root, and with it all, is resharded before the loss is made
  bool pads_experts = false;       // every expert's rows are padded to the fullest one's
  bool gradients_wait = false;     // 16-bit gradients are added to the accumulated ones after the backward pass
  bool loops_experts = false;      // experts run one after the other
  bool flat_units = false;         // a layer's parameters are sharded as one flat tensor (FSDP1)
  bool one_graph = false;          // a compiled model whose weights are whole is one graph: gradients come all at once
  bool router_engine = false;      // the router's product alone takes Transformer Engine's workspace
  bool padding_masks = false;      // unfused attention under a padding mask keeps a mask of queries x keys a layer
  bool unties = false;             // tied output matrices are held apart from the embedding
  bool packs_head = false;         // the output matrix is packed into 4 bits as the others are
  double gather_buffers = 0;       // what is gathered whole goes through so many buffers that are kept for good
  double launches = 0;             // forward kernels of a layer, where collectives hold freed blocks; 0: none are held
  bool holds_exchanged = false;    // a pipeline rank holds the gradients of its last input until it has the next ones
  double unpacked = 2;             // bytes per number of a 4-bit matrix while it is used
  bool zero_pads = false;          // adapters on a part of a fused projection are copied into zeros: kept once more
  bool planned = false;            // a compiler plans memory: no reserve, one layer gathered at a time
  bool shards_pipelines = false;   // ZeRO 2 and 3 go with a pipeline
  bool splits_sequence = false;    // tensor parallelism brings sequence parallelism with it
  bool offloads_gradients = false;    // sharded gradients go to the host with an offloaded optimizer
  bool keeps_high_precision = false;  // quantized matrix products keep their inputs unquantized, and no weight copies
  Spread reserved{1.04, 1.0, 1.1};    // allocator-reserved over peak allocated (fitted.csv)
  Spread scattered{1, 1, 1};          // ... of what comes and goes within a step, where lengths vary (allocator.csv)
  double expert_load = 1;             // tokens of the fullest rank of an expert group over the mean (fitted.csv)
  std::string source;
};

// By name or alias. Error: unknown-framework with the nearest names.
Result<Framework> find_framework(std::string_view name, Span at = {});
const std::vector<Framework>& frameworks();

struct DeviceOverhead {
  std::string device;
  double cublas_workspace = 0, engine_workspace = 0;  // bytes
  double cublas_before = 0;                           // ... of older versions of PyTorch, where these took another size
  bool cudnn_attention = false;                       // attention runs in cuDNN's kernel
  Spread context;                                     // bytes that nvidia-smi shows before the first tensor
  double usable = 1;                                  // share of the memory as sold that programs can have
  std::string source;
};
// The row whose name begins the device's ("A100" for "A100-SXM-80GB"), else the row "any".
const DeviceOverhead& device_overhead(std::string_view device);
// Bytes of the device that programs can have; 0 where its memory is not known.
double usable_bytes(const Device& device);

}  // namespace floptally
