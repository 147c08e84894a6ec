#include "network/families/_encoder.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"git"};
constexpr std::string_view kArchitectures[] = {"GitForCausalLM", "GitModel"};

// CLIP's tower, but all its positions go on, normed and projected.
void describe_images(Sink& sink, const VisionSizes& v, std::int64_t width) {
  const std::int64_t tokens = v.patches() + 1;
  {
    const Scope scope(sink, "image_encoder");
    sink.add(patch_embedding("patch_embedding", v.channels, v.width, v.patch * v.patch, v.patches(), false));
    sink.add(parameter("class_embedding", v.width, v.width, Component::embed));
    sink.add(position_table("position_embedding", tokens, tokens, v.width));
    sink.add(layer_norm("pre_layrnorm", tokens, v.width));
    {
      const Scope layers(sink, "layers", v.layers, BlockKind::layer);
      describe_encoder_layer({.width = v.width, .heads = v.heads, .ffn = v.ffn}, tokens, sink);
    }
    sink.add(layer_norm("post_layernorm", tokens, v.width));
  }
  const Scope scope(sink, "visual_projection");
  sink.add(linear("0", tokens, v.width, width, true, Component::projection));
  sink.add(layer_norm("1", tokens, width));
}

void describe_git(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const bool plain = named.ends_with("Model");
  if (!named.empty() && !plain && !named.ends_with("ForCausalLM"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  BertSizes s = read_bert(f);
  s.segments = 0;
  s.layer.mask = AttentionMask::causal;
  const VisionSizes v = read_vision(c.child("vision_config"), {768, 12, 12, 3072, 3, 224, 16});
  const std::int64_t frames = c.count_or("num_image_with_embedding", 0);
  if (c.has("type_vocab_size")) c.problem("unknown-variant", "type_vocab_size", "GIT has no table of segments");
  const bool tied = read_tied(f, false);
  if (!f.ok()) return;
  {
    RepeatedSink images(f.sink, images_per_sample(f));
    describe_images(images, v, s.layer.width);
  }
  if (frames > 0) f.sink.add(parameter("img_temporal_embedding", frames * v.width, 0, Component::position));
  describe_bert_embeddings(f, s, s.layer.width);
  {
    const Scope layers(f.sink, "layer", s.layers, BlockKind::layer);
    describe_encoder_layer(s.layer, f.tokens, f.sink);
  }
  if (plain) return;
  describe_unembedding(
      {.name = "output", .width = s.layer.width, .vocabulary = s.vocabulary, .tied = tied, .bias = true}, f.tokens,
      f.sink);
}

}  // namespace

extern const FamilyDef k_git;
const FamilyDef k_git = {"git",
                         "GIT: a CLIP tower whose positions stand before the text in one post-norm decoder",
                         "huggingface/transformers models/git/modeling_git.py; 2205.14100",
                         kTypes,
                         kArchitectures,
                         build<describe_git>};

}  // namespace floptally::families
