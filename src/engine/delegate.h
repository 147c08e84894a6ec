// Answers about answers: explain and diff run the command that an input calls for (a plan is tallied, a run is
// trained, anything else is a model) and read its Book.
#pragma once

#include <string>

#include "engine/command.h"

namespace floptally {

// "tally", "train", "model" ... for a file or a shipped name.
Result<std::string> command_for(const std::string& input, Context& context);
// Runs that command on `input`, with the options of `request` that it knows.
Result<Book> answer_for(const std::string& input, const Request& request, Context& context);

}  // namespace floptally
