#include "network/families/_segmentation.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"oneformer"};
constexpr std::string_view kArchitectures[] = {"OneFormerForUniversalSegmentation", "OneFormerModel"};

struct Task {
  std::int64_t words = 77, layers = 2;
};

Segmenter read_segmenter(const Keys& c) {
  Segmenter s;
  s.width = c.assume("conv_dim", 256);
  s.mask = c.assume("mask_dim", 256);
  s.hidden = c.assume("hidden_dim", 256);
  s.inner = c.assume("encoder_feedforward_dim", 1024);
  s.encoders = c.assume("encoder_layers", 6);
  s.decoders = c.assume("decoder_layers", 10) - 1;
  s.heads = c.assume("num_attention_heads", 8);
  s.ffn = c.assume("dim_feedforward", 2048);
  s.queries = c.assume("num_queries", 150);
  s.stride = c.assume("common_stride", 4);
  s.projects = c.flag("enforce_input_proj", false) || s.hidden != s.width;
  check_segmenter(c, s, "conv_dim");
  if (c.text_or("norm", "GN") != "GN") c.problem("unknown-variant", "norm", "only group norms are known here");
  if (s.mask != s.width)
    c.problem("shape-range", "mask_dim", "'mask_dim' must be 'conv_dim': queries read the finest map");
  if (s.queries < 2) c.problem("shape-range", "num_queries", "'num_queries' must be at least 2");
  // What a class holds for its training alone: the text that queries are compared to.
  if (c.flag("is_training", false))
    c.problem("unknown-variant", "is_training", "the text encoder that training adds is not known");
  c.understood({"contrastive_weight", "contrastive_temperature", "strides", "use_task_norm", "text_encoder_width",
                "text_encoder_context_length", "text_encoder_num_layers", "text_encoder_vocab_size",
                "text_encoder_proj_layers", "text_encoder_n_ctx", "max_seq_len"});
  return s;
}

// The task's token and queries that read the finest map.
void describe_start(Family& f, const Segmenter& s, const Task& task, const std::vector<Map>& maps) {
  const std::int64_t width = s.hidden, rows = s.queries - 1, finest = maps[0].positions();
  {
    const Scope scope(f.sink, "task_encoder");
    describe_stack(f.sink, "task_mlp", 1, task.words, width, width, 2);
  }
  f.sink.add(convolution("query_input_projection", s.mask, width, 1, 1, finest, finest, true));
  const Scope scope(f.sink, "query_transformer");
  {
    const Scope layers(f.sink, "layers", task.layers, BlockKind::layer);
    describe_reading(f.sink, "self_attn", width, s.heads, rows, rows);
    describe_added(f.sink, "norm1", rows, width);
    describe_reading(f.sink, "multihead_attn", width, s.heads, rows, finest);
    describe_added(f.sink, "norm2", rows, width);
    describe_mlp(mlp_of(width, s.ffn, Activation::relu, false, true), rows, f.sink);
    describe_added(f.sink, "norm3", rows, width);
  }
  f.sink.add(layer_norm("norm", rows, width));
}

// A class and a mask for each query, before the first layer and behind each.
void describe_predictions(Sink& sink, const Segmenter& s, std::int64_t labels, std::int64_t positions) {
  sink.add(layer_norm("decoder_norm", s.queries, s.hidden));
  sink.add(linear("class_embed", s.queries, s.hidden, labels, true, Component::head));
  describe_stack(sink, "mask_embed", s.queries, s.hidden, s.hidden, s.mask, 3);
  sink.add(matmul("masks", 1, s.queries, s.mask, positions, 2, Component::head));
}

void describe_oneformer(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const Segmenter s = read_segmenter(c);
  const Task task{c.assume("task_seq_len", 77), c.assume("query_dec_layers", 2)};
  const Eyes eyes = read_eyes(f);
  const bool plain = named.ends_with("Model"), compares = !plain && c.ratio_or("contrastive_temperature", 0.07) != 0;
  if (!named.empty() && !plain && !named.ends_with("ForUniversalSegmentation"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = label_count(c) + 1;
  const Map image = detector_image(f, {3, 512, 512});
  if (!f.ok()) return;
  const std::vector<Map> maps = describe_eyes(f, eyes, image);
  describe_pixels(f, s, maps);
  const Scope scope(f.sink, "transformer_module");
  f.sink.add(parameter("queries_embedder", s.queries * s.hidden, s.queries * s.hidden, Component::embed));
  describe_levels(f, s, maps);
  describe_start(f, s, task, maps);
  {
    RepeatedSink all(f.sink, s.decoders + 1);
    describe_predictions(all, s, labels, maps[0].positions());
  }
  describe_map_readers(f, s, maps);
  if (compares) f.sink.add(parameter("logit_scale", 1, 0, Component::loss));
}

}  // namespace

extern const FamilyDef k_oneformer;
const FamilyDef k_oneformer = {
    "oneformer",
    "OneFormer: Mask2Former's maps, queries that read the finest map beside a token of the task",
    "huggingface/transformers models/oneformer/modeling_oneformer.py; 2211.06220",
    kTypes,
    kArchitectures,
    build<describe_oneformer>,
    "image"};

}  // namespace floptally::families
