#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"biogpt"};
constexpr std::string_view kArchitectures[] = {"BioGptForCausalLM", "BioGptModel"};

void describe_biogpt(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  const std::int64_t positions = c.size("max_position_embeddings");
  AttentionPart attention = attention_of(s);
  attention.rotary_dim = 0;
  set_bias(attention, true, true);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::gelu), false, true);
  const bool tied = read_tied(f, true);
  c.understood({"scale_embedding"});
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, s.width);
  f.sink.add(position_table("embed_positions", f.tokens, positions + 2, s.width));
  {
    const Scope layers(f.sink, "layers", s.layers, BlockKind::layer);
    describe(f, {.attention = &attention, .mlp = &mlp, .norm = NormKind::layer});
  }
  describe_head(f, NormKind::layer, s.width, s.vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_biogpt;
const FamilyDef k_biogpt = {"biogpt",
                            "BioGPT: GPT-2 layers with positions offset by two rows, tied embedding",
                            "huggingface/transformers models/biogpt/modeling_biogpt.py",
                            kTypes,
                            kArchitectures,
                            build<describe_biogpt>};

}  // namespace floptally::families
