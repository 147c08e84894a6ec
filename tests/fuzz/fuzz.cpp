#include "fuzz.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/embedded.h"
#include "document/document.h"
#include "network/count.h"
#include "network/format.h"

namespace floptally::fuzz {
namespace {

struct Folder {
  std::filesystem::path before = std::filesystem::current_path();
  std::string name = (std::filesystem::temp_directory_path() / "floptally-fuzz-XXXXXX").string();
  Folder() {
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    std::filesystem::current_path(name);
  }
  ~Folder() {
    std::filesystem::current_path(before);
    std::filesystem::remove_all(name);
  }
};

void check_json(const std::string& text) {
  const Source source{"answer.json", text, false};
  if (!read_json(source).ok()) std::abort();
}

std::string_view first_line(std::string_view text) {
  while (text.starts_with('#')) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

void write(const std::string& name, std::string_view bytes) {
  static const Folder folder;
  std::ofstream(name, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string table_like(std::string_view text, std::initializer_list<const char*> rooms, const char* otherwise) {
  for (const char* room : rooms)
    for (const std::string_view path : embedded_files(room))
      if (first_line(*embedded_file(path)) == first_line(text)) return std::string(path);
  return otherwise;
}

void show(const Diagnostics& problems) {
  if (problems.empty() || to_text(problems).empty()) std::abort();
  const std::string lines = problems_json(problems);
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    if (end > at) check_json(lines.substr(at, end - at));
    at = end + 1;
  }
}

void read_model(const std::string& name, std::string_view bytes) {
  write(name, bytes);
  Sources sources;
  Inputs inputs;
  inputs.batch = 2;
  inputs.let = {{"batch", 2}};
  const Result<Network> network = load_model(name, inputs, sources);
  if (!network.ok()) return show(network.problems());
  if (!network->notes.empty()) show(network->notes);
  const Measure<Integer> total = count(*network).total();
  if (total.parameters.valid() && total.parameters < Integer(0)) std::abort();
  if (total.forward.matmul.valid() && total.forward.matmul < Integer(0)) std::abort();
}

void answer(const Request& request, bool all) {
  Engine engine;
  const Result<Book> book = engine.run(request);
  if (!book.ok()) return show(book.problems());
  if (!book->notes.empty()) show(book->notes);
  for (const std::string& format : formats()) {
    if (!all && format != "txt" && format != "json") continue;
    const Result<std::string> text = render(*book, format);
    if (!text.ok())
      show(text.problems());
    else if (format == "json")
      check_json(*text);
  }
}

}  // namespace floptally::fuzz
