// What people already have: Weights & Biases sweeps, Hydra overrides, tables of runs.
#include <algorithm>
#include <charconv>

#include "base/csv.h"
#include "base/nearest.h"
#include "plan/plan.h"

namespace floptally {
namespace {

// The field that a sweep's parameter sets: its last dotted part, in this or that spelling.
std::optional<FieldId> field_of_parameter(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  std::string_view last = dot == std::string_view::npos ? name : name.substr(dot + 1);
  static constexpr std::pair<std::string_view, FieldId> kSpellings[] = {{"hidden_size", FieldId::width},
                                                                        {"d_model", FieldId::width},
                                                                        {"n_embd", FieldId::width},
                                                                        {"num_layers", FieldId::layers},
                                                                        {"n_layer", FieldId::layers},
                                                                        {"n_layers", FieldId::layers},
                                                                        {"num_hidden_layers", FieldId::layers},
                                                                        {"n_head", FieldId::heads},
                                                                        {"num_heads", FieldId::heads},
                                                                        {"num_attention_heads", FieldId::heads},
                                                                        {"intermediate_size", FieldId::ffn},
                                                                        {"d_ff", FieldId::ffn},
                                                                        {"vocab_size", FieldId::vocab},
                                                                        {"batch_size", FieldId::batch},
                                                                        {"global_batch_size", FieldId::batch},
                                                                        {"max_steps", FieldId::steps},
                                                                        {"num_steps", FieldId::steps},
                                                                        {"train_steps", FieldId::steps},
                                                                        {"seq_len", FieldId::sequence},
                                                                        {"sequence_length", FieldId::sequence},
                                                                        {"block_size", FieldId::sequence},
                                                                        {"num_tokens", FieldId::tokens},
                                                                        {"train_tokens", FieldId::tokens}};
  if (const auto field = field_named(last)) return field;
  for (const auto& [spelling, field] : kSpellings)
    if (last == spelling) return field;
  return std::nullopt;
}

PlanFactor counted(std::string name, Span key, Integer count, Span place) {
  PlanFactor factor;
  factor.name = std::move(name);
  factor.key = key;
  factor.place = place;
  Expression value;
  value.place = place;
  value.text = count.to_string();
  ExprNode node;
  node.amount.exact = count;
  node.amount.best = count.to_double();
  node.amount.bare = true;
  node.amount.text = value.text;
  node.place = place;
  value.nodes.push_back(std::move(node));
  value.root = 0;
  factor.value = std::move(value);
  return factor;
}

class WandbImport {
 public:
  WandbImport(const Node& sweep, Plan base) : sweep_(sweep), plan_(std::move(base)) {}

  Result<Plan> run() {
    const std::string method(sweep_.find("method").text());
    const Node parameters = sweep_.find("parameters");
    PlanSubset subset;
    subset.name = sweep_.find("name") ? std::string(sweep_.find("name").text()) : "sweep";
    subset.place = sweep_.find("name") ? sweep_.find("name").span() : parameters.key_span();
    PlanLine line;
    line.place = parameters.key_span();
    if (method != "grid" && method != "random" && method != "bayes")
      problems_.push_back(error(
          "unknown-word", method.empty() ? "the sweep has no 'method'" : "'" + method + "' is no method of a sweep",
          sweep_.find("method") ? sweep_.find("method").span() : parameters.key_span(), "grid, random or bayes"));
    collect(parameters, "");
    const Node cap = sweep_.find("run_cap");
    const auto capped = cap.as_integer();
    if (cap && (!capped || *capped < Integer(1)))
      problems_.push_back(error("wrong-type", "'run_cap' expects a whole number above 0", cap.span()));
    if (method == "grid")
      grid(line, capped, cap);
    else if (problems_.empty())
      search(line, method, capped, cap);
    if (!problems_.empty()) return std::move(problems_);
    subset.lines.push_back(std::move(line));
    plan_.subsets.push_back(std::move(subset));
    if (plan_.title.empty()) plan_.title = "Weights & Biases sweep";
    return std::move(plan_);
  }

 private:
  struct Parameter {
    std::string name;
    Node node, values;
    bool fixed = false, continuous = false;
  };

