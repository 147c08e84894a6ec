// floptally reference [TOPIC|NAME]: what the program knows by itself. Every list is read from the registry or table
// that the program works with, and docs/reference/ is made from this command, so the pages cannot say anything else.
#include <algorithm>

#include "audit/lint/lint.h"
#include "base/codes.h"
#include "base/csv.h"
#include "base/embedded.h"
#include "base/letters.h"
#include "base/nearest.h"
#include "base/split.h"
#include "engine/command.h"
#include "network/convention.h"
#include "network/dtype.h"
#include "network/family.h"
#include "network/format.h"
#include "network/operator.h"
#include "network/shipped.h"
#include "network/spec.h"
#include "plan/plan.h"
#include "render/renderer.h"
#include "training/run_file.h"
#include "training/run_tables.h"

namespace floptally {
namespace {

using Row = std::vector<Value>;

Value text(std::string_view words) { return std::string(words); }

std::string joined(std::span<const std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) out += (out.empty() ? "" : ", ") + std::string(word);
  return out;
}

Table conventions_table() {
  Table table{"conventions",
              "Counting conventions",
              {{"name", "Convention"}, {"counts", "What a FLOP figure counts"}, {"source", "Source"}},
              {},
              {}};
  for (const Convention& each : conventions())
    table.rows.push_back({text(each.name), text(each.doc), text(each.source)});
  table.note = "One multiply-add is 2 FLOP, except where a convention says that it counts multiply-accumulates.";
  return table;
}

Table diagnostics_table() {
  Table table{"diagnostics", "Diagnostic codes", {{"code", "Code"}, {"meaning", "Meaning"}}, {}, {}};
  for (const CodeInfo& each : all_codes()) table.rows.push_back({text(each.word), text(each.explanation)});
  return table;
}

Table families_table() {
  Table table{"families",
              "Architecture families",
              {{"name", "Family"},
               {"models", "Models"},
               {"types", "model_type or architecture of the config"},
               {"source", "Source"}},
              {},
              "A config.json is read by the family that lists its model_type, else its first architecture. Written in "
              "src/network/families/FAMILY.cpp."};
  for (const FamilyDef* const* each = all_families(); *each != nullptr; ++each) {
    const FamilyDef& family = **each;
    table.rows.push_back({text(family.name), text(family.doc),
                          joined(family.model_types.empty() ? family.architectures : family.model_types),
                          text(family.source)});
  }
  return table;
}

Table formats_table() {
  Table table{
      "formats", "Model files", {{"name", "Format"}, {"reads", "What is read"}, {"source", "Specification"}}, {}, {}};
  for (const FormatDef* const* each = all_formats(); *each != nullptr; ++each)
    table.rows.push_back({text((*each)->name), text((*each)->doc), text((*each)->source)});
  return table;
}

Table models_table() {
  Table table{"models",
              "Shipped models",
              {{"name", "Name"}},
              {},
              "`floptally model NAME` counts one; a RUN or PLAN may name one as its model."};
  for (const std::string& name : shipped_model_names()) table.rows.push_back({name});
  return table;
}

Table number_formats_table() {
  Table table{"number-formats",
              "Number formats",
              {{"name", "Format"},
               {"elements", "Elements a block", true},
               {"bytes", "Bytes a block", true},
               {"source", "Source"}},
              {},
              "A block is the smallest piece that is stored whole, its scales included."};
  for (std::size_t i = 0; i < static_cast<std::size_t>(Dtype::count_); ++i) {
    const DtypeInfo& info = dtype_info(static_cast<Dtype>(i));
    if (info.dtype == Dtype::unspecified) continue;
    table.rows.push_back(
        {text(info.name), std::to_string(info.block_elements), std::to_string(info.block_bytes), text(info.source)});
  }
  return table;
}

Table operators_table() {
  Table table{"operators",
              "Operators",
              {{"name", "Operator"},
               {"computes", "What it computes"},
               {"attributes", "Attributes"},
               {"example", "Worked example"},
               {"parameters", "Parameters", true},
               {"matmul", "Matmul FLOP", true},
               {"other", "Other FLOP", true},
               {"source", "Source"}},
              {},
              "FLOP of one forward pass on one sample; a causal attention counts s^2/2 pairs. Written in "
              "src/network/operators/OPERATOR.cpp."};
  for (const OperatorDef* const* each = all_operators(); *each != nullptr; ++each) {
    const OperatorDef& op = **each;
    std::vector<std::string_view> attributes;
    for (int i = 0; i < op.attribute_count; ++i) attributes.push_back(op.attributes[i].name);
    table.rows.push_back({text(op.name), text(op.doc), joined(attributes), text(op.example.text),
                          std::to_string(op.example.parameters), std::to_string(op.example.forward_matmul),
                          std::to_string(op.example.forward_other), text(op.source)});
  }
  return table;
}

Table outputs_table() {
  Table table{"outputs",
              "Outputs",
              {{"ending", "Ending"}, {"writes", "What is written"}},
              {},
              "`-o FILE` chooses by the ending, `--format` by name."};
  for (const RendererDef* const* each = renderers::kAll; *each != nullptr; ++each)
    table.rows.push_back({text((*each)->format), text((*each)->summary)});
  return table;
}

void add_keys(const FieldTable& fields, const std::string& path, Table& out) {
  for (const Field& field : fields.fields) {
    const std::string key = path + std::string(field.key);
    std::string doc(field.doc);
    if (!field.words.empty()) doc += ": " + joined(field.words);
    out.rows.push_back({key, std::move(doc)});
    if (field.table != nullptr) add_keys(*field.table, key + ".", out);
  }
}

Table run_table() {
  Table table{"run",
              "Keys of a RUN file",
              {{"key", "Key"}, {"holds", "What it holds"}},
              {},
              "`train` and `audit` read the same file; each needs only the keys that its answer stands on."};
  add_keys(kRunFileTable, "", table);
  return table;
}

// Columns of a table of facts: its name, then as written there.
Table facts_of(std::string key, std::string title, std::string_view path,
               std::initializer_list<std::pair<std::string_view, std::string_view>> columns) {
  Table table{std::move(key), std::move(title), {}, {}, "From data/" + std::string(path) + "."};
  const Source source{std::string(path), std::string(embedded_file(path).value_or("")), false};
  const Result<Csv> rows = Csv::read(source);
  for (const auto& [column, head] : columns) table.columns.push_back({std::string(column), std::string(head)});
  for (std::size_t r = 0; rows.ok() && r < rows->rows(); ++r) {
    Row& row = table.rows.emplace_back();
    for (const auto& [column, head] : columns) {
      const std::string_view cell = rows->cell(r, column);
      row.emplace_back(column == "aliases" ? joined(split(cell, '|')) : std::string(cell));
    }
  }
  return table;
}

Table precisions_table() {
  return facts_of("precisions", "Precision recipes", "training/precision.csv",
                  {{"name", "Recipe"},
                   {"aliases", "Also called"},
                   {"weights", "Weights"},
                   {"gradients", "Gradients"},
                   {"master", "Master copy"},
                   {"compute", "Activations"},
                   {"arithmetic", "Multiplies in"},
                   {"source", "Source"}});
}

Table optimizers_table() {
  return facts_of(
      "optimizers", "Optimizers", "training/optimizers.csv",
      {{"name", "Optimizer"}, {"aliases", "Also called"}, {"states", "Full-size states"}, {"source", "Source"}});
}

Table frameworks_table() {
  return facts_of("frameworks", "Frameworks", "training/frameworks.csv", {{"name", "Framework"}, {"source", "Source"}});
}

Table formulas_table() {
  return facts_of("formulas", "Formulas by name", "reference/formulas.csv",
                  {{"name", "Name"},
                   {"formula", "Formula"},
                   {"gives", "What it gives"},
                   {"shown", "Shown by"},
                   {"code", "Written in src/"},
                   {"source", "Source"}});
}

struct Topic {
  std::string_view name;
  std::string_view doc;
  Table (*table)();
};

constexpr Topic kTopics[] = {
    {"conventions", "what a FLOP figure can count", conventions_table},
    {"diagnostics", "every problem the program reports, by code", diagnostics_table},
    {"families", "architecture families read from a config.json", families_table},
    {"formats", "kinds of model files", formats_table},
    {"formulas", "formulas by name: Narayanan, Hobbhahn, ZeRO ...", formulas_table},
    {"frameworks", "training frameworks whose memory rules are known", frameworks_table},
    {"models", "models that come with the program", models_table},
    {"number-formats", "how numbers are stored", number_formats_table},
    {"operators", "operators with their sources and worked examples", operators_table},
    {"optimizers", "what optimizers hold", optimizers_table},
    {"outputs", "formats of answers", outputs_table},
    {"precisions", "what each state of a training run is stored in", precisions_table},
    {"run", "the keys of a RUN file", run_table},
};

// What every topic has under that name: rows with the word in their name or aliases, formulas of a source with it.
std::vector<Table> rows_called(std::string_view word) {
  constexpr std::size_t kShortest = 3;  // two letters stand in every second name
  std::vector<Table> found;
  if (word.size() < kShortest) return found;
  const std::string wanted = lower(word);
  for (const Topic& topic : kTopics) {
    Table table = topic.table();
    std::erase_if(table.rows, [&](const Row& row) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        const std::string_view column = table.columns[i].key;
        const bool named =
            i == 0 || column == "aliases" || column == "types" || (topic.name == "formulas" && column == "source");
        if (named && lower(std::get<std::string>(row[i])).find(wanted) != std::string::npos) return false;
      }
      return true;
    });
    const auto place = topic.name == "formulas" ? found.begin() : found.end();  // what is asked for most
    if (!table.rows.empty()) found.insert(place, std::move(table));
  }
  return found;
}

