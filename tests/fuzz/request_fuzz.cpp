// Any request: the first line holds the words of a command line, the second the name of a file, the rest what is in it.
#include <algorithm>
#include <vector>

#include "fuzz.h"

namespace {

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// Of the option `name`, or null.
const floptally::OptionInfo* find_option(const std::string& command, std::string_view name) {
  static const std::vector<floptally::CommandInfo> commands = floptally::Engine::commands();
  static const floptally::OptionInfo common[] = {{"set", "KEY=VALUE", "", true}, {"strict", "", "", false}};
  for (const floptally::OptionInfo& option : common)
    if (option.name == name) return &option;
  for (const floptally::CommandInfo& info : commands)
    for (const floptally::OptionInfo& option : info.options)
      if (info.name == command && option.name == name) return &option;
  return nullptr;
}

// As src/cli/main.cpp reads them, less what writes a file: words are parted by blanks, and "\t" in one stands for ' '.
floptally::Request request_of(std::string_view line) {
  floptally::Request request;
  std::vector<std::string> words;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    words.emplace_back(line.substr(at, end - at));
    std::replace(words.back().begin(), words.back().end(), '\t', ' ');
    at = end + 1;
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (request.command.empty()) {
      request.command = words[i];
    } else if (!words[i].starts_with("--")) {
      request.inputs.push_back(words[i]);
    } else if (const auto* option = find_option(request.command, words[i].substr(2)); option != nullptr) {
      auto& given = request.options[option->name];
      if (!option->value.empty() && i + 1 < words.size()) given.push_back(words[++i]);
    }
  }
  request.options.erase("output");
  return request;
}

bool plain(std::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(),
                     [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
                     }) &&
         name.size() < 64 && name.front() != '.';
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  std::string_view text = fuzz::text_of(data, size);
  const Request request = request_of(take_line(text));
  const std::string name(take_line(text));
  if (plain(name)) fuzz::write(name, text);
  fuzz::answer(request, true);
  return 0;
}
