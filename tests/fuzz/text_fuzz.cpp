// Any text as what stands in a scalar or an option: a quantity, a unit, an expression, a number of a format, an edit.
#include "document/edit.h"
#include "fuzz.h"
#include "numerics/format.h"
#include "plan/expression.h"
#include "quantity/unit.h"

namespace {
template <class T>
void see(const floptally::Result<T>& result) {
  if (!result.ok()) floptally::fuzz::show(result.problems());
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  const std::string_view text = fuzz::text_of(data, size);
  if (find_invalid_utf8(text) != std::string_view::npos) return 0;
  Sources sources;
  const Source& source = sources.add("fuzz", std::string(text));
  const Span whole{&source, 0, size};
  see(parse_amount(text, whole));
  see(parse_unit(text, whole));
  see(parse_expression(text, whole));
  see(numerics::parse_number(text));
  const Source& empty = sources.add("empty", "{a: {b: [1, 2]}}");
  const auto document = read_yaml(empty);
  const auto edits = parse_edits({std::string(text), "a.b.1=" + std::string(text)}, "--set", sources);
  see(edits);
  if (edits.ok()) see(edited(*document, *edits));
  fuzz::answer({"format", {std::string(text)}, {}, {}});
  return 0;
}
