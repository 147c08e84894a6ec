#include "network/spec.h"

#include <algorithm>
#include <deque>
#include <map>

#include "base/nearest.h"
#include "network/adapt.h"
#include "network/format.h"
#include "quantity/quantity_text.h"

namespace floptally {

namespace kinds {
extern const KindDef* const kAll[];
}

namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 40;
constexpr int kMaxNesting = 16;

constexpr Field kLoraFields[] = {
    {.key = "rank", .expect = Expect::integer, .doc = "rank of the adapters", .required = true},
    {.key = "targets",
     .expect = Expect::text,
     .doc = "names of the modules that get one; absent: all linear layers in blocks",
     .shape = Shape::one_or_list},
    {.key = "base", .expect = Expect::text, .doc = "how the frozen matrices are stored, such as nf4 (QLoRA)"},
};
constexpr FieldTable kLora{"lora", "low-rank adapters beside frozen matrices", kLoraFields};

constexpr Field kCommon[] = {
    {.key = "network", .expect = Expect::any, .doc = "1: this is a network spec"},
    {.key = "kind", .expect = Expect::text, .doc = "what kind of network"},
    {.key = "from", .expect = Expect::text, .doc = "a model file or the name of a shipped model to start from"},
    {.key = "name", .expect = Expect::text, .doc = "what to call it"},
    {.key = "title", .expect = Expect::text, .doc = "what to call it, in words"},
    {.key = "source", .expect = Expect::text, .doc = "where the sizes were read"},
    {.key = "refs", .expect = Expect::any, .doc = "publications"},
    {.key = "dtype", .expect = Expect::text, .doc = "how parameters are stored (fp32, bf16 ...)"},
    {.key = "freeze",
     .expect = Expect::text,
     .doc = "parts that are not trained: module names or paths",
     .shape = Shape::one_or_list},
    {.key = "train", .expect = Expect::text, .doc = "the only parts that are trained", .shape = Shape::one_or_list},
    {.key = "lora", .expect = Expect::record, .doc = "low-rank adapters; everything else is frozen", .table = &kLora},
    {.key = "frozen", .expect = Expect::boolean, .doc = "true: nothing in it is trained"},
    {.key = "repeat", .expect = Expect::any, .doc = "how many copies in a row"},
};

constexpr FieldTable kFromTable{"from", "a network read from a file, changed", kCommon};

std::vector<std::string> texts(Node value) {
  std::vector<std::string> result;
  if (value.is_sequence()) {
    for (Node item : value) result.emplace_back(item.text());
  } else if (value) {
    result.emplace_back(value.text());
  }
  return result;
}

Training training_of(Node node, Spec::Session& session) {
  Training training;
  training.freeze = texts(node.find("freeze"));
  training.train = texts(node.find("train"));
  if (const Node lora = node.find("lora"); lora.is_mapping()) {
    Spec spec(lora, session);
    training.adapter.rank = spec.size("rank", "rank of the adapters");
    training.adapter.targets = texts(lora.find("targets"));
    if (const Node base = lora.find("base")) {
      const std::optional<Dtype> dtype = find_dtype(base.text());
      if (!dtype)
        session.problems.push_back(
            error("unknown-dtype", "no number format is called '" + std::string(base.text()) + "'", base.span()));
      training.adapter.stored = dtype.value_or(Dtype::unspecified);
    }
  }
  return training;
}

// Marks everything that goes through as frozen.
class FreezingSink final : public Sink {
 public:
  explicit FreezingSink(Sink& to) : to_(to) {}
  void enter(std::string_view name, std::int64_t repeat, BlockKind kind) override { to_.enter(name, repeat, kind); }
  void leave() override { to_.leave(); }
  void add(const Op& op) override { to_.add(Op(op).with(op_flags::frozen)); }

 private:
  Sink& to_;
};

bool describe_from(Node node, Spec::Session& session, Sink& sink) {
  const std::string from(node.find("from").text());
  Inputs inputs = session.inputs;
  ++inputs.nesting;
  Result<Network> network = load_model(from, inputs, session.sources, session.base_file);
  if (!network) {
    for (Diagnostic& problem : network.take_problems()) {
      if (problem.labels.empty()) problem.labels.push_back({node.find("from").span(), ""});
      session.problems.push_back(std::move(problem));
    }
    return false;
  }
  session.notes.insert(session.notes.end(), network->notes.begin(), network->notes.end());
  session.bindings.insert(session.bindings.end(), network->bindings.begin(), network->bindings.end());
  if (session.unit.empty()) session.unit = network->unit;
  bool bound = false;
  for (const Binding& b : session.bindings) bound = bound || b.name == "sequence";
  if (!bound) session.bindings.push_back({"sequence", network->sequence, "file", {}});
  replay(*network, sink);
  return true;
}

}  // namespace

