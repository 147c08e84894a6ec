// Vision towers of vision-language families. Each is executed once per image of the sample (FamilyInputs::images, none
// where the user gives none: its parameters count, its FLOP do not).
#pragma once

#include "network/blocks/tower.h"
#include "network/families/_common.h"

namespace floptally::families {

// Images per sample; notes that a tower runs only when images are given.
std::int64_t images_per_sample(const Family& f);

// CLIP's and SigLIP's vision transformer with the keys of CLIPVisionConfig and SiglipVisionConfig.
struct VisionSizes {
  std::int64_t width = 1, layers = 1, heads = 1, ffn = 1, channels = 3, image = 1, patch = 1;
  [[nodiscard]] std::int64_t patches() const { return (image / patch) * (image / patch); }
};
VisionSizes read_vision(const Keys& c, const VisionSizes& published);
void describe_clip_tower(Sink& sink, const VisionSizes& v, Activation activation);
// CLIP's causal text tower with the keys of CLIPTextConfig.
struct TextTower {
  EncoderLayerPart layer;
  std::int64_t layers = 12, vocabulary = 49408, positions = 77;
};
TextTower read_clip_text(const Keys& c, std::int64_t positions = 77);
void describe_clip_text(Sink& sink, const TextTower& t, std::int64_t tokens);
// `pooled`: with the attention-pooling head.
void describe_siglip_tower(Sink& sink, const VisionSizes& v, bool pooled);
// BLIP's tower: a class token, norms before the sublayers and one behind.
void describe_blip_tower(Sink& sink, const VisionSizes& v, bool qkv_bias);
// Pixtral's tower: rotary positions, gated layers, RMS norms.
void describe_pixtral_tower(Sink& sink, const VisionSizes& v, std::int64_t tokens, Activation activation);
// SigLIP 2's sizes, whose positions are a square table of num_patches.
VisionSizes read_patches(const Keys& v);

// Whisper's encoder as other models hear with it: half as many positions as frames of the spectrogram.
struct HearingSizes {
  std::int64_t width = 1280, layers = 32, heads = 20, ffn = 5120, bins = 128, positions = 1500;
};
HearingSizes read_hearing(const Keys& c);  // under Whisper's keys or under the usual ones
// Clips per sample, from the positions that the user gives (--let frames=N); notes where there are none.
std::int64_t clips_per_sample(const Family& f, std::int64_t positions);
void describe_hearing(Sink& sink, const HearingSizes& h);

// Qwen3-VL's and Qwen 3.5's tower with its mergers (vision_config of transformers models/qwen3_vl).
void describe_qwen_tower(Family& f, Sink& sink);
// Qwen2-VL's and Qwen2.5-VL's towers.
void describe_qwen2_tower(Family& f, Sink& sink, std::int64_t text_width);
// MoonViT with its projector (Kimi-VL, Kimi K2.5 and K3).
void describe_moonvit(Family& f, Sink& sink, std::int64_t text_width);

}  // namespace floptally::families
