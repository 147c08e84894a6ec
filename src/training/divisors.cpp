// What a layout must divide, read off a network's operators.
#include <algorithm>

#include "network/ops.h"
#include "training/run_file.h"

namespace floptally {

Divisors divisors_of(const Network& network, const Run& run) {
  Divisors d;
  std::vector<std::int64_t> copies(network.blocks.size(), 1);  // of what is around a block; parents come first
  for (std::size_t i = 0; i < network.blocks.size(); ++i) {
    const Block& block = network.blocks[i];
    if (block.kind == BlockKind::layer) d.layers += copies[i] * block.repeat;
    for (const Item& item : block.items)
      if (item.is_block) copies[item.index] = copies[i] * std::max<std::int64_t>(0, block.repeat);
  }
  for (const Op& op : network.ops) {
    if (op.def == &operators::k_attention && d.heads == 0) {
      d.heads = op.attributes[2];
      d.kv_heads = op.attributes[3];
    }
    if (op.def == &operators::k_linear && op.component == Component::mlp && (op.tensor_split & 4u) != 0 && d.ffn == 0)
      d.ffn = op.attributes[2];
    if (op.def == &operators::k_grouped_linear && d.experts == 0) {
      d.experts = op.attributes[4];
      d.expert_ffn = op.attributes[2];
    }
    if (op.def == &operators::k_embedding && d.vocabulary == 0) {
      d.vocabulary = op.attributes[1];
      d.width = op.attributes[2];
    }
  }
  d.sequence = network.sequence;
  d.batch = run.batch;
  return d;
}

}  // namespace floptally
