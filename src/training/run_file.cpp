#include "training/run_file.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/nearest.h"
#include "network/spec.h"
#include "quantity/print.h"
#include "quantity/quantity_text.h"
#include "training/run_hint.h"
#include "training/run_tables.h"
#include "training/table.h"

namespace floptally {
namespace {

class Reader {
 public:
  Reader(const Catalogue& catalogue, RunFile& out, Diagnostics& problems)
      : catalogue_(catalogue), out_(out), problems_(problems) {}

  void read(const Record& root);

 private:
  // A whole number of at least `least`; `otherwise` where the key is missing.
  std::int64_t count(const Node& record, std::string_view key, std::int64_t otherwise, std::int64_t least = 1,
                     Suffix suffix = Suffix::decimal);
  double amount(const Node& record, std::string_view key, Dim dim, const char* what);
  void share(const Node& record, std::string_view key);
  void tokens(const Node& train);
  template <class T>
  void named(const Node& node, std::string_view inner, Result<T> (*find)(std::string_view, Span), T& to);
  void model(const Node& node);
  void train(const Node& node);
  void hardware(const Node& node);
  void layout(const Node& node);
  void expert_load(const Node& node);
  void stages(const Node& list);
  void schedule(const Node& node);
  void lengths(const Node& node);
  void precision(const Node& node);
  void recompute(const Node& node);
  void offload(const Node& node);
  void adapter(const Node& node);
  void serving(const Node& node);
  void format(const Node& record, std::string_view key, Dtype& to);
  void check_tokens(const Node& train);
  void round_batch();
  void assume(std::string name, std::string value) { out_.assumed.push_back({std::move(name), std::move(value)}); }
  void fail(std::string code, std::string message, const Node& at, std::string help = {}) {
    problems_.push_back(error(std::move(code), std::move(message), at.span(), std::move(help)));
  }