  void collect(const Node& parameters, const std::string& prefix) {
    for (const Node each : parameters) {
      const std::string name = prefix + std::string(each.key());
      if (const Node nested = each.find("parameters"); nested.is_mapping()) {
        collect(nested, name + ".");
        continue;
      }
      Parameter p{name, each, each.find("values"), static_cast<bool>(each.find("value")),
                  each.find("min") || each.find("max") || each.find("distribution")};
      if (p.fixed)
        p.values = each.find("value");
      else if (!p.values && !p.continuous)
        problems_.push_back(
            error("wrong-type", "'" + name + "' has no 'values', 'value' or 'min' and 'max'", each.key_span()));
      else if (p.values && !p.values.is_sequence())
        problems_.push_back(error("wrong-type", "'values' expects a list", p.values.span()));
      else if (p.values && p.values.size() == 0)
        problems_.push_back(
            error("empty-list", "this list is empty", p.values.span(), "an axis needs at least one value"));
      parameters_.push_back(std::move(p));
    }
  }

  void set_field(PlanLine& line, const Parameter& p, FieldId field, bool axis) {
    Result<Expression> value = parse_expression(p.values, suffix_of(kFieldNames[static_cast<std::size_t>(field)]));
    if (!value) {
      for (Diagnostic& each : value.take_problems()) problems_.push_back(std::move(each));
      return;
    }
    PlanEntry entry{std::string(kFieldNames[static_cast<std::size_t>(field)]), p.node.key_span(), std::move(*value)};
    (axis ? line.over : line.set).push_back(std::move(entry));
  }

  void grid(PlanLine& line, const std::optional<Integer>& cap, const Node& cap_node) {
    Integer runs(1);
    for (const Parameter& p : parameters_) {
      const auto field = field_of_parameter(p.name);
      if (p.fixed) {
        if (field) set_field(line, p, *field, false);
        continue;
      }
      if (!p.values) {
        problems_.push_back(
            error("missing-run-cap", "'" + p.name + "' is continuous: a grid needs 'values'", p.node.key_span()));
        continue;
      }
      runs = runs * Integer(static_cast<long>(p.values.size()));
      if (field)
        set_field(line, p, *field, true);
      else
        line.times.push_back(
            counted(p.name, p.node.key_span(), Integer(static_cast<long>(p.values.size())), p.values.span()));
    }
    if (cap && *cap < runs) scale_down(line, runs, *cap, cap_node);
  }

  // W&B stops after run_cap runs of the grid; which of them run first is its affair, so the average run is counted.
  void scale_down(PlanLine& line, Integer runs, Integer cap, const Node& cap_node) {
    PlanFactor factor = counted("run_cap", cap_node.key_span(), 1, cap_node.span());
    Expression& value = *factor.value;
    ExprNode denominator = value.nodes[0];
    value.nodes[0].amount.exact = cap;
    value.nodes[0].amount.best = cap.to_double();
    denominator.amount.exact = runs;
    denominator.amount.best = runs.to_double();
    value.nodes.push_back(denominator);
    ExprNode divide;
    divide.op = ExprOp::divide;
    divide.a = 0;
    divide.b = 1;
    divide.place = cap_node.span();
    value.nodes.push_back(divide);
    value.root = 2;
    line.times.push_back(std::move(factor));
    plan_.notes.push_back(note("run-cap",
                               "the grid has " + runs.to_string() + " runs, 'run_cap' allows " + cap.to_string() +
                                   ": counted as so many average runs",
                               cap_node.span()));
  }

  // Random and Bayesian search try run_cap points; each value of a field is as likely as the others.
  void search(PlanLine& line, const std::string& method, const std::optional<Integer>& cap, const Node& cap_node) {
    if (!cap) {
      problems_.push_back(error("missing-run-cap", "a " + method + " sweep goes on until it is stopped: how many runs?",
                                sweep_.find("method").span(), "add 'run_cap: 100' to the sweep"));
      return;
    }
    Integer points(1);
    for (const Parameter& p : parameters_) {
      const auto field = field_of_parameter(p.name);
      if (!field) continue;
      if (p.fixed) {
        set_field(line, p, *field, false);
      } else if (p.values) {
        set_field(line, p, *field, true);
        points = points * Integer(static_cast<long>(p.values.size()));
      } else {
        problems_.push_back(error("continuous-field", "'" + p.name + "' changes the cost and is continuous here",
                                  p.node.key_span(), "give it 'values'"));
      }
    }
    if (points == Integer(1)) {
      line.times.push_back(counted("run_cap", cap_node.key_span(), *cap, cap_node.span()));
    } else {
      scale_down(line, points, *cap, cap_node);
      plan_.notes.back().message = method + " search of " + cap->to_string() + " runs: each of the " +
                                   points.to_string() + " sizes is taken to be tried equally often";
    }
  }

