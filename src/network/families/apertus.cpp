#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"apertus"};
constexpr std::string_view kArchitectures[] = {"ApertusForCausalLM"};

void describe_apertus(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  attention.qk_norm = QkNorm::per_head;
  const bool learned = c.text_or("hidden_act", "xielu") == "xielu";
  const MlpPart mlp =
      mlp_of(s.width, c.size("intermediate_size"), learned ? Activation::elu : read_activation(f, Activation::elu),
             false, c.flag("mlp_bias", false));
  const bool tied = read_tied(f, false);
  c.understood({"hidden_act", "qk_norm", "post_norm"});
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, s.width);
  {
    const Scope layers(f.sink, "layers", s.layers, BlockKind::layer);
    describe(f, {.attention = &attention, .mlp = &mlp});
    if (learned) f.sink.add(parameter("act_fn", 2, f.tokens * mlp.ffn, Component::activation));
  }
  describe_head(f, NormKind::rms, s.width, s.vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_apertus;
const FamilyDef k_apertus = {"apertus",
                             "Apertus: normed query and key heads, a feed-forward layer without a gate whose "
                             "activation (xIELU) has two learned numbers",
                             "huggingface/transformers models/apertus/modeling_apertus.py; 2509.14233",
                             kTypes,
                             kArchitectures,
                             build<describe_apertus>};

}  // namespace floptally::families
