#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"gpt_neo"};
constexpr std::string_view kArchitectures[] = {"GPTNeoForCausalLM"};

void describe_gpt_neo(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("hidden_size");
  s.layers = c.size("num_layers");
  s.heads = s.kv_heads = c.size("num_heads");
  s.vocabulary = c.size("vocab_size");
  c.divides("num_heads", s.heads, "hidden_size", s.width);
  s.head_dim = std::max<std::int64_t>(1, s.width / s.heads);
  const std::int64_t positions = c.size("max_position_embeddings");
  f.sequence(positions);
  AttentionPart full = attention_of(s);
  full.rotary_dim = 0;
  set_bias(full, false, true);
  AttentionPart local = full;
  set_window(local, c.assume("window_size", 256));
  const MlpPart mlp = mlp_of(s.width, c.size_or("intermediate_size", 4 * s.width),
                             read_activation(f, Activation::gelu, "activation_function"), false, true);
  const std::vector<std::uint8_t> kinds =
      kinds_named(f, s.layers, "attention_layers", "local", [](std::int64_t i) { return i % 2 == 1; });
  c.understood({"attention_types", "resid_dropout"});
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, s.width, "wte");
  f.sink.add(position_table("wpe", f.tokens, positions, s.width));
  describe_layers(f.sink, kinds, [&](std::uint8_t windowed) {
    describe(f, {.attention = windowed != 0 ? &local : &full, .mlp = &mlp, .norm = NormKind::layer});
  });
  describe_head(f, NormKind::layer, s.width, s.vocabulary, read_tied(f, true));
}

}  // namespace

extern const FamilyDef k_gpt_neo;
const FamilyDef k_gpt_neo = {
    "gpt_neo",
    "GPT-Neo: GPT-2 with unbiased query, key and value, every second layer with a local window",
    "huggingface/transformers models/gpt_neo/modeling_gpt_neo.py",
    kTypes,
    kArchitectures,
    build<describe_gpt_neo>};

}  // namespace floptally::families
