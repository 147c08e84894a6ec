#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"exaone"};
constexpr std::string_view kArchitectures[] = {"ExaoneForCausalLM"};

void describe_exaone3(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("hidden_size");
  s.layers = c.size("num_layers", "num_hidden_layers");
  s.heads = c.size("num_attention_heads");
  s.kv_heads = std::max<std::int64_t>(1, c.size_or("num_key_value_heads", s.heads));
  s.vocabulary = c.size("vocab_size");
  c.divides("num_key_value_heads", s.kv_heads, "num_attention_heads", s.heads);
  c.divides("num_attention_heads", s.heads, "hidden_size", s.width);
  s.head_dim = c.size_or("head_dim", std::max<std::int64_t>(1, s.width / s.heads));
  f.sequence(c.size_or("max_position_embeddings", 2048));
  const AttentionPart attention = attention_of(s);
  const MlpPart mlp =
      mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu, "activation_function"));
  const bool tied = read_tied(f, false);
  c.understood({"embed_dropout"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp}, tied);
}

}  // namespace

extern const FamilyDef k_exaone3;
const FamilyDef k_exaone3 = {"exaone3",
                             "EXAONE 3 and 3.5: Llama layers under GPT-2's names of keys",
                             "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct modeling_exaone.py; 2412.04862",
                             kTypes,
                             kArchitectures,
                             build<describe_exaone3>};

}  // namespace floptally::families
