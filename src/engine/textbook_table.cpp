#include "engine/textbook_table.h"

#include <cstdio>

#include "book/ledger.h"
#include "estimate/textbook.h"
#include "network/dtype.h"
#include "quantity/print.h"
#include "training/optimizer.h"

namespace floptally {
namespace {

// The papers' GB are of 10^9 bytes: "31.40625 GB".
std::string decimal_text(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.8g", bytes / 1e9);
  return text;
}

textbook::Inputs inputs_of(const Run& run) {
  textbook::Inputs in;
  const Layout& l = run.layout;
  in.micro_batch = static_cast<double>(l.micro_batch);
  in.data = static_cast<double>(l.shard_ranks());
  in.tensor = static_cast<double>(l.tensor);
  in.pipeline = static_cast<double>(l.pipeline);
  in.chunks = static_cast<double>(l.chunks);
  in.weight_bytes = bytes_of(run.precision.weights);
  in.gradient_bytes = bytes_of(run.precision.gradients);
  in.optimizer_bytes = state_bytes_per_parameter(run.optimizer);
  in.master_bytes = bytes_of(run.precision.master);
  in.sequence_parallel = l.sequence_parallel;
  return in;
}

// What is made again, as far as the closed formulas know: attention of every layer, and whole layers.
void set_recomputation(textbook::Inputs& in, const Run& run) {
  const Recompute& r = run.recompute;
  const bool selective = r.mode == Recompute::Mode::selective;
  const bool attention = selective && (r.modules & Recompute::core_attention) != 0;
  in.replay = run.fused_attention || attention ? textbook::Replay::selective : textbook::Replay::none;
  in.fused = run.fused_attention && !attention;
  in.other_modules = selective && (r.modules & ~std::uint32_t{Recompute::core_attention}) != 0;
  if (r.mode != Recompute::Mode::full) return;
  in.group = static_cast<double>(r.group);
  in.whole_layers = r.layers > 0  ? std::min(in.layers, static_cast<double>(r.layers) * in.pipeline)
                    : r.every > 1 ? std::floor(in.layers / static_cast<double>(r.every))
                                  : in.layers;
}

Table table_of(const textbook::Inputs& in) {
  Table table{"textbook",
              "What the closed formulas say",
              {{"formula", "Formula"},
               {"bytes", "Bytes", true},
               {"gb", "GB", true},
               {"leaves_out", "Leaves out"},
               {"source", "Source"}},
              {},
              {}};
  for (const textbook::Row& row : textbook::rows(in)) {
    if (row.bytes <= 0) continue;  // of a network without attention layers Korthikanti's says nothing
    table.rows.push_back({row.name + ": " + row.formula, figure(row.bytes, dim::kByte), decimal_text(row.bytes),
                          row.leaves_out, row.source});
  }
  if (in.trained < in.parameters)
    table.note = "frozen parameters have no gradients and no optimizer states: T is the " +
                 quantity_text(in.trained, dim::kParameter) + " that are trained, P all " +
                 quantity_text(in.parameters, dim::kParameter);
  return table;
}

}  // namespace

Table textbook_table(const Network& network, const Run& run, const Measure<Integer>& total, const Divisors& d) {
  textbook::Inputs in = inputs_of(run);
  in.parameters = total.parameters.to_double();
  in.trained = (total.parameters - total.frozen).to_double();
  in.layers = static_cast<double>(d.layers);
  in.width = static_cast<double>(d.width);
  in.heads = static_cast<double>(d.heads);
  in.sequence = static_cast<double>(network.sequence);
  set_recomputation(in, run);
  Table table = table_of(in);
  if (run.adapter.rank > 0 && run.adapter.base != Dtype::unspecified)
    table.note += "; that the base is held in " + std::string(dtype_info(run.adapter.base).name) + " they leave out";
  return table;
}

Table textbook_table(double parameters, const Run& run) {
  textbook::Inputs in = inputs_of(run);
  in.parameters = in.trained = parameters;
  return table_of(in);
}

}  // namespace floptally
