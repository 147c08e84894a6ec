#include "network/spec.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    {.key = "sizes",
     .expect = Expect::any,
     .doc = "features from input to output",
     .required = true,
     .shape = Shape::list},
    {.key = "bias", .expect = Expect::boolean, .doc = "biases (true)"},
    {.key = "activation", .expect = Expect::text, .doc = "activation between them (relu)"},
};
constexpr FieldTable kTable{"mlp", "fully connected layers, one after another", kFields};

void build(Spec& spec, Sink& sink) {
  const std::vector<std::int64_t> sizes = spec.sizes("sizes");
  const bool bias = spec.flag("bias", true);
  const Activation kind = spec.activation("activation", Activation::relu);
  for (std::int64_t size : sizes) {
    if (size < 1) spec.fail(error("shape-zero", "a layer has no features", spec.node().find("sizes").span()));
  }
  if (sizes.size() < 2)
    spec.fail(
        error("wrong-type", "'sizes' expects at least two sizes: input and output", spec.node().find("sizes").span()));
  if (!spec.ok()) return;
  for (std::size_t i = 1; i < sizes.size(); ++i) {
    sink.add(linear("linear", 1, sizes[i - 1], sizes[i], bias));
    if (i + 1 < sizes.size()) sink.add(activation("act", sizes[i], kind));
  }
}

}  // namespace

extern const KindDef k_mlp;
const KindDef k_mlp = {"mlp",   "fully connected layers, one after another", "Epoch's layer table", &kTable, build,
                       "sample"};

}  // namespace floptally::kinds
