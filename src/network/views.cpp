// The views of a count: the same walk as count(), collected per block, operator or component.
#include <map>

#include "network/count.h"
#include "network/walk.h"

namespace floptally {

namespace {

// Collects the measure of every block (children included) and of every op, over all visits.
struct BlockVisitor {
  explicit BlockVisitor(const Network& n) : network(n), blocks(n.blocks.size()), ops(n.ops.size()) { open.push_back(0); }
  const Network& network;
  std::vector<Measure<Integer>> blocks, ops;
  std::vector<std::uint32_t> open;
  void enter(std::uint32_t block) { open.push_back(block); }
  void leave(std::uint32_t) { open.pop_back(); }
  void op(std::uint32_t index, Integer multiple, const Measure<Integer>& m) {
    ops[index].add(m, multiple);
    for (std::uint32_t block : open) blocks[block].add(m, multiple);
  }
};

std::string display_name(std::string_view name, std::string_view fallback) {
  return std::string(name.empty() ? fallback : name);
}

struct LayerLister {
  const BlockVisitor& found;
  std::vector<ViewRow>& rows;
  std::map<std::string_view, std::int64_t> seen{};  // copies of each layer name so far

  void list(const Block& block, std::int64_t repeat) {
    for (const Item& item : block.items) {
      if (!item.is_block) {
        const Op& op = found.network.ops[item.index];
        rows.push_back({display_name(op.name, op.def->name), repeat, 0, found.ops[item.index]});
        continue;
      }
      const Block& child = found.network.blocks[item.index];
      if (child.repeat <= 0) continue;
      if (child.kind == BlockKind::layer || !has_layer(child)) {
        rows.push_back({layer_name(child, repeat), repeat * child.repeat, 0, found.blocks[item.index]});
      } else {
        list(child, repeat * child.repeat);
      }
    }
  }

  bool has_layer(const Block& block) const {
    for (const Item& item : block.items) {
      if (!item.is_block) continue;
      const Block& child = found.network.blocks[item.index];
      if (child.kind == BlockKind::layer || has_layer(child)) return true;
    }
    return false;
  }

  std::string layer_name(const Block& block, std::int64_t outer) {
    const std::string name = display_name(block.name, "layer");
    if (block.kind != BlockKind::layer) return name;
    std::int64_t& next = seen[block.name];
    const std::int64_t first = next;
    next += block.repeat * outer;
    const std::string last = next - first > 1 ? "-" + std::to_string(next - 1) : "";
    return name + "." + std::to_string(first) + last;
  }
};

void list_modules(const BlockVisitor& found, const Block& block, const std::string& path, int depth, int limit,
                  std::vector<ViewRow>& rows) {
  for (const Item& item : block.items) {
    if (!item.is_block) {
      const Op& op = found.network.ops[item.index];
      rows.push_back({path + display_name(op.name, op.def->name), op.times, depth, found.ops[item.index]});
      continue;
    }
    const Block& child = found.network.blocks[item.index];
    if (child.repeat <= 0) continue;
    if (child.name.empty() && child.repeat == 1) {  // a bracket without a name: its items belong to the parent
      list_modules(found, child, path, depth, limit, rows);
      continue;
    }
    const std::string name = path + display_name(child.name, "block");
    rows.push_back({name, child.repeat, depth, found.blocks[item.index]});
    if (depth + 1 < limit) list_modules(found, child, name + ".", depth + 1, limit, rows);
  }
}

}  // namespace

std::vector<ViewRow> view_by_layer(const Network& network, const CountOptions& options) {
  BlockVisitor found(network);
  Walker<BlockVisitor> walk(network, options, found);
  std::vector<ViewRow> rows;
  LayerLister{found, rows}.list(network.blocks[0], 1);
  return rows;
}

std::vector<ViewRow> view_by_module(const Network& network, const CountOptions& options, int depth) {
  BlockVisitor found(network);
  Walker<BlockVisitor> walk(network, options, found);
  std::vector<ViewRow> rows;
  list_modules(found, network.blocks[0], "", 0, depth, rows);
  return rows;
}

std::vector<ViewRow> view_by_operator(const Network& network, const CountOptions& options) {
  BlockVisitor found(network);
  Walker<BlockVisitor> walk(network, options, found);
  std::map<std::string_view, ViewRow> by_name;
  for (std::size_t i = 0; i < network.ops.size(); ++i) {
    ViewRow& row = by_name[network.ops[i].def->name];
    if (row.name.empty()) row = {std::string(network.ops[i].def->name), 0, 0, {}};
    row.repeat += network.ops[i].times;
    row.measure.add(found.ops[i]);
  }
  std::vector<ViewRow> rows;
  for (auto& [name, row] : by_name) rows.push_back(std::move(row));
  return rows;
}

std::vector<ViewRow> view_by_component(const Network& network, const CountOptions& options) {
  const Tally<Integer> tally = count(network, options);
  std::vector<ViewRow> rows;
  for (int i = 0; i < kComponentCount; ++i) {
    const Measure<Integer>& m = tally.by_component[i];
    if (m.parameters == Integer(0) && m.forward_flop() == Integer(0) && m.output == Integer(0)) continue;
    rows.push_back({std::string(component_name(static_cast<Component>(i))), 1, 0, m});
  }
  return rows;
}

}  // namespace floptally
