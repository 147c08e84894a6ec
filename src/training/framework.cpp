#include "training/framework.h"

#include <optional>
#include <utility>

#include "base/nearest.h"
#include "hardware/device.h"
#include "training/table.h"

namespace floptally {
namespace {

FactTable framework_table() { return FactTable("training/frameworks.csv"); }
FactTable fitted_table() { return FactTable("training/fitted.csv"); }
FactTable allocator_table() { return FactTable("training/allocator.csv"); }

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

// Columns that are numbers, and columns that are 1 where a rule holds.
constexpr std::pair<const char*, double Framework::*> kNumbers[] = {
    {"loss_forward", &Framework::loss_forward},
    {"loss_backward", &Framework::loss_backward},
    {"loss_compiled", &Framework::loss_compiled},
    {"loss_parallel", &Framework::loss_parallel},
    {"loss_blocks", &Framework::loss_blocks},
    {"attention_copies", &Framework::attention_copies},
    {"norm_bytes", &Framework::norm_bytes},
    {"norm_trained", &Framework::norm_trained},
    {"gated_kept", &Framework::gated_kept},
    {"handles", &Framework::handles},
    {"buckets", &Framework::buckets},
    {"optimizer_temporary", &Framework::optimizer_temporary},
    {"shard_gradients", &Framework::shard_gradients},
    {"second_gradients", &Framework::second_gradients},
    {"reducer", &Framework::reducer},
    {"packed_inputs", &Framework::packed_inputs},
    {"unpacked", &Framework::unpacked},
    {"gather_buffer", &Framework::gather_buffers},
    {"launches", &Framework::launches},
};
constexpr std::pair<const char*, bool Framework::*> kRules[] = {
    {"expert_scaled", &Framework::expert_scaled},
    {"expert_outputs", &Framework::expert_outputs},
    {"engine_workspace", &Framework::engine_workspace},
    {"fused_values", &Framework::fused_values},
    {"repeats_keys", &Framework::repeats_keys},
    {"products_policy", &Framework::products_policy},
    {"late_gradients", &Framework::late_gradients},
    {"copies_output", &Framework::copies_output},
    {"whole_gradients", &Framework::whole_gradients},
    {"score_buffer", &Framework::score_buffer},
    {"flat_step", &Framework::flat_step},
    {"one_copy", &Framework::one_copy},
    {"root_gathered", &Framework::root_gathered},
    {"saves_gathered", &Framework::saves_gathered},
    {"router_engine", &Framework::router_engine},
    {"router_graphs", &Framework::router_graphs},
    {"pads_experts", &Framework::pads_experts},
    {"gradients_wait", &Framework::gradients_wait},
    {"loops_experts", &Framework::loops_experts},
    {"flat_units", &Framework::flat_units},
    {"one_graph", &Framework::one_graph},
    {"reshards_root", &Framework::reshards_root},
    {"padding_masks", &Framework::padding_masks},
    {"unties", &Framework::unties},
    {"high_precision", &Framework::keeps_high_precision},
    {"planned", &Framework::planned},
    {"shards_pipelines", &Framework::shards_pipelines},
    {"splits_sequence", &Framework::splits_sequence},
    {"offloads_gradients", &Framework::offloads_gradients},
    {"packs_head", &Framework::packs_head},
    {"zero_pads", &Framework::zero_pads},
    {"holds_exchanged", &Framework::holds_exchanged},
};

std::vector<Framework> read_frameworks() {
  std::vector<Framework> out;
  const FactTable& table = facts<FactTable, framework_table>();
  const FactTable& allocator = facts<FactTable, allocator_table>();
  for (std::size_t row = 0; row < table.rows(); ++row) {
    Framework f;
    f.name = table.cell(row, "name");
    const auto gradients = find_dtype(table.cell(row, "gradients"));
    f.gradients = gradients ? *gradients : Dtype::unspecified;
    const std::string_view wgrad = table.cell(row, "wgrad");
    f.wgrad = wgrad == "dummy" ? Wgrad::dummy : wgrad == "in-place" ? Wgrad::in_place : Wgrad::transient;
    for (const auto& [column, member] : kNumbers) f.*member = table.number(row, column);
    for (const auto& [column, member] : kRules) f.*member = table.number(row, column) > 0;
    f.reserved = f.planned ? Spread{1, 1, 1} : fitted("reserved", f.name).value_or(f.reserved);
    if (const auto at = allocator.find("scattered"); at && !f.planned)
      f.scattered = {allocator.number(*at, "value"), allocator.number(*at, "low"), allocator.number(*at, "high")};
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
                   number("cublas_before"),
                   number("cudnn_attention") > 0,
                   {number("context"), number("context_low"), number("context_high")},
                   number("usable"),
                   std::string(table.cell(row, "source"))});
  }
  if (out.empty()) out.push_back({"any", 0, 0, 0, false, {}, 1, {}});
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

double usable_bytes(const Device& device) {
  return device.memory_bytes.value_or(0) * device_overhead(device.name).usable;
}

}  // namespace floptally
