#include <algorithm>
#include <iterator>
#include <memory>

#include "base/nearest.h"
#include "document/decode.h"
#include "plan/plan.h"
#include "plan/plan_tables.h"

namespace floptally {
namespace {

class PlanReader {
 public:
  explicit PlanReader(const Node& root) : root_(root) {}

  Result<Plan> read() {
    if (std::optional<Diagnostic> other = other_file(root_, "plan")) return *std::move(other);
    if (!check(plan_tables::kPlan, root_, problems_) && !root_.is_mapping()) return std::move(problems_);
    top();
    read_hardware();
    read_let();
    read_fields();
    read_runs();
    read_limits("expect", plan_.expect);
    read_limits("limits", plan_.limits);
    plan_.problems = std::move(problems_);
    return std::move(plan_);
  }

 private:
  Node mapping(std::string_view key) {
    const Node node = root_.find(key);
    return node.is_mapping() ? node : Node{};
  }
  void report(Diagnostics problems) {
    for (Diagnostic& each : problems) problems_.push_back(std::move(each));
  }
  // What cannot be parsed is reported and kept as a broken expression, so that nothing else complains that it is
  // missing.
  Expression expression(const Node& node, Suffix suffix = Suffix::decimal) {
    Result<Expression> parsed = parse_expression(node, suffix);
    if (parsed.ok()) return std::move(*parsed);
    Diagnostics problems = parsed.take_problems();
    if (open_brackets(node.text()) > 0 && !problems.empty() && problems.front().help.empty())
      problems.front().help = "inside { } and [ ] a comma ends the value: put it in quotes, \"range(0, 10, 2)\"";
    report(std::move(problems));
    Expression broken;
    broken.place = node.span();
    return broken;
  }
  // How many '(' of the text have no ')'.
  static int open_brackets(std::string_view text) {
    return static_cast<int>(std::count(text.begin(), text.end(), '(') - std::count(text.begin(), text.end(), ')'));
  }
  // The values of a mapping. A value that a comma cut in two ("{width: range(0, 10, 2)}" has the keys "10" and "2)") is
  // reported as one broken expression: its rest is left out.
  static std::vector<Node> values(const Node& node) {
    std::vector<Node> out;
    int open = 0;
    for (const Node child : node) {
      if (open > 0 && !child.text().empty()) open = 0;
      if (open == 0) out.push_back(child);
      open = std::max(0, open + open_brackets(open > 0 ? child.key() : child.text()));
    }
    return out;
  }
  // Whether the value is found from the other: "tokens: 7 * steps".
  static bool stands_on(const PlanEntry& entry, const std::string& other) {
    const Span& at = entry.value.place;
    return at.source != nullptr &&
           std::string_view(at.source->text).substr(at.begin, at.end - at.begin).find(other) != std::string_view::npos;
  }
  // Two values that say the same thing twice, one of them unheard. What stands on the command line replaces what the
  // file says.
  void at_most_one(const std::vector<PlanEntry>& entries, std::initializer_list<std::string_view> names,
                   const char* what) {
    const PlanEntry* first = nullptr;
    for (const PlanEntry& each : entries) {
      if (std::find(names.begin(), names.end(), each.name) == names.end()) continue;
      if (first == nullptr) {
        first = &each;
      } else if (first->value.place.source == each.value.place.source && !stands_on(*first, each.name) &&
                 !stands_on(each, first->name)) {
        Diagnostic twice = error("given-twice", "'" + first->name + "' and '" + each.name + "' both say " + what,
                                 each.key, "leave one of them out");
        twice.labels.push_back({first->key, "first here"});
        problems_.push_back(std::move(twice));
      }
    }
  }
  static std::string text(const Node& node) { return std::string(node.text()); }

  void top() {
    const Node version = root_.find("plan");
    if (version && version.is_scalar() && version.text() != "1")
      problems_.push_back(
          error("unknown-version", "this program reads plans of version 1", version.span(), "write 'plan: 1'"));
    plan_.title = text(root_.find("title"));
    plan_.note = text(root_.find("note"));
    for (const Node child : mapping("refs"))
      plan_.refs.emplace_back(std::string(child.key()), child.is_scalar() ? text(child) : write_json(child));
    const auto share = [&](std::string_view key, std::optional<Expression>& out) {
      if (const Node node = root_.find(key)) out = expression(node);
    };
    share("fail", plan_.fail);
    share("reserve", plan_.reserve);
    share("overhead", plan_.overhead);
  }

