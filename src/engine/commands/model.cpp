// floptally model MODEL...: what one network costs, exactly.
#include <algorithm>

#include "base/nearest.h"
#include "engine/command.h"
#include "engine/model_answer.h"
#include "engine/override.h"
#include "network/format.h"
#include "quantity/print.h"
#include "quantity/quantity_text.h"

namespace floptally {
namespace {

// A positive whole number from an option, or a problem.
std::int64_t whole(const Request& request, const std::string& option, std::int64_t otherwise, Diagnostics& problems,
                   Suffix suffix = Suffix::decimal) {
  if (!request.has(option)) return otherwise;
  const std::string text = request.word(option);
  const Result<Amount> amount = parse_amount(text, {}, suffix);
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  if (amount.ok() && amount->exact && Integer(0) < *amount->exact && *amount->exact < Integer(kMost))
    return amount->exact->to_int64();
  problems.push_back(
      error("bad-option", "--" + option + " expects a whole number of at least 1, found '" + text + "'"));
  return otherwise;
}

// "1x3x224x224"
std::vector<std::int64_t> shape_of(const std::string& text, Diagnostics& problems) {
  std::vector<std::int64_t> sizes;
  std::int64_t value = 0;
  bool digits = false;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : 'x';
    if (c >= '0' && c <= '9' && value < (std::int64_t{1} << 40)) {
      value = value * 10 + (c - '0');
      digits = true;
    } else if ((c == 'x' || c == 'X' || c == ',') && digits && value > 0) {
      sizes.push_back(value);
      value = 0;
      digits = false;
    } else {
      problems.push_back(error("bad-option", "--input expects sizes such as 1x3x224x224, found '" + text + "'"));
      return {};
    }
  }
  return sizes;
}

Inputs inputs_of(const Request& request, Diagnostics& problems) {
  Inputs inputs;
  inputs.batch = whole(request, "batch", 0, problems, Suffix::batch);
  inputs.sequence = whole(request, "sequence", 0, problems, Suffix::length);
  inputs.source_sequence = whole(request, "source-sequence", 0, problems, Suffix::length);
  if (request.has("input")) inputs.shape = shape_of(request.word("input"), problems);
  for (const std::string& binding : request.words("let")) {
    const std::size_t equals = binding.find('=');
    const NumberText number = equals == std::string::npos
                                  ? NumberText{}
                                  : read_number(std::string_view(binding).substr(equals + 1), Suffix::length);
    const bool optional = binding.starts_with("mtp=") || binding.starts_with("images=") ||
                          binding.starts_with("frames=");  // 0: none of them
    if (!number.exact || !(Integer(optional ? -1 : 0) < *number.exact) || !number.exact->fits_int64() ||
        equals + 1 + number.length != binding.size()) {
      problems.push_back(error("bad-option", "--let expects NAME=SIZE, such as batch=8, found '" + binding + "'"));
      continue;
    }
    const std::string name = binding.substr(0, equals);
    const std::int64_t value = number.exact->to_int64();
    inputs.let.emplace_back(name, value);
    if (name == "batch" && inputs.batch == 0) inputs.batch = value;
    if (name == "sequence" && inputs.sequence == 0) inputs.sequence = value;
  }
  return inputs;
}

// Graphs know what sizes they leave open; a config or a spec leaves these only.
void note_unused_sizes(Network& network, const Inputs& inputs) {
  static constexpr std::string_view kGraphs[] = {"onnx", "pt2", "stablehlo", "tensorflow", "tflite"};
  if (std::find(std::begin(kGraphs), std::end(kGraphs), network.family) != std::end(kGraphs)) return;
  for (const auto& [name, size] : inputs.let)
    if (name != "batch" && name != "sequence" && name != "images" && name != "frames" &&
        (name != "mtp" || network.family == "decoder"))
      network.notes.push_back(
          warning("unused-size", "--let " + name + ": this description leaves no size of that name open", {},
                  "--let takes batch, sequence and, of a config.json, images, frames and mtp; --set " + name +
                      "=... replaces a key of the description"));
}

ModelQuestion question_of(const Request& request, const Inputs& inputs, Diagnostics& problems) {
  ModelQuestion q;
  q.batch = std::max<std::int64_t>(inputs.batch, 1);
  q.depth = static_cast<int>(std::min<std::int64_t>(whole(request, "depth", 3, problems), kMaxBlockDepth));
  q.by = request.word("by");
  static constexpr std::string_view kViews[] = {"layer", "operator", "module", "component"};
  if (!q.by.empty() && std::find(std::begin(kViews), std::end(kViews), q.by) == std::end(kViews)) {
    problems.push_back(error("bad-option", "--by expects layer, operator, module or component, found '" + q.by + "'"));
  }
  const std::string convention = request.word("convention", std::string(default_convention().name));
  q.all_conventions = convention == "table";
  q.convention = q.all_conventions ? &default_convention() : find_convention(convention);
  if (q.convention == nullptr) {
    std::vector<std::string_view> names;
    for (const Convention& row : conventions()) names.push_back(row.name);
    names.emplace_back("table");
    problems.push_back(
        error("unknown-convention", "there is no convention called '" + convention + "'", {},
              suggestion(convention, names) + " (`floptally reference conventions` says what each counts)"));
  }
  q.derive = request.has("derive");
  if (request.has("tokens")) {
    Result<Amount> amount = parse_amount(request.word("tokens"));
    if (amount.ok()) {
      q.tokens = std::move(*amount);
      q.tokens.dim = {};
      q.has_tokens = true;
    } else {
      for (Diagnostic& problem : amount.take_problems()) {
        problem.code = "bad-option";
        problem.message = "--tokens: " + problem.message;
        problems.push_back(std::move(problem));
      }
    }
  }
  return q;
}

// Several models: one line each; what cannot be read is named and makes the answer "no".
Book many(const Request& request, const Inputs& inputs, const ModelQuestion& q, Context& context) {
  Book book;
  book.title = std::to_string(request.inputs.size()) + " models";
  Table table{"models",
              "Models",
              {{"model", "Model"},
               {"parameters", "Parameters", true},
               {"active_parameters", "Active", true},
               {"flop_forward", "Forward", true},
               {"flop_training", "Training", true},
               {"unit", "per"},
               {"sequence", "Sequence", true}},
              {},
              "FLOP per unit, convention '" + std::string(q.convention->name) + "'"};
  const auto per_unit = [](Integer sample, std::int64_t units, bool at_least) {
    Figure f = sample % Integer(units) == Integer(0)
                   ? figure(sample / Integer(units), dim::kFlop)
                   : figure(sample.to_double() / static_cast<double>(units), dim::kFlop);
    f.at_least = at_least;
    return Value(f);
  };
  for (const std::string& model : request.inputs) {
    const Result<Network> network = load_edited(model, request, inputs, context);
    if (!network) {
      book.notes.insert(book.notes.end(), network.problems().begin(), network.problems().end());
      table.rows.push_back({model, std::monostate{}, std::monostate{}, std::monostate{}, std::monostate{},
                            std::string("not read"), std::monostate{}});
      book.yes = false;
      continue;
    }
    const ModelLine line = model_line(*network, *q.convention);
    const std::int64_t units = line.sequence * network->samples;
    table.rows.push_back({line.name, figure(line.parameters, dim::kParameter), figure(line.active, dim::kParameter),
                          per_unit(line.flop.forward, units, line.flop.at_least),
                          per_unit(line.flop.training(), units, line.flop.at_least), line.unit,
                          figure(Integer(line.sequence))});
  }
  book.tables.push_back(std::move(table));
  book.words = {{"convention", std::string(q.convention->name)}};
  return book;
}

Result<Book> run(const Request& request, Context& context) {
  Diagnostics problems;
  const Inputs inputs = inputs_of(request, problems);
  ModelQuestion question = question_of(request, inputs, problems);
  question.per_sample = context.per_sample;
  if (!problems.empty()) return problems;
  if (request.inputs.size() > 1) return many(request, inputs, question, context);
  Result<Network> network = load_edited(request.inputs.front(), request, inputs, context);
  if (!network) return network.problems();
  note_unused_sizes(*network, inputs);
  if (!count(*network).total().parameters.valid() || !count_flop(*network, *question.convention).training().valid()) {
    return error("shape-overflow", "the sizes of '" + network->name + "' are so large that a count leaves 128 bits");
  }
  return model_answer(*network, question);
}

}  // namespace

