#include <memory>

#include "base/nearest.h"
#include "document/decode.h"
#include "plan/plan.h"
#include "plan/plan_tables.h"

namespace floptally {
namespace {

// A mapping of the file with the command line's values laid over it.
class Section {
 public:
  Section(Node mapping, const std::string& prefix, const std::vector<PlanOverride>& overrides) : mapping_(mapping) {
    for (const PlanOverride& each : overrides)
      if (each.path.size() > prefix.size() + 1 && each.path.compare(0, prefix.size() + 1, prefix + ".") == 0)
        over_.emplace_back(each.path.substr(prefix.size() + 1), each.value->root());
      else if (prefix.empty() && each.path.find('.') == std::string::npos)
        over_.emplace_back(each.path, each.value->root());
  }
  [[nodiscard]] Node find(std::string_view key) const {
    for (const auto& [name, node] : over_)
      if (name == key) return node;
    return mapping_.find(key);
  }
  // Every key once, the file's first.
  template <class F>
  void each(F f) const {
    for (const Node child : mapping_) f(std::string(child.key()), child.key_span(), find(child.key()));
    for (const auto& [name, node] : over_)
      if (!mapping_.find(name)) f(name, node.span(), node);
  }
  [[nodiscard]] const std::vector<std::pair<std::string, Node>>& overrides() const { return over_; }

 private:
  Node mapping_;
  std::vector<std::pair<std::string, Node>> over_;
};

class PlanReader {
 public:
  PlanReader(const Node& root, const std::vector<PlanOverride>& overrides) : root_(root), overrides_(overrides) {}

