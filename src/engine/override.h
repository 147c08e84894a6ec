// --set in commands that read one document: the words of a request, made in what was read.
#pragma once

#include "document/edit.h"
#include "engine/command.h"
#include "network/format.h"

namespace floptally {

// The document with every `--set` of the request made; the document itself where there is none. Errors: those of
// parse_edits and edited.
Result<Document> with_overrides(Document document, const Request& request, Context& context);

// The model that `model` names, with the fields of its config or spec that --set names replaced. Errors: those of
// parse_edits, load_model and load_edited_model.
Result<Network> load_edited(const std::string& model, const Request& request, const Inputs& inputs, Context& context);

}  // namespace floptally
