// Any bytes as a PyTorch export: first as the archive, then as the program inside it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "network/count.h"
#include "network/formats/graph/network_recorder.h"
#include "network/formats/pt2/program.h"
#include "network/formats/wire/zip.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static const Source binary{"fuzz.pt2", "", true};
  if (const auto archive = wire::ZipArchive::open(bytes, &binary))
    for (const wire::ZipEntry& entry : archive->entries()) (void)archive->read(entry, 1 << 20);
  const Source json{"fuzz.json", std::string(bytes), false};
  const auto document = read_json(json);
  if (!document) return 0;
  pt2::Program program;
  const auto done = pt2::read_program(*document, {}, program);
  if (!done) {
    if (to_text(done.problems()).empty()) std::abort();
    return 0;
  }
  graph::NetworkRecorder recorder;
  program.flow.finish(recorder, &json);
  (void)count(recorder.finish("fuzz", "pt2"));
  return 0;
}
