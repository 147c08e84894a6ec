// Formats: one file formats/<name>.cpp per kind of model file, defining `extern const FormatDef k_<name>` in namespace
// floptally::formats. load_model() asks each how sure it is and lets the surest read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/sources.h"
#include "network/network.h"

namespace floptally {

// What a sniffer may look at.
struct ModelFile {
  std::string path;       // as the user wrote it; a folder has no head
  std::string_view head;  // the first bytes, at most 4096
  std::uint64_t size = 0;
  bool directory = false;
  [[nodiscard]] bool named(std::string_view ending) const { return std::string_view(path).ends_with(ending); }
};

struct FormatDef {
  std::string_view name;    // "onnx"
  std::string_view doc;     // one line
  std::string_view source;  // the format's specification
  // 0: not this format; 100: certainly (a magic number); below: by name or looks.
  int (*sniff)(const ModelFile&);
  Result<Network> (*read)(const std::string& path, const Inputs&, Sources&);
};

const FormatDef* const* all_formats();  // null-terminated

// Who would read this file or folder: the surest, nullptr where none knows it. Errors: the file cannot be opened.
Result<const FormatDef*> surest_format(const std::string& path);

// A model by path (a file or a folder as it comes from a hub) or by the name of a shipped model ("gpt-3").
// `base_file`: the file that mentions it, for relative paths; empty for the command line.
// Errors: file-not-found with the nearest shipped names, unknown-model-format, and those of the reader.
Result<Network> load_model(const std::string& model, const Inputs& inputs, Sources& sources,
                           const std::string& base_file = {});

}  // namespace floptally
