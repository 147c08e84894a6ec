#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"bitnet"};
constexpr std::string_view kArchitectures[] = {"BitNetForCausalLM", "BitnetForCausalLM"};

void describe_bitnet(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  const std::int64_t inner = c.size("intermediate_size");
  const MlpPart mlp = mlp_of(s.width, inner, read_activation(f, Activation::relu_squared));
  const bool tied = read_tied(f, false);
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, s.width);
  {
    const Scope layers(f.sink, "layers", s.layers, BlockKind::layer);
    describe(f, {.attention = &attention, .mlp = &mlp});
    f.sink.add(rms_norm("attn_sub_norm", f.tokens, s.heads * s.head_dim));
    f.sink.add(rms_norm("ffn_sub_norm", f.tokens, inner));
  }
  describe_head(f, NormKind::rms, s.width, s.vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_bitnet;
const FamilyDef k_bitnet = {"bitnet",
                            "BitNet b1.58: Llama layers with ternary matrices and norms inside the sublayers",
                            "huggingface/transformers models/bitnet/modeling_bitnet.py; 2504.12285",
                            kTypes,
                            kArchitectures,
                            build<describe_bitnet>};

}  // namespace floptally::families