std::optional<std::int64_t> Spec::whole(Node value, std::int64_t least) {
  std::optional<Integer> number = value.as_integer();
  if (!number && value.is_scalar()) {
    const NumberText text = read_number(value.text(), suffix_of(value.key()));
    if (text.exact && text.length == value.text().size()) number = text.exact;
  }
  const std::string key(value.key());
  if (!number) {
    fail(error("wrong-type", (key.empty() ? "this" : "'" + key + "'") + " expects a whole number", value.span()));
    return std::nullopt;
  }
  if (*number < Integer(least) || !(*number < Integer(kLargest))) {
    fail(error("shape-range",
               (key.empty() ? "this" : "'" + key + "'") + " is " + number->to_string() + ", must be at least " +
                   std::to_string(least) + " and below 2^40",
               value.span()));
    return std::nullopt;
  }
  return number->to_int64();
}

std::int64_t Spec::size(std::string_view key, std::string_view what, std::int64_t least) {
  const Node value = node_.find(key);
  if (value && !value.is_null()) return whole(value, least).value_or(std::max<std::int64_t>(least, 1));
  fail(missing_key(node_, key, what));
  return std::max<std::int64_t>(least, 1);
}

std::int64_t Spec::size_or(std::string_view key, std::int64_t otherwise, std::int64_t least) {
  const Node value = node_.find(key);
  return value && !value.is_null() ? whole(value, least).value_or(otherwise) : otherwise;
}

double Spec::number_or(std::string_view key, double otherwise) {
  const Node value = node_.find(key);
  return value ? value.as_double().value_or(otherwise) : otherwise;
}

bool Spec::flag(std::string_view key, bool otherwise) {
  const Node value = node_.find(key);
  return value ? value.as_bool().value_or(otherwise) : otherwise;
}

std::string_view Spec::word(std::string_view key, std::string_view otherwise) {
  const Node value = node_.find(key);
  return value && value.is_scalar() ? value.text() : otherwise;
}

std::vector<std::int64_t> Spec::sizes(std::string_view key) {
  std::vector<std::int64_t> result;
  const Node value = node_.find(key);
  if (!value) return result;
  if (!value.is_sequence()) return {whole(value, 0).value_or(1)};
  for (Node item : value) result.push_back(whole(item, 0).value_or(1));
  return result;
}

Activation Spec::activation(std::string_view key, Activation otherwise) {
  const Node value = node_.find(key);
  if (!value) return otherwise;
  if (const std::optional<Activation> kind = find_activation(value.text())) return *kind;
  fail(error("unknown-activation", "no activation function is called '" + std::string(value.text()) + "'", value.span(),
             "relu, gelu, silu, sigmoid, tanh, relu2, leaky_relu, elu, hardswish, mish ..."));
  return otherwise;
}

std::int64_t Spec::sequence(std::int64_t usual) {
  std::int64_t length = session_.inputs.sequence;
  std::string origin = "given";
  if (length <= 0 && has("sequence")) {
    length = size_or("sequence", usual);
    origin = "file";
  }
  if (length <= 0) {
    length = usual;
    origin = "assumed";
    session_.notes.push_back(
        note("assumed", "sequence is not given: assumed " + std::to_string(length) + " (--sequence N)", node_.span()));
  }
  session_.bindings.push_back({"sequence", length, origin, node_.find("sequence").span()});
  return length;
}

std::vector<std::int64_t> Spec::image(std::int64_t usual) {
  std::vector<std::int64_t> shape = session_.inputs.shape;
  if (shape.size() == 4) shape.erase(shape.begin());
  if (shape.size() == 3) return shape;
  if (has("image")) {
    shape = sizes("image");
    if (shape.size() == 1) return {3, shape[0], shape[0]};
    if (shape.size() == 3 && std::min({shape[0], shape[1], shape[2]}) > 0) return shape;
    fail(error("wrong-type", "'image' expects a size or [channels, height, width]", node_.find("image").span()));
  }
  return {3, usual, usual};
}

bool Spec::divides(std::string_view part, std::int64_t part_value, std::string_view whole_name,
                   std::int64_t whole_value) {
  if (part_value > 0 && whole_value % part_value == 0) return true;
  Diagnostic problem = error("shape-divide",
                             "'" + std::string(part) + "' " + std::to_string(part_value) + " does not divide '" +
                                 std::string(whole_name) + "' " + std::to_string(whole_value),
                             node_.find(part).span());
  if (const Node other = node_.find(whole_name)) problem.labels.push_back({other.span(), "and here"});
  fail(std::move(problem));
  return false;
}

const KindDef* find_kind(std::string_view name) {
  for (auto kind = kinds::kAll; *kind != nullptr; ++kind) {
    if ((*kind)->name == name) return *kind;
  }
  return nullptr;
}

const FieldTable& full_table(const KindDef& kind) {
  struct Merged {
    std::vector<Field> fields;
    FieldTable table;
  };
  static const std::map<std::string_view, Merged> tables = [] {
    std::map<std::string_view, Merged> all;
    for (auto each = kinds::kAll; *each != nullptr; ++each) {
      Merged& merged = all[(*each)->name];
      merged.fields.assign((*each)->table->fields.begin(), (*each)->table->fields.end());
      merged.fields.insert(merged.fields.end(), std::begin(kCommon), std::end(kCommon));
      merged.table = {(*each)->name, (*each)->doc, merged.fields, false};
    }
    return all;
  }();
  return tables.at(kind.name).table;
}