  const Catalogue& catalogue_;
  RunFile& out_;
  Diagnostics& problems_;
  double batch_tokens_ = 0;  // of a batch that is given in tokens
};

// Products of degrees of parallelism, and of these with micro-batches, stay below 2^63.
std::int64_t most_of(std::string_view key) {
  constexpr std::string_view kDegrees[] = {"tensor", "pipeline", "context", "chunks", "expert_tensor"};
  constexpr std::string_view kCounts[] = {"data", "expert", "shard", "micro_batch", "nodes", "node", "rank"};
  if (std::find(std::begin(kDegrees), std::end(kDegrees), key) != std::end(kDegrees)) return std::int64_t{1} << 14;
  if (std::find(std::begin(kCounts), std::end(kCounts), key) != std::end(kCounts)) return std::int64_t{1} << 20;
  return std::int64_t{1} << 40;
}

std::int64_t Reader::count(const Node& record, std::string_view key, std::int64_t otherwise, std::int64_t least,
                           Suffix suffix) {
  const Node node = record.find(key);
  if (!node) return otherwise;
  const Result<Amount> amount = parse_amount(node.text(), node.span(), suffix);
  const bool length = suffix == Suffix::length;  // `inference.context` is no degree
  const std::int64_t most = length ? std::int64_t{1} << 40 : most_of(key);
  if (!amount.ok()) {
    problems_.insert(problems_.end(), amount.problems().begin(), amount.problems().end());
  } else if (!amount->bare && amount->dim != dim::kToken && amount->dim != dim::kDevice &&
             amount->dim != dim::kSample && amount->dim != dim::kNode) {
    fail("wrong-unit", "'" + std::string(key) + "' is a count, found '" + std::string(node.text()) + "'", node);
  } else if (!amount->exact || *amount->exact < Integer(least) || Integer(most) < *amount->exact) {
    fail("bad-whole-number",
         "'" + std::string(key) + "' expects a whole number of at least " + std::to_string(least) +
             (amount->exact && Integer(most) < *amount->exact ? " and at most " + std::to_string(most) : "") +
             ", found '" + std::string(node.text()) + "'",
         node, amount->binary ? "the k of a length or a batch is 1,024: 8k is 8,192" : "");
  } else {
    if (amount->binary)
      out_.binary.push_back({std::string(key), std::string(node.text()) + " is " + amount->exact->to_string()});
    return amount->exact->to_int64();
  }
  return std::max(otherwise, least);
}

// A positive amount of `dim`, or a bare number; 0 where there is none.
double Reader::amount(const Node& record, std::string_view key, Dim dim, const char* what) {
  const Node node = record.find(key);
  if (!node) return 0;
  Result<Amount> amount = parse_amount(node.text(), dim, what, node.span(), true);
  if (!amount.ok()) {
    for (Diagnostic& problem : amount.take_problems()) problems_.push_back(std::move(problem));
    return 0;
  }
  if (amount->best > 0 && !(amount->low < 0)) return amount->best;
  fail("negative-count", "'" + std::string(key) + "' must be above 0, found '" + std::string(node.text()) + "'", node);
  return 0;
}

void Reader::share(const Node& record, std::string_view key) {
  const double value = amount(record, key, dim::kNone, "a share of the peak, such as 40%");
  if (value > 1) fail("bad-share", "'" + std::string(key) + "' is a share of the peak: at most 100%", record.find(key));
}

// A number of tokens, or "20 * parameters" as in plans.
void Reader::tokens(const Node& train) {
  constexpr std::string_view kOf = "parameters";
  const Node node = train.find("tokens");
  const std::string_view text = node.text();
  const std::size_t star = text.find('*');
  if (star == std::string_view::npos) {
    out_.run.tokens = amount(train, "tokens", dim::kToken, "a number of tokens, such as 1.5T");
    return;
  }
  const auto trimmed = [](std::string_view part) {
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    return part;
  };
  std::string_view factor = trimmed(text.substr(0, star)), of = trimmed(text.substr(star + 1));
  if (factor == kOf) std::swap(factor, of);
  const NumberText number = read_number(factor);
  if (of == kOf && number.length == factor.size() && number.value > 0)
    out_.tokens_per_parameter = number.value;
  else
    fail("not-a-quantity", "'" + std::string(text) + "' is no number of tokens", node,
         "1.5T, or 20 * parameters; `floptally tally` reads other expressions");
}

template <class T>
void Reader::named(const Node& node, std::string_view inner, Result<T> (*find)(std::string_view, Span), T& to) {
  const Node word = node.is_mapping() ? node.find(inner) : node;
  if (!word || !word.is_scalar()) return;
  Result<T> found = find(word.text(), word.span());
  if (found.ok()) {
    to = *std::move(found);
  } else {
    for (Diagnostic& problem : found.take_problems()) problems_.push_back(std::move(problem));
  }
}

void Reader::model(const Node& node) {
  out_.model = node;
  if (!node.is_mapping()) return;
  if (is_spec(node)) return;  // its reader reads them
  out_.parameters = amount(node, "parameters", dim::kParameter, "a number of parameters, such as 7e9");
  out_.active_parameters = amount(node, "active_parameters", dim::kParameter, "a number of parameters, such as 2e9");
}

void Reader::train(const Node& node) {
  Run& run = out_.run;
  run.sequence = count(node, "sequence", 0, 1, Suffix::length);
  tokens(node);
  run.steps = amount(node, "steps", dim::kNone, "a number of steps");
  run.epochs = amount(node, "epochs", dim::kNone, "a number of passes over the data");
  run.examples = amount(node, "examples", dim::kSample, "a number of examples");
  Result<std::optional<Packing>> packing = read_packing(node.find("packing"));
  if (packing.ok())
    out_.packing = *std::move(packing);
  else
    for (Diagnostic& problem : packing.take_problems()) problems_.push_back(std::move(problem));
  lengths(node.find("lengths"));
  const Node batch = node.find("batch");
  if (!batch) return;
  const Result<Amount> size = parse_amount(batch.text(), batch.span(), Suffix::batch);
  if (size.ok() && size->dim == dim::kToken) {  // "4M tokens" a step
    if (run.sequence == 0)
      fail("bad-whole-number", "a batch in tokens needs 'sequence', the tokens of one sequence", batch);
    else
      batch_tokens_ = size->best;
  } else {
    run.batch = count(node, "batch", 1, 1, Suffix::batch);
  }
}

void Reader::hardware(const Node& node) {
  const Node record = node.is_sequence() && node.size() > 0 ? node[std::size_t{0}] : node;
  const Node device = record.find("device");
  if (device) {
    Result<const Device*> found = catalogue_.find(device.text(), device.span());
    if (found.ok())
      out_.device = *found;
    else
      for (Diagnostic& problem : found.take_problems()) problems_.push_back(std::move(problem));
  }
  if (out_.device != nullptr) out_.run.device = out_.device->name;
  const std::int64_t node_size =
      count(record, "node", out_.device != nullptr && out_.device->per_node > 0 ? out_.device->per_node : 8);
  amount(record, "device_hours", dim::kDeviceSecond, "device-hours, such as 200_000");
  amount(record, "rate", dim::kFlopPerSecond, "a rate of one device, such as 350 TFLOP/s");
  amount(record, "peak", dim::kFlopPerSecond, "a rate of one device, such as 989 TFLOP/s");
  if (const Node price = record.find("price"); price && price.is_scalar()) {
    Result<Amount> read = parse_amount(price.text(), dim::kUsdPerDeviceSecond,
                                       "a price per device and hour, such as 2.5 USD/device-hour", price.span(), true);
    if (!read.ok())
      for (Diagnostic& problem : read.take_problems()) problems_.push_back(std::move(problem));
  }
  share(record, "utilization");
  share(record, "mfu");
  const std::int64_t in_nodes = record.find("nodes") ? count(record, "nodes", 1) * node_size : 0;
  out_.devices = count(record, "devices", in_nodes);
  if (in_nodes > 0 && record.find("devices") && out_.devices != in_nodes && record.find("node"))
    fail("contradictory-facts",
         std::to_string(out_.devices) + " devices are not " + std::string(record.find("nodes").text()) + " nodes of " +
             std::to_string(node_size),
         record.find("devices"), "leave one of devices, nodes and node out");
}

void Reader::lengths(const Node& node) {
  constexpr std::string_view kWords[] = {"fixed", "sorted", "vary"};
  if (!node) return;
  const auto* word = std::find(std::begin(kWords), std::end(kWords), node.text());
  if (word == std::end(kWords)) {
    fail("unknown-word", "'lengths' expects fixed, sorted or vary, found '" + std::string(node.text()) + "'", node,
         "vary: each micro-batch is padded to its longest sequence; sorted: the longest come first");
    return;
  }
  out_.run.lengths = static_cast<Lengths>(word - std::begin(kWords));
}

void Reader::schedule(const Node& node) {
  Layout& l = out_.run.layout;
  if (!node) {
    l.schedule = l.chunks > 1 ? Schedule::interleaved : Schedule::one_f_one_b;
    return;
  }
  for (int i = 0; i < kScheduleCount; ++i) {
    if (folded(name_of(static_cast<Schedule>(i))) == folded(node.text())) {
      l.schedule = static_cast<Schedule>(i);
      return;
    }
  }
  std::vector<std::string_view> names;
  for (int i = 0; i < kScheduleCount; ++i) names.push_back(name_of(static_cast<Schedule>(i)));
  fail("unknown-word", "no pipeline schedule is called '" + std::string(node.text()) + "'", node,
       suggestion(node.text(), names));
}

void Reader::stages(const Node& list) {
  if (!list) return;
  for (const Node each : list) {
    const auto value = each.as_integer();
    if (value && value->fits_int64() && !(*value < Integer(0)))
      out_.run.layout.stages.push_back(value->to_int64());
    else
      fail("bad-whole-number", "`stages` lists whole numbers of layers, found '" + std::string(each.text()) + "'",
           each);
  }
}

void Reader::expert_load(const Node& node) {
  Run& run = out_.run;
  if (!node) {
    if (run.layout.expert > 1) assume("layout.expert_load", shortest(run.framework.expert_load));
    return;
  }
  const Result<Amount> load = parse_amount(node.text(), node.span());
  const double most = static_cast<double>(run.layout.expert);
  if (load.ok() && load->best >= 1 && load->best <= most)
    run.expert_load = load->best;
  else
    fail("bad-number",
         "`expert_load` is the tokens of the fullest rank over the mean, between 1 and the " + shortest(most) +
             " ranks of an expert group; found '" + std::string(node.text()) + "'",
         node);
}

void Reader::layout(const Node& node) {
  Layout& l = out_.run.layout;
  out_.layout_given = node.is_mapping();
  out_.layout_at = node.span();
  if (!node.is_mapping()) {
    l.data = std::max<std::int64_t>(1, out_.devices);  // plain data parallelism
    if (out_.devices > 1) assume("layout", "data: " + std::to_string(l.data));
    return;
  }
  l.tensor = count(node, "tensor", 1);
  l.pipeline = count(node, "pipeline", 1);
  const std::string_view schedule_word = node.find("schedule").text();
  const bool both_ways = folded(schedule_word).starts_with("dualpipe") || folded(schedule_word) == "zbv";
  l.chunks = count(node, "chunks", both_ways ? 2 : 1);  // V schedules and DualPipe always hold two
  l.context = count(node, "context", 1);
  l.expert = count(node, "expert", 1);
  l.expert_tensor = count(node, "expert_tensor", 0);
  expert_load(node.find("expert_load"));
  l.gathers_tokens = node.find("dispatch").text() == "all-gather";
  l.shard = count(node, "shard", 0);
  out_.micro_batch_given = static_cast<bool>(node.find("micro_batch"));
  l.micro_batch = count(node, "micro_batch", 1, 1, Suffix::batch);
  out_.data_given = static_cast<bool>(node.find("data"));
  l.data = count(node, "data", 1);
  const std::int64_t zero = count(node, "zero", 0, 0);
  if (zero > 3)
    fail("bad-whole-number", "'zero' is a stage from 0 to 3, found " + std::to_string(zero), node.find("zero"));
  l.zero = static_cast<Zero>(std::min<std::int64_t>(3, zero));
  const Node sequence = node.find("sequence_parallel");
  const bool brought = l.tensor > 1 && out_.run.framework.splits_sequence;
  l.sequence_parallel = sequence ? sequence.as_bool().value_or(false) : brought;
  if (!sequence && brought) assume("layout.sequence_parallel", "true");
  l.context_kind = node.find("context_kind").text() == "all-to-all" ? ContextKind::all_to_all : ContextKind::ring;
  stages(node.find("stages"));
  schedule(node.find("schedule"));
  if (out_.devices > 0 && !out_.data_given) {
    const std::int64_t model = l.tensor * l.pipeline * l.context;
    l.data = std::max<std::int64_t>(1, out_.devices / model);
  }
}

// Tokens and steps that are both given are the same training.
void Reader::check_tokens(const Node& train) {
  const Run& run = out_.run;
  if (!(run.tokens > 0) || !(run.steps > 0) || !train.find("batch") || run.sequence == 0) return;
  constexpr double kRounding = 0.02;
  const double by_steps =
      run.steps *
      (batch_tokens_ > 0 ? batch_tokens_ : static_cast<double>(run.batch) * static_cast<double>(run.sequence));
  const double given = run.tokens * std::max(1.0, run.epochs);
  if (std::abs(by_steps / given - 1) <= kRounding || std::abs(by_steps / run.tokens - 1) <= kRounding) return;
  problems_.push_back(error("contradictory-facts",
                            "steps x batch x sequence are " + quantity_text(by_steps, dim::kToken) + ", not " +
                                quantity_text(given, dim::kToken),
                            train.find("steps").span(), "leave one of tokens and steps out"));
}

// "4M tokens" are so many sequences that the layout divides them.
// Micro-batches come in groups of so many, and so many groups at least.
std::pair<std::int64_t, std::int64_t> whole_groups(const Layout& layout) {
  switch (layout.schedule) {
    case Schedule::interleaved:
      return {layout.pipeline, 1};
    case Schedule::dualpipe:
      return {2, layout.pipeline};
    case Schedule::dualpipe_v:
      return {1, 2 * layout.pipeline};
    default:
      return {1, 1};
  }
}

void Reader::round_batch() {
  Run& run = out_.run;
  const double sequences = batch_tokens_ / static_cast<double>(run.sequence);
  const auto [micro_batches, least] = whole_groups(run.layout);
  const std::int64_t unit = run.layout.data * run.layout.micro_batch * micro_batches;
  run.batch = std::max<std::int64_t>(least, std::llround(sequences / static_cast<double>(unit))) * unit;
  if (run.tokens == 0 && run.epochs == 0) run.tokens = run.steps * batch_tokens_;
  if (static_cast<double>(run.batch) != sequences)
    assume("batch", std::to_string(run.batch) + " sequences, the nearest that data " + std::to_string(run.layout.data) +
                        " x micro_batch " + std::to_string(run.layout.micro_batch) +
                        (micro_batches > 1 ? " x " + std::to_string(micro_batches) + " of the schedule" : "") +
                        " divides");
}

void Reader::format(const Node& record, std::string_view key, Dtype& to) {
  const Node node = record.find(key);
  if (!node) return;
  if (const auto found = find_dtype(node.text()))
    to = *found;
  else
    fail("unknown-number-format", "no number format is called '" + std::string(node.text()) + "'", node,
         "fp32, bf16, fp16, fp8, mxfp8, nvfp4, nf4, nf4-dq, int8, int4 ...");
}

void Reader::precision(const Node& node) {
  Precision& p = out_.run.precision;
  out_.precision_at = node.span();
  named(node, "recipe", find_precision, p);
  if (!node.is_mapping()) return;
  format(node, "weights", p.weights);
  format(node, "gradients", p.gradients);
  format(node, "master", p.master);
  format(node, "compute", p.compute);
  format(node, "kept", p.kept);
  if (node.find("gradients")) out_.run.framework.gradients = Dtype::unspecified;
}

void Reader::recompute(const Node& node) {
  Recompute& r = out_.run.recompute;
  const Node mode = node.is_mapping() ? node.find("mode") : node;
  const std::string_view word = mode.text();
  if (word == "full")
    r.mode = Recompute::Mode::full;
  else if (word == "selective")
    r.mode = Recompute::Mode::selective;
  else if (!node.is_mapping() && word != "none" && !word.empty() && word != "false")
    fail("unknown-word", "'recompute' is none, selective or full, found '" + std::string(word) + "'", mode);
  if (r.mode == Recompute::Mode::selective && !node.find("modules") && out_.run.framework.products_policy) {
    r.modules = Recompute::operators;  // as torchtitan's "selective" does; attention is fused anyway
    assume("recompute.modules", "[operators], as " + out_.run.framework.name + " means by selective");
  }
  if (!node.is_mapping()) return;
  r.every = count(node, "every", 1);
  r.group = count(node, "group", 1);
  r.layers = count(node, "layers", 0);
  const Node whole = node.find("every")   ? node.find("every")
                     : node.find("group") ? node.find("group")
                                          : node.find("layers");
  if (whole && node.find("modules"))
    fail("contradictory-facts", "'" + std::string(whole.key()) + "' recomputes whole layers, 'modules' parts of each",
         whole, "leave one of them out");
  if (whole && !mode) r.mode = Recompute::Mode::full;
  if (whole && mode && r.mode != Recompute::Mode::full)
    fail("contradictory-facts", "'" + std::string(whole.key()) + "' belongs to mode full", whole, "mode: full");
  if (!node.find("modules")) return;
  if (mode && r.mode != Recompute::Mode::selective)
    fail("contradictory-facts", "'modules' belongs to mode selective", node.find("modules"), "mode: selective");
  r.modules = 0;
  r.mode = Recompute::Mode::selective;
  for (const Node each : node.find("modules")) {
    const auto* found =
        std::find_if(std::begin(kModules), std::end(kModules), [&](const auto& m) { return m.first == each.text(); });
    if (found != std::end(kModules))
      r.modules |= found->second;
    else
      fail("unknown-word", "no part of a layer is called '" + std::string(each.text()) + "'", each,
           "core_attention, norms, activations, mlp, mla_up, moe, shared_experts, operators");
  }
}

void Reader::offload(const Node& node) {
  Offload& o = out_.run.offload;
  const auto one = [&](const Node& word) {
    if (word.text() == "optimizer")
      o.optimizer = true;
    else if (word.text() == "weights")
      o.weights = true;
    else if (word.text() == "activations")
      o.activations = true;
    else
      fail("unknown-word",
           "'offload' names optimizer, weights or activations, found '" + std::string(word.text()) + "'", word);
  };
  if (node.is_sequence()) {
    for (const Node each : node) one(each);
  } else if (node) {
    one(node);
  }
}

void Reader::adapter(const Node& node) {
  if (!node) return;
  LowRankAdapter& a = out_.run.adapter;
  a.rank = count(node, "rank", 8);
  if (!node.find("rank")) assume("adapter.rank", "8");
  if (!node.find("targets")) assume("adapter.targets", "[query, key, value, output]");
  format(node, "base", a.base);
  a.dropout = node.find("dropout").as_bool().value_or(false);
  const Node targets = node.find("targets");
  if (!targets) return;
  a.query = a.key = a.value = a.output = a.mlp = false;
  for (const Node each : targets) {
    if (each.text() == "query")
      a.query = true;
    else if (each.text() == "key")
      a.key = true;
    else if (each.text() == "value")
      a.value = true;
    else if (each.text() == "output")
      a.output = true;
    else if (each.text() == "mlp")
      a.mlp = true;
    else if (each.text() == "head")
      a.head = true;
    else
      fail("unknown-word",
           "adapters sit at query, key, value, output, mlp or head, found '" + std::string(each.text()) + "'", each);
  }
}

void Reader::serving(const Node& node) {
  if (!node) return;
  RunFile::Serving s;
  s.batch = count(node, "batch", 1, 1, Suffix::batch);
  s.context = count(node, "context", 0, 1, Suffix::length);
  if (const Node weights = node.find("weights"); weights && !find_dtype(weights.text())) {
    s.weights_scheme = weights.text();
    s.weights_at = weights.span();
  } else {
    format(node, "weights", s.weights);
  }
  if (const Node cache = node.find("cache"); cache && !find_dtype(cache.text())) {
    s.cache_scheme = cache.text();
    s.cache_at = cache.span();
  } else {
    format(node, "cache", s.cache);
  }
  out_.serving = s;
}

void Reader::read(const Record& root) {
  const Node node = root.node();
  out_.title = root.text("title").value;
  if (out_.title.empty()) out_.title = root.text("name").value;
  const Node train_node = node.find("train");
  const auto either = [&](std::string_view key) { return node.find(key) ? node.find(key) : train_node.find(key); };
  named(either("framework"), "name", find_framework, out_.run.framework);
  if (!either("framework")) {
    if (node.find("adapter")) out_.run.framework = *find_framework("huggingface");  // whose PEFT most adapters are
    assume("framework", out_.run.framework.name);
  }
  model(node.find("model"));
  train(train_node);
  hardware(node.find("hardware"));
  layout(node.find("layout"));
  check_tokens(train_node);
  if (batch_tokens_ > 0) round_batch();
  if (!either("precision")) assume("precision", out_.run.precision.name);
  if (!either("optimizer")) assume("optimizer", out_.run.optimizer.name);
  precision(either("precision"));
  named(either("optimizer"), "name", find_optimizer, out_.run.optimizer);
  recompute(either("recompute"));
  offload(node.find("offload"));
  adapter(node.find("adapter"));
  serving(node.find("inference"));
  const Node attention = node.find("attention");
  out_.run.softmax_fp32 = attention.text() == "unfused-fp32";
  out_.run.fused_attention = attention.text() != "unfused" && !out_.run.softmax_fp32;
  out_.run.loader_mask = node.find("attention_mask").as_bool().value_or(false);
  out_.run.caches_keys = node.find("key_value_cache").as_bool().value_or(false);
  out_.run.compiled = node.find("compile").as_bool().value_or(false);
  const Node dropout = node.find("dropout");
  const double rate = dropout ? dropout.as_double().value_or(0) : 0;
  if (rate < 0 || rate >= 1) fail("bad-share", "'dropout' is a share from 0 to less than 1", dropout);
  out_.run.attention_dropout = out_.run.hidden_dropout = rate > 0;
  if (!train_node.find("batch")) {
    const auto [micro_batches, least] = whole_groups(out_.run.layout);
    out_.run.batch =
        out_.run.layout.data * out_.run.layout.micro_batch * std::max(out_.run.layout.pipeline, micro_batches * least);
    assume("batch", std::to_string(out_.run.batch));
  }
}

void check_model(const Node& root, const RunFile& file, Diagnostics& problems) {
  const Node hardware = root.find("hardware");
  const bool by_hours =
      hardware.find("device_hours") && (hardware.find("rate") || hardware.find("peak") || file.device != nullptr);
  if (!root.find("model") && !by_hours)
    problems.push_back(missing_key(
        root, "model",
        "the network that is trained: a name, a file, or its sizes (or hardware: {device_hours, peak, utilization})"));
}

// What else is wrong with a file that `explain_keys` suggests.
Diagnostics mistakes_in(const std::string& text, const Catalogue& catalogue) {
  const Source source{"the suggested file", text};
  const Result<Document> document = read_document(source);
  if (!document.ok()) return {};
  Diagnostics problems;
  const Record record(kRunFileTable, document->root(), problems);
  RunFile out;
  out.run = default_run();
  Reader(catalogue, out, problems).read(record);
  check_model(document->root(), out, problems);
  return problems;
}

}  // namespace

Result<RunFile> read_run(const Node& root, const Catalogue& catalogue) {
  Diagnostics problems;
  if (!root.is_mapping())
    return error("run-version", "a RUN is a mapping that begins with 'run: 1'", root.span(),
                 "such as\n\nrun: 1\nmodel: llama-3.1-8b\ntrain: {tokens: 1T, batch: 64, sequence: 8k}\n"
                 "hardware: {device: H100-SXM, devices: 8}\nlayout: {zero: 3, micro_batch: 1}");
  if (std::optional<Diagnostic> other = other_file(root, "run")) return *std::move(other);
  const Record record(kRunFileTable, root, problems);
  const bool explained =
      explain_keys(root, problems, [&](const std::string& text) { return mistakes_in(text, catalogue); });
  const Node version = root.find("run");
  if (version && version.text() != "1")
    problems.push_back(error("run-version",
                             "this program reads run files of version 1, found '" + std::string(version.text()) + "'",
                             version.span()));
  RunFile out;
  out.run = default_run();
  Reader(catalogue, out, problems).read(record);
  explain_values(root, problems);
  out.root = root;
  if (!explained) check_model(root, out, problems);
  if (!problems.empty()) return problems;
  return out;
}

std::string run_schema() { return json_schema(kRunFileTable, "run"); }

}  // namespace floptally