  void read_hardware() {
    const Node node = root_.find("hardware");
    plan_.hardware_place = node ? (node.key_span() ? node.key_span() : node.span()) : Span{};
    for (const Node value : mapping("hardware")) {
      const std::string key(value.key());
      if (plan_tables::kHardware.find(key) == nullptr) continue;  // reported
      if (key == "device") {
        plan_.device = text(value);
        plan_.device_place = value.span();
      } else if (key == "precision") {
        plan_.precision = text(value);
        plan_.precision_place = value.span();
      } else if (value.is_scalar()) {
        plan_.hardware.push_back({key, value.key_span(), expression(value)});
      }
    }
    at_most_one(plan_.hardware, {"rate", "mfu", "utilization"}, "what a device achieves");
  }

  void read_let() {
    for (const Node value : values(mapping("let"))) {
      const std::string key(value.key());
      if (key.empty() || key.find_first_of(" .[]()*+-/") != std::string::npos)
        problems_.push_back(
            error("bad-name", "'" + key + "' cannot be a name", value.key_span(), "letters, digits and '_'"));
      plan_.let.push_back({key, value.key_span(), expression(value)});
    }
  }

  void read_fields() {
    const Node model = root_.find("model");
    const Node train = root_.find("train");
    plan_.model_place = model ? model.key_span() : Span{};
    if (model.is_scalar() && model) {
      plan_.from = text(model);
      plan_.from_place = model.span();
    }
    const auto field = [&](const Node& value) {
      if (field_named(value.key()))
        plan_.fields.push_back({std::string(value.key()), value.key_span(), expression(value, suffix_of(value.key()))});
    };
    for (const Node value : model) {
      const std::string_view key = value.key();
      if (key == "kind")
        plan_.kind = text(value), plan_.kind_place = value.span();
      else if (key == "from")
        plan_.from = text(value), plan_.from_place = value.span();
      else if (key == "gated")
        plan_.gated = value.as_bool().value_or(false);
      else if (key == "tied")
        plan_.tied = value.as_bool().value_or(false);
      else if (key == "norm")
        plan_.norm = text(value);
      else if (key == "positions")
        plan_.positions = text(value);
      else if (key == "count")
        read_count(value);
      else
        field(value);
    }
    std::vector<PlanEntry> before;
    before.swap(plan_.fields);
    for (const Node value : values(train)) field(value);
    at_most_one(plan_.fields, {"tokens", "steps"}, "how much a run trains");
    plan_.fields.insert(plan_.fields.begin(), std::make_move_iterator(before.begin()),
                        std::make_move_iterator(before.end()));
  }

  void read_count(const Node& node) {
    plan_.count_place = node.key_span() ? node.key_span() : node.span();
    const auto words = [&](const Node& list, std::vector<std::pair<std::string, Span>>& out) {
      if (list.is_scalar() && list) out.emplace_back(text(list), list.span());
      for (const Node word : list) out.emplace_back(text(word), word.span());
    };
    words(node.find("flop"), plan_.count_flop);
    words(node.find("parameters"), plan_.count_parameters);
  }

  void read_runs() {
    const Node runs = root_.find("runs");
    if (!runs) return;  // reported as missing
    if (!runs.is_mapping()) return;
    if (runs.size() == 0)
      problems_.push_back(error("empty-runs", "'runs' names no subset", runs.key_span(),
                                "runs: {my sweep: [{over: {width: [512, 1024]}}]}"));
    for (const Node node : runs) {
      PlanSubset subset;
      subset.name = std::string(node.key());
      subset.place = node.key_span();
      if (node.is_mapping()) {
        read_line(node, subset);
      } else if (node.is_sequence()) {
        for (const Node line : node) read_line(line, subset);
        if (node.size() == 0)
          problems_.push_back(error("empty-list", "'" + subset.name + "' has no lines", node.span(),
                                    "a line such as - over: {width: [512, 1024]}"));
      } else {
        problems_.push_back(wrong_type(node, "a list of lines"));
      }
      plan_.subsets.push_back(std::move(subset));
    }
  }

