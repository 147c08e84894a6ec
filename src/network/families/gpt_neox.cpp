#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"gpt_neox"};
constexpr std::string_view kArchitectures[] = {"GPTNeoXForCausalLM"};

void describe_gpt_neox(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  attention.joined = true;
  attention.kv_heads = s.heads;
  const bool bias = c.flag("attention_bias", true);
  set_bias(attention, bias, bias);
  attention.rotary_dim = static_cast<std::int64_t>(c.ratio_or("rotary_pct", 0.25) * static_cast<double>(s.head_dim));
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::gelu), false, true);
  const Residuals residuals = c.flag("use_parallel_residual", true) ? Residuals::parallel_two : Residuals::pre_norm;
  const bool tied = read_tied(f, false);
  c.understood({"rotary_emb_base"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp, .norm = NormKind::layer, .residuals = residuals}, tied);
}

}  // namespace

extern const FamilyDef k_gpt_neox;
const FamilyDef k_gpt_neox = {
    "gpt_neox",
    "GPT-NeoX and Pythia: parallel residual, partial rotary positions, layer norms and biases",
    "huggingface/transformers models/gpt_neox/modeling_gpt_neox.py",
    kTypes,
    kArchitectures,
    build<describe_gpt_neox>};

}  // namespace floptally::families
