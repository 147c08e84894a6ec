#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"llama4", "llama4_text"};
constexpr std::string_view kArchitectures[] = {"Llama4ForConditionalGeneration", "Llama4ForCausalLM"};

void describe_tower(Family& f) {
  const Keys v = f.config.child("vision_config");
  const VisionSizes z = read_vision(v, {1408, 34, 16, 5632, 3, 336, 14});
  const std::int64_t in = v.assume("projector_input_dim", 4096), out = v.assume("projector_output_dim", 4096);
  const std::int64_t vision_out = v.assume("vision_output_dim", 4096);
  const double ratio = v.ratio_or("pixel_shuffle_ratio", 0.5);
  v.understood({"multi_modal_projector_bias", "norm_eps", "vision_feature_layer", "vision_feature_select_strategy",
                "projector_dropout"});
  const std::int64_t text_width = f.config.child("text_config").size("hidden_size");
  if (!f.ok()) return;
  RepeatedSink images(f.sink, images_per_sample(f));
  const std::int64_t patches = z.patches(), tokens = patches + 1;
  const auto shuffled =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(patches) * ratio * ratio));
  {
    const Scope tower(images, "vision_tower");
    images.add(
        linear("patch_embedding", patches, z.channels * z.patch * z.patch, z.width, false, Component::convolution));
    images.add(parameter("class_embedding", z.width, z.width, Component::embed));
    images.add(position_table("positional_embedding_vlm", tokens, tokens, z.width));
    images.add(layer_norm("layernorm_pre", tokens, z.width));
    {
      const Scope layers(images, "layers", z.layers, BlockKind::layer);
      describe_encoder_layer({.width = z.width, .heads = z.heads, .ffn = z.ffn, .rotary_dim = z.width / z.heads},
                             tokens, images);
    }
    images.add(layer_norm("layernorm_post", tokens, z.width));
    images.add(linear("vision_adapter.fc1", shuffled, z.ffn, in));
    images.add(linear("vision_adapter.fc2", shuffled, in, out));
  }
  const Scope projector(images, "projector");
  images.add(linear("linear_1", shuffled, vision_out, text_width));
}

void describe_text(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart full = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(full, bias, bias);
  AttentionPart chunked = full;
  full.rotary_dim = 0;
  chunked.mask = AttentionMask::causal_chunks;
  chunked.span = c.assume("attention_chunk_size", 8192);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size_mlp"), read_activation(f, Activation::silu));
  MoePart moe;
  moe.width = s.width;
  moe.experts = c.size("num_local_experts");
  moe.top_k = c.size("num_experts_per_tok");
  moe.expert_ffn = moe.shared_ffn = c.size("intermediate_size");
  check_experts(f, moe, "num_local_experts", "num_experts_per_tok");
  const std::int64_t every = std::max<std::int64_t>(1, c.assume_count("interleave_moe_layer_step", 1));
  std::vector<std::uint8_t> kinds =
      kinds_flagged(f, s.layers, "no_rope_layers", [](std::int64_t i) { return (i + 1) % 4 != 0; });
  for (std::uint8_t& kind : kinds) kind = static_cast<std::uint8_t>(kind << 1U);  // bit 1: rotary and chunked
  const Node listed = c.node("moe_layers");
  for (std::size_t i = 0; i < kinds.size() && !listed.is_sequence(); ++i)
    if ((static_cast<std::int64_t>(i) + 1) % every == 0) kinds[i] = static_cast<std::uint8_t>(kinds[i] | 1U);
  at_listed(listed, kinds.size(), [&](std::size_t i) { kinds[i] |= 1U; });
  const bool tied = read_tied(f, false);
  c.understood({"use_qk_norm", "attn_scale", "attn_temperature_tuning", "floor_scale", "for_llm_compressor",
                "layer_types", "no_rope_layer_interval"});
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t kind) {
    describe(f,
             {.attention = (kind & 2U) != 0 ? &chunked : &full, .mlp = &mlp, .moe = (kind & 1U) != 0 ? &moe : nullptr});
  });
}

void describe_llama4(Family& f) {
  if (!f.config.has("text_config")) return describe_text(f);
  if (f.config.has("vision_config"))
    describe_tower(f);
  else
    f.remark("no 'vision_config': only the text model is counted");
  Family text = nested(f, "text_config", f.sink);
  f.config.understood({"boi_token_index", "eoi_token_index", "image_token_index"});
  if (f.ok()) describe_text(text);
}

}  // namespace

extern const FamilyDef k_llama4;
const FamilyDef k_llama4 = {
    "llama4",
    "Llama 4: chunked attention with a full layer in every four, one expert of many beside a shared one",
    "huggingface/transformers models/llama4/modeling_llama4.py",
    kTypes,
    kArchitectures,
    build<describe_llama4>};

}  // namespace floptally::families
