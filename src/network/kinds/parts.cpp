#include "network/spec.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    {.key = "parts",
     .expect = Expect::any,
     .doc = "the parts, in order: specs, each with a `name` and perhaps `frozen: true`",
     .required = true},
};
constexpr FieldTable kTable{"parts", "networks one after another, such as a vision tower, a projector and a decoder",
                            kFields};

void build(Spec& spec, Sink& sink) {
  const Node parts = spec.node().find("parts");
  if (!parts.is_sequence()) {
    spec.fail(wrong_type(parts, "a list of specs"));
    return;
  }
  spec.session().unit.clear();  // the last part that has a unit of its own names the sample
  for (Node part : parts) {
    const std::string_view name = part.find("name")   ? part.find("name").text()
                                  : part.find("kind") ? part.find("kind").text()
                                                      : "part";
    const Scope scope(sink, name, 1, BlockKind::group);
    const std::string before = spec.session().unit;
    spec.session().unit.clear();
    describe_spec(part, spec.session(), sink);
    if (spec.session().unit.empty() || spec.session().unit == "sample") spec.session().unit = before;
  }
}

}  // namespace

extern const KindDef k_parts;
const KindDef k_parts = {"parts",
                         "networks one after another, such as a vision tower, a projector and a decoder",
                         "composition; each part is a spec of its own",
                         &kTable,
                         build,
                         "image"};

}  // namespace floptally::kinds