  void read_line(const Node& node, PlanSubset& subset) {
    PlanLine line;
    line.place = node.span();
    if (!check(plan_tables::kLine, node, problems_) && !node.is_mapping()) return;
    line.id = text(node.find("id"));
    line.note = text(node.find("note"));
    line.source = text(node.find("source"));
    entries(node.find("over"), line.over);
    entries(node.find("set"), line.set);
    const Node zip = node.find("zip");
    if (zip.is_sequence()) {
      for (const Node group : zip) zip_group(group, line);
    } else if (zip) {
      zip_group(zip, line);
    }
    std::vector<PlanEntry> all = line.over;
    all.insert(all.end(), line.set.begin(), line.set.end());
    for (const std::vector<PlanEntry>& group : line.zip) all.insert(all.end(), group.begin(), group.end());
    at_most_one(all, {"tokens", "steps"}, "how much a run trains");
    at_most_one(all, {"rate", "mfu", "utilization"}, "what a device achieves");
    for (const Node factor : values(node.find("times"))) read_factor(factor, line.times);
    const auto share = [&](std::string_view key, std::optional<Expression>& out) {
      if (const Node value = node.find(key)) out = expression(value);
    };
    share("fail", line.fail);
    share("reserve", line.reserve);
    share("overhead", line.overhead);
    subset.lines.push_back(std::move(line));
  }

  void zip_group(const Node& node, PlanLine& line) {
    if (!node.is_mapping()) {
      problems_.push_back(wrong_type(node, "a mapping of axes that go together"));
      return;
    }
    std::vector<PlanEntry> group;
    entries(node, group);
    line.zip.push_back(std::move(group));
  }

  void entries(const Node& node, std::vector<PlanEntry>& out) {
    for (const Node child : values(node))
      out.push_back({std::string(child.key()), child.key_span(), expression(child, suffix_of(child.key()))});
  }

  void read_factor(const Node& node, std::vector<PlanFactor>& out) {
    PlanFactor factor;
    factor.name = std::string(node.key());
    factor.key = node.key_span();
    factor.place = node.span();
    if (node.is_mapping()) {
      if (node.size() == 0)
        problems_.push_back(error("empty-list", "'" + factor.name + "' counts nothing", node.span()));
      for (const Node part : node) read_factor(part, factor.parts);
    } else {
      factor.value = expression(node);
    }
    out.push_back(std::move(factor));
  }

  void read_limits(std::string_view key, std::vector<PlanExpectation>& out) {
    for (const Node value : mapping(key)) {
      const std::string name(value.key());
      if (plan_tables::kLimits.find(name) == nullptr || !value.is_scalar()) continue;  // reported
      Dim dim;
      if (name == "flop")
        dim = dim::kFlop;
      else if (name == "usd")
        dim = dim::kUsd;
      else if (name == "tokens")
        dim = dim::kToken;
      else if (name == "devices")
        dim = dim::kDevice;
      Result<Amount> amount = parse_amount(value.text(), dim, "'" + name + "' in its own unit", value.span(), true);
      if (!amount) {
        report(amount.take_problems());
        continue;
      }
      const bool replaced = value.span().source != value.key_span().source;  // by --set
      out.push_back({name, replaced ? value.span() : value.key_span(), std::move(*amount)});
    }
  }

  Node root_;
  Plan plan_;
  Diagnostics problems_;
};

}  // namespace

std::optional<FieldId> field_named(std::string_view name) {
  for (std::size_t i = 0; i < kFieldCount; ++i)
    if (kFieldNames[i] == name) return static_cast<FieldId>(i);
  return std::nullopt;
}

Result<Plan> read_plan(const Node& root) { return PlanReader(root).read(); }

std::string plan_schema() { return json_schema(plan_tables::kPlan, "https://floptally.dev/schema/plan-1.json"); }

}  // namespace floptally
