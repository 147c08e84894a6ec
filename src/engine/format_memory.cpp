#include "engine/format_memory.h"

#include <algorithm>
#include <cstdio>

#include "book/ledger.h"
#include "estimate/memory_options.h"
#include "estimate/serving.h"
#include "numerics/quantize_file.h"
#include "quantity/print.h"

namespace floptally {
namespace {

constexpr std::string_view kCacheFormats[] = {"bf16", "e4m3", "int8", "q8_0", "int4", "q4_0"};
constexpr std::int64_t kAdapterRank = 16;

std::int64_t context_of(const Network& network, const ServingQuestion& q) {
  return q.context > 0 ? q.context : network.sequence;
}

std::string count_text(std::int64_t n) { return quantity_text(static_cast<double>(n), Dim{}); }

numerics::Scheme cache_of(const ServingQuestion& q) { return q.cache ? *q.cache : *cache_scheme("bf16"); }

Table serving_table(const Network& network, std::span<const FormatLine> formats, const ServingQuestion& q,
                    const ServingLine& line) {
  const std::int64_t context = context_of(network, q);
  Table table{"serving",
              "Memory to serve " + count_text(q.batch) + (q.batch == 1 ? " sequence of " : " sequences of ") +
                  std::to_string(context) + " tokens",
              {{"format", "Weights in"}, {"weights", "Weights", true}, {"cache", "Keys and values", true}},
              {},
              {}};
  if (line.recurrent > 0) table.columns.push_back({"states", "Recurrent states", true});
  table.columns.push_back({"decoding", "One step", true});
  table.columns.push_back({"together", "Together", true});
  if (q.budget) table.columns.push_back({"fits", "Fits"});
  for (const FormatLine& format : formats) {
    std::vector<Value> row{format.format, figure(format.weights, dim::kByte), figure(line.cache, dim::kByte)};
    if (line.recurrent > 0) row.emplace_back(figure(line.recurrent, dim::kByte));
    row.emplace_back(figure(line.decoding, dim::kByte));
    const double together = format.weights + line.beside();
    row.emplace_back(figure(together, dim::kByte));
    if (q.budget) row.emplace_back(std::string(together <= *q.budget ? "yes" : "no"));
    table.rows.push_back(std::move(row));
  }
  table.note =
      "Keys and values in " + cache_of(q).name +
      "; one step: the widest operator's numbers in 16 bits and fp32 logits, a token of each sequence. A prompt "
      "read in one piece, the driver's context and the server's own buffers come on top.";
  return table;
}

Table cache_table(const Network& network, const ServingState& state, const ServingQuestion& q) {
  Table table{"cache",
              "Keys and values by format",
              {{"format", "Format"},
               {"bits", "Bits/number", true},
               {"token", "A further token", true},
               {"sequence", "A sequence", true},
               {"all", "All sequences", true}},
              {},
              {}};
  const auto add = [&](const numerics::Scheme& scheme) {
    const CacheBytes bytes = cache_bytes(state, scheme);
    if (!bytes.fits || state.numbers_held() == 0) return;
    char bits[32];
    std::snprintf(bits, sizeof bits, "%.5g", 8 * bytes.held / state.numbers_held());
    table.rows.push_back({scheme.name, std::string(bits), figure(bytes.per_token, dim::kByte),
                          figure(bytes.held, dim::kByte),
                          figure(bytes.held * static_cast<double>(q.batch), dim::kByte)});
  };
  bool asked = false;
  for (const std::string_view name : kCacheFormats) {
    if (q.cache && q.cache->name == name) {
      add(*q.cache);
      asked = true;
    } else if (const Result<numerics::Scheme> scheme = cache_scheme(name); scheme.ok()) {
      add(*scheme);
    }
  }
  if (q.cache && !asked) add(*q.cache);
  const double lasting = state.numbers_per_token() * static_cast<double>(context_of(network, q));
  if (state.numbers_held() < lasting || state.numbers_per_token() == 0)
    table.note = "Layers with a window hold no more than the window.";
  return table;
}

struct Way {
  std::string name;
  Run run;
};

std::vector<Way> ways(const Network& network, const ServingQuestion& q) {
  const auto base = [&](std::string_view optimizer) {
    Run run = default_run();
    run.framework = *find_framework("huggingface");
    run.optimizer = *find_optimizer(optimizer);
    run.recompute.mode = Recompute::Mode::full;
    run.layout.micro_batch = q.batch;
    run.batch = 2 * q.batch;  // gradients are accumulated, as fine-tuning does
    run.sequence = context_of(network, q);
    return run;
  };
  const auto adapted = [&](std::string_view optimizer, Dtype dtype) {
    Run run = base(optimizer);
    run.adapter.rank = kAdapterRank;
    run.adapter.base = dtype;
    run.adapter.mlp = true;
    return run;
  };
  const std::string rank = ", rank " + std::to_string(kAdapterRank);
  return {{"all weights, bf16 with fp32 master, AdamW", base("adamw")},
          {"all weights, bf16 with fp32 master, 8-bit AdamW", base("adam-8bit")},
          {"LoRA" + rank + ", bf16 base, AdamW", adapted("adamw", Dtype::bfloat16)},
          {"QLoRA" + rank + ", nf4-dq base, 8-bit AdamW", adapted("adam-8bit", Dtype::nf4_double)}};
}

Table training_table(const Network& network, const ServingQuestion& q, std::string& json) {
  Table table{"training",
              "Memory to train on one device, " + count_text(q.batch) +
                  (q.batch == 1 ? " sequence of " : " sequences of ") + std::to_string(context_of(network, q)) +
                  " tokens",
              {{"way", "Way"},
               {"weights", "Weights", true},
               {"gradients", "Gradients", true},
               {"states", "Master and optimizer", true},
               {"rest", "Activations and the rest", true},
               {"together", "Allocated", true}},
              {},
              {}};
  if (q.budget) table.columns.push_back({"fits", "Fits"});
  json += ", \"training\": [";
  for (const Way& way : ways(network, q)) {
    const DeviceMemory m = predict_memory(network, way.run);
    if (m[Holds::gradients] == 0)
      continue;  // adapters stand beside attention and feed-forward matrices: there are none
    const double weights = m[Holds::weights] + m[Holds::copies];
    const double states = m[Holds::master] + m[Holds::states];
    const double rest = m.allocated() - weights - m[Holds::gradients] - states;
    std::vector<Value> row{way.name,
                           figure(weights, dim::kByte),
                           figure(m[Holds::gradients], dim::kByte),
                           figure(states, dim::kByte),
                           figure(rest, dim::kByte),
                           figure(m.allocated(), dim::kByte)};
    if (q.budget) row.emplace_back(std::string(m.allocated() <= *q.budget ? "yes" : "no"));
    table.rows.push_back(std::move(row));
    json += std::string(json.back() == '[' ? "" : ", ") + "{\"way\": \"" + way.name +
            "\", \"memory_bytes\": " + shortest(m.allocated()) + "}";
  }
  json += "]";
  table.note = "Full recomputation, Hugging Face's rules; floptally train says more.";
  return table;
}

}  // namespace

Result<numerics::Scheme> cache_scheme(std::string_view name) {
  const bool integer = name == "int8" || name == "int4";
  return numerics::make_scheme({std::string(name), {}, integer ? "channel" : "", {}, {}});
}

Result<numerics::Scheme> weights_scheme(std::string_view name) {
  return numerics::make_scheme({std::string(name), {}, {}, {}, {}});
}

ServingLine serving_line(const Network& network, const ServingQuestion& q) {
  const ServingState state = serving_state(network, context_of(network, q));
  const auto batch = static_cast<double>(q.batch);
  ServingLine line;
  line.known = state.generates();
  line.cache = cache_bytes(state, cache_of(q)).held * batch;
  line.recurrent = recurrent_bytes(state) * batch;
  line.decoding = decoding_bytes(state) * batch;
  return line;
}

void add_memory_tables(Book& book, const Network& network, std::span<const FormatLine> formats,
                       const ServingQuestion& q) {
  const ServingState state = serving_state(network, context_of(network, q));
  const ServingLine line = serving_line(network, q);
  std::string json;
  if (line.known) {
    book.tables.push_back(serving_table(network, formats, q, line));
    json += ", \"serving\": {\"batch\": " + std::to_string(q.batch) +
            ", \"context\": " + std::to_string(context_of(network, q)) + ", \"cache_format\": \"" + cache_of(q).name +
            "\", \"cache_bytes\": " + shortest(line.cache) +
            ", \"cache_bytes_per_token\": " + shortest(cache_bytes(state, cache_of(q)).per_token) +
            ", \"recurrent_bytes\": " + shortest(line.recurrent) + ", \"step_bytes\": " + shortest(line.decoding) +
            ", \"formats\": [";
    for (const FormatLine& format : formats)
      json += std::string(json.back() == '[' ? "" : ", ") + "{\"format\": \"" + format.format +
              "\", \"weight_bytes\": " + shortest(format.weights) +
              ", \"memory_bytes\": " + shortest(format.weights + line.beside()) + "}";
    json += "]}";
    Table cache = cache_table(network, state, q);
    if (!cache.rows.empty()) book.tables.push_back(std::move(cache));
  }
  book.tables.push_back(training_table(network, q, json));
  book.json_answer += json;
}

}  // namespace floptally