  Result<Plan> read() {
    if (!check(plan_tables::kPlan, root_, problems_) && !root_.is_mapping()) return std::move(problems_);
    check_overrides();
    top();
    Section hardware(mapping("hardware"), "hardware", overrides_);
    read_hardware(hardware);
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
  Expression expression(const Node& node) {
    Result<Expression> parsed = parse_expression(node);
    if (parsed.ok()) return std::move(*parsed);
    report(parsed.take_problems());
    Expression broken;
    broken.place = node.span();
    return broken;
  }
  static std::string text(const Node& node) { return std::string(node.text()); }

  // A path that names nothing is a mistake on the command line.
  void check_overrides() {
    for (const PlanOverride& each : overrides_) {
      const std::size_t dot = each.path.find('.');
      const std::string section = each.path.substr(0, dot);
      const std::string key = dot == std::string::npos ? std::string() : each.path.substr(dot + 1);
      std::vector<std::string_view> known;
      const FieldTable* table = section == "hardware"                        ? &plan_tables::kHardware
                                : section == "model"                         ? &plan_tables::kModel
                                : section == "train"                         ? &plan_tables::kTrain
                                : section == "limits" || section == "expect" ? &plan_tables::kLimits
                                                                             : nullptr;
      if (section == "let") {
        for (const Node child : mapping("let")) known.push_back(child.key());
      } else if (table != nullptr) {
        for (const Field& field : table->fields) known.push_back(field.key);
      } else {
        known = {"hardware", "model", "train", "let", "limits", "expect", "title", "fail", "reserve", "overhead"};
      }
      const std::string_view asked =
          table != nullptr || section == "let" ? std::string_view(key) : std::string_view(section);
      bool found = false;
      for (const std::string_view word : known) found = found || word == asked;
      if (!found)
        problems_.push_back(error("unknown-key", "there is no '" + each.path + "' to set", each.value->root().span(),
                                  suggestion(asked, known)));
    }
  }

  void top() {
    const Node version = root_.find("plan");
    if (version && version.is_scalar() && version.text() != "1")
      problems_.push_back(
          error("unknown-version", "this program reads plans of version 1", version.span(), "write 'plan: 1'"));
    const Section section(root_, "", overrides_);
    plan_.title = text(section.find("title"));
    plan_.note = text(section.find("note"));
    for (const Node child : mapping("refs"))
      plan_.refs.emplace_back(std::string(child.key()), child.is_scalar() ? text(child) : write_json(child));
    const auto share = [&](std::string_view key, std::optional<Expression>& out) {
      if (const Node node = section.find(key)) out = expression(node);
    };
    share("fail", plan_.fail);
    share("reserve", plan_.reserve);
    share("overhead", plan_.overhead);
  }

  void read_hardware(const Section& hardware) {
    const Node node = root_.find("hardware");
    plan_.hardware_place = node ? (node.key_span() ? node.key_span() : node.span()) : Span{};
    hardware.each([&](const std::string& key, Span key_span, const Node& value) {
      if (plan_tables::kHardware.find(key) == nullptr) return;  // reported
      if (!plan_.hardware_place) plan_.hardware_place = key_span;
      if (key == "device") {
        plan_.device = text(value);
        plan_.device_place = value.span();
      } else if (key == "precision") {
        plan_.precision = text(value);
        plan_.precision_place = value.span();
      } else if (plan_tables::kHardware.find(key) != nullptr && value.is_scalar()) {
        plan_.hardware.push_back({key, key_span, expression(value)});
      }
    });
  }

  void read_let() {
    const Section section(mapping("let"), "let", overrides_);
    section.each([&](const std::string& key, Span key_span, const Node& value) {
      if (key.empty() || key.find_first_of(" .[]()*+-/") != std::string::npos)
        problems_.push_back(error("bad-name", "'" + key + "' cannot be a name", key_span, "letters, digits and '_'"));
      plan_.let.push_back({key, key_span, expression(value)});
    });
  }

  void read_fields() {
    const Node model = root_.find("model");
    const Node train = root_.find("train");
    plan_.model_place = model ? model.key_span() : Span{};
    if (model.is_scalar() && model) {
      plan_.from = text(model);
      plan_.from_place = model.span();
    }
    const auto field = [&](const std::string& key, Span key_span, const Node& value) {
      if (field_named(key) && value) plan_.fields.push_back({key, key_span, expression(value)});
    };
    Section(model, "model", overrides_).each([&](const std::string& key, Span key_span, const Node& value) {
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
        field(key, key_span, value);
    });
    Section(train, "train", overrides_).each(field);
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
    for (const Node factor : node.find("times")) read_factor(factor, line.times);
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
    for (const Node child : node) out.push_back({std::string(child.key()), child.key_span(), expression(child)});
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
    const Section section(mapping(key), std::string(key), overrides_);
    section.each([&](const std::string& name, Span key_span, const Node& value) {
      if (plan_tables::kLimits.find(name) == nullptr || !value.is_scalar()) return;  // reported
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
        return;
      }
      out.push_back({name, key_span ? key_span : value.span(), std::move(*amount)});
    });
  }

  Node root_;
  const std::vector<PlanOverride>& overrides_;
  Plan plan_;
  Diagnostics problems_;
};

}  // namespace

std::optional<FieldId> field_named(std::string_view name) {
  for (std::size_t i = 0; i < kFieldCount; ++i)
    if (kFieldNames[i] == name) return static_cast<FieldId>(i);
  return std::nullopt;
}

Result<PlanOverride> parse_override(std::string_view text, const char* option, Sources& sources) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0)
    return error("bad-override", std::string(option) + " '" + std::string(text) + "' has no value", {},
                 std::string(option) + (std::string_view(option) == "--let" ? " lrs=12" : " hardware.price=2"));
  const Source& source = sources.add(std::string(option) + " " + std::string(text.substr(0, equals)),
                                     std::string(text.substr(equals + 1)));
  Result<Document> value = read_yaml(source);
  if (!value) return value.take_problems();
  std::string path(text.substr(0, equals));
  if (std::string_view(option) == "--let") path = "let." + path;
  return PlanOverride{std::move(path), std::make_shared<const Document>(std::move(*value))};
}

Result<Plan> read_plan(const Node& root, const std::vector<PlanOverride>& overrides) {
  return PlanReader(root, overrides).read();
}

std::string plan_schema() { return json_schema(plan_tables::kPlan, "https://floptally.dev/schema/plan-1.json"); }

}  // namespace floptally
