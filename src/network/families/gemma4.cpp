#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"gemma4", "gemma4_text"};
constexpr std::string_view kArchitectures[] = {"Gemma4ForConditionalGeneration", "Gemma4ForCausalLM"};

void describe_tower(Family& f) {
  const Keys v = f.config.child("vision_config");
  const std::int64_t width = v.assume("hidden_size", 768), inner = v.assume("intermediate_size", 3072),
                     layers = v.assume("num_hidden_layers", 16);
  const std::int64_t patch = v.assume("patch_size", 16), positions = v.assume("position_embedding_size", 10240);
  const std::int64_t pool = std::max<std::int64_t>(1, v.assume("pooling_kernel_size", 3));
  AttentionPart a;
  a.width = width;
  a.heads = v.assume("num_attention_heads", 12);
  a.kv_heads = v.assume("num_key_value_heads", 12);
  a.head_dim = v.assume("head_dim", 64);
  a.qk_norm = QkNorm::per_head;
  a.mask = AttentionMask::none;
  const bool bias = v.flag("attention_bias", false), standardized = v.flag("standardize", false);
  set_bias(a, bias, bias);
  v.understood({"default_output_length", "global_head_dim", "hidden_activation", "image_seq_length", "video_seq_length",
                "use_clipped_linears"});
  if (v.flag("use_clipped_linears", false)) f.remark("the bounds of clipped linear layers are buffers and not counted");
  const Keys text = f.config.child("text_config");
  const std::int64_t text_width = text.size("hidden_size"), soft = v.size_or("default_output_length", 280);
  v.divides("num_key_value_heads", a.kv_heads, "num_attention_heads", a.heads);
  if (!f.ok()) return;
  RepeatedSink images(f.sink, images_per_sample(f));
  const std::int64_t tokens = soft * pool * pool;
  const MlpPart mlp = mlp_of(width, inner, Activation::gelu);
  Family g{f.config, f.inputs, images, tokens};
  {
    const Scope tower(images, "vision_tower");
    images.add(linear("input_proj", tokens, 3 * patch * patch, width, false, Component::convolution));
    images.add(parameter("position_embedding_table", 2 * positions * width, 2 * tokens * width, Component::position));
    {
      const Scope scope(images, "layers", layers, BlockKind::layer);
      describe(g, {.attention = &a, .mlp = &mlp, .residuals = Residuals::sandwich});
    }
    if (standardized) images.add(move("standardize", soft * width, 2 * width));
  }
  const Scope projector(images, "projector");
  images.add(rms_norm("embedding_pre_projection_norm", soft, width, false));
  images.add(linear("embedding_projection", soft, width, text_width));
}

// The dense layer and the experts both read the residual; each output has a norm of its own, and so has their sum.
void describe_with_experts(Family& f, const AttentionPart& a, const MlpPart& mlp, const MoePart& moe) {
  const std::int64_t width = a.width, tokens = f.tokens;
  f.sink.add(rms_norm("input_layernorm", tokens, width));
  describe_attention(a, tokens, f.sink);
  f.sink.add(rms_norm("post_attention_layernorm", tokens, width));
  f.sink.add(residual(tokens * width));
  f.sink.add(rms_norm("pre_feedforward_layernorm", tokens, width));
  describe_mlp(mlp, tokens, f.sink);
  f.sink.add(rms_norm("post_feedforward_layernorm_1", tokens, width));
  f.sink.add(parameter("router.scale", width, tokens * width, Component::router));
  f.sink.add(parameter("router.per_expert_scale", moe.experts, tokens * moe.top_k, Component::router));
  f.sink.add(rms_norm("pre_feedforward_layernorm_2", tokens, width));
  describe_moe(moe, tokens, f.sink);
  f.sink.add(rms_norm("post_feedforward_layernorm_2", tokens, width));
  f.sink.add(residual(tokens * width));
  f.sink.add(rms_norm("post_feedforward_layernorm", tokens, width));
  f.sink.add(residual(tokens * width));
}

MoePart read_experts(const Family& f, std::int64_t width) {
  const Keys& c = f.config;
  MoePart moe;
  moe.width = width;
  moe.experts = c.size("num_experts");
  moe.top_k = c.size("top_k_experts");
  moe.expert_ffn = c.size("moe_intermediate_size", "expert_intermediate_size");
  moe.activation = Activation::gelu;
  check_experts(f, moe, "num_experts", "top_k_experts");
  return moe;
}

