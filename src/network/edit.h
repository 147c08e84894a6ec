// Models with fields replaced (--set key=value): the text that describes the model is changed before it is read.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/sources.h"
#include "network/network.h"

namespace floptally {

struct ModelEdit {
  std::string path;   // "num_hidden_layers", "text_config.hidden_size"; a key that is not there is added
  std::string value;  // JSON, or text
};

// Like load_model, for models that are described by text: configs, specs and the shipped ones. Errors: those of
// load_model; "not-editable" for other formats.
Result<Network> load_edited_model(const std::string& model, const std::vector<ModelEdit>& edits, const Inputs& inputs,
                                  Sources& sources);

}  // namespace floptally
