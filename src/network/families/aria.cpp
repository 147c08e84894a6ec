#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"aria", "aria_text"};
constexpr std::string_view kArchitectures[] = {"AriaForConditionalGeneration", "AriaTextForCausalLM"};

void describe_text(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.assume("moe_num_experts", 8);
  moe.top_k = c.assume("moe_topk", 2);
  moe.expert_ffn = c.size("intermediate_size");
  moe.shared_ffn = c.assume("moe_num_shared_experts", 2) * moe.expert_ffn;
  check_experts(f, moe, "moe_num_experts", "moe_topk");
  if (c.flag("mlp_bias", false)) c.problem("unknown-variant", "mlp_bias", "experts with biases are not known here");
  const bool tied = read_tied(f, false);
  c.understood({"pretraining_tp", "moe_intermediate_size", "moe_z_loss_coeff", "moe_aux_loss_coeff"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .moe = &moe}, tied);
}

// Queries attend to the tower's patches through projections on both sides of PyTorch's own attention.
void describe_projector(Sink& sink, std::int64_t queries, std::int64_t patches, std::int64_t width, std::int64_t heads,
                        std::int64_t text) {
  const Scope scope(sink, "multi_modal_projector");
  sink.add(parameter("query", queries * width, queries * width, Component::embed));
  sink.add(layer_norm("layer_norm", queries, width));
  sink.add(linear("q_proj", queries, width, width, false, Component::projection));
  sink.add(layer_norm("layer_norm_kv", patches, width));
  sink.add(linear("k_proj", patches, width, width, false, Component::projection));
  sink.add(linear("v_proj", patches, width, width, false, Component::projection));
  CrossAttentionPart a;
  a.name = "multihead_attn";
  a.width = a.memory_width = width;
  a.heads = a.kv_heads = heads;
  a.head_dim = width / heads;
  a.q_bias = a.k_bias = a.v_bias = a.out_bias = true;
  describe_cross_attention(a, queries, patches, sink);
  sink.add(linear("linear", queries, width, width, true, Component::projection));
  sink.add(layer_norm("layer_norm", queries, width));
  sink.add(linear("linear_in", queries, width, text));
  sink.add(activation("act", queries * text, Activation::gelu));
  sink.add(linear("linear_out", queries, text, text));
}

void describe_aria(Family& f) {
  const Keys& c = f.config;
  if (!c.has("text_config")) return describe_text(f);
  const Keys v = c.child("vision_config");
  const VisionSizes z = read_vision(v, {1152, 12, 16, 3072, 3, 224, 32});
  std::int64_t queries = 0;
  const Node table = c.node("projector_patch_to_query_dict");
  for (const Node entry : table)
    if (const auto n = entry.as_integer(); n && Integer(queries) < *n && *n < Integer(1LL << 20))
      queries = n->to_int64();
  if (queries == 0) queries = 256;
  c.understood({"projector_patch_to_query_dict", "vision_feature_layer"});
  v.understood({"model_type"});
  Family text = nested(f, "text_config", f.sink);
  const std::int64_t width = text.config.size("hidden_size");
  if (!f.ok()) return;
  {
    RepeatedSink images(f.sink, images_per_sample(f));
    describe_siglip_tower(images, z, false);
    describe_projector(images, queries, z.patches(), z.width, z.heads, width);
  }
  describe_text(text);
}

}  // namespace

extern const FamilyDef k_aria;
const FamilyDef k_aria = {
    "aria",
    "Aria: an Idefics tower, queries that read the image, a text model with shared and routed experts",
    "huggingface/transformers models/aria/modeling_aria.py; 2410.05993",
    kTypes,
    kArchitectures,
    build<describe_aria>};

}  // namespace floptally::families
