#include "network/network.h"

#include <cstring>

namespace floptally {

std::string_view NameArena::keep(std::string_view name) {
  if (name.empty()) return {};
  if (used_ + name.size() > capacity_) {
    capacity_ = name.size() > 4096 ? name.size() : 4096;
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(capacity_));
    used_ = 0;
  }
  char* place = chunks_.back().get() + used_;
  std::memcpy(place, name.data(), name.size());
  used_ += name.size();
  return {place, name.size()};
}

NetworkBuilder::NetworkBuilder() {
  network_.blocks.emplace_back();
  open_.push_back(0);
}

void NetworkBuilder::enter(std::string_view name, std::int64_t repeat, BlockKind kind) {
  const auto index = static_cast<std::uint32_t>(network_.blocks.size());
  if (index >= kMostOps) {
    too_large_ = true;
    open_.push_back(open_.back());  // what comes lands in the parent, until it leaves
    return;
  }
  network_.blocks[open_.back()].items.push_back({index, true});
  network_.blocks.push_back({network_.names.keep(name), repeat, kind, {}});
  open_.push_back(index);
}

void NetworkBuilder::add(const Op& op) {
  if (network_.ops.size() >= kMostOps) {
    too_large_ = true;
    return;
  }
  network_.blocks[open_.back()].items.push_back({static_cast<std::uint32_t>(network_.ops.size()), false});
  network_.ops.push_back(op);
  network_.ops.back().name = network_.names.keep(op.name);
}

void NetworkBuilder::leave() {
  if (open_.size() > 1) open_.pop_back();
}

Diagnostic too_large(Span at) {
  return error("too-large", "the network has more than 2,097,152 different operators", at,
               "write equal layers as repeats");
}

namespace {
void replay_items(const Network& network, const Block& block, Sink& sink) {
  for (const Item& item : block.items) {
    if (!item.is_block) {
      sink.add(network.ops[item.index]);
      continue;
    }
    const Block& child = network.blocks[item.index];
    const Scope scope(sink, child.name, child.repeat, child.kind);
    replay_items(network, child, sink);
  }
}
}  // namespace

void replay(const Network& network, Sink& sink) { replay_items(network, network.blocks[0], sink); }

}  // namespace floptally
