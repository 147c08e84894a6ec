#include "network/blocks/image.h"
#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"openelm"};
constexpr std::string_view kArchitectures[] = {"OpenELMForCausalLM"};

void describe_openelm(Family& f) {
  const Keys& c = f.config;
  const std::int64_t width = c.size("model_dim"), layers = c.size("num_transformer_layers"),
                     vocabulary = c.size("vocab_size"), head_dim = c.size("head_dim"),
                     divisor = c.size_or("ffn_dim_divisor", 256);
  f.sequence(c.size_or("max_context_length", 2048));
  const std::vector<std::int64_t> queries = c.config().sizes({"num_query_heads"}),
                                  keys = c.config().sizes({"num_kv_heads"});
  std::vector<double> multipliers;
  for (const Node m : c.node("ffn_multipliers")) multipliers.push_back(m.as_double().value_or(0));
  for (const auto& [key, size] : {std::pair<std::string_view, std::size_t>{"num_query_heads", queries.size()},
                                  {"num_kv_heads", keys.size()},
                                  {"ffn_multipliers", multipliers.size()}})
    if (static_cast<std::int64_t>(size) != layers)
      c.problem("missing-key", key,
                "'" + std::string(key) + "' has " + std::to_string(size) + " entries for " + std::to_string(layers) +
                    " layers");
  const bool normed = c.flag("normalize_qk_projections", true), gated = c.flag("ffn_with_glu", true);
  const bool tied = c.flag("share_input_output_layers", true);
  c.understood({"activation_fn_name", "normalization_layer_name", "num_gqa_groups", "qkv_multipliers",
                "rope_freq_constant", "rope_max_length"});
  if (!f.ok()) return;
  describe_embedding(f, vocabulary, width, "token_embeddings");
  for (std::size_t i = 0; i < queries.size(); ++i) {
    AttentionPart attention;
    attention.width = width;
    attention.heads = queries[i];
    attention.kv_heads = keys[i];
    attention.head_dim = head_dim;
    attention.joined = true;
    attention.qk_norm = normed ? QkNorm::per_head : QkNorm::none;
    MlpPart mlp =
        mlp_of(width, make_divisible(multipliers[i] * static_cast<double>(width), divisor), Activation::silu, gated);
    mlp.joined = gated;
    if (attention.kv_heads < 1 || attention.heads % attention.kv_heads != 0)
      return c.problem("shape-divide", "num_kv_heads",
                       "'num_kv_heads' does not divide 'num_query_heads' in layer " + std::to_string(i));
    const Scope layer(f.sink, "layers", 1, BlockKind::layer);
    describe(f, {.attention = &attention, .mlp = &mlp});
  }
  describe_head(f, NormKind::rms, width, vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_openelm;
const FamilyDef k_openelm = {
    "openelm",
    "OpenELM: heads and feed-forward width grow from layer to layer, normed query and key heads, tied embedding",
    "apple/OpenELM-1_1B modeling_openelm.py; 2404.14619",
    kTypes,
    kArchitectures,
    build<describe_openelm>};

}  // namespace floptally::families
