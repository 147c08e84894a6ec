#include "network/families/_segmentation.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"mask2former"};
constexpr std::string_view kArchitectures[] = {"Mask2FormerForUniversalSegmentation", "Mask2FormerModel"};

Segmenter read_segmenter(const Keys& c) {
  Segmenter s;
  s.width = c.assume("feature_size", 256);
  s.mask = c.assume("mask_feature_size", 256);
  s.hidden = c.assume("hidden_dim", 256);
  s.inner = c.assume("encoder_feedforward_dim", 1024);
  s.encoders = c.assume("encoder_layers", 6);
  s.decoders = c.assume("decoder_layers", 10) - 1;
  s.heads = c.assume("num_attention_heads", 8);
  s.ffn = c.assume("dim_feedforward", 2048);
  s.queries = c.assume("num_queries", 100);
  s.stride = c.assume("common_stride", 4);
  s.projects = c.flag("enforce_input_projection", false) || s.hidden != s.width;
  check_segmenter(c, s, "feature_size");
  return s;
}

// A mask for each query, before the first layer and behind each: it says where the next one may look.
void describe_masks(Sink& sink, const Segmenter& s, std::int64_t positions) {
  sink.add(layer_norm("layernorm", s.queries, s.hidden));
  describe_stack(sink, "mask_embedder", s.queries, s.hidden, s.hidden, s.mask, 3);
  sink.add(matmul("masks", 1, s.queries, s.mask, positions, 2, Component::head));
}

void describe_queries(Family& f, const Segmenter& s, const std::vector<Map>& maps) {
  const Scope scope(f.sink, "transformer_module");
  const std::int64_t rows = s.queries, width = s.hidden;
  f.sink.add(parameter("queries_embedder", rows * width, rows * width, Component::embed));
  f.sink.add(parameter("queries_features", rows * width, rows * width, Component::embed));
  describe_levels(f, s, maps);
  {
    RepeatedSink all(f.sink, s.decoders + 1);
    describe_masks(all, s, maps[0].positions());
  }
  describe_map_readers(f, s, maps);
}

void describe_mask2former(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const Segmenter s = read_segmenter(c);
  const Eyes eyes = read_eyes(f);
  const bool plain = named.ends_with("Model");
  if (!named.empty() && !plain && !named.ends_with("ForUniversalSegmentation"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = plain ? 0 : label_count(c) + 1;
  const Map image = detector_image(f, {3, 384, 384});
  if (!f.ok()) return;
  const std::vector<Map> maps = describe_eyes(f, eyes, image);
  describe_pixels(f, s, maps);
  describe_queries(f, s, maps);
  if (plain) return;
  RepeatedSink all(f.sink, s.decoders + 1);
  all.add(linear("class_predictor", s.queries, s.hidden, labels, true, Component::head));
}

}  // namespace

extern const FamilyDef k_mask2former;
const FamilyDef k_mask2former = {
    "mask2former",
    "Mask2Former: Swin or ResNet, a deformable encoder of the maps, queries that look inside their own masks",
    "huggingface/transformers models/mask2former/modeling_mask2former.py; 2112.01527",
    kTypes,
    kArchitectures,
    build<describe_mask2former>,
    "image"};

}  // namespace floptally::families
