#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"openai-gpt"};
constexpr std::string_view kArchitectures[] = {"OpenAIGPTLMHeadModel", "OpenAIGPTModel"};

void describe_openai_gpt(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("n_embd");
  s.layers = c.size("n_layer");
  s.heads = s.kv_heads = c.size("n_head");
  s.vocabulary = c.size("vocab_size");
  c.divides("n_head", s.heads, "n_embd", s.width);
  s.head_dim = std::max<std::int64_t>(1, s.width / s.heads);
  const std::int64_t positions = c.size("n_positions");
  f.sequence(positions);
  AttentionPart attention = attention_of(s);
  attention.rotary_dim = 0;
  set_bias(attention, true, true);
  const MlpPart mlp = mlp_of(s.width, 4 * s.width, read_activation(f, Activation::gelu, "afn"), false, true);
  const bool tied = read_tied(f, true);
  c.understood({"n_ctx", "n_special", "predict_special_tokens"});
  if (f.architecture().ends_with("DoubleHeadsModel"))
    c.problem("unknown-variant", "architectures", "the multiple-choice head of GPT-1 is not known");
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, s.width, "tokens_embed");
  f.sink.add(position_table("positions_embed", f.tokens, positions, s.width));
  {
    const Scope layers(f.sink, "h", s.layers, BlockKind::layer);
    describe(f, {.attention = &attention, .mlp = &mlp, .norm = NormKind::layer, .residuals = Residuals::post_norm});
  }
  describe_head(f, NormKind::none, s.width, s.vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_openai_gpt;
const FamilyDef k_openai_gpt = {"openai_gpt",
                                "GPT-1: norms after the sublayers, learned positions, tied embedding",
                                "huggingface/transformers models/openai/modeling_openai.py",
                                kTypes,
                                kArchitectures,
                                build<describe_openai_gpt>};

}  // namespace floptally::families
