// What detectors share: a ResNet whose norms are frozen, attention that samples a few places of each map, heads of
// boxes.
#pragma once

#include "network/blocks/image.h"
#include "network/families/_common.h"

namespace floptally::families {

// A ResNet without its head, as detectors load it.
struct ResNetBody {
  std::vector<std::int64_t> depths = {3, 4, 6, 3}, widths = {256, 512, 1024, 2048};
  std::int64_t stem = 64, channels = 3;
  bool bottleneck = true, early = false;
  bool frozen = true;      // norms are buffers
  bool deep_stem = false;  // three convolutions, and averages before shortcuts (ResNet-D)
  bool held = false;       // stem and first stage are not trained (DETR)
  Activation kind = Activation::relu;
};
// By timm's name ("resnet50"); nothing if it is not known.
bool named_resnet(std::string_view name, ResNetBody& body);
// The keys of a ResNetConfig or an RTDetrResNetConfig.
void read_resnet(const Keys& c, ResNetBody& body);
// What the config of a detector stands on: backbone_config, or backbone by name. Reports what is not known.
ResNetBody read_backbone(const Family& f);

struct Map {
  std::int64_t channels = 1, height = 1, width = 1;
  [[nodiscard]] std::int64_t positions() const { return height * width; }
};
// The maps after each stage.
std::vector<Map> describe_resnet_body(Sink& sink, const ResNetBody& body, const Map& image);
// A convolution without bias, its norm, an activation.
void describe_conv_norm(ImageStack& s, std::string_view name, const ImageStack::Conv& conv, Activation kind,
                        bool frozen = false);

// The image that a detector is counted at: the user's, else the config's square, else `usual`, noted as assumed.
Map detector_image(Family& f, const Map& usual);

// Multi-scale deformable attention (2010.04159): each query weighs `points` samples of each of `levels` maps.
struct DeformablePart {
  std::int64_t width = 256, heads = 8, levels = 4, points = 4;
};
void describe_deformable(const DeformablePart& part, std::int64_t queries, std::int64_t memory, Sink& sink);

// A residual and the norm behind it.
void describe_added(Sink& sink, std::string_view norm, std::int64_t rows, std::int64_t width);
// Attention among queries, or of queries over `memory` positions as wide as they are, without a mask and with biases.
void describe_reading(Sink& sink, std::string_view name, std::int64_t width, std::int64_t heads, std::int64_t queries,
                      std::int64_t memory);
// The last three of a backbone's maps and smaller ones made of the last, `levels` in all, of one width: convolutions
// with bias and group norms. Gives their positions together.
std::int64_t describe_projected_maps(Sink& sink, std::string_view name, const std::vector<Map>& maps,
                                     std::int64_t levels, std::int64_t width);

// `layers` linear layers with ReLU between them.
void describe_stack(Sink& sink, std::string_view name, std::int64_t rows, std::int64_t in, std::int64_t hidden,
                    std::int64_t out, std::int64_t layers);

}  // namespace floptally::families