// Bit 0: full attention, bit 1: keys and values borrowed from an earlier layer, as the last `borrowing` layers do.
std::vector<std::uint8_t> read_kinds(Family& f, std::int64_t layers, std::int64_t borrowing) {
  std::vector<std::uint8_t> kinds =
      kinds_named(f, layers, "layer_types", "full", [&](std::int64_t i) { return (i + 1) % 6 == 0; });
  if (!kinds.empty()) kinds.back() = 1;
  for (std::size_t i = 0; i < kinds.size(); ++i)
    if (borrowing > 0 && static_cast<std::int64_t>(i) >= layers - borrowing)
      kinds[i] = static_cast<std::uint8_t>(kinds[i] | 2U);
  return kinds;
}

void describe_text(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  const bool bias = c.flag("attention_bias", false), keys_are_values = c.flag("attention_k_eq_v", false);
  AttentionPart windowed = attention_of(s);
  set_bias(windowed, bias, bias);
  windowed.qk_norm = QkNorm::per_head;
  AttentionPart full = windowed;
  set_window(windowed, c.assume("sliding_window", 512));
  full.head_dim = c.assume_count("global_head_dim", 512);
  if (full.head_dim == 0) full.head_dim = s.head_dim;
  full.rotary_dim = full.head_dim;
  full.shared_key_value = keys_are_values;
  if (keys_are_values) full.kv_heads = c.size_or("num_global_key_value_heads", s.kv_heads);
  c.divides("num_global_key_value_heads", full.kv_heads, "num_attention_heads", s.heads);
  const std::int64_t borrowing = c.count_or("num_kv_shared_layers", 0);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), Activation::gelu);
  MlpPart wide = mlp;
  if (c.flag("use_double_wide_mlp", false)) wide.ffn *= 2;
  const bool routed = c.flag("enable_moe_block", false);
  const MoePart moe = routed ? read_experts(f, s.width) : MoePart{};
  const std::int64_t extra = c.assume_count("hidden_size_per_layer_input", 256),
                     extra_rows = c.assume("vocab_size_per_layer_input", 262144);
  const std::vector<std::uint8_t> kinds = read_kinds(f, s.layers, borrowing);
  const bool tied = read_tied(f, true);
  c.understood({"hidden_activation", "final_logit_softcapping", "use_bidirectional_attention",
                "num_global_key_value_heads", "num_experts", "top_k_experts", "moe_intermediate_size",
                "expert_intermediate_size"});
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, s.width);
  if (extra > 0) {
    const Scope scope(f.sink, "per_layer_inputs");
    f.sink.add(embedding("embed_tokens_per_layer", f.tokens, extra_rows, s.layers * extra));
    f.sink.add(linear("per_layer_model_projection", f.tokens, s.width, s.layers * extra, false, Component::embed));
    f.sink.add(rms_norm("per_layer_projection_norm", f.tokens * s.layers, extra));
  }
  describe_layers(f.sink, kinds, [&](std::uint8_t kind) {
    AttentionPart a = (kind & 1U) != 0 ? full : windowed;
    a.borrowed_key_value = (kind & 2U) != 0;
    const MlpPart& m = (kind & 2U) != 0 ? wide : mlp;
    if (!routed) {
      describe(f, {.attention = &a, .mlp = &m, .residuals = Residuals::sandwich});
    } else {
      describe_with_experts(f, a, m, moe);
    }
    if (a.borrowed_key_value) f.sink.add(move("shared_key_value", 0));
    if (extra > 0) {
      const Scope scope(f.sink, "per_layer_input");
      f.sink.add(linear("per_layer_input_gate", f.tokens, s.width, extra));
      f.sink.add(gated_activation("act", f.tokens * extra, Activation::gelu));
      f.sink.add(linear("per_layer_projection", f.tokens, extra, s.width));
      f.sink.add(rms_norm("post_per_layer_input_norm", f.tokens, s.width));
      f.sink.add(residual(f.tokens * s.width));
    }
    f.sink.add(move("layer_scalar", 0, 1));
  });
  describe_head(f, NormKind::rms, s.width, s.vocabulary, tied);
}

void describe_gemma4(Family& f) {
  if (!f.config.has("text_config")) return describe_text(f);
  if (f.config.has("vision_config")) describe_tower(f);
  if (f.config.has("audio_config")) f.remark("the audio tower (audio_config) is not counted");
  f.config.understood({"vision_soft_tokens_per_image", "audio_config"});
  Family text = nested(f, "text_config", f.sink);
  if (f.ok()) describe_text(text);
}

}  // namespace

extern const FamilyDef k_gemma4;
const FamilyDef k_gemma4 = {
    "gemma4",
    "Gemma 4: windowed and wide full layers, shared keys, experts beside the feed-forward layer, per-layer embeddings",
    "huggingface/transformers models/gemma4/modeling_gemma4.py",
    kTypes,
    kArchitectures,
    build<describe_gemma4>};

}  // namespace floptally::families
