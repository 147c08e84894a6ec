#include "floptally/engine.h"

#include <algorithm>

#include "base/file.h"
#include "base/nearest.h"
#include "engine/command.h"
#include "training/fact_check.h"
#include "training/table.h"

namespace floptally {

struct Engine::State {
  Sources sources;
};

Engine::Engine() : state_(std::make_unique<State>()) {}
Engine::~Engine() = default;

std::string Request::word(const std::string& option, const std::string& otherwise) const {
  const auto found = options.find(option);
  return found == options.end() || found->second.empty() ? otherwise : found->second.back();
}

std::vector<std::string> Request::words(const std::string& option) const {
  const auto found = options.find(option);
  return found == options.end() ? std::vector<std::string>{} : found->second;
}

std::vector<CommandInfo> Engine::commands() {
  std::vector<CommandInfo> all;
  for (const CommandDef* const* each = commands::kAll; *each != nullptr; ++each) all.push_back((*each)->info);
  std::sort(all.begin(), all.end(), [](const CommandInfo& a, const CommandInfo& b) { return a.name < b.name; });
  return all;
}

namespace {

// --strict: an assumed input is an error, not a note.
void refuse_assumptions(const Book& book, Diagnostics& problems) {
  for (const Step& step : book.steps)
    if (step.mark == Mark::assumed)
      problems.push_back(error("assumed-input", "'" + step.name + "' is assumed, not given", step.place,
                               "state it in the input, or drop --strict" +
                                   (step.source.empty() ? std::string() : "; assumed from: " + step.source)));
  for (const Diagnostic& each : book.notes)
    if (each.code == "assumed")
      problems.push_back(error("assumed-input", "assumed: " + each.message, {}, "state it, or drop --strict"));
}

// Too few or too many inputs.
Diagnostics check_inputs(const CommandInfo& info, const Request& request) {
  const auto given = static_cast<int>(request.inputs.size());
  const std::string help = "see floptally " + info.name + " --help";
  if (given < info.least_inputs)
    return {error("command-line",
                  "floptally " + info.name + " needs " + info.inputs +
                      (given > 0 ? ": only " + std::to_string(given) + " given" : std::string()),
                  {}, help)};
  if (given > info.most_inputs)
    return {error("command-line",
                  "'" + request.inputs[static_cast<std::size_t>(info.most_inputs)] + "' is too many: floptally " +
                      info.name + " takes " + info.inputs,
                  {}, help)};
  return {};
}

}  // namespace

Result<Book> Engine::run(const Request& request) {
  std::vector<std::string> names;
  for (const CommandDef* const* each = commands::kAll; *each != nullptr; ++each) {
    const CommandDef& command = **each;
    names.push_back(command.info.name);
    if (command.info.name != request.command) continue;
    if (Diagnostics problems = check_inputs(command.info, request); !problems.empty()) return problems;
    if (request.has("set") && !command.editable)
      return error("bad-option", "floptally " + request.command + " reads no input whose fields --set could replace");
    if (!request.data_dir.empty()) {
      if (!is_directory(request.data_dir))
        return error(
            "file-not-found", "--data needs a folder, '" + request.data_dir + "' is none", {},
            "it holds tables such as hardware/devices.csv; `floptally hardware --json` shows what the binary holds");
      Diagnostics problems = check_facts(request.data_dir, state_->sources);
      if (!problems.empty()) return problems;
    }
    const FactScope own_tables(request.data_dir);
    Context context{state_->sources};
    Result<Book> answer = command.run(request, context);
    if (!answer) return answer;
    answer->command = request.command;
    if (request.has("strict")) {
      Diagnostics problems;
      refuse_assumptions(*answer, problems);
      if (!problems.empty()) return problems;
    }
    return answer;
  }
  const std::string_view near = nearest(request.command, names);
  return error("unknown-command", "unknown command '" + request.command + "'", {},
               near.empty() ? "see floptally --help" : "did you mean '" + std::string(near) + "'?");
}

Result<bool> write_file(const std::string& path, const std::string& contents) {
  return write_file_atomically(path, contents);
}

const char* version() { return FLOPTALLY_VERSION; }

}  // namespace floptally
