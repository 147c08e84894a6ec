#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"diffllama"};
constexpr std::string_view kArchitectures[] = {"DiffLlamaForCausalLM", "DiffLlamaModel"};

// Differential attention (2410.05258): heads in pairs read the values of both; the second's result is subtracted,
// scaled by one learned number made of four vectors.
void describe_differential(Family& f, const AttentionPart& a) {
  const std::int64_t tokens = f.tokens, width = a.heads * a.head_dim, keys = a.kv_heads * a.head_dim;
  const Scope scope(f.sink, "self_attn");
  f.sink.add(column_linear("q_proj", tokens, a.width, width, a.q_bias, Component::projection));
  f.sink.add(
      column_linear("k_proj", tokens, a.width, keys, a.k_bias, Component::projection).with(op_flags::shared_input));
  f.sink.add(
      column_linear("v_proj", tokens, a.width, keys, a.v_bias, Component::projection).with(op_flags::shared_input));
  f.sink.add(rotary("rotary", tokens, a.heads + a.kv_heads, a.head_dim));
  AttentionShape shape;
  shape.queries = shape.keys = tokens;
  shape.heads = a.heads;
  shape.kv_heads = a.kv_heads;
  shape.key_dim = a.head_dim;
  shape.value_dim = 2 * a.head_dim;
  f.sink.add(attention("attention", shape));
  f.sink.add(parameter("lambda", 4 * a.head_dim, 4 * a.head_dim, Component::attention));
  f.sink.add(elementwise("difference", tokens * width, 2, 2, 0).part_of(Component::attention));
  f.sink.add(layer_norm("groupnorm", tokens * std::max<std::int64_t>(1, a.heads / 2), 2 * a.head_dim, false, false));
  f.sink.add(row_linear("o_proj", tokens, width, a.width, a.out_bias, Component::projection));
}

void describe_diffllama(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart a = attention_of(s);
  const bool bias = c.flag("attention_bias", false), tied = read_tied(f, false);
  set_bias(a, bias, bias);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu));
  if (s.heads % 2 != 0 || s.kv_heads % 2 != 0)
    c.problem("shape-divide", "num_attention_heads", "heads stand in pairs: their numbers must be even");
  c.understood({"lambda_std_dev"});
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, s.width);
  {
    const Scope layers(f.sink, "layers", s.layers, BlockKind::layer);
    f.sink.add(rms_norm("input_layernorm", f.tokens, s.width));
    describe_differential(f, a);
    f.sink.add(residual(f.tokens * s.width));
    f.sink.add(rms_norm("post_attention_layernorm", f.tokens, s.width));
    describe_mlp(mlp, f.tokens, f.sink);
    f.sink.add(residual(f.tokens * s.width));
  }
  describe_head(f, NormKind::rms, s.width, s.vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_diffllama;
const FamilyDef k_diffllama = {"diffllama",
                               "DiffLlama: Llama with differential attention",
                               "huggingface/transformers models/diffllama/modeling_diffllama.py; 2410.05258",
                               kTypes,
                               kArchitectures,
                               build<describe_diffllama>};

}  // namespace floptally::families
