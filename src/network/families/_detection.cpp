#include "network/families/_detection.h"

namespace floptally::families {
namespace {

void describe_layer(ImageStack& s, const ResNetBody& b, std::int64_t out, std::int64_t stride, bool first) {
  const std::int64_t inner = b.bottleneck ? out / 4 : out;
  ImageStack shortcut = s.sibling();
  // ResNet-D averages before a shortcut; each of its stages of basic layers begins with one.
  const bool changes = s.channels != out || stride != 1 || (first && b.deep_stem && !b.bottleneck);
  const Scope scope(s.sink, {}, 1, BlockKind::branches);
  {
    const Scope main(s.sink, {});
    if (b.bottleneck) {
      describe_conv_norm(s, "layer.0", {.out = inner, .kernel = 1, .stride = b.early ? stride : 1}, b.kind, b.frozen);
      describe_conv_norm(s, "layer.1", {.out = inner, .kernel = 3, .stride = b.early ? 1 : stride, .padding = 1},
                         b.kind, b.frozen);
      describe_conv_norm(s, "layer.2", {.out = out, .kernel = 1}, Activation::identity, b.frozen);
    } else {
      describe_conv_norm(s, "layer.0", {.out = out, .kernel = 3, .stride = stride, .padding = 1}, b.kind, b.frozen);
      describe_conv_norm(s, "layer.1", {.out = out, .kernel = 3, .padding = 1}, Activation::identity, b.frozen);
    }
  }
  if (!changes) return;
  const Scope side(s.sink, {});
  std::int64_t step = stride;
  if (b.deep_stem && stride == 2 && (b.bottleneck || shortcut.channels != out)) {
    shortcut.pooling(2, 2, 0, true, false);
    step = 1;
  }
  describe_conv_norm(shortcut, "shortcut", {.out = out, .kernel = 1, .stride = step, .padding = 0},
                     Activation::identity, b.frozen);
}

void describe_stem(ImageStack& s, const ResNetBody& b) {
  if (b.deep_stem) {
    const std::int64_t half = std::max<std::int64_t>(1, b.stem / 2);
    describe_conv_norm(s, "embedder.0", {.out = half, .kernel = 3, .stride = 2, .padding = 1}, b.kind, b.frozen);
    describe_conv_norm(s, "embedder.1", {.out = half, .kernel = 3, .padding = 1}, b.kind, b.frozen);
    describe_conv_norm(s, "embedder.2", {.out = b.stem, .kernel = 3, .padding = 1}, b.kind, b.frozen);
  } else {
    describe_conv_norm(s, "embedder", {.out = b.stem, .kernel = 7, .stride = 2, .padding = 3}, b.kind, b.frozen);
  }
  s.max_pool(3, 2, 1);
}

void describe_stage(ImageStack& s, const ResNetBody& b, std::size_t stage) {
  const std::int64_t depth = b.depths[stage], out = b.widths[stage];
  const auto end = [&] {
    s.residual();
    s.act(b.kind);
  };
  {
    const Scope first(s.sink, "layers", 1, BlockKind::layer);
    describe_layer(s, b, out, stage > 0 ? 2 : 1, true);
    end();
  }
  if (depth == 1) return;
  const Scope more(s.sink, "layers", depth - 1, BlockKind::layer);
  describe_layer(s, b, out, 1, false);
  end();
}

}  // namespace

void describe_conv_norm(ImageStack& s, std::string_view name, const ImageStack::Conv& conv, Activation kind,
                        bool frozen) {
  if (!frozen) return s.conv_norm(name, conv, kind);
  s.conv(name, conv);
  s.sink.add(elementwise("frozen_norm", s.elements(), 2, 2));
  s.sink.add(move("frozen_norm", 0, 4 * s.channels));
  s.held = false;
  if (kind != Activation::identity) s.act(kind);
}

bool named_resnet(std::string_view name, ResNetBody& body) {
  struct Row {
    std::string_view name;
    std::int64_t depths[4];
    bool bottleneck;
  };
  constexpr Row kRows[] = {{"resnet18", {2, 2, 2, 2}, false},
                           {"resnet34", {3, 4, 6, 3}, false},
                           {"resnet50", {3, 4, 6, 3}, true},
                           {"resnet101", {3, 4, 23, 3}, true},
                           {"resnet152", {3, 8, 36, 3}, true}};
  for (const Row& row : kRows) {
    if (name != row.name) continue;
    body.depths.assign(std::begin(row.depths), std::end(row.depths));
    body.bottleneck = row.bottleneck;
    const std::int64_t wider = row.bottleneck ? 4 : 1;
    body.widths = {64 * wider, 128 * wider, 256 * wider, 512 * wider};
    return true;
  }
  return false;
}

void read_resnet(const Keys& c, ResNetBody& body) {
  body.depths = c.sizes_or("depths", std::move(body.depths));
  body.widths = c.sizes_or("hidden_sizes", std::move(body.widths));
  body.stem = c.size_or("embedding_size", 64);
  body.bottleneck = c.text_or("layer_type", "bottleneck") == "bottleneck";
  body.early = c.flag("downsample_in_bottleneck", false);
  body.kind = c.config().activation({"hidden_act"}, "relu");
  c.understood({"out_features", "out_indices", "stage_names", "num_channels", "output_stride"});
  if (body.depths.empty() || body.depths.size() != body.widths.size())
    c.problem("missing-key", "depths", "'depths' and 'hidden_sizes' must list the same number of stages");
  for (std::size_t i = 0; i < std::min(body.depths.size(), body.widths.size()); ++i)
    if (body.depths[i] < 1 || body.widths[i] < 4)
      c.problem("shape-range", "depths", "stages must have at least one layer of 4 channels");
  if (c.flag("downsample_in_first_stage", false))
    c.problem("unknown-variant", "downsample_in_first_stage", "a stride in the first stage is not known here");
}

ResNetBody read_backbone(const Family& f) {
  const Keys& c = f.config;
  ResNetBody body;
  const Keys inner = c.child("backbone_config");
  const std::string_view type = inner.text_or("model_type", "");
  c.understood({"use_timm_backbone", "use_pretrained_backbone", "backbone_kwargs", "backbone", "dilation"});
  inner.understood({"backbone", "use_timm_backbone", "use_pretrained_backbone", "out_indices", "out_features",
                    "features_only", "freeze_batch_norm_2d", "output_stride", "num_channels"});
  if (c.flag("dilation", false)) c.problem("unknown-variant", "dilation", "a dilated last stage is not known here");
  if (type == "resnet" || type == "rt_detr_resnet") {
    body.deep_stem = type == "rt_detr_resnet";
    read_resnet(inner, body);
    body.channels = inner.size_or("num_channels", 3);
    return body;
  }
  body.channels = inner.present() ? inner.size_or("num_channels", 3) : c.size_or("num_channels", 3);
  const std::string_view name = inner.present() ? inner.text_or("backbone", "") : c.text_or("backbone", "resnet50");
  if ((inner.present() && type != "timm_backbone") || !named_resnet(name, body))
    c.problem("unknown-variant", inner.present() ? "backbone_config" : "backbone",
              "the backbone '" + std::string(inner.present() && type != "timm_backbone" ? type : name) +
                  "' is not known; known are ResNets");
  return body;
}

std::vector<Map> describe_resnet_body(Sink& sink, const ResNetBody& body, const Map& image) {
  std::vector<Map> maps;
  const Scope scope(sink, "backbone");
  RepeatedSink still(sink, 1, op_flags::frozen | op_flags::input_no_gradient);
  ImageStack s{body.held ? static_cast<Sink&>(still) : sink, body.channels, image.height, image.width};
  describe_stem(s, body);
  ImageStack rest{sink, s.channels, s.height, s.width};
  for (std::size_t stage = 0; stage < body.depths.size(); ++stage) {
    ImageStack& here = stage == 0 ? s : rest;
    describe_stage(here, body, stage);
    if (stage == 0) rest.become(s);
    maps.push_back({here.channels, here.height, here.width});
  }
  return maps;
}

Map detector_image(Family& f, const Map& usual) {
  if (f.inputs.image.size() == 3) return {f.inputs.image[0], f.inputs.image[1], f.inputs.image[2]};
  if (f.config.has("image_size")) {
    const std::int64_t side = f.config.size("image_size");
    return {usual.channels, side, side};
  }
  f.config.config().assume("image_height", usual.height);
  f.config.config().assume("image_width", usual.width);
  return usual;
}

void describe_deformable(const DeformablePart& p, std::int64_t queries, std::int64_t memory, Sink& sink) {
  const Scope scope(sink, "encoder_attn");
  const std::int64_t samples = p.levels * p.points;
  const Component projection = Component::projection;
  {
    const Scope branches(sink, {}, 1, BlockKind::branches);
    sink.add(column_linear("value_proj", memory, p.width, p.width, true, projection).with(op_flags::shared_input));
    sink.add(linear("sampling_offsets", queries, p.width, 2 * p.heads * samples, true, projection));
    const Scope weights(sink, {});
    sink.add(linear("attention_weights", queries, p.width, p.heads * samples, true, projection)
                 .with(op_flags::shared_input));
    sink.add(softmax("softmax", queries * p.heads, samples));
  }
  // Between four neighbours each, then weighed and added.
  sink.add(elementwise("samples", queries * p.width * samples, 4, 8, queries * p.width * samples)
               .part_of(Component::attention));
  sink.add(elementwise("weighed", queries * p.width * samples, 2, 2).part_of(Component::attention));
  sink.add(row_linear("output_proj", queries, p.width, p.width, true, projection));
}

void describe_added(Sink& sink, std::string_view norm, std::int64_t rows, std::int64_t width) {
  sink.add(residual(rows * width));
  sink.add(layer_norm(norm, rows, width));
}

void describe_reading(Sink& sink, std::string_view name, std::int64_t width, std::int64_t heads, std::int64_t queries,
                      std::int64_t memory) {
  CrossAttentionPart part;
  part.name = name;
  part.width = part.memory_width = width;
  part.heads = part.kv_heads = heads;
  part.head_dim = width / heads;
  part.q_bias = part.k_bias = part.v_bias = part.out_bias = true;
  describe_cross_attention(part, queries, memory, sink);
}

std::int64_t describe_projected_maps(Sink& sink, std::string_view name, const std::vector<Map>& maps,
                                     std::int64_t levels, std::int64_t width) {
  const Scope scope(sink, name);
  constexpr std::int64_t kGroups = 32;
  constexpr std::size_t kTaken = 3;
  const std::size_t from = maps.size() > kTaken ? maps.size() - kTaken : 0;
  std::int64_t all = 0;
  ImageStack last{sink, maps.back().channels, maps.back().height, maps.back().width};
  for (std::int64_t i = 0; i < levels; ++i) {
    const std::size_t at = from + static_cast<std::size_t>(i);
    ImageStack map = at < maps.size() ? ImageStack{sink, maps[at].channels, maps[at].height, maps[at].width} : last;
    if (at < maps.size())
      map.conv("conv", {.out = width, .kernel = 1, .bias = true});
    else
      map.conv("conv", {.out = width, .kernel = 3, .stride = 2, .padding = 1, .bias = true});
    map.group_norm("norm", kGroups);
    all += map.positions();
    if (at >= maps.size()) last.become(map);
  }
  return all;
}

void describe_stack(Sink& sink, std::string_view name, std::int64_t rows, std::int64_t in, std::int64_t hidden,
                    std::int64_t out, std::int64_t layers) {
  const Scope scope(sink, name);
  for (std::int64_t i = 0; i < layers; ++i) {
    const bool last = i + 1 == layers;
    sink.add(linear("layers", rows, i == 0 ? in : hidden, last ? out : hidden, true, Component::head));
    if (!last) sink.add(activation("act", rows * hidden, Activation::relu));
  }
}

}  // namespace floptally::families
