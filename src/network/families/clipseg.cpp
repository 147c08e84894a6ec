#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"clipseg"};
constexpr std::string_view kArchitectures[] = {"CLIPSegForImageSegmentation", "CLIPSegModel"};

struct Decoder {
  std::int64_t width = 64, depth = 3;
  bool complex = false;
};

// Cuts the patches up again into pixels: at once, or in two steps behind a convolution.
void describe_upscaling(Sink& sink, const Decoder& d, const VisionSizes& v) {
  const std::int64_t patches = v.patches();
  if (!d.complex) {
    const std::int64_t area = v.patch * v.patch;
    sink.add(convolution_transposed("transposed_convolution", d.width, 1, 1, area, patches, area * patches, true));
    return;
  }
  const Scope scope(sink, "transposed_convolution");
  const std::int64_t half = d.width / 2, area = (v.patch / 4) * (v.patch / 4);
  sink.add(convolution("0", d.width, d.width, 1, 9, patches, patches, true));
  sink.add(activation("1", patches * d.width, Activation::relu));
  sink.add(convolution_transposed("2", d.width, half, 1, area, patches, area * patches, true));
  sink.add(activation("3", area * patches * half, Activation::relu));
  sink.add(convolution_transposed("4", half, 1, 1, area, area * patches, area * area * patches, true));
}

// Some layers' outputs, each narrowed and added to a transformer of its own; the prompt scales and shifts one of them.
void describe_mask_decoder(Sink& sink, const Decoder& d, const EncoderLayerPart& layer, const VisionSizes& v,
                           std::int64_t prompt) {
  const Scope scope(sink, "decoder");
  const std::int64_t tokens = v.patches() + 1;
  sink.add(linear("film_mul", 1, prompt, d.width, true, Component::projection).with(op_flags::input_no_gradient));
  sink.add(linear("film_add", 1, prompt, d.width, true, Component::projection).with(op_flags::input_no_gradient));
  sink.add(elementwise("film", tokens * d.width, 2, 2, 1));
  {
    const Scope layers(sink, "layers", d.depth, BlockKind::layer);
    sink.add(linear("reduce", tokens, v.width, d.width, true, Component::projection).with(op_flags::input_no_gradient));
    sink.add(residual(tokens * d.width));
    describe_encoder_layer(layer, tokens, sink);
  }
  describe_upscaling(sink, d, v);
}

void describe_clipseg(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const bool plain = named.ends_with("Model");
  if (!named.empty() && !plain && !named.ends_with("ForImageSegmentation"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  if (!c.has("vision_config") && !c.has("text_config"))
    c.problem("missing-key", "vision_config", "the config has neither 'vision_config' nor 'text_config'");
  const VisionSizes v = read_vision(c.child("vision_config"), {768, 12, 12, 3072, 3, 224, 32});
  const Keys text = c.child("text_config");
  const TextTower t = read_clip_text(text);
  text.understood({"hidden_act"});
  const std::int64_t shared = c.assume("projection_dim", 512);
  Decoder d;
  d.width = c.assume("reduce_dim", 64);
  d.complex = c.flag("use_complex_transposed_convolution", false);
  EncoderLayerPart layer{.width = d.width,
                         .heads = c.assume("decoder_num_attention_heads", 4),
                         .ffn = c.assume("decoder_intermediate_size", 2048),
                         .post_norm = true,
                         .activation = Activation::relu};
  c.divides("decoder_num_attention_heads", layer.heads, "reduce_dim", d.width);
  if (c.has("extract_layers")) {
    const std::vector<std::int64_t> read = c.config().sizes({"extract_layers"});
    d.depth = static_cast<std::int64_t>(read.size());
    for (const std::int64_t each : read)
      if (each < 0 || each >= v.layers)
        c.problem("shape-range", "extract_layers", "'extract_layers' names a layer that the tower does not have");
  }
  if (d.depth < 1) c.problem("shape-range", "extract_layers", "'extract_layers' names no layer");
  if (d.complex && (v.patch < 4 || d.width < 2))
    c.problem("shape-range", "patch_size", "patches are too small to be cut up in two steps");
  c.understood({"logit_scale_init_value", "text_config_dict", "vision_config_dict", "conditional_layer",
                "decoder_attention_dropout", "decoder_hidden_act"});
  f.sequence(t.positions);
  if (!f.ok()) return;
  {
    RepeatedSink held(f.sink, 1, plain ? std::uint16_t{0} : op_flags::frozen);  // the class asks no gradient of CLIP
    describe_clip_tower(held, v, Activation::gelu);
    held.add(linear("visual_projection", 1, v.width, shared, false, Component::head));
    describe_clip_text(held, t, f.tokens);
    held.add(linear("text_projection", 1, t.layer.width, shared, false, Component::head));
    held.add(parameter("logit_scale", 1, plain ? 1 : 0));
  }
  if (!plain) describe_mask_decoder(f.sink, d, layer, v, shared);
}

}  // namespace

extern const FamilyDef k_clipseg;
const FamilyDef k_clipseg = {"clipseg",
                             "CLIPSeg: CLIP, held fixed, and a small decoder that marks what a text names",
                             "huggingface/transformers models/clipseg/modeling_clipseg.py; 2112.10003",
                             kTypes,
                             kArchitectures,
                             build<describe_clipseg>,
                             "sample"};

}  // namespace floptally::families
