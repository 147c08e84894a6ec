// What `--set KEY=VALUE` says: a value that takes the place of another in a document, or joins it.
//
// Always holds: in an edited document what was not replaced stands where it stood, and what was set stands in its word
// of the command line ("--set hardware.price:1:1"), so a mistake in either is shown in its place.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/sources.h"
#include "document/document.h"

namespace floptally {

struct Edit {
  std::string path;  // "hardware.price"; elements of a list are counted from 0
  std::shared_ptr<const Document> value;
};

// `word` is "hardware.price=2", `option` "--set". A value is a list or a mapping where it opens as one, else a scalar,
// as YAML reads them. Errors: bad-override (no '=' or an empty key), and those of the YAML reader.
Result<Edit> parse_edit(const std::string& word, const std::string& option, Sources& sources);
// The same for all words; the problems of all of them.
Result<std::vector<Edit>> parse_edits(const std::vector<std::string>& words, const std::string& option,
                                      Sources& sources);

// `document` with each edit made, in their order. A key that is not there is added, and so are the mappings on the way
// to it. Errors: unknown-key (a path through a scalar, or past the end of a list).
Result<Document> edited(const Document& document, const std::vector<Edit>& edits);

}  // namespace floptally
