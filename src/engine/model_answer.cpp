#include "engine/model_answer.h"

#include <algorithm>
#include <cmath>

#include "book/leaf.h"
#include "network/derive.h"
#include "network/stored_size.h"
#include "quantity/print.h"

namespace floptally {

Integer kept_bytes(const Measure<Integer>& m, Dtype dtype) {
  return m.kept[static_cast<int>(Keep::activation)] * Integer(dtype_info(dtype).block_bytes) +
         m.kept[static_cast<int>(Keep::fp32)] * Integer(4) + m.kept[static_cast<int>(Keep::mask)] +
         m.kept[static_cast<int>(Keep::index)] * Integer(8);
}

namespace {

// The format activations are kept in: the stored one where kernels compute in it, else bf16.
Dtype activation_dtype(const Network& network) {
  const Dtype d = network.dtype;
  return d == Dtype::float32 || d == Dtype::float16 || d == Dtype::bfloat16 ? d : Dtype::bfloat16;
}

std::string plural(const std::string& unit, Integer n) { return n == Integer(1) ? unit : unit + "s"; }

// What every entry of the account tree is made with.
struct EntryMaker {
  const Network& network;
  const Convention& convention;
  Dtype kept;
  bool derive;  // leaves as formulas over the op's attributes (for explain) rather than as counted numbers
  Trace& trace;
};

Entry account_entry(const ViewNode& node, const std::string& path, Integer copies, const EntryMaker& maker) {
  const Network& network = maker.network;
  const Convention& convention = maker.convention;
  Entry entry{.name = node.name};
  if (node.op == nullptr) {
    if (node.repeat > 1) entry.note = std::to_string(node.repeat) + " copies";
    for (const ViewNode& child : node.children) {
      entry.children.push_back(account_entry(child, path + "/" + child.name,
                                             child.op == nullptr ? copies * Integer(child.repeat) : copies, maker));
    }
    return entry;
  }
  const FlopCount flop = flop_of(node.measure, node.op->component, convention, Integer(network.sequence));
  const std::string source(node.op->def->source);
  const auto leaf = [&](const char* key, Integer value, Dim dim, std::optional<CostPart> part = std::nullopt) {
    if (maker.derive && part) {
      if (const auto formula =
              derive(maker.trace, path, *node.op, options_of(maker.convention).rules, *part, copies, value)) {
        entry.cells.emplace_back(key, maker.trace.as(*formula, dim));
        return;
      }
    }
    Leaf l;
    l.name = path + "/" + key;
    l.distribution = Distribution::point(value.to_double());
    l.exact = value;
    l.dim = dim;
    l.mark = Mark::derived;
    l.source = source;
    // An operator without a count hides FLOP and bytes, not parameters: those are tensors, and known.
    l.floor = node.measure.at_least && part != CostPart::parameters;
    entry.cells.emplace_back(key, maker.trace.leaf(std::move(l)));
  };
  entry.source = source;
  if (node.repeat > 1) entry.note = std::to_string(node.repeat) + " times";
  leaf("parameters", node.measure.parameters, dim::kParameter, CostPart::parameters);
  leaf("flop_forward", flop.forward / Integer(convention.flop_per_count), dim::kFlop, CostPart::forward);
  leaf("flop_backward", flop.backward / Integer(convention.flop_per_count), dim::kFlop, CostPart::backward);
  leaf("activation_bytes", kept_bytes(node.measure, maker.kept), dim::kByte);
  return entry;
}

// Sibling accounts need names of their own: "norm", "norm#2".
void number_names(ViewNode& node) {
  std::vector<std::string> seen;
  for (ViewNode& child : node.children) {
    const auto copies = std::count(seen.begin(), seen.end(), child.name);
    seen.push_back(child.name);
    if (copies > 0) child.name += "#" + std::to_string(copies + 1);
    number_names(child);
  }
}

Value count_value(Integer value, Dim dim, bool at_least = false) {
  Figure f = figure(value, dim);
  f.at_least = at_least;
  return f;
}

std::string percent(Integer part, Integer whole) {
  if (!(Integer(0) < whole)) return "";
  const double share = 100 * part.to_double() / whole.to_double();
  const std::int64_t tenths = std::llround(share * 10);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "%";
}

FlopCount flop_of_row(const ViewRow& row, const Convention& convention, const Network& network) {
  FlopCount sum;
  for (int i = 0; i < kComponentCount; ++i) {
    const FlopCount part =
        flop_of(row.tally.by_component[i], static_cast<Component>(i), convention, Integer(network.sequence));
    sum.forward += part.forward;
    sum.backward += part.backward;
    sum.at_least = sum.at_least || part.at_least;
  }
  sum.forward /= Integer(convention.flop_per_count);
  sum.backward /= Integer(convention.flop_per_count);
  return sum;
}

// Where the FLOP go: every module that holds no other, coloured by the part it stands in.
Chart treemap_of(const Network& network, const ModelQuestion& q) {
  constexpr int kDepth = 3;
  constexpr std::size_t kMost = 400;
  Chart chart;
  chart.form = Chart::Form::treemap;
  chart.key = "treemap";
  chart.title = "Training FLOP of one sample";
  chart.y_dim = dim::kFlop;
  const std::vector<ViewRow> rows = view_by_module(network, options_of(*q.convention), kDepth);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i + 1 < rows.size() && rows[i + 1].depth > rows[i].depth) continue;
    const double flop = flop_of_row(rows[i], *q.convention, network).training().to_double();
    if (flop <= 0) continue;
    std::string part = rows[i].name.substr(0, rows[i].name.rfind('.'));
    part = part.substr(part.rfind('.') + 1);
    chart.marks.push_back({0, flop, 0, 0, rows[i].name, part});
  }
  std::stable_sort(chart.marks.begin(), chart.marks.end(), [](const Mark2d& a, const Mark2d& b) { return a.y > b.y; });
  if (chart.marks.size() > kMost) chart.marks.resize(kMost);
  return chart;
}

