// Swin's stages, alone and as what detectors stand on.
#pragma once

#include "network/families/_detection.h"

namespace floptally::families {

struct SwinBody {
  std::int64_t channels = 3, patch = 4, window = 7, width = 96, places = 0;
  std::vector<std::int64_t> depths, heads;
  double ratio = 4;
  bool second = false, qkv_bias = true, absolute = false;
};
// The keys of a SwinConfig or a Swinv2Config; the size of the image is the caller's.
SwinBody read_swin(const Keys& c);
// Gives the map of each stage.
std::vector<Map> describe_swin_body(Family& f, const SwinBody& body, std::int64_t height, std::int64_t width);

}  // namespace floptally::families