  Node sweep_;
  Plan plan_;
  std::vector<Parameter> parameters_;
  Diagnostics problems_;
};

bool blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

// Top-level pieces of "a,b,choice(c,d)": commas outside brackets and quotes.
std::vector<std::string_view> pieces(std::string_view text) {
  std::vector<std::string_view> out;
  int depth = 0;
  char quote = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (c == ')' || c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth == 0) {
      out.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  out.push_back(text.substr(begin));
  return out;
}

// "key=value,value" or "key=range(from,to,step)", standing at begin to at, into an axis or a factor of the line.
void read_override(const Source& source, std::size_t begin, std::size_t at, PlanLine& line, Diagnostics& problems) {
  const std::string_view word = std::string_view(source.text).substr(begin, at - begin);
  const std::size_t equals = word.find('=');
  const Span place{&source, begin, at};
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == word.size()) {
    problems.push_back(
        error("bad-override", "expected key=value,value", place, "model.width=512,1024 seed=range(0,5)"));
    return;
  }
  std::string_view key = word.substr(0, equals);
  while (!key.empty() && (key[0] == '+' || key[0] == '~')) key.remove_prefix(1);
  const Span key_place{&source, begin, begin + equals};
  std::string_view value = word.substr(equals + 1);
  std::size_t value_begin = begin + equals + 1;
  for (const std::string_view wrapper :
       {std::string_view("choice("), std::string_view("shuffle("), std::string_view("sort(")})
    if (value.starts_with(wrapper) && value.ends_with(")")) {
      value.remove_prefix(wrapper.size());
      value.remove_suffix(1);
      value_begin += wrapper.size();
    }
  if (value.starts_with("interval(")) {
    problems.push_back(error("continuous-field", "'" + std::string(key) + "' is continuous: a sweep needs a count",
                             place, "give it values, or a range(from,to,step)"));
    return;
  }
  const auto field = field_of_parameter(key);
  const bool range = value.starts_with("range(");
  const std::vector<std::string_view> parts = pieces(value);
  const std::string list = range ? std::string(value) : "[" + std::string(value) + "]";
  if (!field && !range) {
    line.times.push_back(counted(std::string(key), key_place, Integer(static_cast<long>(parts.size())), place));
    return;
  }
  Result<Expression> parsed =
      parse_expression(list, range ? Span{&source, value_begin, value_begin + value.size()} : place,
                       field ? suffix_of(kFieldNames[static_cast<std::size_t>(*field)]) : Suffix::decimal);
  if (!parsed) {
    for (Diagnostic& each : parsed.take_problems()) problems.push_back(std::move(each));
    return;
  }
  if (field) {
    line.over.push_back({std::string(kFieldNames[static_cast<std::size_t>(*field)]), key_place, std::move(*parsed)});
  } else {
    PlanFactor factor;
    factor.name = std::string(key);
    factor.key = key_place;
    factor.place = place;
    factor.value = std::move(*parsed);
    line.times.push_back(std::move(factor));
  }
}

// A cell that holds a whole number, or a problem.
std::int64_t read_whole(const Csv& table, std::size_t row, std::size_t column, Diagnostics& problems) {
  const std::string_view text = table.cell(row, column);
  std::int64_t value = 0;
  const auto digits = std::from_chars(text.data(), text.data() + text.size(), value);
  if (digits.ec == std::errc{} && digits.ptr == text.data() + text.size() && value >= 0) return value;
  const NumberText number = read_number(text);
  if (number.length > 0 && number.length == text.size() && number.exact && number.exact->fits_int64() &&
      *number.exact >= Integer(0))
    return number.exact->to_int64();
  constexpr std::size_t kMostProblems = 100;
  if (problems.size() < kMostProblems)
    problems.push_back(error("not-a-number",
                             "'" + std::string(table.header(column)) + "' expects a whole number, found '" +
                                 std::string(text.substr(0, 40)) + "'",
                             table.span(row, column)));
  return 0;
}

// Which columns of a table of runs are fields, and which say more of a row.
struct RunColumns {
  std::vector<std::size_t> fields;
  std::optional<std::size_t> count, subset;
  std::string ignored;
};

RunColumns run_columns(const Csv& table, PlanLine& line, Diagnostics& problems) {
  RunColumns out;
  for (std::size_t c = 0; c < table.columns(); ++c) {
    const std::string_view name = table.header(c);
    if (name == "runs" || name == "count" || name == "times")
      out.count = c;
    else if (name == "subset")
      out.subset = c;
    else if (const auto field = field_of_parameter(name)) {
      const std::string known(kFieldNames[static_cast<std::size_t>(*field)]);
      if (std::find(line.columns.begin(), line.columns.end(), known) != line.columns.end()) {
        problems.push_back(error("given-twice", "'" + known + "' stands in two columns", table.header_span(c)));
        continue;
      }
      out.fields.push_back(c);
      line.columns.push_back(known);
    } else {
      out.ignored += (out.ignored.empty() ? "" : ", ") + std::string(name);
    }
  }
  return out;
}

// The rows of a table of runs, as the lines of a plan: one a subset.
class RunsTable final : public CsvVisitor {
 public:
  explicit RunsTable(const Source& source) : source_(source) {}

