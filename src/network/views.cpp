// The views of a count: the same walk as count(), collected per block, operator or component.
#include <map>

#include "network/count.h"
#include "network/walk.h"

namespace floptally {

namespace {

std::string display_name(std::string_view name, std::string_view fallback) {
  return std::string(name.empty() ? fallback : name);
}

// Collects the measure of every op over all its visits.
struct OpVisitor {
  std::vector<Measure<Integer>>& ops;
  void enter(std::uint32_t) {}
  void leave(std::uint32_t) {}
  void op(std::uint32_t index, Integer multiple, const Measure<Integer>& m) { ops[index].add(m, multiple); }
};

std::vector<Measure<Integer>> measure_ops(const Network& network, const CountOptions& options) {
  std::vector<Measure<Integer>> ops(network.ops.size());
  OpVisitor visitor{ops};
  Walker<OpVisitor> walk(network, options, visitor);
  return ops;
}

// How often every op is executed in all.
struct Executions {
  std::vector<Integer>& times;
  void enter(std::uint32_t) {}
  void leave(std::uint32_t) {}
  void op(std::uint32_t index, Integer multiple, const Measure<Integer>&) { times[index] += multiple; }
};

struct Lister {
  const Network& network;
  const std::vector<Measure<Integer>>& ops;
  std::vector<ViewRow>& rows;
  std::map<std::string_view, std::int64_t> seen{};  // copies of each layer name so far

  void add_op(std::uint32_t index, Tally<Integer>& tally) const {
    tally.by_component[static_cast<int>(network.ops[index].component)].add(ops[index]);
  }

  Tally<Integer> whole(const Block& block) const {
    Tally<Integer> tally;
    collect(block, tally);
    return tally;
  }

  void collect(const Block& block, Tally<Integer>& tally) const {
    for (const Item& item : block.items) {
      if (!item.is_block) {
        add_op(item.index, tally);
      } else if (network.blocks[item.index].repeat > 0) {
        collect(network.blocks[item.index], tally);
      }
    }
  }

  void op_row(std::uint32_t index, const std::string& path, std::int64_t repeat, int depth) {
    const Op& op = network.ops[index];
    ViewRow row{path + display_name(op.name, op.def->name), repeat, depth, {}};
    add_op(index, row.tally);
    rows.push_back(std::move(row));
  }

  void layers(const Block& block, std::int64_t repeat) {
    for (const Item& item : block.items) {
      if (!item.is_block) {
        op_row(item.index, "", repeat, 0);
        continue;
      }
      const Block& child = network.blocks[item.index];
      if (child.repeat <= 0) continue;
      if (child.kind == BlockKind::layer || !has_layer(child)) {
        rows.push_back({layer_name(child, repeat), repeat * child.repeat, 0, whole(child)});
      } else {
        layers(child, repeat * child.repeat);
      }
    }
  }

  [[nodiscard]] bool has_layer(const Block& block) const {
    for (const Item& item : block.items) {
      if (!item.is_block) continue;
      const Block& child = network.blocks[item.index];
      if (child.kind == BlockKind::layer || has_layer(child)) return true;
    }
    return false;
  }

  std::string layer_name(const Block& block, std::int64_t outer) {
    std::string name = display_name(block.name, "layer");
    if (block.kind != BlockKind::layer) return name;
    std::int64_t& next = seen[block.name];
    const std::int64_t first = next;
    next += block.repeat * outer;
    const std::string last = next - first > 1 ? "-" + std::to_string(next - 1) : "";
    return name + "." + std::to_string(first) + last;
  }

  void modules(const Block& block, const std::string& path, int depth, int limit) {
    for (const Item& item : block.items) {
      if (!item.is_block) {
        op_row(item.index, path, network.ops[item.index].times, depth);
        continue;
      }
      const Block& child = network.blocks[item.index];
      if (child.repeat <= 0) continue;
      if (child.name.empty() && child.repeat == 1) {  // a bracket without a name: its items belong to the parent
        modules(child, path, depth, limit);
        continue;
      }
      const std::string name = path + display_name(child.name, "block");
      rows.push_back({name, child.repeat, depth, whole(child)});
      if (depth + 1 < limit) modules(child, name + ".", depth + 1, limit);
    }
  }

