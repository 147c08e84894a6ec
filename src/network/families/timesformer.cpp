#include "network/blocks/tower.h"
#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"timesformer"};
constexpr std::string_view kArchitectures[] = {"TimesformerModel", "TimesformerForVideoClassification"};

struct Net {
  std::int64_t width = 768, layers = 12, heads = 12, ffn = 3072, image = 224, patch = 16, channels = 3, frames = 8;
  bool bias = true;
  std::string_view kind;
  [[nodiscard]] std::int64_t places() const { return (image / patch) * (image / patch); }
};

AttentionPart attention_of(const Net& n, std::string_view name) {
  AttentionPart a;
  a.name = name;
  a.width = n.width;
  a.heads = a.kv_heads = n.heads;
  a.head_dim = n.width / n.heads;
  a.rotary_dim = 0;
  a.mask = AttentionMask::none;
  a.joined = true;
  set_bias(a, n.bias, true);
  return a;
}

void describe_feed(Sink& sink, const Net& n, std::int64_t tokens) {
  sink.add(layer_norm("layernorm_after", tokens, n.width));
  describe_mlp(mlp_of(n.width, n.ffn, Activation::gelu, false, true), tokens, sink);
  sink.add(residual(tokens * n.width));
}

// Attention over one place of all frames, then over the places of one frame, each of which has the class token.
void describe_divided(Sink& sink, const Net& n) {
  const std::int64_t places = n.places(), moving = places * n.frames;
  {
    RepeatedSink each(sink, places);
    each.add(layer_norm("temporal_layernorm", n.frames, n.width));
    describe_attention(attention_of(n, "temporal_attention"), n.frames, each);
  }
  sink.add(linear("temporal_dense", moving, n.width, n.width, true, Component::projection));
  sink.add(residual(moving * n.width));
  {
    RepeatedSink each(sink, n.frames);
    each.add(layer_norm("layernorm_before", places + 1, n.width));
    describe_attention(attention_of(n, "attention"), places + 1, each);
  }
  sink.add(residual((moving + 1) * n.width));
  describe_feed(sink, n, moving + 1);
}

void describe_joint(Sink& sink, const Net& n, std::int64_t tokens) {
  sink.add(layer_norm("layernorm_before", tokens, n.width));
  describe_attention(attention_of(n, "attention"), tokens, sink);
  sink.add(residual(tokens * n.width));
  describe_feed(sink, n, tokens);
}

void describe_timesformer(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  Net n;
  n.width = c.size("hidden_size");
  n.layers = c.assume("num_hidden_layers", 12);
  n.heads = c.assume("num_attention_heads", 12);
  n.ffn = c.assume("intermediate_size", 3072);
  n.image = c.assume("image_size", 224);
  n.patch = c.assume("patch_size", 16);
  n.channels = c.assume("num_channels", 3);
  n.frames = c.assume("num_frames", 8);
  n.bias = c.flag("qkv_bias", true);
  n.kind = c.text_or("attention_type", "divided_space_time");
  const bool divided = n.kind == "divided_space_time", still = n.kind == "space_only";
  if (!divided && !still && n.kind != "joint_space_time")
    c.problem("unknown-variant", "attention_type", "the attention '" + std::string(n.kind) + "' is not known");
  c.divides("num_attention_heads", n.heads, "hidden_size", n.width);
  if (n.image < n.patch) c.problem("shape-range", "patch_size", "'patch_size' is larger than 'image_size'");
  const bool classes = named.ends_with("ForVideoClassification");
  if (!named.empty() && !classes && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = classes ? label_count(c) : 0;
  c.understood({"hidden_act", "drop_path_rate"});
  if (!f.ok()) return;
  const std::int64_t places = n.places();
  RepeatedSink stills(f.sink, n.frames);
  stills.add(patch_embedding("patch_embeddings", n.channels, n.width, n.patch * n.patch, places, true)
                 .with(op_flags::input_no_gradient));
  stills.add(parameter("cls_token", n.width, n.width, Component::embed));
  stills.add(position_table("position_embeddings", places + 1, places + 1, n.width));
  if (!still)
    f.sink.add(parameter("time_embeddings", n.frames * n.width, n.frames * places * n.width, Component::position));
  {
    Sink& sink = still ? static_cast<Sink&>(stills) : f.sink;
    {
      const Scope layers(sink, "layer", n.layers, BlockKind::layer);
      if (divided)
        describe_divided(sink, n);
      else
        describe_joint(sink, n, still ? places + 1 : n.frames * places + 1);
    }
    const std::int64_t tokens = still ? places + 1 : n.frames * places + 1;
    sink.add(layer_norm("layernorm", tokens, n.width));
  }
  Sink& each = still ? static_cast<Sink&>(stills) : f.sink;  // frames alone are classified one by one
  if (classes) each.add(linear("classifier", 1, n.width, labels, true, Component::head));
}

}  // namespace

extern const FamilyDef k_timesformer;
const FamilyDef k_timesformer = {
    "timesformer",
    "TimeSformer: a vision transformer over frames, attention over time and over space one after the other",
    "huggingface/transformers models/timesformer/modeling_timesformer.py; 2102.05095",
    kTypes,
    kArchitectures,
    build<describe_timesformer>,
    "sample"};

}  // namespace floptally::families
