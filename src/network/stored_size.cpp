#include "network/stored_size.h"

namespace floptally {
namespace {

struct StoredBytes {
  const Network& network;
  Integer sum = 0;
  bool known = true;
  void block(const Block& b, Integer multiple) {
    for (const Item& item : b.items) {
      if (item.is_block) {
        const Block& child = network.blocks[item.index];
        if (child.repeat > 0) block(child, multiple * Integer(child.repeat));
        continue;
      }
      const Op& op = network.ops[item.index];
      if (op.has(op_flags::tied)) continue;
      Cost<Integer> cost;
      cost_of(op, {}, cost);
      const Dtype dtype = op.stored == Dtype::unspecified ? network.dtype : op.stored;
      if (cost.parameters > Integer(0) && dtype == Dtype::unspecified) known = false;
      sum += multiple * stored_bytes(cost.parameters, dtype);
    }
  }
};

}  // namespace

std::optional<Integer> stored_parameter_bytes(const Network& network) {
  if (network.stored_bytes) return network.stored_bytes;
  StoredBytes bytes{network};
  bytes.block(network.blocks[0], Integer(1));
  if (!bytes.known) return std::nullopt;
  return bytes.sum;
}

}  // namespace floptally
