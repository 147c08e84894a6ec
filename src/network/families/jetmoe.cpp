#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"jetmoe"};
constexpr std::string_view kArchitectures[] = {"JetMoeForCausalLM"};

void describe_jetmoe(Family& f) {
  const Keys& c = f.config;
  const std::int64_t width = c.size("hidden_size"), layers = c.size("num_hidden_layers"),
                     vocabulary = c.size("vocab_size"), inner = c.size("intermediate_size");
  const std::int64_t kv_heads = c.size("num_key_value_heads"), head_dim = c.size("kv_channels"),
                     experts = c.size("num_local_experts"), active = c.size("num_experts_per_tok");
  const bool tied = read_tied(f, true);
  c.understood({"num_attention_heads", "activation_function", "aux_loss_coef", "moe_num_experts"});
  f.sequence(c.size_or("max_position_embeddings", 4096));
  const std::int64_t rows = f.tokens * active, shared = kv_heads * head_dim;
  MoePart moe;
  moe.width = width;
  moe.experts = experts;
  moe.top_k = active;
  moe.expert_ffn = inner;
  check_experts(f, moe, "num_local_experts", "num_experts_per_tok");
  if (!f.ok()) return;
  describe_embedding(f, vocabulary, width);
  {
    const Scope scope(f.sink, "layers", layers, BlockKind::layer);
    f.sink.add(rms_norm("input_layernorm", f.tokens, width));
    {
      const Scope mixture(f.sink, "self_attention");
      f.sink.add(linear("router", f.tokens, width, experts, false, Component::router));
      f.sink.add(routing("routing", f.tokens, experts, active, width));
      f.sink.add(grouped_linear("experts.input_linear", rows, width, shared, false, experts, active)
                     .part_of(Component::projection));
      f.sink.add(linear("kv_proj", f.tokens, width, 2 * shared, false, Component::projection));
      f.sink.add(rotary("rotary", f.tokens, (active + 1) * kv_heads, head_dim));
      AttentionShape shape;
      shape.queries = shape.keys = f.tokens;
      shape.heads = kv_heads * active;
      shape.kv_heads = kv_heads;
      shape.key_dim = shape.value_dim = head_dim;
      f.sink.add(attention("attention", shape));
      f.sink.add(grouped_linear("experts.output_linear", rows, shared, width, false, experts, active)
                     .part_of(Component::projection));
      f.sink.add(parameter("experts.bias", width, f.tokens * width));
    }
    f.sink.add(residual(f.tokens * width));
    f.sink.add(rms_norm("post_attention_layernorm", f.tokens, width));
    describe_moe(moe, f.tokens, f.sink);
    f.sink.add(parameter("mlp.bias", width, f.tokens * width));
    f.sink.add(residual(f.tokens * width));
  }
  describe_head(f, NormKind::rms, width, vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_jetmoe;
const FamilyDef k_jetmoe = {
    "jetmoe",
    "JetMoE: experts in the query and output projections of attention and in the feed-forward layer",
    "huggingface/transformers models/jetmoe/modeling_jetmoe.py; 2404.07413",
    kTypes,
    kArchitectures,
    build<describe_jetmoe>};

}  // namespace floptally::families
