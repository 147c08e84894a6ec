#include "network/operator.h"

#include "network/op.h"

namespace floptally {

namespace operators {
extern const OperatorDef* const kAll[];
}

int OperatorDef::find(std::string_view attribute) const {
  for (int i = 0; i < attribute_count; ++i) {
    if (attributes[i].name == attribute) return i;
  }
  return -1;
}

const OperatorDef* const* all_operators() { return operators::kAll; }

const OperatorDef* find_operator(std::string_view name) {
  for (const OperatorDef* const* def = operators::kAll; *def != nullptr; ++def) {
    if ((*def)->name == name) return *def;
  }
  return nullptr;
}

std::string_view component_name(Component component) {
  static constexpr std::string_view kNames[kComponentCount] = {
      "embed",     "position", "projection", "attention", "mlp",  "router", "convolution",
      "recurrent", "norm",     "activation", "unembed",   "loss", "head",   "other"};
  return kNames[static_cast<int>(component)];
}

}  // namespace floptally
