#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"gpt_bigcode"};
constexpr std::string_view kArchitectures[] = {"GPTBigCodeForCausalLM"};

void describe_gpt_bigcode(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("n_embd");
  s.layers = c.size("n_layer");
  s.heads = c.size("n_head");
  s.vocabulary = c.size("vocab_size");
  c.divides("n_head", s.heads, "n_embd", s.width);
  s.head_dim = std::max<std::int64_t>(1, s.width / s.heads);
  s.kv_heads = c.flag("multi_query", true) ? 1 : s.heads;
  const std::int64_t positions = c.size("n_positions");
  f.sequence(positions);
  AttentionPart attention = attention_of(s);
  attention.joined = true;
  attention.rotary_dim = 0;
  set_bias(attention, true, true);
  const MlpPart mlp = mlp_of(s.width, c.size_or("n_inner", 4 * s.width),
                             read_activation(f, Activation::gelu, "activation_function"), false, true);
  const bool tied = read_tied(f, true);
  c.understood({"attention_softmax_in_fp32", "scale_attention_softmax_in_fp32", "scale_attn_weights",
                "inference_runner", "max_batch_size", "max_sequence_length", "pad_key_length", "pre_allocate_kv_cache",
                "validate_runner_input"});
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

extern const FamilyDef k_gpt_bigcode;
const FamilyDef k_gpt_bigcode = {"gpt_bigcode",
                                 "StarCoder and SantaCoder: GPT-2 with one shared key and value head",
                                 "huggingface/transformers models/gpt_bigcode/modeling_gpt_bigcode.py",
                                 kTypes,
                                 kArchitectures,
                                 build<describe_gpt_bigcode>};

}  // namespace floptally::families
