// The answer of `floptally train`: one training run as a Book.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "book/ledger.h"
#include "estimate/memory_options.h"
#include "training/run_file.h"

namespace floptally {

// A map over two sizes: `--over batch=1,2,4 sequence=2k,4k`.
struct TrainAxis {
  std::string name;  // "batch" (the micro-batch), "sequence"
  std::vector<std::int64_t> values;
};

struct TrainQuestion {
  const RunFile& file;
  const Network* network = nullptr;  // null: only a number of parameters is known
  std::vector<TrainAxis> axes;
  // The model described for another sequence length.
  std::function<Result<Network>(std::int64_t sequence)> with_sequence;
};

Result<Book> train_answer(const TrainQuestion& question);

// A RUN file that asks what serving the model takes, and says nothing of training it.
inline bool serves_only(const RunFile& file) { return file.serving && !file.root.find("train"); }

}  // namespace floptally
