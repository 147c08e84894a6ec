#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"arcee"};
constexpr std::string_view kArchitectures[] = {"ArceeForCausalLM"};

void describe_arcee(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::relu_squared), false,
                             c.flag("mlp_bias", false));
  const bool tied = read_tied(f, false);
  c.understood({"pretraining_tp"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp}, tied);
}

}  // namespace

extern const FamilyDef k_arcee;
const FamilyDef k_arcee = {
    "arcee",
    "Arcee AFM: Llama's attention, a feed-forward layer without a gate whose activation is the square of ReLU",
    "huggingface/transformers models/arcee/modeling_arcee.py",
    kTypes,
    kArchitectures,
    build<describe_arcee>};

}  // namespace floptally::families