Table view_table(const Network& network, const ModelQuestion& q) {
  const Convention& convention = *q.convention;
  const CountOptions options = options_of(convention);
  std::vector<ViewRow> rows;
  if (q.by == "layer") rows = view_by_layer(network, options);
  if (q.by == "operator") rows = view_by_operator(network, options);
  if (q.by == "module") rows = view_by_module(network, options, q.depth);
  if (q.by == "component") rows = view_by_component(network, options);
  Table table{"by_" + q.by,
              "By " + q.by,
              {{"name", q.by},
               {"count", "Count", true},
               {"parameters", "Parameters", true},
               {"flop_forward", "FLOP forward", true},
               {"flop_backward", "FLOP backward", true},
               {"share", "Share", true},
               {"activation_bytes", "Kept", true}},
              {},
              "FLOP of one sample, convention '" + std::string(convention.name) + "'; a row holds all its copies"};
  const FlopCount all = count_flop(network, convention);
  const Dtype kept = activation_dtype(network);
  for (const ViewRow& row : rows) {
    const FlopCount flop = flop_of_row(row, convention, network);
    const Measure<Integer> m = row.tally.total();
    std::string name = row.name;
    if (q.by == "module")
      name = std::string(static_cast<std::size_t>(2 * row.depth), ' ') + name.substr(name.rfind('.') + 1);
    table.rows.push_back({q.by == "module" ? Value(name) : Value(row.name), count_value(Integer(row.repeat), {}),
                          count_value(m.parameters, dim::kParameter),
                          count_value(flop.forward, dim::kFlop, flop.at_least),
                          count_value(flop.backward, dim::kFlop, flop.at_least),
                          percent(flop.training(), all.training()), count_value(kept_bytes(m, kept), dim::kByte)});
  }
  return table;
}

Table convention_table(const Network& network) {
  Table table{"conventions",
              "One model under every convention",
              {{"convention", "Convention"},
               {"flop_forward", "Forward", true},
               {"flop_backward", "Backward", true},
               {"flop_training", "Training", true},
               {"relative", "MFU of 50% there", true},
               {"counts", "Counts"}},
              {},
              "Per " + network.unit + ", at " + std::to_string(network.sequence) + " " +
                  plural(network.unit, Integer(network.sequence)) +
                  " a sample. A utilization of 50% by the convention of a row is this much by '" +
                  std::string(default_convention().name) + "'."};
  const FlopCount base = count_flop(network, default_convention());
  const Integer units(network.sequence);
  const auto per_unit = [&](Integer sample, bool at_least) {
    Figure f = sample % units == Integer(0) ? figure(sample / units, dim::kFlop)
                                            : figure(sample.to_double() / units.to_double(), dim::kFlop);
    f.at_least = at_least;
    return Value(f);
  };
  for (const Convention& row : conventions()) {
    const FlopCount flop = count_flop(network, row);
    table.rows.push_back({std::string(row.name), per_unit(flop.forward, flop.at_least),
                          per_unit(flop.backward, flop.at_least), per_unit(flop.training(), flop.at_least),
                          percent(base.training(), flop.training() * Integer(2)), std::string(row.doc)});
  }
  return table;
}