  Result<Plan> import(Plan base) {
    Result<Csv> table = Csv::visit(source_, *this);
    if (!table) return table.take_problems();
    if (!started_) start(*table);
    if (line_.columns.empty() && !columns_.count && problems_.empty()) {
      const std::vector<std::string_view> known(std::begin(kFieldNames), std::end(kFieldNames));
      return error("unknown-axis", "no column is a field of the model or the run", table->header_span(0),
                   suggestion(table->header(0), known));
    }
    if (problems_.empty() && lines_.empty()) return error("empty-runs", "the table has no rows", table->header_span(0));
    if (!problems_.empty()) return problems_;
    if (!columns_.ignored.empty())
      base.notes.push_back(note("ignored-columns", "columns that are no fields are ignored: " + columns_.ignored,
                                table->header_span(0)));
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      PlanSubset subset;
      subset.name = names_[i];
      subset.place = lines_[i].place;
      subset.lines.push_back(std::move(lines_[i]));
      base.subsets.push_back(std::move(subset));
    }
    if (base.title.empty()) base.title = "Runs of " + source_.name;
    return base;
  }

  void row(const Csv& table) override {
    if (!started_) start(table);
    PlanLine& own = line_for(table);
    for (const std::size_t c : columns_.fields) own.table.push_back(read_whole(table, 0, c, problems_));
    if (columns_.count) own.table_counts.push_back(read_whole(table, 0, *columns_.count, problems_));
  }

 private:
  void start(const Csv& table) {
    started_ = true;
    line_.place = table.header_span(0);
    columns_ = run_columns(table, line_, problems_);
  }

  PlanLine& line_for(const Csv& table) {
    if (!columns_.subset && !lines_.empty()) return lines_.back();
    const std::string_view name = columns_.subset ? table.cell(0, *columns_.subset) : "runs";
    if (!names_.empty() && names_.back() == name) return lines_.back();
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found != names_.end()) return lines_[static_cast<std::size_t>(found - names_.begin())];
    names_.emplace_back(name);
    lines_.push_back(line_);
    lines_.back().place = table.row_span(0);
    if (!columns_.subset) {  // all rows come here: room for them at once
      const auto rows = static_cast<std::size_t>(std::count(source_.text.begin(), source_.text.end(), '\n')) + 1;
      lines_.back().table.reserve(rows * columns_.fields.size());
      if (columns_.count) lines_.back().table_counts.reserve(rows);
    }
    return lines_.back();
  }

  const Source& source_;
  bool started_ = false;
  PlanLine line_;  // every line's beginning: its columns
  RunColumns columns_;
  std::vector<std::string> names_;
  std::vector<PlanLine> lines_;
  Diagnostics problems_;
};

}  // namespace

bool is_wandb_sweep(const Node& root) {
  return root.is_mapping() && !root.find("plan") && root.find("parameters").is_mapping();
}

Result<Plan> import_wandb(const Node& sweep, Plan base) {
  base.imported = true;
  return WandbImport(sweep, std::move(base)).run();
}

Result<Plan> import_hydra(std::string_view overrides, Plan base, Sources& sources) {
  const Source& source = sources.add("--over", std::string(overrides));
  const std::string_view text = source.text;
  Diagnostics problems;
  PlanLine line;
  line.place = {&source, 0, text.size()};
  std::size_t at = 0;
  while (at < text.size()) {
    while (at < text.size() && blank(text[at])) ++at;
    if (at >= text.size()) break;
    const std::size_t begin = at;
    int depth = 0;
    for (; at < text.size() && (depth > 0 || !blank(text[at])); ++at) {
      if (text[at] == '(' || text[at] == '[') ++depth;
      if (text[at] == ')' || text[at] == ']') --depth;
    }
    read_override(source, begin, at, line, problems);
  }
  if (!problems.empty()) return problems;
  if (line.over.empty() && line.times.empty())
    return error("empty-runs", "'--over' names no axis", {}, "--over 'model.width=512,1024 seed=range(0,5)'");
  PlanSubset subset;
  subset.name = "--over";
  subset.place = line.place;
  subset.lines.push_back(std::move(line));
  base.subsets.push_back(std::move(subset));
  return base;
}

Result<Plan> import_runs_csv(const Source& source, Plan base) {
  base.imported = true;
  return RunsTable(source).import(std::move(base));
}

}  // namespace floptally
