// What serving a model takes: beside a training run, or as the whole answer where a RUN file says nothing of training.
#pragma once

#include "engine/train_answer.h"

namespace floptally {

Table serving_table(const RunFile::Serving& serving, const Network& network);

// For a question with a network and `inference`.
Book serving_answer(const TrainQuestion& question);

}  // namespace floptally
