// Book: an answer as plain data. Account trees whose parents are computed from their children, named steps that say how
// each number was made, tables, charts, notes. Renderers read nothing else; programs that link the library read this.
//
// Always holds: a figure has a unit (its Dim); an account's cell is the sum (or max) of its children's cells with the
// same key; every step's inputs are steps of the same Book, listed before it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "floptally/diagnostic.h"
#include "floptally/quantity.h"

namespace floptally {

// One number, ready to print. `exact` holds its decimal digits where it is an integer derived from integers alone.
struct Figure {
  Dim dim;
  double value = 0;
  std::string exact;
  std::optional<double> p5, p50, p95;
  bool at_least = false;
  bool at_most = false;
  bool unknown = false;  // nothing is known about it; `value` means nothing
};

// Where an input came from. Nothing is defaulted silently: what the user did not give is `assumed`.
enum class Mark : std::uint8_t { derived, given, file, catalogue, assumed };
const char* to_text(Mark mark);

// A named number: an input (formula empty) or the result of a formula over other steps.
struct Step {
  std::string name;
  Figure figure;
  std::string formula;
  std::vector<std::uint32_t> inputs;
  Mark mark = Mark::derived;
  std::string stated;  // for inputs: the user's own words, such as "15 (10 to 22)"
  std::string source;  // publication, catalogue row ...
  Span place;
};

struct Cell {
  std::string key;  // column: "flop", "usd" ...
  std::uint32_t step = 0;
};

enum class Combine : std::uint8_t { sum, max };

struct Account {
  std::string name;
  std::vector<Cell> cells;
  std::vector<Account> children;
  Combine combine = Combine::sum;
  std::string note;
  std::string source;
  Span place;
};

// A headline number under a settled key of the JSON contract.
struct Headline {
  std::string key;
  std::string label;
  std::uint32_t step = 0;
};

// What part of a headline's variance (of its logarithm where it is positive) an uncertain input explains by itself.
struct Influence {
  std::string key;    // of the headline
  std::string input;  // name of the uncertain input
  double share = 0;
  double low = 0;   // the headline with the input at its 5th percentile, the others at their best guess
  double high = 0;  // ... at its 95th
  double base = 0;  // the headline at the best guesses
};

// A table cell: text, a figure with a unit, or empty.
using Value = std::variant<std::monostate, std::string, Figure>;
struct Column {
  std::string key;
  std::string title;
  bool right = false;  // alignment; figures are always right-aligned
};
struct Table {
  std::string key;
  std::string title;
  std::vector<Column> columns;
  std::vector<std::vector<Value>> rows;
  std::string note;
};

// A picture as data; src/render/svg draws it.
struct Mark2d {
  double x = 0, y = 0;
  double low = 0, high = 0;  // a range in y (or in x for bars); equal when there is none
  std::string label;
  std::string group;
};
struct Chart {
  enum class Form { tornado, ranges, scatter, timeline, treemap, histogram, dots };
  Form form = Form::ranges;
  std::string key;
  std::string title;
  std::string x_title, y_title;
  bool log_x = false, log_y = false;
  bool diagonal = false;        // scatter of predicted against measured
  std::optional<double> limit;  // a line across: capacity, threshold
  std::string limit_label;
  Dim x_dim, y_dim;
  std::vector<Mark2d> marks;
};

struct Book {
  std::string command;
  std::string title;
  std::vector<Headline> headlines;
  std::vector<Account> accounts;
  std::vector<Step> steps;
  std::vector<Influence> influences;
  std::vector<Table> tables;
  std::vector<Chart> charts;
  std::vector<std::pair<std::string, std::string>> words;  // answer's other keys: "convention" -> "matmul"
  std::string json_answer;  // extra members of "answer", already JSON ("\"best\":[...]"), for lists a contract names
  std::vector<std::string> summary;  // sentences that answer first, above any table
  // The worlds of uncertain headlines, by key; world i of two answers draws shared inputs alike.
  std::map<std::string, std::vector<double>> worlds;
  Diagnostics notes;
  bool yes = true;  // false: answered, and no (does not fit, over budget, `expect:` not met): exit status 1
};

// The step under a headline key, or nothing.
const Step* find_headline(const Book& book, const std::string& key);

}  // namespace floptally