bool is_spec(Node node) {
  return node.is_mapping() && !node.find("model_type") &&
         (node.find("kind") || node.find("from") || node.find("parts") || node.find("network"));
}

namespace {

Diagnostic unknown_kind(Node node, std::string_view name) {
  std::vector<std::string_view> names;
  std::string known;
  for (auto each = kinds::kAll; *each != nullptr; ++each) {
    names.push_back((*each)->name);
    known += (known.empty() ? "" : ", ") + std::string((*each)->name);
  }
  const Node named = node.find("kind");
  const std::string_view near = nearest(name, names);
  return error("unknown-kind",
               named ? "no kind of network is called '" + std::string(name) + "'" : "a spec needs 'kind'",
               named ? named.span() : node.span(),
               (near.empty() ? "" : "did you mean '" + std::string(near) + "'? ") + ("kinds: " + known));
}

// The layers that a spec of one kind describes; "parts" and "layers" are kinds that need no 'kind'.
bool describe_kind(Node node, Spec::Session& session, Sink& to) {
  const Node named = node.find("kind");
  const std::string_view name = named                               ? named.text()
                                : node.find("parts")                ? "parts"
                                : node.find("layers").is_sequence() ? "layers"
                                                                    : "";
  const KindDef* kind = find_kind(name);
  if (kind == nullptr) {
    std::optional<Diagnostic> other = session.depth == 1 ? other_file(node, "network") : std::nullopt;
    session.problems.push_back(other ? *std::move(other) : unknown_kind(node, name));
    return false;
  }
  if (!check(full_table(*kind), node, session.problems)) return false;
  if (session.unit.empty()) session.unit = kind->unit;
  Spec spec(node, session);
  const std::int64_t repeat = spec.size_or("repeat", 1, 0);
  std::optional<Scope> copies;
  if (repeat != 1) copies.emplace(to, kind->name, repeat, BlockKind::group);
  kind->build(spec, to);
  return session.problems.empty();
}

}  // namespace

bool describe_spec(Node node, Spec::Session& session, Sink& sink) {
  if (!node.is_mapping()) {
    session.problems.push_back(wrong_type(node, "a mapping (a network spec)"));
    return false;
  }
  if (++session.depth > kMaxNesting) {
    session.problems.push_back(
        error("nested-too-deep", "networks are nested more than 16 deep, or a file includes itself", node.span()));
    return false;
  }
  const Training training = training_of(node, session);
  NetworkBuilder own;  // what freeze, train and lora change is built apart first
  Sink& target = training.changes() ? static_cast<Sink&>(own) : sink;
  FreezingSink freezing(target);
  const bool frozen = node.find("frozen").as_bool().value_or(false);
  Sink& to = frozen ? static_cast<Sink&>(freezing) : target;
  const bool good = node.find("from") ? check(kFromTable, node, session.problems) && describe_from(node, session, to)
                                      : describe_kind(node, session, to);
  --session.depth;
  if (good && training.changes()) {
    const Network adapted = adapt(own.finish(), training);
    session.notes.insert(session.notes.end(), adapted.notes.begin(), adapted.notes.end());
    replay(adapted, sink);
  }
  return good;
}

Result<Network> build_spec(Node node, const Inputs& inputs, Sources& sources, const std::string& base_file) {
  Spec::Session session{sources, inputs, base_file, {}, {}, {}, {}, 0};
  NetworkBuilder builder;
  describe_spec(node, session, builder);
  if (!session.problems.empty()) return std::move(session.problems);
  if (builder.too_large()) return too_large(node.span());
  Network network = builder.finish();
  network.family = std::string(node.find("kind")   ? node.find("kind").text()
                               : node.find("from") ? node.find("from").text()
                                                   : "parts");
  network.unit = session.unit.empty() ? "sample" : session.unit;
  for (const char* key : {"name", "title"}) {
    if (network.name.empty() && node.find(key)) network.name = node.find(key).text();
  }
  if (network.name.empty()) network.name = network.family;
  for (const Binding& binding : session.bindings) {
    if (binding.name == "sequence" && network.sequence == 1) network.sequence = binding.value;
  }
  if (const std::optional<Dtype> dtype = find_dtype(node.find("dtype").text())) network.dtype = *dtype;
  network.bindings = std::move(session.bindings);
  network.notes = std::move(session.notes);
  return network;
}

std::string spec_schema() {
  std::string out =
      "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"$id\": \"floptally/network-1\",\n  "
      "\"oneOf\": [\n";
  for (auto kind = kinds::kAll; *kind != nullptr; ++kind) {
    out += json_schema(full_table(**kind), std::string("floptally/network-1/") + std::string((*kind)->name));
    while (!out.empty() && out.back() == '\n') out.pop_back();
    out += kind[1] != nullptr ? ",\n" : "\n";
  }
  return out + "  ]\n}\n";
}

}  // namespace floptally
