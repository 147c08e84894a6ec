// The command line: words become a Request, a Book becomes text. Exit status: 0 answered, and yes; 1 answered, and no;
// 2 wrong command line; 3 an input cannot be read or understood; 70 a bug of ours.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <iostream>
#include <memory>

#include "cli/output.h"
#include "floptally/engine.h"

namespace {

using floptally::CommandInfo;
using floptally::OptionInfo;
using floptally::Request;

constexpr int kMostWords = 1 << 20;
constexpr char kWordMark = '\x01';  // before a word that looks like an option and is none

// Options every command takes.
std::vector<OptionInfo> common_options() {
  std::string endings, names;
  for (const std::string& each : floptally::formats()) {
    endings += (endings.empty() ? "." : " .") + each;
    names += " " + each;
  }
  return {
      {"json", "", "print the whole answer as JSON (schema floptally/1)", false},
      {"output", "FILE", "write to FILE; its ending (" + endings + ") chooses the format; - is standard output", true},
      {"set", "KEY=VALUE", "replace a field of the input, such as hardware.price=2", true},
      {"data", "DIR", "read the facts from DIR instead of those built in", false},
      {"strict", "", "an assumed input is an error", false},
      {"quiet", "", "no notes on standard error", false},
      {"format", "NAME", "format of standard output:" + names, false},
  };
}

// Help that names what a command reads: "Usage: floptally tally [OPTIONS] PLAN".
class Help : public CLI::Formatter {
 public:
  explicit Help(const std::vector<CommandInfo>& commands) : commands_(commands) {}
  std::string make_usage(const CLI::App* app, std::string name) const override {
    for (const CommandInfo& each : commands_)
      if (each.name == app->get_name())
        return "Usage: floptally " + each.name + " [OPTIONS]" + (each.inputs.empty() ? "" : " " + each.inputs) + "\n";
    return "Usage: " + name + " COMMAND [OPTIONS] ...\n";
  }
  std::string make_positionals(const CLI::App* /*app*/) const override { return {}; }

 private:
  const std::vector<CommandInfo>& commands_;
};

// What CLI11 fills in for one subcommand.
struct Filled {
  const CommandInfo* info = nullptr;
  CLI::App* app = nullptr;
  std::vector<std::string> inputs;
  std::map<std::string, std::vector<std::string>> words;
  std::map<std::string, bool> flags;
};

void add_options(Filled& filled, const std::vector<OptionInfo>& options, const char* group) {
  for (const OptionInfo& option : options) {
    const std::string name = option.name == "output" ? "-o,--output" : "--" + option.name;
    CLI::Option* added =
        option.value.empty()
            ? filled.app->add_flag(name, filled.flags[option.name], option.help)
            : filled.app->add_option(name, filled.words[option.name], option.help)->type_name(option.value);
    added->group(group);
    // Values such as "a,b" or "-6" belong to us; an option takes one word each time it is given.
    if (!option.value.empty())
      added->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->allow_extra_args(false);
  }
}

void add_command(CLI::App& app, const CommandInfo& info, Filled& filled) {
  filled.info = &info;
  filled.app = app.add_subcommand(info.name, info.summary)->group("Commands");
  add_options(filled, info.options, "Options");
  std::vector<OptionInfo> common;
  for (const OptionInfo& each : common_options()) {
    bool own = false;
    for (const OptionInfo& mine : info.options) own = own || mine.name == each.name;
    if (!own) common.push_back(each);
  }
  add_options(filled, common, "Every command");
  if (info.most_inputs > 0)
    filled.app->add_option("inputs", filled.inputs, info.inputs)
        ->expected(0, kMostWords)  // the engine counts them and says what is missing
        ->type_name("");
  std::string footer = info.examples.empty() ? "" : "Examples:";
  for (const std::string& example : info.examples) footer += "\n  " + example;
  filled.app->footer(footer);
}

int refuse(std::string what, const std::string& command) {
  what.erase(std::remove(what.begin(), what.end(), kWordMark), what.end());
  std::fprintf(stderr, "error[command-line]: %s\nhelp: see floptally %s--help\n", what.c_str(),
               command.empty() ? "" : (command + " ").c_str());
  return 2;
}

Request request_of(const Filled& filled) {
  Request request;
  request.command = filled.info->name;
  request.inputs = filled.inputs;
  for (std::string& input : request.inputs)
    if (input.starts_with(kWordMark)) input.erase(0, 1);
  for (const auto& [name, words] : filled.words)
    if (!words.empty()) request.options[name] = words;
  for (const auto& [name, on] : filled.flags)
    if (on) request.options[name];
  request.data_dir = request.word("data");
  return request;
}

// Words that look like options and are none are marked: "-inf" and "-pi" are numbers (CLI11 tells negative numbers by
// their digits alone), and so is everything after "--".
std::vector<std::string> marked(int argc, char** argv) {
  std::vector<std::string> words;
  bool ended = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!ended && word == "--") {
      ended = true;
      continue;
    }
    const bool number = word == "-inf" || word == "-infinity" || word == "-nan" || word == "-pi";
    words.push_back(number || (ended && word.size() > 1 && word[0] == '-') ? kWordMark + word : word);
  }
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
  return words;
}

int run(int argc, char** argv) {
  CLI::App app{
      "floptally counts what deep-learning training costs: parameters, FLOP, memory, time, money; how sure that is, "
      "and why."};
  app.name("floptally");
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", std::string("floptally ") + floptally::version());
  const std::vector<CommandInfo> commands = floptally::Engine::commands();
  app.formatter(std::make_shared<Help>(commands));
  app.footer(
      "Exit status:\n"
      "  0 answered, and yes   1 answered, and no (does not fit, over budget, 'expect' not met)\n"
      "  2 wrong command line   3 an input cannot be read or understood   70 a bug of ours");
  const std::string word = argc > 1 ? argv[1] : "";
  if (word == "help") {  // `help train` is `train --help`
    std::string flag = "--help";
    std::vector<char*> words = {argv[0]};
    if (argc > 2) words.push_back(argv[2]);
    words.push_back(flag.data());
    return run(static_cast<int>(words.size()), words.data());
  }
  const bool known =
      std::any_of(commands.begin(), commands.end(), [&](const CommandInfo& c) { return c.name == word; });
  if (!word.empty() && word[0] != '-' && !known)
    return floptally::answer({word, {}, {}, {}});  // the engine knows which command is nearest
  std::deque<Filled> all;                          // the one command that is named, or all of them for --help
  for (const CommandInfo& info : commands)
    if (!known || info.name == word) add_command(app, info, all.emplace_back());
  try {
    app.parse(marked(argc, argv));
  } catch (const CLI::Success& done) {
    const int status = app.exit(done);  // prints the help
    return std::cout.flush() ? status : 3;
  } catch (const CLI::ParseError& problem) {
    return refuse(problem.what(), known ? word : "");
  }
  for (const Filled& filled : all)
    if (filled.app->parsed()) return floptally::answer(request_of(filled));
  std::fputs(app.help().c_str(), stderr);
  return 2;
}

// A standard stream that the caller closed would lend its number to the next file that is opened, and what is meant for
// the stream would be written into that file. A handle of the wrong direction takes the number and refuses all use.
void hold_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0) (void)::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

}  // namespace

int main(int argc, char** argv) {
  hold_standard_streams();
  try {
    return run(argc, argv);
  } catch (const std::exception& bug) {
    std::fprintf(
        stderr,
        "floptally: internal error: %s\nThis is a bug of ours; please report it with the input that led here.\n",
        bug.what());
    return 70;
  }
}
