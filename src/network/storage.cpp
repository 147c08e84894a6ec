// How a published config says its parameters are stored: torch_dtype, quantization_config.
#include "network/blocks/quantization.h"
#include "network/family.h"

namespace floptally {

namespace {

// Where in the model a block stands, by its name and the blocks around it.
struct Place {
  Part part = Part::other;
  bool tower = false;       // inside a tower of another modality
  bool extra_head = false;  // inside a multi-token-prediction layer
};

Place inside(Place place, std::string_view block) {
  if (block == "self_attn" || block == "attention" || block == "indexer") place.part = Part::attention;
  if (block == "linear_attn" || block == "mixer" || block == "mamba") place.part = Part::linear_attention;
  if (block == "mlp") place.part = Part::dense;
  if (block == "experts") place.part = Part::experts;
  if (block == "shared_experts") place.part = Part::shared;
  if (block == "vision_tower" || block == "audio_tower" || block == "projector") place.tower = true;
  if (block == "mtp") place.extra_head = true;
  return place;
}

Part part_of(const Op& op, const Place& place) {
  const bool matrix = op.def == &operators::k_linear || op.def == &operators::k_grouped_linear;
  if (!matrix || op.component == Component::router) return Part::other;
  if (place.tower) return Part::towers;
  if (op.component == Component::unembed) return Part::head;
  const bool expert = op.def == &operators::k_grouped_linear && op.component == Component::mlp;
  return expert ? Part::experts : place.part;
}

void store(Network& network, const Quantization& quantization, std::uint32_t block, Place place) {
  for (const Item& item : network.blocks[block].items) {
    if (item.is_block) {
      store(network, quantization, item.index, inside(place, network.blocks[item.index].name));
      continue;
    }
    Op& op = network.ops[item.index];
    const bool skipped = place.extra_head && quantization.skips_extra_heads;
    if (op.stored == Dtype::unspecified && !skipped) op.stored = quantization.of(part_of(op, place));
  }
}

// The first value under `key` in `mapping` or in the mappings inside it.
Node find_inside(Node mapping, std::string_view key, int depth = 0) {
  if (const Node value = mapping.find(key); value && !value.is_null()) return value;
  constexpr int kDeepest = 4;
  if (depth == kDeepest) return {};
  for (Node child : mapping)
    if (child.is_mapping() && child.key() != "quantization_config")
      if (const Node value = find_inside(child, key, depth + 1)) return value;
  return {};
}

}  // namespace

void read_storage(Node config, Network& network) {
  for (const char* key : {"torch_dtype", "dtype"})
    if (const std::optional<Dtype> dtype = find_dtype(find_inside(config, key).text())) network.dtype = *dtype;
  Node described = find_inside(config, "quantization_config");
  if (!described) described = find_inside(config, "compression_config");
  const std::optional<Integer> layers = find_inside(config, "num_hidden_layers").as_integer();
  const QuantizationReading read = read_quantization(described, layers && layers->fits_int64() ? layers->to_int64() : 1,
                                                     find_inside(config, "expert_dtype"));
  if (!read.known) {
    network.notes.push_back(note("unknown-quantization",
                                 "the quantization method is not known: bytes are counted as unquantized",
                                 described.span()));
  }
  if (!network.blocks.empty()) store(network, read.quantization, 0, {});
}

}  // namespace floptally
