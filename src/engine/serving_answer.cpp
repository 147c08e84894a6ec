#include "engine/serving_answer.h"

#include <cmath>

#include "engine/format_memory.h"
#include "estimate/serving.h"
#include "estimate/textbook.h"
#include "network/count.h"
#include "quantity/print.h"
#include "quantity/quantity_text.h"

namespace floptally {
namespace {

std::string what_is_served(const RunFile::Serving& s, const Network& network) {
  const std::int64_t held = s.context > 0 ? s.context : network.sequence;
  return std::to_string(s.batch) + " x " + grouped(std::to_string(held)) + " tokens";
}

// What a weight takes, in words.
std::string weight_text(const RunFile::Serving& s) {
  if (s.weights_scheme.empty()) return "parameters x bytes of " + std::string(dtype_info(s.weights).name);
  return "parameters x " + shortest(weights_scheme(s.weights_scheme)->nominal_bits()) + " bits of " + s.weights_scheme;
}

ServingMemory memory_of(const RunFile::Serving& s, const Network& network) {
  ServingMemory m = serving_memory(network, s.batch, s.context, s.weights, s.cache);
  const Result<numerics::Scheme> scheme = cache_scheme(s.cache_scheme.empty() ? "bf16" : s.cache_scheme);
  if (!s.cache_scheme.empty() && scheme.ok())
    m.cache = cache_bytes(serving_state(network, s.context), *scheme).held * static_cast<double>(s.batch);
  if (const Result<numerics::Scheme> weights = weights_scheme(s.weights_scheme.empty() ? "bf16" : s.weights_scheme);
      !s.weights_scheme.empty() && weights.ok()) {
    m.weights = count(network).total().parameters.to_double() * weights->nominal_bits() / 8;
    m.rule = textbook::inference_rule(m.weights);
  }
  return m;
}

constexpr const char* kRecurrentRule = "numbers of the state of every recurrent layer x 4 bytes x sequences";

std::string bytes_text(double bytes) { return quantity_text(bytes, dim::kByte); }

}  // namespace

Table serving_table(const RunFile::Serving& s, const Network& network) {
  const ServingMemory m = memory_of(s, network);
  Table table{"inference",
              "Memory of serving " + what_is_served(s, network) + ", the whole model",
              {{"part", "Part"}, {"bytes", "Bytes", true}, {"rule", "Rule"}},
              {},
              {}};
  table.rows.push_back({std::string("weights"), figure(m.weights, dim::kByte), weight_text(s)});
  table.rows.push_back({std::string("keys and values"), figure(m.cache, dim::kByte),
                        std::string("layers x tokens held x (key + value) sizes; latent attention holds its latent")});
  if (m.recurrent > 0)
    table.rows.push_back(
        {std::string("recurrent states"), figure(m.recurrent, dim::kByte), std::string(kRecurrentRule)});
  table.rows.push_back({std::string("together"), figure(m.together(), dim::kByte),
                        std::string("without activations and the server's own buffers")});
  table.rows.push_back(
      {std::string("rule of thumb"), figure(m.rule, dim::kByte), std::string("1.2 x weights (Transformer Math 101)")});
  return table;
}

Book serving_answer(const TrainQuestion& q) {
  const Network& network = *q.network;
  const RunFile::Serving& s = *q.file.serving;
  const ServingMemory m = memory_of(s, network);
  const std::int64_t devices = q.file.run.layout.devices();
  Ledger ledger("train");
  Trace& trace = ledger.trace();
  ledger.book().title = q.file.title.empty() ? network.name : q.file.title;
  const Integer parameters = count(network).total().parameters;
  ledger.headline(
      "parameters", "parameters",
      trace.name("parameters", trace.constant(parameters, dim::kParameter), "counted operator by operator"));
  Entry entry{"memory of serving"};
  const auto add = [&](const char* name, double bytes, std::string source) {
    entry.children.push_back(
        {name, {{"bytes", trace.name(name, trace.constant(std::round(bytes), dim::kByte), std::move(source))}}});
  };
  add("weights", m.weights, weight_text(s));
  add("keys and values", m.cache, "layers x tokens held x (key + value) sizes; latent attention holds its latent");
  if (m.recurrent > 0) add("recurrent states", m.recurrent, kRecurrentRule);
  const auto totals = ledger.add(std::move(entry));
  if (!totals.empty())
    ledger.headline("memory_bytes_per_device",
                    devices > 1 ? "an even share of each device" : "weights, keys and values",
                    totals.front().second / trace.constant(Integer(devices)));
  Book book = ledger.finish(0);
  const double together = m.together();
  const double capacity = q.file.device != nullptr ? usable_bytes(*q.file.device) : 0;
  std::string answer = bytes_text(together) + " to serve " + what_is_served(s, network);
  if (capacity > 0) {
    book.yes = together <= capacity * static_cast<double>(devices);
    answer += (book.yes ? " fit into " : " do not fit into ") +
              (devices > 1 ? std::to_string(devices) + " times " : std::string()) + bytes_text(capacity) + " of " +
              q.file.device->with_article();
    book.words.emplace_back("fits", book.yes ? "yes" : "no");
  }
  book.summary.push_back(answer + "; activations and the server's own buffers come on top");
  book.tables.push_back(serving_table(s, network));
  const Node given = q.file.root.find("inference");
  const auto assumed = [&](std::string_view key, std::string value) {
    if (!given.find(key))
      book.notes.push_back(note("assumed", "inference." + std::string(key) + ": " + std::move(value) + " (not given)"));
  };
  assumed("batch", std::to_string(s.batch));
  assumed("context", std::to_string(s.context > 0 ? s.context : network.sequence));
  assumed("weights", std::string(dtype_info(s.weights).name));
  assumed("cache", std::string(dtype_info(s.cache).name));
  return book;
}

}  // namespace floptally
