#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"kosmos-2"};
constexpr std::string_view kArchitectures[] = {"Kosmos2ForConditionalGeneration", "Kosmos2Model"};

struct Text {
  std::int64_t width = 2048, layers = 24, heads = 32, ffn = 8192, vocabulary = 65037, positions = 2048;
  Activation kind = Activation::gelu;
};

// Magneto's layers (2210.06423): a norm more inside each sublayer.
void describe_text(Family& f, const Text& t) {
  const std::int64_t tokens = f.tokens, width = t.width;
  describe_embedding(f, t.vocabulary, width);
  f.sink.add(move("embed_positions", tokens * width, t.positions * width));
  const Scope layers(f.sink, "layers", t.layers, BlockKind::layer);
  const auto project = [&](std::string_view name) {
    f.sink.add(column_linear(name, tokens, width, width, true, Component::projection));
  };
  f.sink.add(layer_norm("self_attn_layer_norm", tokens, width));
  {
    const Scope scope(f.sink, "self_attn");
    for (const std::string_view name : {"q_proj", "k_proj", "v_proj"}) project(name);
    AttentionShape shape;
    shape.queries = shape.keys = tokens;
    shape.heads = shape.kv_heads = t.heads;
    shape.key_dim = shape.value_dim = width / t.heads;
    f.sink.add(attention("attention", shape));
    f.sink.add(layer_norm("inner_attn_ln", tokens, width));
    f.sink.add(row_linear("out_proj", tokens, width, width, true, Component::projection));
  }
  f.sink.add(residual(tokens * width));
  f.sink.add(layer_norm("final_layer_norm", tokens, width));
  const Scope ffn(f.sink, "ffn");
  f.sink.add(column_linear("fc1", tokens, width, t.ffn, true));
  f.sink.add(activation("act", tokens * t.ffn, t.kind));
  f.sink.add(layer_norm("ffn_layernorm", tokens, t.ffn));
  f.sink.add(row_linear("fc2", tokens, t.ffn, width, true));
  f.sink.add(residual(tokens * width));
}

// Learned queries read the tower's patches and themselves.
void describe_resampler(Sink& sink, std::int64_t queries, std::int64_t seen, std::int64_t width, std::int64_t out,
                        std::int64_t heads) {
  const Scope scope(sink, "image_to_text_projection");
  sink.add(linear("dense", seen, width, out, true));
  sink.add(parameter("latent_query", queries * out, queries * out, Component::embed));
  CrossAttentionPart cross;
  cross.name = "x_attn";
  cross.width = cross.memory_width = out;
  cross.heads = cross.kv_heads = heads;
  cross.head_dim = out / heads;
  cross.q_bias = cross.k_bias = cross.v_bias = cross.out_bias = true;
  describe_cross_attention(cross, queries, seen + queries, sink);
}

void describe_kosmos2(Family& f) {
  const Keys& c = f.config;
  const Keys v = c.child("vision_config"), k = c.child("text_config");
  if (!k.present()) c.size("text_config");
  const VisionSizes z = read_vision(v, {1024, 24, 16, 4096, 3, 224, 14});
  Text t;
  t.width = k.assume("embed_dim", 2048);
  t.layers = k.assume("layers", 24);
  t.heads = k.assume("attention_heads", 32);
  t.ffn = k.assume("ffn_dim", 8192);
  t.vocabulary = k.assume("vocab_size", 65037);
  t.positions = k.assume("max_position_embeddings", 2048);
  t.kind = k.config().activation({"activation_function"}, "gelu");
  k.divides("attention_heads", t.heads, "embed_dim", t.width);
  k.understood({"scale_embedding", "layerdrop", "dropout", "attention_dropout", "activation_dropout", "init_std",
                "layer_norm_eps"});
  const std::int64_t queries = c.assume("latent_query_num", 64);
  f.sequence(t.positions);
  if (!f.ok()) return;
  {
    RepeatedSink images(f.sink, images_per_sample(f));
    describe_clip_tower(images, z, Activation::gelu);
    describe_resampler(images, queries, z.patches() + 1, z.width, t.width, t.heads);
  }
  describe_text(f, t);
  describe_head(f, NormKind::layer, t.width, t.vocabulary, true);
}

}  // namespace

extern const FamilyDef k_kosmos2;
const FamilyDef k_kosmos2 = {
    "kosmos2",
    "Kosmos-2: a CLIP tower, queries that read it, a decoder with a norm more inside each sublayer",
    "huggingface/transformers models/kosmos2/modeling_kosmos2.py; 2306.14824",
    kTypes,
    kArchitectures,
    build<describe_kosmos2>};

}  // namespace floptally::families