namespace commands {
extern const CommandDef k_model;
const CommandDef k_model = {
    {"model",
     "parameters, FLOP forward and backward, and activation bytes of a network, counted operator by operator",
     "MODEL...",
     1,
     100000,
     {{"by", "VIEW", "a table by layer, operator, module or component", false},
      {"depth", "N", "levels of --by module", false},
      {"convention", "NAME",
       "what counts as FLOP: matmul, all, causal, full, 6nd, palm, kaplan, chinchilla, megatron, torchtitan, torch, "
       "mac; or table",
       false},
      {"sequence", "N", "tokens of one sample (8k is 8,192)", false},
      {"source-sequence", "N", "tokens on the encoder's side", false},
      {"batch", "N", "samples kept at once (activation bytes)", false},
      {"tokens", "N", "tokens (or samples) trained on: flop_training is then the whole training", false},
      {"input", "SHAPE", "shape of the input, such as 1x3x224x224", false},
      {"let", "NAME=SIZE", "a size that the file leaves open, such as batch=8", true}},
     {"floptally model examples/models/small-llama --sequence 4096", "floptally model gpt-3 --by layer",
      "floptally model examples/models/resnet18.onnx --convention torch --json",
      "floptally model llama-3.1-405b --convention table"}},
    run};
}  // namespace commands

}  // namespace floptally
