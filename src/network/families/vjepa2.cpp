#include "network/blocks/tower.h"
#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"vjepa2"};
constexpr std::string_view kArchitectures[] = {"VJEPA2Model", "VJEPA2ForVideoClassification"};

struct Half {
  EncoderLayerPart layer;
  std::int64_t layers = 24;
};

Half read_half(const Keys& c, std::string_view width, std::string_view heads, std::string_view layers,
               std::string_view ratio, const Half& published) {
  Half h;
  h.layer.width = width == "hidden_size" ? c.size(width) : c.assume(width, published.layer.width);
  h.layer.heads = c.assume(heads, published.layer.heads);
  h.layer.ffn =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(c.ratio_or(ratio, 4) * static_cast<double>(h.layer.width)));
  h.layer.qkv_bias = c.flag("qkv_bias", true);
  c.divides(heads, h.layer.heads, width, h.layer.width);
  // Rotated by frame, row and column: a third of each head each, in pairs.
  h.layer.rotary_dim = 3 * (2 * (h.layer.width / std::max<std::int64_t>(1, h.layer.heads) / 3 / 2));
  h.layers = c.assume(layers, published.layers);
  return h;
}

void describe_half(Sink& sink, const Half& h, std::int64_t tokens) {
  {
    const Scope layers(sink, "layer", h.layers, BlockKind::layer);
    describe_encoder_layer(h.layer, tokens, sink);
  }
  sink.add(layer_norm("layernorm", tokens, h.layer.width));
}

// The masked places are predicted of the seen ones; where nothing is masked, of all.
void describe_predictor(Sink& sink, const Half& h, std::int64_t width, std::int64_t masks, std::int64_t tokens) {
  const Scope scope(sink, "predictor");
  sink.add(linear("predictor_embeddings", tokens, width, h.layer.width, true, Component::embed));
  sink.add(parameter("mask_tokens", masks * h.layer.width, tokens * h.layer.width, Component::embed));
  describe_half(sink, h, 2 * tokens);
  sink.add(linear("proj", tokens, h.layer.width, width, true, Component::head));
}

void describe_pooler(Sink& sink, const EncoderLayerPart& e, std::int64_t layers, std::int64_t tokens) {
  const Scope scope(sink, "pooler");
  EncoderLayerPart plain = e;
  plain.rotary_dim = 0;
  plain.qkv_bias = true;
  {
    const Scope self(sink, "self_attention_layers", layers, BlockKind::layer);
    describe_encoder_layer(plain, tokens, sink);
  }
  sink.add(parameter("query_tokens", e.width, e.width, Component::embed));
  sink.add(layer_norm("layer_norm1", tokens, e.width));
  sink.add(linear("q_proj", 1, e.width, e.width, true, Component::projection));
  for (const std::string_view name : {"k_proj", "v_proj"})
    sink.add(linear(name, tokens, e.width, e.width, true, Component::projection).with(op_flags::shared_input));
  AttentionShape shape;
  shape.keys = tokens;
  shape.heads = shape.kv_heads = e.heads;
  shape.key_dim = shape.value_dim = e.width / e.heads;
  shape.mask = AttentionMask::none;
  sink.add(attention("cross_attention", shape));
  sink.add(layer_norm("layer_norm2", 1, e.width));
  describe_mlp(mlp_of(e.width, e.ffn, Activation::gelu, false, true), 1, sink);
}

void describe_vjepa2(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const Half encoder = read_half(c, "hidden_size", "num_attention_heads", "num_hidden_layers", "mlp_ratio",
                                 {{.width = 1024, .heads = 16}, 24}),
             predictor = read_half(c, "pred_hidden_size", "pred_num_attention_heads", "pred_num_hidden_layers",
                                   "pred_mlp_ratio", {{.width = 384, .heads = 12}, 12});
  const std::int64_t patch = c.assume("patch_size", 16), side = c.assume("crop_size", 256),
                     frames = c.assume("frames_per_clip", 64), deep = c.assume("tubelet_size", 2),
                     channels = c.assume("in_chans", 3), masks = c.assume("pred_num_mask_tokens", 10),
                     poolers = c.assume("num_pooler_layers", 3);
  const bool classes = named.ends_with("ForVideoClassification");
  if (!named.empty() && !classes && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = classes ? label_count(c) : 0;
  if (side < patch || frames < deep)
    c.problem("shape-range", "patch_size", "'patch_size' and 'tubelet_size' must fit into the clip");
  c.understood({"hidden_act", "drop_path_rate", "image_size", "pred_zero_init_mask_tokens", "num_frames"});
  if (!f.ok()) return;
  const std::int64_t tokens = (frames / deep) * (side / patch) * (side / patch), width = encoder.layer.width;
  {
    const Scope scope(f.sink, "encoder");
    f.sink.add(patch_embedding("patch_embeddings", channels, width, deep * patch * patch, tokens, true)
                   .with(op_flags::input_no_gradient));
    describe_half(f.sink, encoder, tokens);
  }
  RepeatedSink predicting(f.sink, classes ? 0 : 1);  // a classifier holds the predictor and does not ask it
  describe_predictor(predicting, predictor, width, masks, tokens);
  if (!classes) return;
  describe_pooler(f.sink, encoder.layer, poolers, tokens);
  f.sink.add(linear("classifier", 1, width, labels, true, Component::head));
}

}  // namespace

extern const FamilyDef k_vjepa2;
const FamilyDef k_vjepa2 = {
    "vjepa2",
    "V-JEPA 2: a vision transformer over tubes of a clip, and a small one that predicts what is "
    "masked",
    "huggingface/transformers models/vjepa2/modeling_vjepa2.py; 2506.09985",
    kTypes,
    kArchitectures,
    build<describe_vjepa2>,
    "sample"};

}  // namespace floptally::families
