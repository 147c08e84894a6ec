// The one door: a request (a command with its words and options) becomes a Book, and a Book becomes text.
//
// The library reads no clock, no environment and no network; it prints nothing. Files it reads are those named in the
// request.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "floptally/book.h"
#include "floptally/diagnostic.h"

namespace floptally {

struct Request {
  std::string command;              // "tally"
  std::vector<std::string> inputs;  // positional words: file paths, names; "-" is standard input
  std::map<std::string, std::vector<std::string>> options;  // "set" -> {"hardware.price=2"}; flags hold no words
  std::string data_dir;                                     // replaces the embedded facts when not empty

  [[nodiscard]] bool has(const std::string& option) const { return options.count(option) != 0; }
  // The last word given for the option, or `otherwise`.
  [[nodiscard]] std::string word(const std::string& option, const std::string& otherwise = {}) const;
  [[nodiscard]] std::vector<std::string> words(const std::string& option) const;
};

struct OptionInfo {
  std::string name;   // "by", used as --by
  std::string value;  // "AXIS"; empty for a flag
  std::string help;
  bool repeatable = false;
};

struct CommandInfo {
  std::string name;
  std::string summary;  // one line
  std::string inputs;   // usage text of the positionals: "PLAN", "A B", "[NAME]"
  int least_inputs = 0;
  int most_inputs = 0;
  std::vector<OptionInfo> options;
  std::vector<std::string> examples;
};

class Engine {
 public:
  Engine();
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Every command, sorted by name; the command line, the help and the reference page are made from it.
  static std::vector<CommandInfo> commands();

  // Answers the request, or says why not. Spans in the result stay valid as long as the engine lives.
  Result<Book> run(const Request& request);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct RenderOptions {
  bool colour = false;
  bool plain = false;  // no bars, no box drawing
  bool notes = true;   // notes are part of the document (files, JSON); a terminal shows them on standard error
  int width = 120;
  bool split =
      false;  // a wider table is broken: heads and words into lines, then columns below the others (a terminal)
};

// Formats known: txt, md, csv, json, tex, html, svg ...
std::vector<std::string> formats();
// Error: unknown-format (with the list).
Result<std::string> render(const Book& book, const std::string& format, const RenderOptions& options = {});
// The problems of a request without an answer, as the JSON of the contract: one object a line.
std::string problems_json(const Diagnostics& problems);

// Writes a file whole or not at all.
Result<bool> write_file(const std::string& path, const std::string& contents);

const char* version();

}  // namespace floptally
