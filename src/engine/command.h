// CommandDef: one command of floptally. Each file src/engine/commands/<name>.cpp defines `extern const CommandDef
// k_<name>` in namespace floptally::commands; the CLI, the help and the reference page are made from these.
#pragma once

#include "base/sources.h"
#include "floptally/engine.h"

namespace floptally {

// What a command may use besides its request: the session's texts (so that spans stay valid).
struct Context {
  Sources& sources;
  bool compare = false;     // the answer will be set beside another, world by world
  bool per_sample = false;  // a model's FLOP of one whole sample, though its family counts tokens
};

struct CommandDef {
  CommandInfo info;
  Result<Book> (*run)(const Request& request, Context& context);
  bool editable = true;  // false: it reads no fields that --set could replace
};

namespace commands {
extern const CommandDef* const kAll[];  // generated; null-terminated
}

}  // namespace floptally