std::string json_bytes(const Network& network, Integer parameters) {
  std::string out = "\"bytes\": {";
  constexpr Dtype kShown[] = {Dtype::float32, Dtype::bfloat16, Dtype::float8_e4m3, Dtype::int8,
                              Dtype::nvfp4,   Dtype::mxfp4,    Dtype::nf4,         Dtype::int4};
  const auto one = [&](std::string_view name, Integer bytes) {
    out += (out.back() == '{' ? "\"" : ", \"") + std::string(name) + "\": {\"value\": " + shortest(bytes.to_double()) +
           ", \"exact\": \"" + bytes.to_string() + "\"}";
  };
  for (Dtype dtype : kShown) one(dtype_info(dtype).name, stored_bytes(parameters, dtype));
  if (const std::optional<Integer> stored = stored_parameter_bytes(network)) one("stored", *stored);
  return out + "}";
}

// "weights: 29.9 GiB in fp32, 15.0 GiB in bf16, 7.48 GiB in fp8, 3.74 GiB in int4"
std::string weights_line(const Network& network, Integer parameters, bool at_least) {
  constexpr std::pair<Dtype, const char*> kShown[] = {
      {Dtype::float32, "fp32"}, {Dtype::bfloat16, "bf16"}, {Dtype::float8_e4m3, "fp8"}, {Dtype::int4, "int4"}};
  const auto text = [](Integer bytes) { return quantity_text(bytes.to_double(), dim::kByte); };
  std::string line = at_least ? "weights: at least " : "weights: ";
  if (const std::optional<Integer> stored = stored_parameter_bytes(network)) line += text(*stored) + " as stored, ";
  for (const auto& [dtype, name] : kShown)
    line += (dtype == Dtype::float32 ? "" : ", ") + text(stored_bytes(parameters, dtype)) + " in " + name;
  return line;
}

// Shards that are not there and that no config describes, or parts that no family reads.
bool parameters_missing(const Network& network) {
  const bool tensors_alone = network.family == "safetensors" || network.family == "gguf";
  return std::any_of(network.notes.begin(), network.notes.end(), [&](const Diagnostic& note) {
    return (note.code == "shard-missing" && tensors_alone) || note.code == "partial-model";
  });
}

// The numbers of the answer as headlines of the ledger.
class Headlines {
 public:
  // `totals`: what the account tree adds up to, by key.
  Headlines(Ledger& ledger, const Network& network, const ModelQuestion& q,
            const std::vector<std::pair<std::string, Traced>>& totals)
      : ledger_(ledger), network_(network), q_(q), totals_(totals) {}

  void add(const Measure<Integer>& total, const FlopCount& flop, Integer embedding) {
    Trace& trace = ledger_.trace();
    const auto number = [&](const std::string& name, Integer value, Dim dim, bool at_least = false) {
      Leaf leaf;
      leaf.name = name;
      leaf.distribution = Distribution::point(value.to_double());
      leaf.exact = value;
      leaf.dim = dim;
      leaf.mark = Mark::derived;
      leaf.floor = at_least;
      leaf.source = "sum over the operators";
      return trace.leaf(std::move(leaf));
    };
    const auto head = [&](const char* key, const std::string& label, const Traced& value) {
      ledger_.headline(key, label, trace.name(key, value));
    };
    // Where a headline is the sum of the account tree, it says so; a convention by parameters counts otherwise.
    const auto sum = [&](const std::string& key, const std::string& name, Integer value, Dim dim,
                         bool at_least = false) {
      for (const auto& [known, traced] : totals_)
        if (known == key && traced.exact() == std::optional(value)) return traced;
      return number(name, value, dim, at_least);
    };
    const bool more = parameters_missing(network_);
    head("parameters", "parameters",
         more ? number("parameters of the parts that are here", total.parameters, dim::kParameter, true)
              : sum("parameters", "parameters of the network", total.parameters, dim::kParameter));
    head("active_parameters", "active parameters",
         number("parameters that one " + network_.unit + " uses", total.active(), dim::kParameter, more));
    head("embedding_parameters", "embedding parameters",
         number("parameters of embedding tables", embedding, dim::kParameter));
    if (Integer(0) < total.frozen)
      head("trainable_parameters", "trainable parameters",
           number("parameters that are trained", total.parameters - total.frozen, dim::kParameter));
    if (Integer(0) < total.buffers)
      head("buffers", "numbers held but not learned", number("buffers of the network", total.buffers, {}));
    const std::string per = q_.per_sample ? " per sample" : " per " + network_.unit;
    const bool alone = q_.per_sample && network_.samples == 1;
    Traced forward = sum("flop_forward", "FLOP of one sample, forward", flop.forward, dim::kFlop, flop.at_least);
    Traced backward = sum("flop_backward", "FLOP of one sample, backward", flop.backward, dim::kFlop, flop.at_least);
    if (!alone) forward = forward / units();
    if (!alone) backward = backward / units();
    head("flop_forward", "FLOP forward" + per, forward);
    head("flop_backward", "FLOP backward" + per, backward);
    if (q_.has_tokens) {
      const Traced trained = trace.leaf(leaf_of("tokens", q_.tokens));
      head("flop_training", "training FLOP", (forward + backward) * trained);
    } else {
      head("flop_training", "training FLOP" + per, forward + backward);
    }
    const Traced all = number("bytes that the network keeps for its backward pass",
                              kept_bytes(total, activation_dtype(network_)), dim::kByte);
    const Traced kept =
        network_.samples == 1 ? all : all / number("samples of the network", Integer(network_.samples), {});
    head("activation_bytes", "activations kept for the backward pass", kept * number("batch", Integer(q_.batch), {}));
  }

