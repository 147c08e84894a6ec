#include "network/adapt.h"

#include "network/ops.h"

namespace floptally {

namespace {

// `pattern` is a whole module path, the start of one, or the name of one of its parts.
bool matches(const std::string& path, std::string_view pattern) {
  const std::string dotted = "." + path + ".";
  return dotted.find("." + std::string(pattern) + ".") != std::string::npos;
}

class Adapting {
 public:
  Adapting(const Network& network, const Training& training)
      : network_(network),
        training_(training),
        used_(training.freeze.size() + training.train.size() + training.adapter.targets.size()) {}

  Network run() {
    items(network_.blocks[0], "");
    Network& result = builder_.network();
    result.name = network_.name;
    result.family = network_.family;
    result.unit = network_.unit;
    result.sequence = network_.sequence;
    result.samples = network_.samples;
    result.dtype = network_.dtype;
    result.bindings = network_.bindings;
    result.notes = network_.notes;
    note_unused();
    return builder_.finish();
  }

 private:
  bool any(const std::vector<std::string>& patterns, const std::string& path, std::size_t first) {
    bool found = false;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      if (!matches(path, patterns[i])) continue;
      used_[first + i] = true;
      found = true;
    }
    return found;
  }

  void items(const Block& block, const std::string& path) {
    for (const Item& item : block.items) {
      if (!item.is_block) {
        op(network_.ops[item.index], path, item.index);
        continue;
      }
      const Block& child = network_.blocks[item.index];
      const Scope scope(builder_, child.name, child.repeat, child.kind);
      items(child, child.name.empty() ? path : path + std::string(child.name) + ".");
    }
  }

  bool chosen(const Op& op, const std::string& name, std::size_t index, std::size_t targets) {
    const Adapter& a = training_.adapter;
    if (a.rank == 0 || !adaptable(op)) return false;
    if (!a.ops.empty()) return a.ops[index] != 0;
    return a.targets.empty() ? in_blocks(op) : any(a.targets, name, targets);
  }

  void op(Op op, const std::string& path, std::size_t index) {
    const std::string name = path + std::string(op.name);
    const std::size_t trains = training_.freeze.size(), targets = trains + training_.train.size();
    bool frozen = any(training_.freeze, name, 0);
    if (training_.adapter.rank > 0 || !training_.train.empty()) frozen = !any(training_.train, name, trains);
    const bool adapted = chosen(op, name, index, targets);
    if (frozen || adapted) op.with(op_flags::frozen);
    if (training_.adapter.stored != Dtype::unspecified && op.has(op_flags::frozen) && in_blocks(op))
      op.stored = training_.adapter.stored;
    if (adapted) {
      adapter(op);
    } else {
      builder_.add(op);
    }
  }

  static bool adaptable(const Op& op) {
    return op.def == &operators::k_linear || op.def == &operators::k_grouped_linear;
  }
  static bool in_blocks(const Op& op) {
    return adaptable(op) && (op.component == Component::mlp || op.component == Component::projection ||
                             op.component == Component::recurrent);
  }

  void adapter(const Op& base) {
    const Scope branches(builder_, base.name, 1, BlockKind::branches);
    const bool column = (base.tensor_split & 4u) != 0;
    Op named = base;
    named.name = "base_layer";
    builder_.add(named);
    {
      const Scope low_rank(builder_, "lora");
      Op a = base, b = base;
      a.name = "lora_A";
      b.name = "lora_B";
      for (Op* op : {&a, &b}) {
        op->flags =
            static_cast<std::uint16_t>(op->flags & ~(op_flags::frozen | op_flags::tied | op_flags::shared_input));
        op->stored = Dtype::unspecified;
        op->attributes[3] = 0;  // no bias
        op->tensor_split = 0;
      }
      a.attributes[2] = training_.adapter.rank;
      b.attributes[1] = training_.adapter.rank;
      (column ? b : a).tensor_split = base.tensor_split;
      builder_.add(a);
      builder_.add(b);
    }
    builder_.add(elementwise("add", base.attributes[0] * base.attributes[2]));
  }

  void note_unused() {
    std::size_t i = 0;
    for (const auto* patterns : {&training_.freeze, &training_.train, &training_.adapter.targets}) {
      for (const std::string& pattern : *patterns) {
        if (!used_[i++])
          builder_.network().notes.push_back(
              warning("unmatched-part", "no part of the network is called '" + pattern + "'"));
      }
    }
  }

  const Network& network_;
  const Training& training_;
  NetworkBuilder builder_;
  std::vector<bool> used_;
};

}  // namespace

Network adapt(const Network& network, const Training& training) { return Adapting(network, training).run(); }

}  // namespace floptally
