// What segmenters by masks share (Mask2Former, OneFormer): the backbone's maps, their deformable encoder, queries that
// read one map after another.
#pragma once

#include "network/families/_swin.h"

namespace floptally::families {

struct Segmenter {
  std::int64_t width = 256, mask = 256, hidden = 256, inner = 1024, encoders = 6, decoders = 9, heads = 8, ffn = 2048,
               queries = 100, stride = 4;
  bool projects = false;
};
// Checks of sizes; keys that are about losses are understood.
void check_segmenter(const Keys& c, const Segmenter& s, std::string_view width_key);

// A Swin or a ResNet as the config's backbone_config has it. Reports what is not known.
struct Eyes {
  bool windows = false;
  SwinBody swin;
  ResNetBody resnet;
};
Eyes read_eyes(const Family& f);
std::vector<Map> describe_eyes(Family& f, const Eyes& eyes, const Map& image);

// The maps' encoder, then the finest map joined with what the encoder gives.
void describe_pixels(Family& f, const Segmenter& s, const std::vector<Map>& maps);
// The layers: the smallest map first, then over again.
void describe_map_readers(Family& f, const Segmenter& s, const std::vector<Map>& maps);
// One convolution a map where widths differ, and what tells the maps apart.
void describe_levels(Family& f, const Segmenter& s, const std::vector<Map>& maps);

}  // namespace floptally::families
