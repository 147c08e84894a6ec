#include "network/kinds/_layers.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    {.key = "input",
     .expect = Expect::any,
     .doc = "what goes in: [channels, height, width], [tokens, features] or features",
     .required = true},
    {.key = "layers",
     .expect = Expect::any,
     .doc = "the layers in order, each a mapping such as {conv: {out: 16, kernel: 3}}",
     .required = true},
    {.key = "steps",
     .expect = Expect::any,
     .doc = "time steps of a sample: layers run once a step, recurrent layers along them"},
};
constexpr FieldTable kTable{"layers", "a network with its layers written out", kFields};

void build(Spec& spec, Sink& sink) {
  std::vector<std::int64_t> shape = spec.sizes("input");
  const std::vector<std::int64_t>& given = spec.session().inputs.shape;
  if (!given.empty()) shape.assign(given.size() > 1 ? given.begin() + 1 : given.begin(), given.end());
  const std::int64_t steps = spec.size_or("steps", 1);
  Flow flow;
  for (std::int64_t size : shape) {
    if (size < 1) spec.fail(error("shape-zero", "an input size is 0", spec.node().find("input").span()));
  }
  if (shape.size() == 3) {
    flow.form = Flow::Form::image;
    flow.channels = shape[0];
    flow.height = shape[1];
    flow.width = shape[2];
  } else if (shape.size() == 2) {
    flow.form = Flow::Form::sequence;
    flow.tokens = spec.session().inputs.sequence > 0 ? spec.session().inputs.sequence : shape[0];
    flow.features = shape[1];
  } else if (shape.size() == 1) {
    flow.features = shape[0];
  } else {
    spec.fail(error("wrong-type", "'input' expects one to three sizes", spec.node().find("input").span()));
  }
  flow.made_by = spec.node().find("input");
  if (!spec.ok()) return;
  describe_layers(spec.node().find("layers"), flow, spec.session(), sink, steps, 0);
}

}  // namespace

extern const KindDef k_layers;
const KindDef k_layers = {
    "layers", "a network with its layers written out", "layer by layer; shapes by PyTorch's rules", &kTable, build,
    "sample"};

}  // namespace floptally::kinds
