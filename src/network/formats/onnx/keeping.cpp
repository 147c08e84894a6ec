// What an ONNX graph keeps for the backward pass: roles of its nodes, and which values an operator keeps.
#include <algorithm>

#include "network/formats/onnx/eval.h"

namespace floptally::onnx {
namespace {

using graph::Nature;
using graph::Needs;
using graph::Trait;

const Nature& nature_of(const Node& node) {
  static const std::vector<Nature> natures = [] {
    std::vector<Nature> list;
    for (std::uint16_t i = 0; i < rule_count(); ++i) list.push_back(graph::nature_of(rule_at(i).name));
    return list;
  }();
  static const Nature other;
  return node.rule < kLocalFunction ? natures[node.rule] : other;
}

}  // namespace

// Looks at every graph before it runs: a value is constant where nothing that is fed or learned reaches it.
void Evaluator::find_wholes() {
  std::vector<std::uint32_t> uses(model_.values.size(), 0);
  std::vector<char> constant(model_.values.size(), 0);
  std::vector<char>& weight = moved_weight_;
  weight.assign(model_.values.size(), 0);
  for (ValueId id : model_.operands)
    if (id != kNoValue) ++uses[id];  // its maker counts as one, in all of them
  for (const auto& graph : model_.graphs) {
    for (ValueId id : graph->outputs)
      if (id != kNoValue) uses[id] += 2;
    for (ValueId id : graph->captures) uses[id] += 2;
    for (const Node& node : graph->nodes)
      for (unsigned i = 0; i < node.outputs; ++i)
        if (const ValueId id = model_.operands[node.operands + node.inputs + i]; id != kNoValue) --uses[id];
  }
  for (const Initializer& w : model_.initializers) (w.trained && w.elements > 1 ? weight : constant)[w.value] = 1;
  graph::Wholes all;
  std::vector<graph::Piece> pieces;
  for (const auto& graph : model_.graphs) {
    pieces.clear();
    for (const Node& node : graph->nodes) {
      graph::Piece p;
      p.nature = nature_of(node);
      bool moving = false;
      for (unsigned i = 0; i < node.inputs; ++i) {
        const ValueId id = model_.operands[node.operands + i];
        if (id == kNoValue) continue;
        p.constant = p.constant || constant[id] != 0;
        p.weight = p.weight || weight[id] != 0;
        moving = moving || constant[id] == 0;
        if (constant[id] != 0 || weight[id] != 0) continue;
        if (p.inputs < 3)
          p.in[p.inputs++] = id;
        else
          p.nature.trait = Trait::none;
      }
      const bool makes =
          node.rule < kLocalFunction && (rule_at(node.rule).name == "Shape" || rule_at(node.rule).name == "Size");
      const bool still = (!moving || makes) && !(node.rule < kLocalFunction && rule_at(node.rule).bodies);
      for (unsigned i = 0; i < node.outputs; ++i) {
        const ValueId id = model_.operands[node.operands + node.inputs + i];
        if (id == kNoValue) continue;
        if (still) constant[id] = 1;
        // Weights that are only moved (gates in another order) are no activations.
        const bool moved = p.nature.needs == Needs::nothing && p.nature.trait != Trait::arithmetic &&
                           p.nature.trait != Trait::reduction;
        if (moved && p.inputs == 0 && p.weight) weight[id] = 1;
        p.out = id;
      }
      if (node.outputs != 1 || still) p.out = graph::kNoPiece;
      pieces.push_back(p);
    }
    const graph::Wholes found = graph::find_wholes(pieces, uses);
    for (std::size_t n = 0; n < graph->nodes.size(); ++n) graph->nodes[n].role = found.roles[n];
    all.add(found);
  }
  if (all.any()) notes_.push_back(note("whole-operators", all.text(), Span{model_.source, 0, 0}));
}

void Eval::view_outputs() {
  const Trait trait = nature_of(node_).trait;
  const ValueId from = input_id(0);
  const std::string_view name = rule_ != nullptr ? rule_->name : std::string_view{};
  double ratio = 1;
  const bool one = name == "Gather" && in(1).ranked() && in(1).rank == 0 && in(1).has(kConstant);
  const bool whole = name == "Dropout" && has(1) && scalar(in(1), ratio) && ratio == 0;
  const bool view = trait == Trait::view || trait == Trait::part || one || whole;
  if (from == kNoValue || !view || !is_float(in(0).elem)) return;
  for (int i = 0; i < outputs(); ++i)
    if (const ValueId to = output_id(i); to != kNoValue && out(i).elem == in(0).elem) owner_.view(to, from);
}

std::int64_t Eval::hold_input(int i, bool copied) {
  const ValueId id = input_id(i);
  return owner_.mute != nullptr || id == kNoValue ? 0 : owner_.hold(id, copied);
}

std::int64_t Eval::hold_output() {
  const ValueId id = output_id(0);
  return owner_.mute != nullptr || id == kNoValue ? 0 : owner_.hold(id, false);
}

std::int64_t Evaluator::hold(ValueId id, bool copied) {
  const Type& whole = model_.values[storage(id)].type;
  const bool part = copied && Eval::elements(model_.values[id].type) < Eval::elements(whole);
  Type& type = model_.values[part ? id : storage(id)].type;
  if (type.origin != 0 || type.has(kHeld) || moved_weight_[id] != 0) return 0;
  type.flags |= kHeld;
  return std::max<std::int64_t>(Eval::elements(type), 0);
}

std::int64_t Eval::hold_for_backward() {
  const Nature nature = nature_of(node_);
  std::int64_t kept = 0;
  const std::uint16_t role = node_.role;
  if ((role & graph::decided) != 0) {
    if ((role & graph::keeps_input) != 0)
      for (int i = 0; i < inputs(); ++i)
        if (in(i).origin == 0 && !in(i).has(kConstant) && is_float(in(i).elem))
          graph::add_elements(kept, hold_input(i));
    if ((role & graph::keeps_output) != 0) graph::add_elements(kept, hold_output());
    const Type& made = out(0);
    if ((role & graph::keeps_rows) != 0 && made.ranked() && made.rank > 0 && made.dims[made.rank - 1] > 0)
      graph::add_elements(kept, std::max<std::int64_t>(elements(made), 0) / made.dims[made.rank - 1]);
    return kept;
  }
  if (nature.needs == Needs::nothing || (nature.needs == Needs::unknown && rule_->flop == 0)) return 0;
  if (nature.needs == Needs::output) return hold_output();
  for (int i = 0; i < (nature.needs == Needs::input ? std::min(1, inputs()) : inputs()); ++i) {
    if (in(i).origin != 0 || !is_float(in(i).elem)) continue;
    bool other = nature.needs != Needs::other_sides;
    for (int k = 0; k < inputs() && !other; ++k) other = k != i && gradient(k);
    if (other) graph::add_elements(kept, hold_input(i));
  }
  return kept;
}

}  // namespace floptally::onnx
