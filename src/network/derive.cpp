#include "network/derive.h"

#include <vector>

namespace floptally {
namespace {

// A size that the model's description gives.
Traced sized(Trace& trace, std::string name, Integer value, std::string_view meaning) {
  Leaf leaf;
  leaf.name = std::move(name);
  leaf.exact = value;
  leaf.distribution = Distribution::point(value.to_double());
  leaf.mark = Mark::file;
  leaf.source = std::string(meaning);
  return trace.leaf(std::move(leaf));
}

bool nothing(const Traced& value) { return value.value() == 0; }

Traced plus(const Traced& a, const Traced& b) { return nothing(a) ? b : (nothing(b) ? a : a + b); }

// The sums a count may be made of, likeliest first.
std::vector<Traced> candidates(const Cost<Traced>& c, CostPart part) {
  if (part == CostPart::parameters) return {c.parameters};
  if (part == CostPart::forward) return {c.forward.matmul, plus(c.forward.matmul, c.forward.other)};
  const auto whole = [](const FlopSplit<Traced>& f, bool others) {
    return others ? plus(f.matmul, f.other) : f.matmul;
  };
  std::vector<Traced> sums;
  for (const bool others : {false, true}) {
    const Traced inner = whole(c.backward_inner, others);
    const Traced input = whole(c.backward_input, others);
    const Traced weight = whole(c.backward_weight, others);
    sums.push_back(plus(plus(input, weight), inner));
    sums.push_back(plus(weight, inner));
    sums.push_back(plus(input, inner));
    if (!nothing(c.recompute_matmul)) sums.push_back(plus(plus(plus(input, weight), inner), c.recompute_matmul));
  }
  return sums;
}

}  // namespace

std::optional<Traced> derive(Trace& trace, const std::string& path, const Op& op, const Rules& rules, CostPart part,
                             Integer copies, Integer value) {
  if (op.def->count_traced == nullptr || value == Integer(0)) return std::nullopt;
  Attributes<Traced> attributes;
  for (int i = 0; i < op.def->attribute_count; ++i)
    attributes.value[i] = sized(trace, path + ": " + std::string(op.def->attributes[i].name), Integer(op.attributes[i]),
                                op.def->attributes[i].doc);
  Cost<Traced> cost;
  op.def->count_traced(attributes, rules, cost);
  if (part != CostPart::parameters) copies *= Integer(op.times);
  for (const Traced& sum : candidates(cost, part)) {
    const auto exact = sum.exact();
    if (!exact || !(*exact * copies == value)) continue;
    if (copies == Integer(1)) return Traced(&trace, sum.in(trace));
    return sized(trace, path + ": copies", copies, "how often the blocks around it repeat") * sum;
  }
  return std::nullopt;
}

}  // namespace floptally
