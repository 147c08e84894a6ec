#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"deepseek_v32"};
constexpr std::string_view kArchitectures[] = {"DeepseekV32ForCausalLM"};

void describe_deepseek_v32(Family& f) {
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
  MoePart moe = read_deepseek_experts(f, s.width);

  Indexer indexer;
  indexer.heads = c.size("index_n_heads");
  indexer.head_dim = c.size("index_head_dim");
  indexer.kept = c.size("index_topk");
  indexer.query_width = attention.q_rank > 0 ? attention.q_rank : s.width;
  AttentionPart selected = attention;
  selected.mask = AttentionMask::causal_selection;
  selected.span = indexer.kept;

  moe.correction_bias = true;
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), moe.activation);
  const std::int64_t dense = c.count_or("first_k_dense_replace", 0);
  const std::int64_t extra = c.count_or("num_nextn_predict_layers", 0);
  const bool tied = read_tied(f, false), extra_described = f.extra_heads(false);
  std::vector<std::uint8_t> sparse = layer_kinds(f, s.layers);
  for (std::size_t i = 0; i < sparse.size(); ++i) sparse[i] = static_cast<std::int64_t>(i) >= dense;
  c.understood({"moe_layer_freq"});
  if (!f.ok()) return;
  const auto layer = [&](Family& g, bool routed) {
    describe_indexer(g, indexer, s.width);
    describe(g, {.attention = &selected, .mlp = &mlp, .moe = routed ? &moe : nullptr});
  };
  describe_decoder(f, s, sparse, NormKind::rms, tied, [&](std::uint8_t routed) { layer(f, routed != 0); });
  if (extra > 0 && !extra_described) remark_extra_heads(f, extra);
  if (extra > 0 && extra_described)
    describe_extra_heads(f, extra, s.width, s.vocabulary, [&](Family& g) { layer(g, true); });
}

}  // namespace

extern const FamilyDef k_deepseek_v32;
const FamilyDef k_deepseek_v32 = {
    "deepseek_v32",
    "DeepSeek-V3.2: DeepSeek-V3 with a lightning indexer that selects what each token attends to",
    "deepseek-ai/DeepSeek-V3.2-Exp inference/model.py; 2512.02556",
    kTypes,
    kArchitectures,
    build<describe_deepseek_v32>};

}  // namespace floptally::families
