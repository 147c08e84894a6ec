#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"gptj", "codegen"};
constexpr std::string_view kArchitectures[] = {"GPTJForCausalLM", "CodeGenForCausalLM"};

void describe_gptj(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("n_embd");
  s.layers = c.size("n_layer");
  s.heads = s.kv_heads = c.size("n_head");
  s.vocabulary = c.size("vocab_size");
  c.divides("n_head", s.heads, "n_embd", s.width);
  s.head_dim = std::max<std::int64_t>(1, s.width / s.heads);
  f.sequence(c.size("n_positions"));
  AttentionPart attention = attention_of(s);
  attention.rotary_dim = c.count_or("rotary_dim", s.head_dim);
  const MlpPart mlp = mlp_of(s.width, c.size_or("n_inner", 4 * s.width),
                             read_activation(f, Activation::gelu, "activation_function"), false, true);
  const bool tied = read_tied(f, false);
  c.understood({"n_ctx", "rotary", "scale_attn_weights"});
  if (!f.ok()) return;
  describe_decoder(f, s,
                   {.attention = &attention, .mlp = &mlp, .norm = NormKind::layer, .residuals = Residuals::parallel},
                   tied, true);
}

}  // namespace

extern const FamilyDef k_gptj;
const FamilyDef k_gptj = {
    "gptj",
    "GPT-J and CodeGen: attention and feed-forward side by side, rotary positions, no attention biases",
    "huggingface/transformers models/gptj/modeling_gptj.py, models/codegen/modeling_codegen.py",
    kTypes,
    kArchitectures,
    build<describe_gptj>};

}  // namespace floptally::families
