// The ATen operators of a PyTorch export: what each costs. One row an operator; anything that is not here is named and
// makes the totals "at least". Operator schemas: pytorch/aten/src/ATen/native/native_functions.yaml (2.0 to 2.9).
#pragma once

#include <string_view>

#include "document/document.h"
#include "network/formats/graph/flow.h"

namespace floptally::pt2 {

// One node of the exported graph, as the file has it.
struct Call {
  graph::Flow& flow;
  std::string_view op;                          // "conv2d"
  std::string_view name;                        // of its first output
  Node inputs;                                  // list of {name, arg}
  std::vector<graph::FlowId> tensors, outputs;  // all tensors read and made

  // The argument called `name`, else the one at `index`: the inside of its union ({"as_int": 3} gives 3), or nothing.
  [[nodiscard]] Node argument(std::string_view name, std::size_t index) const;
  [[nodiscard]] graph::FlowId tensor(std::string_view name, std::size_t index) const;
  [[nodiscard]] std::vector<graph::FlowId> tensor_list(std::string_view name, std::size_t index) const;
  [[nodiscard]] bool flag(std::string_view name, std::size_t index) const;
};

// Adds the call's work to its flow.
void apply(Call& call);

}  // namespace floptally::pt2
