// --set for files that are read as one record: "hardware.utilization=40%" replaces, or adds, the value at a dotted
// path.
#pragma once

#include "document/document.h"
#include "engine/command.h"
#include "network/format.h"

namespace floptally {

// The document with every `--set` of the request applied, as text of its own (its places name the file "... with
// --set"); the document itself where there is none. List elements are addressed by their number from 0. Errors:
// bad-override (no
// '=' or an empty key), unknown-key (a path through a scalar or past the end of a list).
Result<Document> with_overrides(Document document, const Request& request, Context& context);

// The model that `model` names, with the fields of its config or spec that --set names replaced. Errors: bad-option (no
// '=' or an empty key), and those of load_model and load_edited_model.
Result<Network> load_edited(const std::string& model, const Request& request, const Inputs& inputs, Context& context);

}  // namespace floptally
