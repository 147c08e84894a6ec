// What a row leaves to the recipes of its source: the micro-batch, recomputation and offloading that tables do not
// show.
#include "evidence/cells.h"
#include "evidence/labels.h"
#include "training/table.h"

namespace floptally {
namespace {

FactTable recipe_table() { return FactTable("evidence/recipes.csv"); }

bool begins_with_one_of(std::string_view name, std::string_view words) {
  if (words.empty()) return true;
  for (const std::string_view word : split(words, '|')) {
    if (name.substr(0, word.size()) == word) return true;
  }
  return false;
}

// The first row of recipes.csv for the run.
std::optional<std::size_t> find_recipe(const FactTable& table, const EvidenceRow& row) {
  const std::string source = lower(row.source), model = folded(row.model), device = lower(row.run.device);
  const std::string sharded = row.run.layout.zero == Zero::weights ? "1" : "0";
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const std::string_view stated = table.cell(i, "sharded"), gpu = table.cell(i, "gpu");
    if (contains(source, table.cell(i, "src")) && contains(model, table.cell(i, "model")) &&
        std::string_view(device).substr(0, gpu.size()) == gpu && (stated.empty() || stated == sharded) &&
        begins_with_one_of(row.run.precision.name, table.cell(i, "precision")))
      return i;
  }
  return std::nullopt;
}

}  // namespace

void read_recipe(EvidenceRow& out, const Cells& cells, std::int64_t micro_batch, bool known) {
  if (!out.arguments.empty()) return;
  Layout& l = out.run.layout;
  if (l.micro_batch == 0 && out.accumulated == 0 && micro_batch > 0) {
    l.micro_batch = micro_batch;
    out.assumed.push_back("micro-batch " + std::to_string(micro_batch) + " (the source's recipes)");
  }
  // MaxText: devices of a slice share the weights, slices are copies.
  const std::int64_t slices = number_after(out.notes, "slices=");
  if (slices > 1 && out.devices % slices == 0 && l.zero == Zero::weights && l.shard == 0)
    l.shard = out.devices / slices;
  const bool split = out.run.framework.name == "megatron" && known && out.devices > 1;
  if (split && cells.skipped("tp") && cells.skipped("pp") && cells.blank("dp") && cells.blank("zero") &&
      out.reason.empty())
    out.reason = "tp and pp are missing";
  // "None None" of a card: neither granularity nor method is set there, the recipe's modules stand.
  if (!cells.text("recompute").empty() && lower(cells.text("recompute")) != "none none") return;
  const FactTable& table = facts<FactTable, recipe_table>();
  const auto recipe = find_recipe(table, out);
  if (!recipe) return;
  const std::string_view label = table.cell(*recipe, "recompute");
  if (const auto recompute = recompute_label(label); recompute && !label.empty()) {
    out.run.recompute = *recompute;
    out.run.offload.activations = offloads_inputs(label);
    out.noted.push_back("recompute " + std::string(label) + " (the source's recipe)");
  }
  if (table.cell(*recipe, "loss") == "chunked") {
    out.run.chunked_loss = true;
    out.noted.emplace_back("logits are made piece by piece (the source's recipe)");
  }
  if (const std::int64_t layers = number_after(table.cell(*recipe, "offload_layers"), ""); layers > 0) {
    out.run.offload.activations = true;
    out.run.offload.layers = layers;
    out.noted.push_back("activations of " + std::to_string(layers) + " layers offloaded (the source's recipe)");
  }
}

}  // namespace floptally
