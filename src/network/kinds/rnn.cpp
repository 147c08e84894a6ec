#include <algorithm>

#include "network/spec.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    {.key = "layers", .expect = Expect::any, .doc = "layers in a stack (1)"},
    {.key = "hidden", .expect = Expect::any, .doc = "hidden size", .required = true},
    {.key = "input", .expect = Expect::any, .doc = "features of one step (the embedding's width with `vocab`)"},
    {.key = "bidirectional", .expect = Expect::boolean, .doc = "both directions"},
    {.key = "biases", .expect = Expect::any, .doc = "bias vectors per gate: 2 (PyTorch), 1 (Keras) or 0"},
    {.key = "vocab", .expect = Expect::any, .doc = "rows of an embedding table before and of logits after"},
    {.key = "classes", .expect = Expect::any, .doc = "classes of a classifier on the last step"},
    {.key = "sequence", .expect = Expect::any, .doc = "steps"},
};
constexpr FieldTable kTable{"rnn", "simple recurrent layers, optionally with embedding and logits", kFields};

void build(Spec& spec, Sink& sink) {
  const std::int64_t layers = spec.size_or("layers", 1), hidden = spec.size("hidden", "hidden size"),
                     vocabulary = spec.size_or("vocab", 0);
  const std::int64_t input = spec.size_or("input", hidden), biases = spec.size_or("biases", 2, 0),
                     classes = spec.size_or("classes", 0, 0);
  const std::int64_t directions = spec.flag("bidirectional", false) ? 2 : 1, steps = spec.sequence(128);
  if (biases > 2) spec.fail(error("shape-range", "'biases' is 0, 1 or 2", spec.node().find("biases").span()));
  if (!spec.ok()) return;
  if (vocabulary > 0) sink.add(embedding("embedding", steps, vocabulary, input));
  const std::int64_t out = directions * hidden;
  for (std::int64_t first = 0; first < std::min<std::int64_t>(layers, 2); ++first) {
    const Scope layer(sink, "layers", first == 0 ? 1 : layers - 1, BlockKind::layer);
    sink.add(rnn("rnn", steps, first == 0 ? input : out, hidden, directions, biases));
  }
  if (vocabulary > 0) describe_unembedding({"decoder", out, vocabulary, false, true}, steps, sink);
  if (classes > 0) sink.add(linear("classifier", 1, out, classes, true, Component::head));
}

}  // namespace

extern const KindDef k_rnn;
const KindDef k_rnn = {"rnn",
                       "simple recurrent layers, optionally with embedding and logits",
                       "PyTorch torch.nn.RNN; Epoch's layer table",
                       &kTable,
                       build,
                       "step"};

}  // namespace floptally::kinds
