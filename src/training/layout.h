// Layout: how a training run is split over devices, and the rules that make a layout legal. The rules are data: a
// search walks the same table that refuses a user's file.
//
// Always holds for a legal layout: data * tensor * pipeline * context = devices; experts are spread over ranks that the
// dense layers use for data, context (and tensor) parallelism, so expert * expert_tensor divides devices / pipeline.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "floptally/diagnostic.h"

namespace floptally {

// Ranks, layers and tokens in the arithmetic of bytes.
inline double as_double(std::int64_t n) { return static_cast<double>(n); }

// What the data-parallel ranks share out (Rajbhandari et al. 1910.02054): states of the optimizer, gradients, weights.
enum class Zero : std::uint8_t { none, optimizer, gradients, weights };

enum class Schedule : std::uint8_t { gpipe, one_f_one_b, interleaved, zb_h1, zb_h2, zb_v, dualpipe, dualpipe_v };
inline constexpr int kScheduleCount = 8;
std::string_view name_of(Schedule schedule);

enum class ContextKind : std::uint8_t { ring, all_to_all };

struct Layout {
  std::int64_t data = 1;  // data-parallel replicas of the dense layers
  std::int64_t tensor = 1;
  std::int64_t pipeline = 1;
  std::int64_t chunks = 1;  // model chunks per pipeline rank (virtual stages)
  std::int64_t context = 1;
  ContextKind context_kind = ContextKind::ring;
  std::int64_t expert = 1;         // ranks that the experts of a layer are spread over
  std::int64_t expert_tensor = 0;  // ranks that share one expert; 0: as `tensor`
  bool sequence_parallel = false;  // Korthikanti et al. 2205.05198
  bool gathers_tokens = false;     // every rank of an expert group gets all its tokens (all-gather, not all-to-all)
  Zero zero = Zero::none;
  std::int64_t shard = 0;  // ranks that ZeRO shares over (HSDP); 0: all data * context ranks
  Schedule schedule = Schedule::one_f_one_b;
  std::int64_t micro_batch = 1;      // sequences per replica per pass
  std::vector<std::int64_t> stages;  // layers of each chunk in model order (pipeline * chunks numbers); empty: even

  [[nodiscard]] std::int64_t devices() const { return data * tensor * pipeline * context; }
  [[nodiscard]] std::int64_t expert_tensor_of() const { return expert_tensor > 0 ? expert_tensor : tensor; }
  // Ranks that hold the same dense weights and share optimizer states (Megatron: the data-context group).
  [[nodiscard]] std::int64_t shard_ranks() const { return shard > 0 ? shard : data * context; }
  // Parts that the layers are cut into, in model order (DualPipe holds every part twice).
  [[nodiscard]] std::int64_t model_chunks() const;
  // Ranks that hold the same expert weights.
  [[nodiscard]] std::int64_t expert_data() const;
};

// The sizes of a model that a layout must divide; 0 where a model has none or it is not known.
struct Divisors {
  std::int64_t layers = 0, heads = 0, kv_heads = 0, width = 0, ffn = 0, expert_ffn = 0, vocabulary = 0, experts = 0,
               sequence = 0, batch = 0;
};

// What a rule looks at. `devices` is 0 where the user gave none.
struct LayoutCase {
  const Layout& layout;
  const Divisors& model;
  std::int64_t devices = 0;
  bool shards_pipelines = false;  // the framework goes on with a pipeline under ZeRO 2 and 3
};

struct LayoutRule {
  std::string_view code;  // the diagnostic's code, such as "layout-tensor-heads"
  std::string_view key;   // of the layout, that breaks it first
  std::string_view doc;   // the rule in one sentence
  std::string_view source;
  bool (*holds)(const LayoutCase&);
  std::string (*says)(const LayoutCase&);  // what is wrong here, with the numbers
  std::string (*help)(const LayoutCase&);  // what would be right
};

const std::vector<LayoutRule>& layout_rules();
// True if every rule holds; allocates nothing.
bool is_legal(const LayoutCase& c);
// One diagnostic per broken rule; `at` is where the layout stands.
Diagnostics check_layout(const LayoutCase& c, Span at = {});
// Sequences in flight per optimizer step on one replica: batch / (data * micro_batch), at least 1.
std::int64_t micro_batches(const Layout& layout, std::int64_t batch);

}  // namespace floptally
