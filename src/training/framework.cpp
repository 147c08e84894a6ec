#include "training/framework.h"

#include <optional>

#include "base/nearest.h"
#include "training/table.h"

namespace floptally {
namespace {

FactTable framework_table() { return FactTable("training/frameworks.csv"); }
FactTable fitted_table() { return FactTable("training/fitted.csv"); }

// The fitted value called `constant` of `whose`, or of "any".
std::optional<Spread> fitted(std::string_view constant, std::string_view whose) {
  const FactTable& table = facts<FactTable, fitted_table>();
  std::optional<Spread> out;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string_view owner = table.cell(row, "whose");
    if (table.cell(row, "name") != constant || (owner != whose && (owner != "any" || out))) continue;
    out = {table.number(row, "value"), table.number(row, "low"), table.number(row, "high")};
    if (owner == whose) break;
  }
  return out;
}

std::vector<Framework> read_frameworks() {
  std::vector<Framework> out;
  const FactTable& table = facts<FactTable, framework_table>();
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const auto number = [&](std::string_view column) { return table.number(row, column); };
    Framework f;
    f.name = table.cell(row, "name");
    const auto gradients = find_dtype(table.cell(row, "gradients"));
    f.gradients = gradients ? *gradients : Dtype::unspecified;
    const std::string_view wgrad = table.cell(row, "wgrad");
    f.wgrad = wgrad == "dummy" ? Wgrad::dummy : wgrad == "in-place" ? Wgrad::in_place : Wgrad::transient;
    f.loss_forward = number("loss_forward");
    f.loss_backward = number("loss_backward");
    f.loss_compiled = number("loss_compiled");
    f.loss_parallel = number("loss_parallel");
    f.loss_blocks = number("loss_blocks");
    f.attention_copies = number("attention_copies");
    f.norm_bytes = number("norm_bytes");
    f.norm_trained = number("norm_trained");
    f.gated_kept = number("gated_kept");
    f.expert_scaled = number("expert_scaled") > 0;
    f.expert_outputs = number("expert_outputs") > 0;
    f.handles = number("handles");
    f.engine_workspace = number("engine_workspace") > 0;
    f.buckets = number("buckets");
    f.optimizer_temporary = number("optimizer_temporary");
    f.shard_gradients = number("shard_gradients");
    f.second_gradients = number("second_gradients");
    f.packed_inputs = number("packed_inputs");
    f.fused_values = number("fused_values") > 0;
    f.repeats_keys = number("repeats_keys") > 0;
    f.products_policy = number("products_policy") > 0;
    f.late_gradients = number("late_gradients") > 0;
    f.copies_output = number("copies_output") > 0;
    f.whole_gradients = number("whole_gradients") > 0;
    f.score_buffer = number("score_buffer") > 0;
    f.flat_step = number("flat_step") > 0;
    f.one_copy = number("one_copy") > 0;
    f.root_gathered = number("root_gathered") > 0;
    f.saves_gathered = number("saves_gathered") > 0;
    f.gather_buffer = number("gather_buffer") > 0;
    f.router_engine = number("router_engine") > 0;
    f.padding_masks = number("padding_masks") > 0;
    f.unties = number("unties") > 0;
    f.keeps_high_precision = number("high_precision") > 0;
    f.planned = number("planned") > 0;
    f.shards_pipelines = number("shards_pipelines") > 0;
    f.splits_sequence = number("splits_sequence") > 0;
    f.offloads_gradients = number("offloads_gradients") > 0;
    f.packs_head = number("packs_head") > 0;
    f.unpacked = number("unpacked");
    f.zero_pads = number("zero_pads") > 0;
    f.reserved = f.planned ? Spread{1, 1, 1} : fitted("reserved", f.name).value_or(f.reserved);
    if (const auto load = fitted("expert_load", f.name)) f.expert_load = load->best;
    f.source = table.cell(row, "source");
    out.push_back(std::move(f));
  }
  return out;
}

std::vector<DeviceOverhead> read_overheads() {
  std::vector<DeviceOverhead> out;
  const FactTable table("training/device_overheads.csv");
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const auto number = [&](std::string_view column) { return table.number(row, column); };
    out.push_back({std::string(table.cell(row, "device")),
                   number("cublas_workspace"),
                   number("engine_workspace"),
                   number("cudnn_attention") > 0,
                   {number("context"), number("context_low"), number("context_high")},
                   std::string(table.cell(row, "source"))});
  }
  if (out.empty()) out.push_back({"any", 0, 0, false, {}, {}});
  return out;
}

}  // namespace

const std::vector<Framework>& frameworks() { return facts<std::vector<Framework>, read_frameworks>(); }

Result<Framework> find_framework(std::string_view name, Span at) {
  const FactTable& table = facts<FactTable, framework_table>();
  const auto row = table.find(name);
  if (row) return frameworks()[*row];
  return error("unknown-framework", "no framework is called \"" + std::string(name) + "\"", at,
               suggestion(name, table.names()));
}

const DeviceOverhead& device_overhead(std::string_view device) {
  const std::vector<DeviceOverhead>& all = facts<std::vector<DeviceOverhead>, read_overheads>();
  const std::string wanted = folded(device);
  const DeviceOverhead* best = &all.back();
  std::size_t longest = 0;
  for (const DeviceOverhead& row : all) {
    const std::string name = folded(row.device);
    if (name.size() > longest && wanted.compare(0, name.size(), name) == 0) {
      best = &row;
      longest = name.size();
    }
  }
  return *best;
}

}  // namespace floptally
