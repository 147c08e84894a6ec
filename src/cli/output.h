// From a request to standard output, files and an exit status.
#pragma once

#include "floptally/engine.h"

namespace floptally {
int answer(const Request& request);
}
