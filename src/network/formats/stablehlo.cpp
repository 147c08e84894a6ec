#include "network/format.h"
#include "network/formats/graph/network_recorder.h"
#include "network/formats/stablehlo/count.h"

namespace floptally::formats {
namespace {

int sniff(const ModelFile& file) {
  if (file.directory) return 0;
  const bool text =
      file.head.find("stablehlo.") != std::string_view::npos || file.head.find("func.func") != std::string_view::npos;
  if (!text) return file.named(".stablehlo") ? 40 : 0;
  return file.named(".mlir") || file.named(".stablehlo") ? 90 : 70;
}

Result<Network> read(const std::string& path, const Inputs&, Sources& sources) {
  const Result<const Source*> source = sources.read(path, 1ull << 30);
  if (!source) return source.problems();
  stablehlo::Module module;
  Result<bool> parsed = stablehlo::read_module(**source, module);
  if (!parsed) return parsed.take_problems();
  graph::Flow flow;
  Diagnostics notes;
  Result<bool> counted = stablehlo::count_module(**source, module, flow, notes);
  if (!counted) return counted.take_problems();
  Network network = graph::network_of(flow, *source, path, "stablehlo");
  network.notes.insert(network.notes.begin(), notes.begin(), notes.end());
  return network;
}

}  // namespace

extern const FormatDef k_stablehlo;
const FormatDef k_stablehlo = {"stablehlo", "StableHLO text, as JAX prints it",
                               "github.com/openxla/stablehlo, docs/spec.md", sniff, read};

}  // namespace floptally::formats
