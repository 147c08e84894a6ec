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
// `pooled`: with the attention-pooling head.
void describe_siglip_tower(Sink& sink, const VisionSizes& v, bool pooled);
// Qwen3-VL's and Qwen 3.5's tower with its mergers (vision_config of transformers models/qwen3_vl).
void describe_qwen_tower(Family& f, Sink& sink);
// Qwen2-VL's and Qwen2.5-VL's towers.
void describe_qwen2_tower(Family& f, Sink& sink, std::int64_t text_width);
// MoonViT with its projector (Kimi-VL, Kimi K2.5 and K3).
void describe_moonvit(Family& f, Sink& sink, std::int64_t text_width);

}  // namespace floptally::families
