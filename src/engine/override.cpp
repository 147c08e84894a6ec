#include "engine/override.h"

#include "network/edit.h"

namespace floptally {

Result<Document> with_overrides(Document document, const Request& request, Context& context) {
  const Result<std::vector<Edit>> edits = parse_edits(request.words("set"), "--set", context.sources);
  if (!edits) return edits.problems();
  if (edits->empty()) return document;
  return edited(document, *edits);
}

Result<Network> load_edited(const std::string& model, const Request& request, const Inputs& inputs, Context& context) {
  const Result<std::vector<Edit>> edits = parse_edits(request.words("set"), "--set", context.sources);
  if (!edits) return edits.problems();
  return edits->empty() ? load_model(model, inputs, context.sources)
                        : load_edited_model(model, *edits, inputs, context.sources);
}

}  // namespace floptally
