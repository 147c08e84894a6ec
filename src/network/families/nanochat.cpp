#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"nanochat"};
constexpr std::string_view kArchitectures[] = {"NanoChatForCausalLM"};

void describe_nanochat(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  const MlpPart mlp =
      mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::relu_squared), false, false);
  const bool tied = read_tied(f, false);
  c.understood({"final_logit_softcapping"});
  if (!f.ok()) return;
  const auto normed = [&](std::string_view name) { f.sink.add(rms_norm(name, f.tokens, s.width, false)); };
  describe_embedding(f, s.vocabulary, s.width);
  normed("initial_norm");
  {
    const Scope layers(f.sink, "layers", s.layers, BlockKind::layer);
    normed("input_layernorm");
    describe_attention(attention, f.tokens, f.sink);
    f.sink.add(rms_norm("q_norm", f.tokens * s.heads, s.head_dim, false));
    f.sink.add(rms_norm("k_norm", f.tokens * s.kv_heads, s.head_dim, false));
    f.sink.add(residual(f.tokens * s.width));
    normed("post_attention_layernorm");
    describe_mlp(mlp, f.tokens, f.sink);
    f.sink.add(residual(f.tokens * s.width));
  }
  normed("norm");
  describe_head(f, NormKind::none, s.width, s.vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_nanochat;
const FamilyDef k_nanochat = {
    "nanochat",
    "nanochat: norms without a scale, normed query and key heads, squared ReLU without a gate",
    "huggingface/transformers models/nanochat/modeling_nanochat.py; karpathy/nanochat",
    kTypes,
    kArchitectures,
    build<describe_nanochat>};

}  // namespace floptally::families
