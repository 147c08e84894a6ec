// The TensorFlow operators: shapes and costs, one row each; others are named and make totals "at least".
// Semantics: tensorflow.org/api_docs/python/tf/raw_ops.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "network/formats/graph/flow.h"
#include "network/formats/tensorflow/proto.h"

namespace floptally::tensorflow {

// Whole numbers that are known before anything runs (axes, shapes), by value.
using Elements = std::map<graph::FlowId, std::vector<std::int64_t>>;

struct OpCall {
  graph::Flow& flow;
  ProtoReader& reader;
  const NodeDef& node;
  std::vector<graph::FlowId> inputs, outputs;
  Elements& elements;

  [[nodiscard]] std::string_view attribute(std::string_view name) const {
    const auto at = node.attributes.find(name);
    return at == node.attributes.end() ? std::string_view{} : at->second;
  }
  [[nodiscard]] bool has(std::size_t i) const { return i < inputs.size() && inputs[i] != graph::kNothing; }
  [[nodiscard]] const graph::FlowValue& in(std::size_t i) const { return flow.value(inputs[i]); }
  // The elements of input i, or null.
  [[nodiscard]] const std::vector<std::int64_t>* known(std::size_t i) const {
    const auto at = has(i) ? elements.find(inputs[i]) : elements.end();
    return at == elements.end() ? nullptr : &at->second;
  }
  // One more output.
  graph::FlowValue& make();
};

// Adds the node's outputs and its work. `batch`: what a free first dimension was bound to (-1: nothing).
void apply_op(OpCall& call, std::int64_t batch);

}  // namespace floptally::tensorflow
