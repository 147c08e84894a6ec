#include "engine/delegate.h"

#include <string_view>

#include "base/file.h"
#include "document/document.h"

namespace floptally {
namespace {

constexpr std::uint64_t kSniff = 1u << 26;

const CommandDef* find_command(std::string_view name) {
  for (const CommandDef* const* each = commands::kAll; *each != nullptr; ++each)
    if ((*each)->info.name == name) return *each;
  return nullptr;
}

bool ends_with_any(std::string_view text, std::initializer_list<std::string_view> ends) {
  for (const std::string_view end : ends)
    if (text.ends_with(end)) return true;
  return false;
}

}  // namespace

Result<std::string> command_for(const std::string& input, Context& context) {
  const bool piped = input == "-";  // has no ending that tells: what is no YAML there is taken for a model
  if (!piped && (!ends_with_any(input, {".yaml", ".yml", ".json"}) || is_directory(input))) return std::string("model");
  auto source = context.sources.read(input, kSniff);
  if (!source && piped) return std::string("model");
  if (!source) return source.take_problems();
  auto document = read_document(**source);
  const bool says = (*source)->text.starts_with("plan:") || (*source)->text.starts_with("run:");
  if (!document && piped && !says) return std::string("model");
  if (!document) return document.take_problems();
  const Node root = document->root();
  const auto has = [&](std::string_view key) { return static_cast<bool>(root.find(key)); };
  if (has("plan")) return std::string("tally");
  if (has("run")) return std::string(has("audit") ? "audit" : "train");
  return std::string("model");
}

Result<Book> answer_for(const std::string& input, const Request& request, Context& context) {
  auto name = command_for(input, context);
  if (!name) return name.take_problems();
  const CommandDef* command = find_command(*name);
  if (command == nullptr) return error("unknown-command", "no command '" + *name + "' for '" + input + "'");
  Request inner;
  inner.command = *name;
  inner.inputs = {input};
  inner.data_dir = request.data_dir;
  for (const auto& [option, words] : request.options) {
    bool known = option == "set" || option == "derive";
    for (const OptionInfo& each : command->info.options) known = known || each.name == option;
    if (known) inner.options[option] = words;
    // These are there for the command that answers, and for nothing else.
    if (!known && (option == "let" || option == "batch" || option == "sequence" || option == "convention"))
      return error("bad-option", "'" + input + "' is answered by floptally " + *name + ", which takes no --" + option);
  }
  auto book = command->run(inner, context);
  if (book) book->command = *name;
  return book;
}

}  // namespace floptally
