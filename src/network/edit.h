// Models with fields replaced (--set key=value): what describes the model is edited before it is read.
#pragma once

#include <string>
#include <vector>

#include "document/edit.h"
#include "network/network.h"

namespace floptally {

// Like load_model, for models that are described by text: configs, specs and the shipped ones. A path is
// "num_hidden_layers" or "text_config.hidden_size". Errors: those of load_model and edited; "not-editable" for other
// formats.
Result<Network> load_edited_model(const std::string& model, const std::vector<Edit>& edits, const Inputs& inputs,
                                  Sources& sources);

}  // namespace floptally
