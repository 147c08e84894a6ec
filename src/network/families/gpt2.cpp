#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"gpt2", "gpt-sw3"};
constexpr std::string_view kArchitectures[] = {"GPT2LMHeadModel", "GPT2Model"};

void describe_gpt2(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("n_embd");
  s.layers = c.size("n_layer");
  s.heads = s.kv_heads = c.size("n_head");
  s.vocabulary = c.size("vocab_size");
  c.divides("n_head", s.heads, "n_embd", s.width);
  s.head_dim = std::max<std::int64_t>(1, s.width / s.heads);
  const std::int64_t positions = c.size("n_positions", "n_ctx");
  f.sequence(positions);
  AttentionPart attention = attention_of(s);
  attention.joined = true;
  attention.rotary_dim = 0;
  set_bias(attention, true, true);
  const MlpPart mlp = mlp_of(s.width, c.size_or("n_inner", 4 * s.width),
                             read_activation(f, Activation::gelu, "activation_function"), false, true);
  const bool tied = read_tied(f, true);
  c.understood({"n_ctx", "scale_attn_weights", "scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn"});
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, s.width, "wte");
  f.sink.add(position_table("wpe", f.tokens, positions, s.width));
  {
    const Scope layers(f.sink, "h", s.layers, BlockKind::layer);
    describe(f, {.attention = &attention, .mlp = &mlp, .norm = NormKind::layer});
  }
  describe_head(f, NormKind::layer, s.width, s.vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_gpt2;
const FamilyDef k_gpt2 = {"gpt2",
                          "GPT-2 (and GPT-3 shapes): learned positions, layer norms, biases, tied embedding",
                          "huggingface/transformers models/gpt2/modeling_gpt2.py",
                          kTypes,
                          kArchitectures,
                          build<describe_gpt2>};

}  // namespace floptally::families
