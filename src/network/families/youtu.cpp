#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"youtu", "youtu_llm"};
constexpr std::string_view kArchitectures[] = {"YoutuForCausalLM"};

void describe_youtu(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("hidden_size");
  s.layers = c.size("num_hidden_layers");
  s.heads = c.size("num_attention_heads");
  s.vocabulary = c.size("vocab_size");
  f.sequence(c.size_or("max_position_embeddings", 4096));
  AttentionPart attention;
  attention.width = s.width;
  attention.heads = s.heads;
  read_latent(f, attention);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu));
  const bool tied = read_tied(f, true);
  c.understood({"embedding_initializer_range", "mlp_bias", "rope_interleave"});
  if (c.flag("mlp_bias", false))
    c.problem("unknown-variant", "mlp_bias", "biases in the feed-forward layers are not known here");
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp}, tied);
}

}  // namespace

extern const FamilyDef k_youtu;
const FamilyDef k_youtu = {"youtu",
                           "Youtu-LLM: latent attention as in DeepSeek-V3, dense layers",
                           "huggingface/transformers models/youtu/modeling_youtu.py",
                           kTypes,
                           kArchitectures,
                           build<describe_youtu>};

}  // namespace floptally::families
