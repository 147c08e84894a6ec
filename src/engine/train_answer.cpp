#include "engine/train_answer.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "audit/assumptions.h"
#include "book/leaf.h"
#include "engine/serving_answer.h"
#include "engine/textbook_table.h"
#include "engine/train_bill.h"
#include "engine/train_parts.h"
#include "estimate/memory_range.h"
#include "network/adapt.h"
#include "network/convention.h"
#include "quantity/print.h"
#include "quantity/quantity_text.h"

namespace floptally {
namespace {

constexpr double kFarther = 1.5;         // widening of the range, in logarithms, where no measured run is like this one
constexpr std::uint32_t kWorlds = 4096;  // three or four uncertain inputs: plenty

std::string bytes_text(double bytes) { return quantity_text(bytes, dim::kByte); }

const char* rule_of(Holds what) {
  switch (what) {
    case Holds::weights:
      return "parameters on the device x bytes of the weights' format";
    case Holds::copies:
      return "matrix weights x bytes of each further copy (quantized weight and its transpose, autocast)";
    case Holds::gradients:
      return "trained parameters x bytes gradients are accumulated in";
    case Holds::master:
      return "trained parameters x 4 bytes, shared over data ranks from ZeRO 1";
    case Holds::states:
      return "the optimizer's moments, shared over data ranks from ZeRO 1";
    case Holds::placeholders:
      return "one buffer per weight shape (Transformer Engine get_dummy_wgrad)";
    case Holds::buckets:
      return "communication buckets of the framework";
    case Holds::workspace:
      return "cuBLAS and engine workspaces (device_overheads.csv)";
    case Holds::activations:
      return "what every operator keeps for its backward pass x micro-batches in flight";
    case Holds::working:
      return "gradients of the widest operator, what is made again, buffers and caches that stay";
    case Holds::gathered:
      return "whole weights and gradients of the layers at work (ZeRO 3)";
    case Holds::logits:
      return "logits and their softmax (frameworks.csv, bytes per logit)";
  }
  return "";
}

struct Lines {
  Traced allocated, reserved, visible, needed;
};

// What the device's own tool calls the memory in use.
std::string monitor_label(const Device* device) {
  if (device == nullptr || device->vendor == "NVIDIA") return "as nvidia-smi shows it";
  return device->vendor == "AMD" ? "as rocm-smi shows it" : "in use on the device";
}

// Measured over predicted memory of such runs; wider, and said so, where none was measured.
Spread error_range(Book& book, const DeviceMemory& memory, const RunClass& like) {
  if (memory_measured(like.framework, like.kind, memory.allocated())) return memory_spread(like, 1);
  book.notes.push_back(note("far-from-evidence", "no runs like this one (" + like.framework + ", " + like.kind +
                                                     ") were measured: the ranges are widened"));
  const Spread own = memory_spread(like, kFarther), all = memory_spread({{}, "any", "any", "any"}, kFarther);
  return all.high > own.high ? all : own;
}

// The peak as an account of named parts, and the three lines a user can compare.
Lines book_memory(Ledger& ledger, const DeviceMemory& memory, const RankParts& opened, const Run& run,
                  const RunClass& like, const std::string& as_shown) {
  Trace& trace = ledger.trace();
  Entry entry{"memory of the fullest device"};
  const std::string rank = run.layout.pipeline > 1 ? "pipeline rank " + std::to_string(memory.stage) + ", " : "";
  entry.note = rank + "at its peak: " + std::string(name_of(memory.moment));
  std::vector<Traced> parts, moving;
  for (int i = 0; i < kHoldsCount; ++i) {
    const auto what = static_cast<Holds>(i);
    if (memory[what] <= 0) continue;
    const Traced bytes =
        trace.name(std::string(name_of(what)), part_of(trace, what, memory, opened, run), rule_of(what));
    entry.children.push_back({std::string(name_of(what)), {{"bytes", bytes}}, {}, Combine::sum, {}, rule_of(what)});
    parts.push_back(bytes);
    if (what > Holds::workspace) moving.push_back(bytes);
  }
  ledger.add(std::move(entry));
  const Spread error = error_range(ledger.book(), memory, like);
  const auto leaf = [&](const char* name, double best, double low, double high, Dim dim, const std::string& source) {
    Leaf l;
    l.name = name;
    l.distribution = Distribution::range(best, std::min(low, best * 0.999), std::max(high, best * 1.001));
    l.dim = dim;
    l.mark = Mark::catalogue;
    l.source = source;
    return trace.leaf(std::move(l));
  };
  const bool vary = run.lengths == Lengths::vary && !moving.empty();
  const Spread fragmentation = vary ? run.framework.scattered : run.framework.reserved,
               context = device_overhead(run.device).context;
  const Traced accuracy = leaf("memory accuracy", 1, error.low, error.high, dim::kNone,
                               "residuals of data/evidence/memory.csv for such runs (data/evidence/spread.csv)");
  Lines lines;
  lines.allocated =
      trace.name("peak allocated", trace.sum(parts, dim::kByte) * accuracy, "torch.cuda.max_memory_allocated");
  const Traced pages = leaf(vary ? "reserved over allocated within a step" : "reserved over allocated",
                            fragmentation.best, fragmentation.low, fragmentation.high, dim::kNone,
                            vary ? "data/training/allocator.csv: scattered" : "data/training/fitted.csv: reserved");
  Traced blocks = lines.allocated;
  if (memory.elsewhere > 0) {
    blocks =
        blocks + trace.name("cached blocks in use elsewhere", trace.constant(std::round(memory.elsewhere), dim::kByte),
                            "what one CUDA stream or collective holds does not serve another");
  }
  lines.reserved = trace.name(
      "peak reserved",
      vary ? blocks + trace.sum(moving, dim::kByte) * accuracy * (pages - trace.constant(1)) : blocks * pages,
      vary ? "blocks that shorter micro-batches leave in the allocator's cache fit no longer one"
           : "the allocator keeps whole blocks of 2 and 20 MiB");
  const Traced driver = leaf("driver context", context.best, context.low, context.high, dim::kByte,
                             "data/training/device_overheads.csv: " + device_overhead(run.device).device);
  lines.visible = trace.name(as_shown, lines.reserved + driver, "reserved memory and the driver's context with NCCL");
  lines.needed = trace.name("needed at once", lines.allocated + driver,
                            "the allocator gives cached blocks back before an allocation fails");
  return lines;
}

Table ranks_table(const MemoryProfile& profile, const Run& run) {
  Table table{"ranks",
              "By pipeline rank",
              {{"rank", "Rank", true},
               {"in_flight", "Micro-batches held", true},
               {"fixed", "All the time", true},
               {"moving", "Within the step", true},
               {"peak", "Peak allocated", true},
               {"moment", "Peak at"}},
              {},
              {}};
  const std::int64_t p = run.layout.pipeline;
  for (std::int64_t stage = 0; stage < p; ++stage) {
    if (p > 12 && stage == 6) stage = p - 6;
    const DeviceMemory m = device_memory(profile, run, stage);
    char held[32];
    std::snprintf(held, sizeof held, "%.3g", m.in_flight);
    table.rows.push_back({std::to_string(stage), std::string(held), figure(m.fixed(), dim::kByte),
                          figure(m.allocated() - m.fixed(), dim::kByte), figure(m.allocated(), dim::kByte),
                          std::string(name_of(m.moment))});
  }
  if (p > 12) table.note = "the middle ranks are left out";
  return table;
}

Chart timeline_chart(const MemoryProfile& profile, const Run& run, const DeviceMemory& peak, double capacity) {
  Chart chart;
  chart.form = Chart::Form::timeline;
  chart.key = "timeline";
  chart.title = "Memory of pipeline rank " + std::to_string(peak.stage) + " over one step";
  chart.x_title = "passes of the schedule";
  chart.y_title = "allocated";
  chart.y_dim = dim::kByte;
  if (capacity > 0) {
    chart.limit = capacity;
    chart.limit_label = "memory of the device";
  }
  double x = 0;
  for (const MemoryMoment& moment : memory_timeline(profile, run, peak.stage, 64)) {
    for (int i = 0; i < kHoldsCount; ++i) {
      if (peak.bytes[static_cast<std::size_t>(i)] <= 0 && moment.bytes[static_cast<std::size_t>(i)] <= 0) continue;
      chart.marks.push_back({x, moment.bytes[static_cast<std::size_t>(i)], 0, 0, moment.label,
                             std::string(name_of(static_cast<Holds>(i)))});
    }
    x += 1;
  }
  return chart;
}

Table options_table(const std::vector<MemoryOption>& options) {
  Table table{"changes",
              "Single changes",
              {{"change", "Change"}, {"memory", "Needed at once", true}, {"fits", "Fits"}, {"costs", "What it costs"}},
              {},
              "Needed at once: allocated memory and the driver's, without the allocator's cache."};
  for (const MemoryOption& o : options)
    table.rows.push_back({o.change, figure(o.needed, dim::kByte), std::string(o.fits ? "yes" : "no"), o.costs});
  return table;
}

// "no single change makes it fit; together these do: ..."
std::string together(const std::vector<MemoryOption>& changes) {
  if (changes.empty()) return "nothing makes it fit on these devices: use more of them, or a smaller model";
  std::string out = "no single change makes it fit; together these do: ";
  for (std::size_t i = 0; i < changes.size(); ++i) out += (i > 0 ? ", " : "") + changes[i].change;
  return out + " (" + bytes_text(changes.back().needed) + ")";
}

// "--over": micro-batch down, sequence across.
Result<Table> over_table(const TrainQuestion& q, const Network& network, double capacity) {
  std::vector<std::int64_t> batches{q.file.run.layout.micro_batch}, sequences{network.sequence};
  for (const TrainAxis& axis : q.axes) {
    if (axis.name == "sequence" && network.unit != "token")
      return error("bad-option", "--over sequence: this model reads " + network.unit + "s, not sequences of tokens");
  }
  for (const TrainAxis& axis : q.axes) (axis.name == "sequence" ? sequences : batches) = axis.values;
  const bool tokens = network.unit == "token";
  Table table{"over",
              std::string("Memory needed at once, by micro-batch") + (tokens ? " and sequence" : ""),
              {{"batch", "Micro-batch", true}},
              {},
              {}};
  for (const std::int64_t s : sequences)
    table.columns.push_back(
        {"s" + std::to_string(s), tokens ? "sequence " + grouped(std::to_string(s)) : "Needed at once", true});
  for (const std::int64_t b : batches) table.rows.push_back({std::to_string(b)});
  for (const std::int64_t s : sequences) {
    const Result<Network> described = s == network.sequence ? Result<Network>(Diagnostics{}) : q.with_sequence(s);
    if (s != network.sequence && !described.ok()) return described.problems();
    for (std::size_t row = 0; row < batches.size(); ++row) {
      Run run = q.file.run;
      run.layout.micro_batch = batches[row];
      run.batch = std::max(run.batch, run.layout.data * run.layout.micro_batch *
                                          std::min<std::int64_t>(run.layout.pipeline * 2,
                                                                 micro_batches(q.file.run.layout, q.file.run.batch)));
      const MemoryLines lines =
          memory_lines(predict_memory(s == network.sequence ? network : *described, run), run, 1, 1);
      const bool full = capacity > 0 && lines.needed.best > capacity;
      if (full) table.note = "* does not fit into " + bytes_text(capacity);
      table.rows[row].emplace_back(bytes_text(lines.needed.best) + (full ? " *" : ""));
    }
  }
  return table;
}

// The tokens of the run: as given, so many a parameter, or those of its steps; times its epochs. Nothing where neither
// is said.
std::optional<Traced> tokens_of(Trace& trace, const TrainQuestion& q, const Traced& parameters, std::int64_t sequence) {
  const Run& run = q.file.run;
  const Node train = q.file.root.find("train");
  std::optional<Traced> tokens;
  if (const double each = q.file.tokens_per_parameter; each > 0) {
    const Dim dim = dim::kToken / dim::kParameter;
    const std::optional<Integer> whole = each < 0x1p53 ? Integer::from_double(each) : std::nullopt;
    tokens =
        (whole ? trace.given("tokens per parameter", *whole, dim) : trace.given("tokens per parameter", each, dim)) *
        parameters;
  } else if (run.tokens > 0) {
    tokens = run_input(trace, train, "tokens", dim::kToken, 1, run.tokens);
  } else if (run.steps > 0 && sequence > 0) {
    return run_input(trace, train, "steps", dim::kNone, 1, run.steps) *
           trace.given("sequences per step", Integer(run.batch)) *
           trace.given("tokens per sequence", Integer(sequence), dim::kToken);
  }
  if (tokens && run.epochs > 1) tokens = *tokens * run_input(trace, train, "epochs", dim::kNone, 1, run.epochs);
  return tokens;
}

// Samples that the run sees, where tokens are not what it counts.
std::optional<Traced> samples_of(Trace& trace, const TrainQuestion& q) {
  const Run& run = q.file.run;
  const Node train = q.file.root.find("train");
  if (run.examples > 0) {
    const Traced one_pass = run_input(trace, train, "examples", dim::kSample, 1, run.examples);
    return run.epochs > 0 ? one_pass * run_input(trace, train, "epochs", dim::kNone, 1, run.epochs) : one_pass;
  }
  if (run.steps <= 0) return std::nullopt;
  return run_input(trace, train, "steps", dim::kNone, 1, run.steps) *
         trace.given("samples per step", Integer(run.batch), dim::kSample);
}

// The network as the run trains it: with its adapters, the rest frozen.
Network with_adapters(const Network& network, const LowRankAdapter& adapter) {
  Training training;
  training.adapter.rank = adapter.rank;
  training.adapter.stored = adapter.base;
  for (const Op& op : network.ops) training.adapter.ops.push_back(is_adapted(adapter, op) ? 1 : 0);
  return adapt(network, training);
}

// `network` with its adapters, counted; `total` of it.
void add_compute(Ledger& ledger, const TrainQuestion& q, const Network& network, const Measure<Integer>& total_count) {
  Trace& trace = ledger.trace();
  const FlopCount flop = count_flop(network, default_convention());
  const Traced parameters =
      trace.name("parameters", trace.constant(total_count.parameters, dim::kParameter), "counted operator by operator");
  ledger.headline("parameters", "parameters", parameters);
  ledger.headline(
      "active_parameters", "active parameters",
      trace.name("active parameters", trace.constant(total_count.active(), dim::kParameter), "used by one token"));
  if (Integer(0) < total_count.frozen)
    ledger.headline(
        "trainable_parameters", "trainable parameters",
        trace.name("trainable parameters", trace.constant(total_count.parameters - total_count.frozen, dim::kParameter),
                   "the rest is frozen: it has no weight gradient and no optimizer states"));
  const std::string source = "operators of the network, convention " + std::string(default_convention().name);
  const auto total_of = [&]() -> std::optional<Traced> {
    if (const std::optional<Traced> tokens = tokens_of(trace, q, parameters, network.sequence)) {
      const Traced trained = trace.name("tokens trained on", *tokens);
      const Traced each = trace.name("training FLOP per sequence", trace.constant(flop.training(), dim::kFlop), source);
      const Traced sequence = trace.given("tokens per sequence", Integer(network.sequence), dim::kToken);
      return trace.name("training FLOP", trained * each / sequence, "tokens / sequence x FLOP per sequence");
    }
    const std::optional<Traced> samples = samples_of(trace, q);
    if (!samples) return std::nullopt;
    const Traced each =
        trace.name("training FLOP per sample", trace.constant(flop.training(), dim::kFlop / dim::kSample), source);
    return trace.name("training FLOP", trace.name("samples trained on", *samples) * each, "samples x FLOP per sample");
  };
  const std::optional<Traced> total = total_of();
  if (!total) return;
  Entry entry{"compute"};
  entry.children.push_back({"model FLOP", {{"flop", *total}}});
  ledger.add(std::move(entry));
  ledger.headline("flop_training", "training compute", *total);
  add_bill(ledger, q, *total);
}

// The share of the peak that published runs reached, where this one does not say its own.
Traced usual_utilization(Trace& trace, const Device* device) {
  AuditRun like;
  like.domain = "language";
  like.checked = true;  // device, number and time are the user's own
  Leaf leaf;
  leaf.name = "utilization";
  leaf.distribution = Assumptions::embedded().utilization(0, like, device);
  leaf.mark = Mark::assumed;
  leaf.source = "published runs (data/audit/utilization.csv)";
  return trace.leaf(std::move(leaf));
}

// Nothing but hardware and time is known (Epoch's second method): time x devices x peak x utilization.
Book by_hardware(const TrainQuestion& q) {
  constexpr double kHour = 3600;
  const Node hardware = q.file.root.find("hardware");
  Ledger ledger("train");
  Trace& trace = ledger.trace();
  const Traced hours = run_input(trace, hardware, "device_hours", dim::kDeviceSecond, kHour, 0);
  Traced rate;
  if (hardware.find("rate")) {
    rate = run_input(trace, hardware, "rate", dim::kFlopPerSecond, 1, 0);
  } else {
    const auto format = q.file.device != nullptr ? q.file.device->training_arithmetic() : std::nullopt;
    const double catalogue = format ? q.file.device->peak_of(*format).value_or(0) : 0;
    const char* share = hardware.find("mfu") ? "mfu" : "utilization";
    const bool stated = static_cast<bool>(hardware.find(share));
    rate = run_input(trace, hardware, "peak", dim::kFlopPerSecond, 1, catalogue) *
           (stated ? run_input(trace, hardware, share, dim::kNone, 1, 0) : usual_utilization(trace, q.file.device));
  }
  const Traced flop = trace.name("training FLOP", trace.as(hours * rate, dim::kFlop),
                                 "device-seconds x peak x utilization (Epoch, Estimating Training Compute, method 2)");
  Entry entry{"compute"};
  entry.children.push_back({"by hardware and time", {{"flop", flop}}});
  ledger.add(std::move(entry));
  ledger.headline("flop_training", "training compute", flop);
  ledger.headline("device_hours", "device-hours", hours);
  add_price(ledger, hardware, hours);
  ledger.influences("flop_training");
  ledger.book().title = q.file.title.empty() ? "a run" : q.file.title;
  return ledger.finish(kWorlds);
}

// Only a number of parameters is known: states by the formula, compute by 6 N D.
Book by_parameters(const TrainQuestion& q) {
  const Run& run = q.file.run;
  Ledger ledger("train");
  Trace& trace = ledger.trace();
  const Traced parameters = run_input(trace, q.file.model, "parameters", dim::kParameter, 1, q.file.parameters);
  const Traced active = q.file.active_parameters > 0
                            ? run_input(trace, q.file.model, "active_parameters", dim::kParameter, 1, q.file.parameters)
                            : parameters;
  ledger.headline("parameters", "parameters", parameters);
  if (const std::optional<Traced> tokens = tokens_of(trace, q, parameters, run.sequence)) {
    const Traced flop = trace.name(
        "training FLOP", trace.constant(Integer(6), dim::kFlop / (dim::kParameter * dim::kToken)) * active * *tokens,
        "6 N D (Kaplan et al. 2001.08361): attention is left out");
    ledger.headline("flop_training", "training compute", flop);
    add_bill(ledger, q, flop);
  }
  const double shard = static_cast<double>(run.layout.shard_ranks()),
               model = static_cast<double>(run.layout.tensor * run.layout.pipeline);
  const Zero zero = run.layout.zero;
  const auto bytes = [&](double each, Zero from) {
    return q.file.parameters / model * each / (zero >= from ? shard : 1);
  };
  Leaf rest;
  rest.name = "activations and buffers";
  rest.dim = dim::kByte;
  rest.unknown = true;
  rest.mark = Mark::assumed;
  rest.source = "the network is not described";
  Entry entry{"memory of a device"};
  const auto add = [&](const char* name, double value) {
    entry.children.push_back({name, {{"bytes", trace.name(name, trace.constant(std::round(value), dim::kByte))}}});
  };
  const StoredFormats formats = stored_formats(run);
  add("weights", bytes(bytes_of(formats.weights), Zero::weights));
  add("gradients", bytes(bytes_of(formats.gradients), Zero::gradients));
  add("master weights", bytes(bytes_of(formats.master), Zero::optimizer));
  add("optimizer states", bytes(state_bytes_per_parameter(run.optimizer), Zero::optimizer));
  entry.children.push_back({"activations and buffers", {{"bytes", trace.leaf(std::move(rest))}}});
  const auto totals = ledger.add(std::move(entry));
  if (!totals.empty()) ledger.headline("memory_bytes_per_device", "memory of a device", totals.front().second);
  ledger.book().title = q.file.title.empty() ? "a run" : q.file.title;
  ledger.book().tables.push_back(textbook_table(q.file.parameters, run));
  const double capacity = q.file.device != nullptr ? usable_bytes(*q.file.device) : 0;
  if (const double least = totals.empty() ? 0 : totals.front().second.value(); capacity > 0 && least > capacity) {
    ledger.book().yes = false;
    ledger.book().summary.emplace_back("the states alone need " + bytes_text(least) + " and do not fit into " +
                                       bytes_text(capacity) + " of " + q.file.device->with_article());
  }
  ledger.book().summary.emplace_back(
      "only the number of parameters is known: states are counted, activations are not; describe the model to learn "
      "whether it fits");
  return ledger.finish(kWorlds);
}

// What would make it fit, or fit safely.
void add_options(Book& book, const TrainQuestion& q, const Divisors& divisors, double capacity, bool full) {
  const Network& network = *q.network;
  const Run& run = q.file.run;
  const DeviceLimits device{capacity, q.file.device != nullptr ? q.file.device->scale_up.domain : 0};
  std::vector<MemoryOption> options = memory_options(network, run, divisors, device);
  const auto first = std::find_if(options.begin(), options.end(), [](const MemoryOption& o) { return o.fits; });
  if (first != options.end())
    book.summary.push_back((full ? "the nearest change that fits: " : "surer to fit: ") + first->change + " (" +
                           bytes_text(first->needed) + "; " + first->costs + ")");
  else if (full)
    book.summary.push_back(together(memory_changes(network, run, divisors, device)));
  book.tables.push_back(options_table(options));
}

// "58.1 GiB on the fullest of 8 devices fit into 78.8 GiB of an H100-SXM (probability of fitting 92%)". The allocator's
// cache counts where there is room for it.
std::string verdict(const TrainQuestion& q, double visible, double needed, double capacity,
                    std::optional<double> fits) {
  const std::int64_t devices = q.file.run.layout.devices();
  const std::string where =
      devices == 1 ? " on one device" : " on the fullest of " + std::to_string(devices) + " devices";
  if (!fits || q.file.device == nullptr) return bytes_text(visible) + where;
  const std::string room = bytes_text(capacity) + " of " + q.file.device->with_article() + " (probability of fitting " +
                           percent_text(*fits) + ")";
  if (needed > capacity) return bytes_text(needed) + " are needed at once" + where + " and do not fit into " + room;
  if (visible <= capacity) return bytes_text(visible) + where + " fit into " + room;
  return bytes_text(needed) + where + " fit into " + room +
         "; the allocator must give cached blocks back, which takes time";
}

Result<Book> described_answer(const TrainQuestion& q) {
  const Network& network = *q.network;
  const Run& run = q.file.run;
  const Divisors divisors = divisors_of(network, run);
  MemoryProfile profile(run);
  replay(network, profile);
  DeviceMemory peak = peak_memory(profile, run);
  const double capacity = q.file.device != nullptr ? usable_bytes(*q.file.device) : 0;
  if (capacity > 0) peak.bound(capacity);
  const bool experts = divisors.experts > 0;
  const RunClass like{{}, run.framework.name, "allocated", kind_of(run, experts)};
  Ledger ledger("train");
  ledger.book().title = q.file.title.empty() ? network.name : q.file.title;
  const Network adapted = run.adapter.rank > 0 ? with_adapters(network, run.adapter) : Network();
  const Network& trained = run.adapter.rank > 0 ? adapted : network;
  const Measure<Integer> total = count(trained).total();
  add_compute(ledger, q, trained, total);
  const std::string as_shown = monitor_label(q.file.device);
  const Lines lines = book_memory(ledger, peak, rank_parts(profile, run, peak), run, like, as_shown);
  ledger.headline("memory_bytes_per_device", "peak allocated", lines.allocated);
  ledger.headline("memory_reserved_bytes_per_device", "peak reserved", lines.reserved);
  ledger.headline("memory_visible_bytes_per_device", as_shown, lines.visible);
  std::optional<double> fits;
  if (capacity > 0)
    fits = 1 - Worlds(ledger.trace(), kWorlds).probability_above(lines.needed.in(ledger.trace()), capacity);
  const double visible = lines.visible.value(), needed = lines.needed.value();
  ledger.influences("memory_visible_bytes_per_device");
  Book book = ledger.finish(kWorlds);
  const bool full = capacity > 0 && needed > capacity;
  book.yes = !full;
  book.summary.push_back(verdict(q, visible, needed, capacity, fits));
  if (fits) book.words.emplace_back("fits", full ? "no" : "yes");
  book.tables.push_back(ranks_table(profile, run));
  if (capacity > 0 && (full || *fits < 0.95)) add_options(book, q, divisors, capacity, full);
  if (!q.axes.empty()) {
    Result<Table> over = over_table(q, network, capacity);
    if (!over.ok()) return over.take_problems();
    book.tables.push_back(*std::move(over));
  }
  if (q.file.serving) book.tables.push_back(serving_table(*q.file.serving, network));
  book.tables.push_back(textbook_table(network, run, total, divisors));
  book.charts.push_back(timeline_chart(profile, run, peak, capacity));
  if (profile.at_least())
    book.notes.push_back(
        warning("unknown-operator", "an operator of the network is not known: the memory is at least this"));
  return book;
}

}  // namespace

Result<Book> train_answer(const TrainQuestion& q) {
  if (q.file.model && q.network != nullptr && serves_only(q.file)) return serving_answer(q);
  Result<Book> book = !q.file.model ? by_hardware(q) : q.network == nullptr ? by_parameters(q) : described_answer(q);
  if (book.ok()) check_totals(q, *book);
  return book;
}

}  // namespace floptally
