#include "network/ops.h"

namespace floptally {

std::optional<Activation> find_activation(std::string_view name) {
  struct Row {
    std::string_view name;
    Activation kind;
  };
  static constexpr Row kRows[] = {
      {"relu", Activation::relu},
      {"relu6", Activation::relu6},
      {"gelu", Activation::gelu},
      {"gelu_new", Activation::gelu},
      {"gelu_fast", Activation::gelu},
      {"gelu_pytorch_tanh", Activation::gelu},
      {"gelu_python", Activation::gelu},
      {"gelu_accurate", Activation::gelu},
      {"gelu_10", Activation::gelu},
      {"quick_gelu", Activation::silu},
      {"silu", Activation::silu},
      {"swish", Activation::silu},
      {"swiglu", Activation::silu},
      {"swigluoai", Activation::silu},
      {"sigmoid", Activation::sigmoid},
      {"tanh", Activation::tanh},
      {"relu2", Activation::relu_squared},
      {"relu_squared", Activation::relu_squared},
      {"leaky_relu", Activation::leaky_relu},
      {"elu", Activation::elu},
      {"hard_swish", Activation::hard_swish},
      {"hardswish", Activation::hard_swish},
      {"hard_sigmoid", Activation::hard_sigmoid},
      {"hardsigmoid", Activation::hard_sigmoid},
      {"softplus", Activation::softplus},
      {"mish", Activation::mish},
      {"identity", Activation::identity},
      {"linear", Activation::identity},
      {"none", Activation::identity},
  };
  for (const Row& row : kRows) {
    if (row.name == name) return row.kind;
  }
  return std::nullopt;
}

}  // namespace floptally
