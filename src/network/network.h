// Network: the one representation of a model, whatever it was read from (a spec, a config.json, ONNX, tensor headers).
//
// A tree of blocks with repeat counts whose leaves are ops in execution order; a graph that comes flat (ONNX) is one
// block with many ops. Beside it, where the source knows them: tensors (name, shape, dtype) and the edges between ops.
//
// Always holds: the network describes ONE sample (a sequence of `sequence` tokens, an image), or `samples` of them
// where a graph has its batch built in; counts scale linearly with the batch. Names live in the network's own arena, so
// a moved network stays valid. Blocks are stored in depth-first order: a child's index is larger than its parent's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "floptally/diagnostic.h"
#include "network/op.h"

namespace floptally {

// Copies of names, never moved.
class NameArena {
 public:
  std::string_view keep(std::string_view name);

 private:
  std::vector<std::unique_ptr<char[]>> chunks_;
  std::size_t used_ = 0, capacity_ = 0;
};

// An item of a block: an op or a child block.
struct Item {
  std::uint32_t index;
  bool is_block;
};

struct Block {
  std::string_view name;
  std::int64_t repeat = 1;
  BlockKind kind = BlockKind::group;
  std::vector<Item> items;  // in execution order
};

enum class TensorRole : std::uint8_t {
  activation,
  input,  // fed by the user
  output,
  parameter,  // learned
  buffer,     // held, not learned (running statistics, tables)
};

struct Tensor {
  std::string_view name;
  std::vector<std::int64_t> shape;  // a size that is not known is -1
  Dtype dtype = Dtype::unspecified;
  TensorRole role = TensorRole::activation;
  Span from;
};

// Which tensors an op reads and writes (indices into Network::tensors).
struct Edges {
  std::vector<std::uint32_t> inputs, outputs;
};

// A size that shaped the network and where it came from ("given", "file", "assumed").
struct Binding {
  std::string name;
  std::int64_t value = 0;
  std::string origin;
  Span from;
};

struct Network {
  std::string name;    // "meta-llama/Llama-3.1-8B", a file's name
  std::string family;  // "llama", "onnx", "spec" ...
  std::string unit =
      "sample";               // what one sample is made of: "token" for language models (then `sequence` is its length)
  std::int64_t sequence = 1;  // units per sample: FLOP per unit = FLOP per sample / sequence
  std::int64_t samples = 1;   // samples that one execution of the described ops handles
  Dtype dtype = Dtype::unspecified;  // of the stored parameters unless an op says otherwise
  std::vector<Binding> bindings;
  Diagnostics notes;          // ignored keys, assumptions, things that could not be counted
  std::vector<Block> blocks;  // blocks[0] is the root
  std::vector<Op> ops;
  std::vector<Tensor> tensors;  // empty where the source has none
  std::vector<Edges> edges;     // empty, or one per op
  NameArena names;
  std::optional<Integer> stored_bytes;  // of all tensors, where headers of tensor files say so
};

// The Sink that builds a Network. enter/leave must balance; finish() closes what is open.
class NetworkBuilder final : public Sink {
 public:
  NetworkBuilder();
  void enter(std::string_view name, std::int64_t repeat = 1, BlockKind kind = BlockKind::module) override;
  void add(const Op& op) override;
  void leave() override;
  // True once more ops or blocks came than a description may have (kMostOps); what came later was dropped.
  [[nodiscard]] bool too_large() const { return too_large_; }
  Network& network() { return network_; }  // to fill in what is not structure
  Network finish() { return std::move(network_); }

 private:
  Network network_;
  std::vector<std::uint32_t> open_;
  bool too_large_ = false;
};

// Bounds memory where a hostile description is small and its network is not.
inline constexpr std::size_t kMostOps = std::size_t{1} << 21;
// "too-large", for readers to return when NetworkBuilder::too_large().
Diagnostic too_large(Span at = {});

// Describes `network` to `sink` (the inverse of NetworkBuilder).
void replay(const Network& network, Sink& sink);

// The most nested blocks any reader may build; deeper input is refused with "nested-too-deep".
inline constexpr int kMaxBlockDepth = 64;

// What a builder is asked to build for; a value that the user did not give is 0.
struct Inputs {
  std::int64_t batch = 0;
  std::int64_t sequence = 0;                              // tokens (decoder side)
  std::int64_t source_sequence = 0;                       // encoder side of encoder-decoders
  std::vector<std::int64_t> shape;                        // --input 1x3x224x224
  std::vector<std::pair<std::string, std::int64_t>> let;  // --let batch=8
  int nesting = 0;                                        // files that led here by naming one another
};

}  // namespace floptally
