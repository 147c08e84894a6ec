#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"nemotron-nas", "deci"};
constexpr std::string_view kArchitectures[] = {"DeciLMForCausalLM"};

// One entry of block_configs; 0 is a sublayer that is left out, -1 one that cannot be read.
struct Block {
  std::int64_t kv_heads = -1, inner = -1, window = 0;
  bool linear_attention = false, linear_mlp = false;
};

// The width is two thirds of ffn_mult times the model's, rounded up to a multiple of 256.
std::int64_t inner_width(double multiple, std::int64_t width) {
  const auto exact = static_cast<std::int64_t>(2 * multiple * static_cast<double>(width) / 3);
  return (exact + 255) / 256 * 256;
}

Block read_block(const Node& node, const TextSizes& s) {
  Block b;
  const Node a = node["attention"], m = node["ffn"];
  b.linear_attention = a["replace_with_linear"].as_bool().value_or(false);
  b.linear_mlp = m["replace_with_linear"].as_bool().value_or(false);
  if (a["no_op"].as_bool().value_or(false) || b.linear_attention)
    b.kv_heads = 0;
  else if (const auto group = a["n_heads_in_group"].as_integer();
           group && Integer(0) < *group && *group <= Integer(s.heads))
    b.kv_heads = s.heads / group->to_int64();
  if (const auto window = a["window_length"].as_integer(); window && Integer(0) < *window && window->fits_int64())
    b.window = window->to_int64();
  if (m["no_op"].as_bool().value_or(false) || b.linear_mlp)
    b.inner = 0;
  else if (const auto multiple = m["ffn_mult"].as_double(); multiple && *multiple > 0 && *multiple < 1000)
    b.inner = inner_width(*multiple, s.width);
  return b;
}

void describe_nemotron_nas(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("hidden_size");
  s.layers = c.size("num_hidden_layers");
  s.heads = c.size("num_attention_heads");
  s.vocabulary = c.size("vocab_size");
  c.divides("num_attention_heads", s.heads, "hidden_size", s.width);
  s.head_dim = c.size_or("head_dim", std::max<std::int64_t>(1, s.width / s.heads));
  f.sequence(c.size_or("max_position_embeddings", 4096));
  const bool bias = c.flag("attention_bias", false), mlp_bias = c.flag("mlp_bias", false), tied = read_tied(f, false);
  const Activation activation = read_activation(f, Activation::silu);
  const Node blocks = c.node("block_configs");
  if (!blocks.is_sequence() || static_cast<std::int64_t>(blocks.size()) != s.layers)
    c.problem("missing-key", "block_configs",
              "'block_configs' must list one block for each of the " + std::to_string(s.layers) + " layers");
  c.understood({"num_key_value_heads", "intermediate_size", "pretraining_tp"});
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, s.width);
  for (const Node block : blocks) {
    const Block b = read_block(block, s);
    if (b.kv_heads < 0 || b.inner < 0)
      return c.problem("wrong-type", "block_configs",
                       "a block needs attention.n_heads_in_group and ffn.ffn_mult (or no_op)");
    const Scope layer(f.sink, "layers", 1, BlockKind::layer);
    if (b.kv_heads > 0 || b.linear_attention) f.sink.add(rms_norm("input_layernorm", f.tokens, s.width));
    if (b.linear_attention) {
      f.sink.add(linear("self_attn", f.tokens, s.width, s.width, false, Component::projection));
    } else if (b.kv_heads > 0) {
      AttentionPart a = attention_of(s);
      a.kv_heads = b.kv_heads;
      set_bias(a, bias, bias);
      set_window(a, b.window);
      describe_attention(a, f.tokens, f.sink);
    }
    f.sink.add(residual(f.tokens * s.width));
    if (b.inner > 0 || b.linear_mlp) f.sink.add(rms_norm("post_attention_layernorm", f.tokens, s.width));
    if (b.linear_mlp)
      f.sink.add(linear("mlp", f.tokens, s.width, s.width));
    else if (b.inner > 0)
      describe_mlp(mlp_of(s.width, b.inner, activation, true, mlp_bias), f.tokens, f.sink);
    f.sink.add(residual(f.tokens * s.width));
  }
  describe_head(f, NormKind::rms, s.width, s.vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_nemotron_nas;
const FamilyDef k_nemotron_nas = {
    "nemotron_nas",
    "Llama-Nemotron of neural architecture search: each layer with its own key heads and feed-forward width, or none",
    "nvidia/Llama-3_3-Nemotron-Super-49B-v1 modeling_decilm.py; 2411.19146",
    kTypes,
    kArchitectures,
    build<describe_nemotron_nas>};

}  // namespace floptally::families