 private:
  Traced units() {
    Leaf leaf;
    leaf.name = q_.per_sample ? "samples of the network" : network_.unit + "s of one sample";
    leaf.exact = Integer(q_.per_sample ? 1 : network_.sequence) * Integer(network_.samples);
    leaf.distribution = Distribution::point(leaf.exact->to_double());
    leaf.mark = Mark::derived;
    for (const Binding& binding : network_.bindings) {
      if (binding.name == "sequence") leaf.mark = binding.origin == "assumed" ? Mark::assumed : Mark::given;
    }
    return ledger_.trace().leaf(std::move(leaf));
  }
  Ledger& ledger_;
  const Network& network_;
  const ModelQuestion& q_;
  const std::vector<std::pair<std::string, Traced>>& totals_;
};

// What the rows of the account are of, where that is not what the headlines are of.
std::string rows_of(const Network& network) {
  std::string sample;
  if (network.samples > 1) sample = "all " + grouped(std::to_string(network.samples)) + " samples";
  if (network.sequence > 1)
    sample = (sample.empty() ? "one sample" : sample) + " of " + grouped(std::to_string(network.sequence)) + " " +
             network.unit + "s";
  return sample.empty() ? sample : "FLOP and activations of " + sample;
}

}  // namespace

ModelLine model_line(const Network& network, const Convention& convention) {
  const Measure<Integer> total = count(network, options_of(convention)).total();
  return {network.name,     total.parameters, total.active(), count_flop(network, convention),
          network.sequence, network.unit};
}

Book model_answer(const Network& network, const ModelQuestion& q) {
  const Convention& convention = *q.convention;
  const CountOptions options = options_of(convention);
  const Tally<Integer> tally = count(network, options);
  const Measure<Integer> total = tally.total();
  const FlopCount flop = count_flop(network, convention);

  Ledger ledger("model");
  ViewNode tree = view_tree(network, options);
  number_names(tree);
  const EntryMaker maker{network, convention, activation_dtype(network), q.derive, ledger.trace()};
  Entry root = account_entry(tree, tree.name, Integer(1), maker);
  root.note = rows_of(network);
  const auto totals = ledger.add(std::move(root));
  Headlines(ledger, network, q, totals).add(total, flop, tally[Component::embed].parameters);

  Book& book = ledger.book();
  book.title = network.name;
  std::string sentence = network.name + (network.family.empty() ? "" : " (" + network.family + ")") + ": " +
                         (parameters_missing(network) ? "at least " : "") + grouped(total.parameters.to_string()) +
                         " parameters";
  if (Integer(0) < total.inactive) sentence += ", " + grouped(total.active().to_string()) + " active";
  sentence +=
      std::string(total.at_least ? "; at least " : "; ") +
      quantity_text(flop.training().to_double() / static_cast<double>(network.sequence * network.samples), dim::kFlop) +
      " to train on one " + network.unit +
      (network.sequence > 1 ? " at " + grouped(std::to_string(network.sequence)) + " a sample" : "") + " (" +
      std::string(convention.name) + ")";
  book.summary.push_back(sentence);
  if (Integer(0) < total.parameters)
    book.summary.push_back(weights_line(network, total.parameters, parameters_missing(network)));
  if (total.at_least) book.summary.emplace_back("Some operators have no count: the totals are at least these.");
  if (q.all_conventions) book.tables.push_back(convention_table(network));
  if (!q.by.empty()) book.tables.push_back(view_table(network, q));
  book.charts.push_back(treemap_of(network, q));
  book.words = {{"convention", std::string(convention.name)}, {"unit", network.unit}, {"family", network.family}};
  book.json_answer = json_bytes(network, total.parameters) + ", \"sequence\": " + std::to_string(network.sequence);
  book.notes = network.notes;
  return ledger.finish(0);
}

}  // namespace floptally
