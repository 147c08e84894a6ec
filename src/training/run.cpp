#include "training/run.h"

namespace floptally {

Run default_run() {
  Run run;
  run.precision = precisions().empty() ? Precision{} : *find_precision("bf16-mixed");
  run.optimizer = *find_optimizer("adamw");
  run.framework = *find_framework("megatron");
  return run;
}

}  // namespace floptally
