// The facts a request works with: the tables compiled into the binary, or those of the folder given with --data.
#pragma once

#include <memory>

#include "engine/command.h"
#include "hardware/catalogue.h"

namespace floptally {

// The hardware catalogue. With --data DIR, the tables found under DIR (hardware/*.csv, carbon/*.csv) take the place of
// the embedded ones. Errors: file-not-found (DIR is no folder), the reader's.
Result<std::shared_ptr<const Catalogue>> catalogue_of(const Request& request, Context& context);

// One table by its path relative to data/: the user's where --data DIR has it, else the embedded one.
Result<const Source*> fact_table(const Request& request, Context& context, const std::string& path);

}  // namespace floptally
