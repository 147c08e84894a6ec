#include "network/kinds/_recurrent.h"

#include <algorithm>

namespace floptally::kinds {

void build_recurrent(Spec& spec, Sink& sink, bool projects, Op (*layer)(const RecurrentLayer&)) {
  const std::int64_t layers = spec.size_or("layers", 1), hidden = spec.size("hidden", "hidden size"),
                     vocabulary = spec.size_or("vocab", 0);
  const std::int64_t input = spec.size_or("input", hidden), biases = spec.size_or("biases", 2, 0),
                     classes = spec.size_or("classes", 0, 0);
  const std::int64_t directions = spec.flag("bidirectional", false) ? 2 : 1, steps = spec.sequence(128);
  const std::int64_t projected = projects ? spec.size_or("projected", 0, 0) : 0;
  if (biases > 2) spec.fail(error("shape-range", "'biases' is 0, 1 or 2", spec.node().find("biases").span()));
  if (!spec.ok()) return;
  if (vocabulary > 0) sink.add(embedding("embedding", steps, vocabulary, input));
  const std::int64_t out = directions * (projected > 0 ? projected : hidden);
  for (std::int64_t first = 0; first < std::min<std::int64_t>(layers, 2); ++first) {
    const Scope scope(sink, "layers", first == 0 ? 1 : layers - 1, BlockKind::layer);
    sink.add(layer({steps, first == 0 ? input : out, hidden, directions, biases, projected}));
  }
  if (vocabulary > 0) describe_unembedding({"decoder", out, vocabulary, false, true}, steps, sink);
  if (classes > 0) sink.add(linear("classifier", 1, out, classes, true, Component::head));
}

}  // namespace floptally::kinds
