// What serving a model takes: beside a training run, or as the whole answer where a RUN file says nothing of training.
#pragma once

#include "engine/train_answer.h"

namespace floptally {

Table serving_table(const RunFile::Serving& serving, const Network& network);

// For a question with a network and `inference`. `usable`: the share of a device's memory that programs get.
Book serving_answer(const TrainQuestion& question, double usable);

}  // namespace floptally
