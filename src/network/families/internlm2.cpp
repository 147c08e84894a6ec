#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"internlm2", "internlm3", "baichuan"};
constexpr std::string_view kArchitectures[] = {"InternLM2ForCausalLM", "InternLM3ForCausalLM", "BaichuanForCausalLM",
                                               "BaiChuanForCausalLM"};

void describe_internlm2(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  attention.joined = f.architecture() != "InternLM3ForCausalLM";
  const bool bias = c.flag("bias", false), query_bias = c.flag("qkv_bias", bias);
  set_bias(attention, query_bias, bias);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu));
  const bool tied = read_tied(f, false);
  c.understood(
      {"attn_implementation", "z_loss_weight", "gradient_checkpointing", "pretraining_tp", "model_max_length"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp}, tied);
}

}  // namespace

extern const FamilyDef k_internlm2;
const FamilyDef k_internlm2 = {
    "internlm2",
    "InternLM 2 and Baichuan 2: Llama layers with one fused matrix for query, key and value",
    "internlm/internlm2-7b modeling_internlm2.py; baichuan-inc/Baichuan2-7B-Base modeling_baichuan.py",
    kTypes,
    kArchitectures,
    build<describe_internlm2>};

}  // namespace floptally::families
