#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"persimmon", "fuyu"};
constexpr std::string_view kArchitectures[] = {"PersimmonForCausalLM", "FuyuForCausalLM"};

void describe_text(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  set_bias(attention, true, true);
  if (c.flag("qk_layernorm", true)) {
    attention.qk_norm = QkNorm::per_head;
    attention.qk_norm_kind = NormKind::layer;
  }
  attention.rotary_dim =
      static_cast<std::int64_t>(c.ratio_or("partial_rotary_factor", 0.5) * static_cast<double>(s.head_dim));
  const MlpPart mlp =
      mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::relu_squared), false, true);
  const bool tied = read_tied(f, false);
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp, .norm = NormKind::layer}, tied);
}

// Fuyu maps patches of the image to the width of its tokens.
void describe_patches(Family& f) {
  const Keys& c = f.config;
  const std::int64_t patch = c.assume("patch_size", 30), channels = c.assume("num_channels", 3),
                     image = c.assume("image_size", 300), width = c.size("hidden_size");
  c.understood({"text_config"});
  if (!f.ok()) return;
  const std::int64_t side = std::max<std::int64_t>(1, image / patch);
  RepeatedSink images(f.sink, images_per_sample(f));
  images.add(linear("vision_embed_tokens", side * side, channels * patch * patch, width, true, Component::embed));
}

void describe_persimmon(Family& f) {
  const Keys& c = f.config;
  if (c.text_or("model_type", "persimmon") == "fuyu") describe_patches(f);
  if (c.has("vocab_size") || !c.has("text_config")) return describe_text(f);
  Family text = nested(f, "text_config", f.sink);
  describe_text(text);
}

}  // namespace

extern const FamilyDef k_persimmon;
const FamilyDef k_persimmon = {
    "persimmon",
    "Persimmon and Fuyu: normed query and key heads, half of each head rotated, squared ReLU without a gate, biases",
    "huggingface/transformers models/persimmon/modeling_persimmon.py",
    kTypes,
    kArchitectures,
    build<describe_persimmon>};

}  // namespace floptally::families