// A diagnostic's code is a topic too: "floptally reference unknown-key" explains it.
const CodeInfo* find_code(std::string_view word) {
  for (const CodeInfo& each : all_codes())
    if (each.word == word) return &each;
  return nullptr;
}

std::string run_schema() { return json_schema(kRunFileTable, "https://floptally.dev/schema/run-1.json"); }

Result<Book> run(const Request& request, Context&) {
  Book book;
  if (request.inputs.empty()) {
    Table table{"topics", "Topics", {{"topic", "Topic"}, {"lists", "What is listed"}, {"rows", "Rows", true}}, {}, {}};
    for (const Topic& topic : kTopics)
      table.rows.push_back({text(topic.name), text(topic.doc), std::to_string(topic.table().rows.size())});
    book.title = "What this program knows";
    book.tables.push_back(std::move(table));
    return book;
  }
  const std::string& wanted = request.inputs.front();
  for (const Topic& topic : kTopics) {
    if (topic.name != wanted) continue;
    book.tables.push_back(topic.table());
    return book;
  }
  if (const CodeInfo* code = find_code(wanted)) {
    book.title = wanted;
    book.summary.emplace_back(code->explanation);
    return book;
  }
  // JSON Schemas of our own files, made from the tables that decode them, and a page of the reference.
  static constexpr std::pair<std::string_view, std::string (*)()> kTexts[] = {{"plan-schema", plan_schema},
                                                                              {"run-schema", run_schema},
                                                                              {"network-schema", spec_schema},
                                                                              {"lints-page", lints_page}};
  std::vector<std::string_view> names;
  for (const auto& [name, make] : kTexts) {
    names.push_back(name);
    if (wanted != name) continue;
    book.summary.push_back(make());
    return book;
  }
  book.tables = rows_called(wanted);
  if (!book.tables.empty()) return book;
  for (const Topic& topic : kTopics) names.push_back(topic.name);
  return error("unknown-topic", "there is no topic, name or diagnostic called '" + wanted + "'", {},
               suggestion(wanted, names));
}

}  // namespace

namespace commands {
extern const CommandDef k_reference;
const CommandDef k_reference = {
    {"reference",
     "what the program knows: operators, families, formulas by name, diagnostics ...",
     "[TOPIC|NAME]",
     0,
     1,
     {},
     {"floptally reference", "floptally reference operators", "floptally reference narayanan",
      "floptally reference attention", "floptally reference unknown-key"}},
    run,
    false};
}  // namespace commands

}  // namespace floptally
