#include "network/families/_deepseek.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"axk2"};
constexpr std::string_view kArchitectures[] = {"AXK2ForCausalLM", "AXK2Model"};

// A norm whose output is gated by two small matrices that read it.
void describe_gate(Family& f, std::string_view name, std::int64_t width, std::int64_t rank) {
  const Scope scope(f.sink, name);
  f.sink.add(linear("fc1", f.tokens, width, rank).with(op_flags::shared_input));
  f.sink.add(activation("act", f.tokens * rank, Activation::silu));
  f.sink.add(linear("fc2", f.tokens, rank, width));
  f.sink.add(activation("sigmoid", f.tokens * width, Activation::sigmoid));
  f.sink.add(elementwise("gate", f.tokens * width, 2, 1, 2 * f.tokens * width));
}

void describe_axk2(Family& f) {
  const Keys& c = f.config;
  DeepSeek d = read_deepseek(f);
  d.moe.correction_bias = true;
  const Selection selection = read_selection(f, d.attention);
  const std::vector<std::uint8_t> routed = routed_layers(f, d.sizes.layers);
  const std::int64_t rank = c.size("gated_norm_rank"), width = d.sizes.width;
  if (d.attention.q_rank < 1) c.problem("missing-key", "q_lora_rank", "the config has no 'q_lora_rank'");
  const bool tied = read_tied(f, false);
  if (!f.ok()) return;
  const AttentionPart& a = selection.attention;
  const std::int64_t values = a.heads * a.value_dim;
  describe_decoder(f, d.sizes, routed, NormKind::rms, tied, [&](std::uint8_t kind) {
    describe_indexer(f, selection.indexer, width);
    describe(f, {.attention = &a, .mlp = &d.mlp, .moe = kind != 0 ? &d.moe : nullptr});
    describe_gate(f, "input_layernorm.mlp", width, rank);
    if (kind != 0) describe_gate(f, "post_attention_layernorm.mlp", width, rank);
    // One matrix reads the compressed queries before and behind their norm and makes queries and a gate of the values;
    // what it has beside DeepSeek's matrix for queries:
    f.sink.add(linear("q_gate_proj.query", f.tokens, a.q_rank, a.heads * a.head_dim, false, Component::projection));
    f.sink.add(linear("q_gate_proj.gate", f.tokens, 2 * a.q_rank, values, false, Component::projection));
    f.sink.add(activation("sigmoid", f.tokens * values, Activation::sigmoid));
    f.sink.add(elementwise("gate", f.tokens * values, 2, 1, 2 * f.tokens * values));
  });
}

}  // namespace

extern const FamilyDef k_axk2;
const FamilyDef k_axk2 = {
    "axk2",
    "A.X K2: latent attention over what an indexer selects, gated by its own queries; norms with a small gate; experts",
    "huggingface/transformers models/axk2/modeling_axk2.py",
    kTypes,
    kArchitectures,
    build<describe_axk2>};

}  // namespace floptally::families
