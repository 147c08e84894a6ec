#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"qwen"};
constexpr std::string_view kArchitectures[] = {"QWenLMHeadModel"};

void describe_qwen(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("hidden_size");
  s.layers = c.size("num_hidden_layers");
  s.heads = s.kv_heads = c.size("num_attention_heads");
  s.vocabulary = c.size("vocab_size");
  c.divides("num_attention_heads", s.heads, "hidden_size", s.width);
  s.head_dim = c.size_or("kv_channels", std::max<std::int64_t>(1, s.width / s.heads));
  f.sequence(c.has("seq_length") ? c.size("seq_length") : c.size("max_position_embeddings"));
  AttentionPart attention = attention_of(s);
  attention.joined = true;
  const bool bias = !c.flag("no_bias", true);
  set_bias(attention, true, bias);
  attention.rotary_dim = static_cast<std::int64_t>(c.ratio_or("rotary_pct", 1.0) * static_cast<double>(s.head_dim));
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size") / 2, Activation::silu, true, bias);
  const bool tied = read_tied(f, false);
  c.understood({"max_position_embeddings", "onnx_safe", "use_dynamic_ntk", "use_flash_attn", "use_logn_attn",
                "rotary_emb_base", "scale_attn_weights", "emb_dropout_prob", "attn_dropout_prob", "fp16", "bf16",
                "fp32", "padded_vocab_size", "tokenizer_type", "use_cache_quantization", "use_cache_kernel",
                "softmax_in_fp32"});
  if (mlp.ffn < 1)
    c.problem("shape-range", "intermediate_size", "'intermediate_size' is that of gate and up together: at least 2");
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp}, tied);
}

}  // namespace

extern const FamilyDef k_qwen;
const FamilyDef k_qwen = {
    "qwen",
    "Qwen 1: Llama layers with a bias on query, key and value; intermediate_size is that of gate and up together",
    "Qwen/Qwen-7B modeling_qwen.py; 2309.16609",
    kTypes,
    kArchitectures,
    build<describe_qwen>};

}  // namespace floptally::families
