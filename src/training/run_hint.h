// What a file that means a training run says in other words, or at another level: "sequence" at its top, DeepSpeed's
// "zero_optimization: {stage: 3}", Megatron-LM's "tensor_model_parallel_size", the keys of Trainer, Axolotl and
// torchtitan. Only for help texts: a RUN file is read by its own keys alone.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "document/document.h"

namespace floptally {

struct RunHint {
  struct Moved {
    std::string key, path, value;  // as written; where it belongs; what stands there ("layout.zero", "3")
    Span at, whole;                // of the key, and of the value as written
  };
  std::string text;                   // the same as a RUN file, ending in a newline
  std::vector<Moved> moved;           // keys with another name, place or word
  std::vector<std::string> left_out;  // keys that no answer stands on
};

RunHint run_hint(const Node& root);

// Gives problems with values that other programs write ("optimizer: adamw_torch", "zero: stage3") the line that is
// meant.
void explain_values(const Node& root, Diagnostics& problems);

// Sets the many mistakes of a file that only says things in its own words together as one ("run-keys") with the file
// as it should be (true); a single one gets the line that is meant. `others`: what is wrong with the suggested text.
bool explain_keys(const Node& root, Diagnostics& problems,
                  const std::function<Diagnostics(const std::string& text)>& others = {});

}  // namespace floptally
