// What the kinds rnn, gru and lstm share: a stack of recurrent layers, optionally with an embedding before and logits
// or a classifier after.
#pragma once

#include "network/spec.h"

namespace floptally::kinds {

// The last is the LSTM's alone.
inline constexpr Field kRecurrentFields[] = {
    {.key = "layers", .expect = Expect::any, .doc = "layers in a stack (1)"},
    {.key = "hidden", .expect = Expect::any, .doc = "hidden size", .required = true},
    {.key = "input", .expect = Expect::any, .doc = "features of one step (the embedding's width with `vocab`)"},
    {.key = "bidirectional", .expect = Expect::boolean, .doc = "both directions"},
    {.key = "biases", .expect = Expect::any, .doc = "bias vectors per gate: 2 (PyTorch), 1 (Keras) or 0"},
    {.key = "vocab", .expect = Expect::any, .doc = "rows of an embedding table before and of logits after"},
    {.key = "classes", .expect = Expect::any, .doc = "classes of a classifier on the last step"},
    {.key = "sequence", .expect = Expect::any, .doc = "steps"},
    {.key = "projected", .expect = Expect::any, .doc = "size of the projected output"},
};
inline constexpr std::span<const Field> kRecurrentFieldsUnprojected(kRecurrentFields, std::size(kRecurrentFields) - 1);

// One layer of the stack.
struct RecurrentLayer {
  std::int64_t steps = 0, input = 0, hidden = 0, directions = 1, biases = 2, projected = 0;
};

void build_recurrent(Spec& spec, Sink& sink, bool projects, Op (*layer)(const RecurrentLayer&));

}  // namespace floptally::kinds
