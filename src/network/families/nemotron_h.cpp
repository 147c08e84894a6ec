#include "network/blocks/mixers.h"
#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"nemotron_h"};
constexpr std::string_view kArchitectures[] = {"NemotronHForCausalLM"};

struct Parts {
  AttentionPart attention;
  Mamba2Part mamba;
  MlpPart mlp;
  MoePart moe;
};

// "M-M*E" (Mamba, dense, attention, experts), or the list of words that newer configs write; empty where neither
// stands.
std::vector<std::uint8_t> read_pattern(const Family& f, std::string_view pattern_key, std::string_view list_key) {
  std::vector<std::uint8_t> kinds;
  const Node list = f.config.node(list_key);
  for (const Node entry : list) {
    const std::string_view word = entry.text();
    kinds.push_back(word == "mamba" || word == "linear_attention"     ? 'M'
                    : word == "attention" || word == "full_attention" ? '*'
                    : word == "moe"                                   ? 'E'
                    : word == "mlp"                                   ? '-'
                                                                      : '?');
  }
  if (kinds.empty())
    for (const char letter : f.config.text_or(pattern_key, "")) kinds.push_back(static_cast<std::uint8_t>(letter));
  for (const std::uint8_t kind : kinds)
    if (kind != 'M' && kind != '*' && kind != 'E' && kind != '-') {
      f.config.problem("wrong-type", list ? list_key : pattern_key,
                       "a layer pattern holds M (mamba), * (attention), E (moe) and - (mlp)");
      break;
    }
  return kinds;
}

void describe_layer(Family& f, const Parts& p, std::uint8_t kind) {
  const std::int64_t width = p.attention.width;
  f.sink.add(rms_norm("norm", f.tokens, width));
  if (kind == 'M') describe_mamba2(p.mamba, f.tokens, f.sink);
  if (kind == '*') describe_attention(p.attention, f.tokens, f.sink);
  if (kind == '-') describe_mlp(p.mlp, f.tokens, f.sink);
  if (kind == 'E') describe_moe(p.moe, f.tokens, f.sink);
  f.sink.add(residual(f.tokens * width));
}

Mamba2Part read_mamba(const Keys& c, std::int64_t width) {
  Mamba2Part mamba;
  mamba.width = width;
  mamba.heads = c.size("mamba_num_heads");
  mamba.head_dim = c.size("mamba_head_dim");
  mamba.state = c.size("ssm_state_size");
  mamba.groups = c.size("n_groups");
  mamba.kernel = c.size("conv_kernel");
  mamba.bias = c.flag("mamba_proj_bias", c.flag("use_bias", false));
  mamba.convolution_bias = c.flag("use_conv_bias", true);
  return mamba;
}

MoePart read_experts(const Family& f, std::int64_t width) {
  const Keys& c = f.config;
  MoePart moe;
  moe.width = width;
  moe.experts = c.size("n_routed_experts");
  moe.top_k = c.size("num_experts_per_tok");
  moe.expert_ffn = c.size("moe_intermediate_size");
  moe.shared_ffn = c.count_or("n_shared_experts", 0) * c.count_or("moe_shared_expert_intermediate_size", 0);
  moe.latent = c.count_or("moe_latent_size", 0);
  moe.gated = false;
  moe.correction_bias = true;  // part of the published parameter counts
  moe.activation = Activation::relu_squared;
  check_experts(f, moe, "n_routed_experts", "num_experts_per_tok");
  return moe;
}

// Keys that do not shape the network.
void understand_the_rest(const Keys& c) {
  c.understood({"expand",
                "chunk_size",
                "intermediate_size",
                "mamba_hidden_act",
                "mamba_ssm_cache_dtype",
                "mlp_hidden_act",
                "moe_shared_expert_overlap",
                "n_group",
                "topk_group",
                "norm_topk_prob",
                "num_logits_to_keep",
                "partial_rotary_factor",
                "rescale_prenorm_residual",
                "residual_in_fp32",
                "routed_scaling_factor",
                "sliding_window",
                "time_step_floor",
                "time_step_limit",
                "time_step_max",
                "time_step_min",
                "time_step_rank",
                "use_mamba_kernels",
                "use_bias",
                "attention_head_dim",
                "mamba_proj_bias",
                "moe_shared_expert_intermediate_size",
                "n_shared_experts"});
}

void describe_nemotron_h(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("hidden_size");
  s.heads = c.size("num_attention_heads");
  s.kv_heads = c.size("num_key_value_heads");
  s.head_dim = c.size("head_dim", "attention_head_dim");
  s.vocabulary = c.size("vocab_size");
  c.divides("num_key_value_heads", s.kv_heads, "num_attention_heads", s.heads);
  f.sequence(c.size_or("max_position_embeddings", 4096));
  Parts p;
  p.attention = attention_of(s);
  p.attention.rotary_dim = 0;
  const bool bias = c.flag("attention_bias", false);
  set_bias(p.attention, bias, bias);
  p.mamba = read_mamba(c, s.width);
  const std::vector<std::uint8_t> kinds = read_pattern(f, "hybrid_override_pattern", "layers_block_type");
  const std::vector<std::uint8_t> extra = read_pattern(f, "mtp_hybrid_override_pattern", "mtp_layers_block_type");
  const bool has_experts = std::find(kinds.begin(), kinds.end(), 'E') != kinds.end() ||
                           std::find(extra.begin(), extra.end(), 'E') != extra.end();
  const bool has_dense = std::find(kinds.begin(), kinds.end(), '-') != kinds.end();
  p.mlp = mlp_of(s.width, has_dense ? c.size("intermediate_size") : c.size_or("intermediate_size", 1),
                 Activation::relu_squared, false, c.flag("mlp_bias", false));
  if (has_experts) p.moe = read_experts(f, s.width);
  if (kinds.empty())
    c.problem("missing-key", "hybrid_override_pattern",
              "the config has neither 'hybrid_override_pattern' nor 'layers_block_type' (the order of its layers)");
  const auto listed = static_cast<std::int64_t>(kinds.size());
  if (const std::int64_t layers = c.size_or("num_hidden_layers", listed); !kinds.empty() && layers != listed)
    c.problem(
        "shape-divide", "num_hidden_layers",
        "'num_hidden_layers' is " + std::to_string(layers) + ", the pattern has " + std::to_string(listed) + " layers");
  const std::int64_t heads = c.count_or("num_nextn_predict_layers", extra.empty() ? 0 : 1);
  const bool tied = read_tied(f, false);
  understand_the_rest(c);
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t kind) { describe_layer(f, p, kind); });
  if (heads > 0 && !extra.empty() && f.extra_heads(true))
    describe_extra_heads(f, heads, s.width, s.vocabulary, [&](Family& g) {
      for (const std::uint8_t kind : extra) describe_layer(g, p, kind);
    });
}

}  // namespace

extern const FamilyDef k_nemotron_h;
const FamilyDef k_nemotron_h = {
    "nemotron_h",
    "Nemotron-H and Nemotron 3: Mamba-2, attention, feed-forward and latent-expert layers in a written pattern",
    "huggingface/transformers models/nemotron_h/modeling_nemotron_h.py; 2504.03624, 2512.20848",
    kTypes,
    kArchitectures,
    build<describe_nemotron_h>};

}  // namespace floptally::families