  void tree(const Block& block, ViewNode& into) const {
    for (const Item& item : block.items) {
      if (!item.is_block) {
        const Op& op = network.ops[item.index];
        into.children.push_back({display_name(op.name, op.def->name), op.times, &op, ops[item.index], {}});
        continue;
      }
      const Block& child = network.blocks[item.index];
      if (child.repeat <= 0) continue;
      if (child.name.empty() && child.repeat == 1) {
        tree(child, into);
        continue;
      }
      into.children.push_back({display_name(child.name, "block"), child.repeat, nullptr, {}, {}});
      tree(child, into.children.back());
    }
  }
};

}  // namespace

std::vector<ViewRow> view_by_layer(const Network& network, const CountOptions& options) {
  const std::vector<Measure<Integer>> ops = measure_ops(network, options);
  std::vector<ViewRow> rows;
  Lister{network, ops, rows}.layers(network.blocks[0], 1);
  return rows;
}

std::vector<ViewRow> view_by_module(const Network& network, const CountOptions& options, int depth) {
  const std::vector<Measure<Integer>> ops = measure_ops(network, options);
  std::vector<ViewRow> rows;
  Lister{network, ops, rows}.modules(network.blocks[0], "", 0, depth);
  return rows;
}

std::vector<ViewRow> view_by_operator(const Network& network, const CountOptions& options) {
  const std::vector<Measure<Integer>> ops = measure_ops(network, options);
  std::vector<Integer> copies(network.ops.size());
  Executions executions{copies};
  Walker<Executions> walk(network, options, executions);
  std::map<std::string, ViewRow> by_name;
  for (std::size_t i = 0; i < network.ops.size(); ++i) {
    const Op& op = network.ops[i];
    // Operators without a count are told apart by their own name.
    const std::string name =
        op.def->attribute_count == 0 ? "unknown: " + std::string(op.name) : std::string(op.def->name);
    ViewRow& row = by_name[name];
    if (row.name.empty()) row = {name, 0, 0, {}};
    row.repeat += (copies[i] * Integer(op.times)).to_int64();
    row.tally.by_component[static_cast<int>(op.component)].add(ops[i]);
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
    if (m.parameters == Integer(0) && m.forward_flop() == Integer(0) && m.output == Integer(0) && !m.at_least) continue;
    ViewRow row{std::string(component_name(static_cast<Component>(i))), 1, 0, {}};
    row.tally.by_component[i] = m;
    rows.push_back(std::move(row));
  }
  return rows;
}

ViewNode view_tree(const Network& network, const CountOptions& options, std::size_t most_leaves) {
  const std::vector<Measure<Integer>> ops = measure_ops(network, options);
  ViewNode root{display_name(network.name, "network"), 1, nullptr, {}, {}};
  std::vector<ViewRow> unused;
  if (network.ops.size() <= most_leaves) {
    Lister{network, ops, unused}.tree(network.blocks[0], root);
    return root;
  }
  std::map<std::pair<std::string_view, Component>, ViewNode> by_operator;  // one leaf per operator and component
  for (std::size_t i = 0; i < network.ops.size(); ++i) {
    const Op& op = network.ops[i];
    ViewNode& node = by_operator[{op.def->name, op.component}];
    if (node.op == nullptr) {
      node.name = std::string(op.def->name) + " (" + std::string(component_name(op.component)) + ")";
      node.op = &op;
      node.repeat = 0;
    }
    node.repeat += op.times;
    node.measure.add(ops[i]);
  }
  for (auto& [key, node] : by_operator) root.children.push_back(std::move(node));
  return root;
}

}  // namespace floptally
