// The neck of dense predictors (DPT, 2103.13413): a tower's maps at four sizes, joined from the smallest on.
#pragma once

#include "network/families/_detection.h"

namespace floptally::families {

struct DepthNeck {
  std::vector<std::int64_t> widths;
  std::vector<double> factors;
  std::int64_t read = 384, fused = 64;
  bool readout = false;                   // each position sees the class token through a linear layer
  bool normed = false, unit_bias = true;  // the residual units' convolutions
  bool doubles = false;                   // each map twice the last, whatever the next one's size
  std::vector<bool> left;                 // stages whose map is passed on as it is
};
// neck_hidden_sizes, reassemble_factors, fusion_hidden_size; widths where the config has none.
DepthNeck read_depth_neck(const Keys& c, std::vector<std::int64_t> published, std::int64_t fused);
std::vector<Map> describe_depth_pyramid(Sink& sink, const DepthNeck& n, const Map& grid);
// Gives the last map, twice the largest.
Map describe_depth_fusion(Sink& sink, const DepthNeck& n, const std::vector<Map>& maps);

}  // namespace floptally::families
