#include "base/file.h"
#include "network/format.h"
#include "network/formats/graph/network_recorder.h"
#include "network/formats/pt2/program.h"
#include "network/formats/wire/zip.h"

namespace floptally::formats {
namespace {

constexpr std::uint64_t kMostJson = 512ull << 20;

int sniff(const ModelFile& file) {
  if (file.directory || file.head.substr(0, 4) != "PK\x03\x04") return 0;
  return file.named(".pt2") ? 90 : file.named(".zip") || file.named(".pt") ? 20 : 10;
}

// The program inside the archive: models/NAME.json (2.7 and later), or serialized_exported_program.json.
const wire::ZipEntry* find_program(const wire::ZipArchive& archive) {
  const wire::ZipEntry* best = nullptr;
  for (const wire::ZipEntry& entry : archive.entries()) {
    const std::string_view name = entry.name;
    const bool json = name.size() > 5 && name.substr(name.size() - 5) == ".json";
    const bool old = name.find("serialized_exported_program.json") != std::string_view::npos;
    const bool current = json && (name.find("/models/") != std::string_view::npos || name.substr(0, 7) == "models/");
    if (old || (current && best == nullptr)) best = &entry;
  }
  return best;
}

Result<Network> read(const std::string& path, const Inputs& inputs, Sources& sources) {
  Result<MappedFile> file = MappedFile::open(path);
  if (!file) return file.take_problems();
  const Source& source = sources.add_binary(path);
  const Result<wire::ZipArchive> archive = wire::ZipArchive::open(file->view(), &source);
  if (!archive) return archive.problems();
  const wire::ZipEntry* entry = find_program(*archive);
  if (entry == nullptr)
    return error("pt2-malformed", "the archive holds no exported program (models/*.json)", Span{&source, 0, 0},
                 "write it with torch.export.save; pickled models are never opened");
  Result<std::string> text = archive->read(*entry, kMostJson);
  if (!text) return text.take_problems();
  const Source& json = sources.add(path + ":" + std::string(entry->name), std::move(*text));
  ReadOptions options;
  options.allow_nan = true;
  const Result<Document> document = read_json(json, options);
  if (!document) return document.problems();
  pt2::Program program;
  Result<bool> done = pt2::read_program(*document, inputs, program);
  if (!done) return done.take_problems();
  Network network = graph::network_of(program.flow, &source, path, "pt2");
  network.samples = program.samples;
  return network;
}

}  // namespace

extern const FormatDef k_pt2;
const FormatDef k_pt2 = {"pt2", "a PyTorch export (torch.export.save); nothing is unpickled",
                         "github.com/pytorch/pytorch, torch/_export/serde/schema.py", sniff, read};

}  // namespace floptally::formats
