#include "network/families/_depth.h"

namespace floptally::families {

DepthNeck read_depth_neck(const Keys& c, std::vector<std::int64_t> published, std::int64_t fused) {
  DepthNeck n;
  n.widths = c.sizes_or("neck_hidden_sizes", std::move(published));
  const Node listed = c.node("reassemble_factors");
  if (listed.is_sequence())
    for (const Node entry : listed) n.factors.push_back(entry.as_double().value_or(0));
  else
    n.factors = {4, 2, 1, 0.5};
  n.fused = c.assume("fusion_hidden_size", fused);
  if (n.widths.empty() || n.widths.size() != n.factors.size())
    c.problem("shape-range", "reassemble_factors",
              "'reassemble_factors' and 'neck_hidden_sizes' must be of one length");
  for (const double factor : n.factors)
    if (!(factor == 4 || factor == 2 || factor == 1 || factor == 0.5))
      c.problem("shape-range", "reassemble_factors", "factors must be 4, 2, 1 or 0.5");
  for (const std::int64_t width : n.widths)
    if (width < 1) c.problem("shape-range", "neck_hidden_sizes", "widths must be at least 1");
  n.left.assign(n.widths.size(), false);
  return n;
}

std::vector<Map> describe_depth_pyramid(Sink& sink, const DepthNeck& n, const Map& grid) {
  const Scope scope(sink, "reassemble_stage");
  std::vector<Map> maps;
  for (std::size_t i = 0; i < n.widths.size(); ++i) {
    ImageStack s{sink, n.read, grid.height, grid.width};
    if (n.left[i]) {  // a convolutional stage's own map
      const auto finer = static_cast<std::int64_t>(n.factors[i]);
      s.become({sink, n.widths[i], grid.height * finer, grid.width * finer});
    } else {
      if (n.readout) {
        sink.add(linear("readout_project", grid.positions(), 2 * n.read, n.read, true, Component::projection));
        sink.add(activation("act", grid.positions() * n.read, Activation::gelu));
      }
      s.conv("projection", {.out = n.widths[i], .kernel = 1, .bias = true});
      const auto whole = static_cast<std::int64_t>(n.factors[i]);
      if (whole > 1) s.conv_transposed("resize", n.widths[i], whole, whole, 0, 0, 1, true);
      if (whole < 1) s.conv("resize", {.out = n.widths[i], .kernel = 3, .stride = 2, .padding = 1, .bias = true});
    }
    s.conv("convs", {.out = n.fused, .kernel = 3, .padding = 1});
    maps.push_back({n.fused, s.height, s.width});
  }
  return maps;
}

namespace {

void describe_unit(Sink& sink, std::string_view name, const DepthNeck& n, const Map& map) {
  const Scope scope(sink, name);
  ImageStack s{sink, map.channels, map.height, map.width};
  for (const std::string_view conv : {"convolution1", "convolution2"}) {
    s.act(Activation::relu);
    s.conv(conv, {.out = map.channels, .kernel = 3, .padding = 1, .bias = n.unit_bias});
    if (n.normed) s.batch_norm("batch_norm");
  }
  s.residual();
}

}  // namespace

Map describe_depth_fusion(Sink& sink, const DepthNeck& n, const std::vector<Map>& maps) {
  Map now = maps.back();
  for (std::size_t left = maps.size(); left > 0; --left) {
    const Scope scope(sink, "fusion_stage");
    RepeatedSink idle(sink, left == maps.size() ? 0 : 1);  // the smallest map stands alone
    describe_unit(idle, "residual_layer1", n, now);
    if (left < maps.size()) sink.add(residual(now.positions() * now.channels));
    describe_unit(sink, "residual_layer2", n, now);
    const Map twice{now.channels, 2 * now.height, 2 * now.width},
        next = left > 1 && !n.doubles ? maps[left - 2] : twice;
    sink.add(resize("interpolate", next.positions() * now.channels, now.positions() * now.channels, 4));
    now = {now.channels, next.height, next.width};
    ImageStack s{sink, now.channels, now.height, now.width};
    s.conv("projection", {.out = now.channels, .kernel = 1, .bias = true});
  }
  return now;
}

}  // namespace floptally::families
