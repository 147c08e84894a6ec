#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"step3p5", "step3p7", "step3p5_text"};
constexpr std::string_view kArchitectures[] = {"Step3p5ForCausalLM", "Step3p7FlashForCausalLM", "Step3p7ForCausalLM",
                                               "Step3p7ForConditionalGeneration"};

// moe_layers_enum is a list of layers or a text "3,4,5".
std::vector<std::uint8_t> routed_layers(const Family& f, std::int64_t layers) {
  const std::int64_t dense = f.config.count_or("first_k_dense_replace", 3);
  std::vector<std::uint8_t> kinds = layer_kinds(f, layers);
  const Node listed = f.config.node("moe_layers_enum");
  const auto mark = [&](std::int64_t i) {
    if (i >= 0 && i < static_cast<std::int64_t>(kinds.size())) kinds[static_cast<std::size_t>(i)] = 1;
  };
  if (listed.is_sequence()) {
    for (const Node entry : listed)
      if (const auto i = entry.as_integer(); i && i->fits_int64()) mark(i->to_int64());
  } else if (listed) {
    std::int64_t number = -1;
    for (const char digit : listed.text()) {
      if (digit >= '0' && digit <= '9' && number < layers)
        number = std::max<std::int64_t>(0, number) * 10 + (digit - '0');
      if (digit == ',') {
        mark(number);
        number = -1;
      }
    }
    mark(number);
  } else {
    for (std::int64_t i = dense; i < static_cast<std::int64_t>(kinds.size()); ++i) mark(i);
  }
  return kinds;
}

AttentionPart read_windowed(const Family& f, const TextSizes& s, const AttentionPart& full) {
  const Keys& c = f.config;
  AttentionPart windowed = full;
  set_window(windowed, c.count_or("sliding_window", 0));
  const Keys other = c.child("attention_other_setting");
  if (other.present()) {
    windowed.heads = other.size("num_attention_heads");
    windowed.kv_heads = other.size_or("num_attention_groups", s.kv_heads);
    windowed.head_dim = other.size_or("head_dim", s.head_dim);
    other.understood({"attention_type", "true_head_dim"});
    other.divides("num_attention_groups", windowed.kv_heads, "num_attention_heads", windowed.heads);
  } else {
    f.remark("no 'attention_other_setting': windowed layers are counted with the heads of full ones");
  }
  return windowed;
}

void describe_text(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("hidden_size");
  s.layers = c.size("num_hidden_layers");
  s.heads = c.size("num_attention_heads");
  s.kv_heads = c.size("num_attention_groups", "num_key_value_heads");
  s.head_dim = c.size("head_dim");
  s.vocabulary = c.size("vocab_size");
  c.divides("num_attention_groups", s.kv_heads, "num_attention_heads", s.heads);
  f.sequence(c.size_or("max_position_embeddings", c.size_or("max_seq_len", 4096)));
  AttentionPart full = attention_of(s);
  if (c.flag("use_qk_norm", true)) full.qk_norm = QkNorm::per_head;
  const AttentionPart windowed = read_windowed(f, s, full);
  const bool gates = c.flag("use_head_wise_attn_gate", true);
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.size("moe_num_experts", "num_experts");
  moe.top_k = c.size("moe_top_k", "num_experts_per_tok");
  moe.expert_ffn = c.size("moe_intermediate_size");
  moe.shared_ffn = c.size("share_expert_dim", "share_expert_dims");
  const bool corrected = c.flag("use_moe_router_bias", true);
  check_experts(f, moe, "moe_num_experts", "moe_top_k");
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"));
  std::vector<std::uint8_t> kinds = routed_layers(f, s.layers);  // bit 0 experts, bit 1 a window
  const std::vector<std::uint8_t> sliding =
      kinds_named(f, s.layers, "layer_types", "sliding", [](std::int64_t i) { return i % 4 != 0; });
  for (std::size_t i = 0; i < kinds.size() && i < sliding.size(); ++i)
    if (sliding[i] != 0) kinds[i] = static_cast<std::uint8_t>(kinds[i] | 2U);
  const std::int64_t extra = c.count_or("num_nextn_predict_layers", 0);
  const bool tied = read_tied(f, false);
  c.understood({"n_shared_experts", "scoring_func", "moe_router_scaling_factor", "moe_router_activation",
                "need_fp32_gate", "norm_expert_weight", "partial_rotary_factors", "rope_scaling", "swiglu_limits",
                "swiglu_limits_shared", "use_rope_layers", "yarn_only_types", "zero_centered", "att_impl_type",
                "use_moe", "moe_every_n_layer", "max_seq_len", "mtp_layer_types", "share_expert_dims"});
  if (!f.ok()) return;
  const auto layer = [&](Family& g, std::uint8_t kind) {
    const AttentionPart& a = (kind & 2U) != 0 ? windowed : full;
    if (gates) {
      const Scope gate(g.sink, "self_attn");
      g.sink.add(column_linear("g_proj", g.tokens, s.width, a.heads, false, Component::projection));
    }
    describe(g, {.attention = &a, .mlp = &mlp, .moe = (kind & 1U) != 0 ? &moe : nullptr});
    if ((kind & 1U) != 0 && corrected) describe_correction_buffer(g, moe.experts);
  };
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t kind) { layer(f, kind); });
  // The extra heads are windowed dense layers; transformers leaves them out of the class.
  if (extra > 0 && !f.extra_heads(false)) remark_extra_heads(f, extra);
  if (extra > 0 && f.extra_heads(false))
    describe_extra_heads(f, extra, s.width, s.vocabulary, [&](Family& g) { layer(g, 2); });
}

void describe_step(Family& f) {
  if (f.config.has("text_config")) {
    if (f.config.has("vision_config")) f.remark("the perception-encoder tower (vision_config) is not counted");
    f.config.understood({"vision_config", "understand_projector_stride", "projector_bias", "tie_word_embeddings"});
    Family text = nested(f, "text_config", f.sink);
    return describe_text(text);
  }
  describe_text(f);
}

}  // namespace

extern const FamilyDef k_step;
const FamilyDef k_step = {
    "step",
    "Step-3.5 and 3.7: windowed layers with more heads than full ones, head-wise output gates, 288 experts",
    "stepfun-ai/Step-3.5-Flash modeling_step3p5.py; NVIDIA-NeMo/Megatron-Bridge models/stepfun; 2602.10604",
    kTypes,
    kArchitectures,
    build<describe_step>};

}  // namespace floptally::families
