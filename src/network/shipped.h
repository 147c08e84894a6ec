// Models that come with the program: configs and specs under data/models/, by name in lower case ("gpt-3").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/sources.h"
#include "network/network.h"

namespace floptally {

std::vector<std::string> shipped_model_names();  // sorted
// Letter case, '_', ' ', '-', an organisation before a '/' and words that change no shape (-Instruct, -hf) are forgiven
// where only one model is meant.
bool is_shipped_model(std::string_view name);
Result<Network> read_shipped_model(std::string_view name, const Inputs& inputs, Sources& sources);

// The config or spec of a shipped model as JSON text. Errors: model-not-found.
Result<std::string> shipped_model_text(std::string_view name, Sources& sources);

}  // namespace floptally
