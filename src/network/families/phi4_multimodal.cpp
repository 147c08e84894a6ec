#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"phi4_multimodal", "phi4mm"};
constexpr std::string_view kArchitectures[] = {"Phi4MultimodalForCausalLM", "Phi4MMForCausalLM", "Phi4MultimodalModel"};

// A conformer (2005.08100) behind convolutions that keep one position of eight.
struct Ears {
  std::int64_t width = 1024, inner = 1536, blocks = 24, heads = 16, wide = 1024, separated = 1024, kernel = 3;
  std::int64_t bins = 80, shrinks = 8, channels = 1024, biases = 2000;
  bool normed = false;  // means and deviations of the spectrogram are parameters
};

Ears read_ears(const Keys& a) {
  Ears e;
  e.width = a.assume("hidden_size", 1024);
  e.inner = a.assume("intermediate_size", 1536);
  e.blocks = a.assume("num_blocks", 24);
  e.heads = a.assume("num_attention_heads", 16);
  e.wide = a.assume("ext_pw_out_channel", 1024);
  e.separated = a.assume("depthwise_separable_out_channel", 1024);
  e.kernel = a.assume("kernel_size", 3);
  e.bins = a.assume("input_size", 80);
  e.shrinks = a.assume("time_reduction", 8);
  e.channels = a.assume("nemo_conv_channels", 1024);
  const std::int64_t far = a.assume("bias_max_distance", 1000);
  e.biases = a.flag("bias_symmetric", false) ? far : 2 * far;
  a.understood({"depthwise_multiplier", "chunk_size", "left_chunk", "conv_activation", "conv_glu_type", "activation",
                "nemo_activation", "downsample_rate", "feature_layer", "audio_token_id", "dropout_rate"});
  if (a.size_or("depthwise_multiplier", 1) != 1 || a.size_or("downsample_rate", 1) != 1)
    a.problem("unknown-variant", "depthwise_multiplier",
              "only one filter a channel, and as many positions behind the encoder as in it, are known here");
  a.divides("num_attention_heads", e.heads, "hidden_size", e.width);
  return e;
}

// The keys of the code that lies beside the checkpoint.
Ears read_first_ears(const Keys& a) {
  Ears e;
  e.normed = true;
  e.width = a.size("attention_dim");
  e.heads = a.size("attention_heads");
  e.inner = a.size("linear_units");
  e.blocks = a.size("num_blocks");
  e.wide = a.assume("ext_pw_out_channel", 1024);
  e.separated = a.assume("depthwise_seperable_out_channel", 1024);
  e.kernel = a.assume("kernel_size", 3);
  e.bins = a.assume("input_size", 80);
  e.shrinks = a.assume("time_reduction", 8);
  e.channels = a.child("nemo_conv_settings").assume("conv_channels", 1024);
  const Keys bias = a.child("relative_attention_bias_args");
  e.biases = (bias.flag("t5_bias_symmetric", false) ? 1 : 2) * bias.assume("t5_bias_max_distance", 500);
  a.understood({"activation", "activation_checkpointing", "batch_norm", "bias_in_glu", "causal", "chunk_size",
                "conv_activation", "conv_glu_type", "depthwise_multiplier", "dropout_rate", "encoder_embedding_config",
                "ext_pw_kernel_size", "input_layer", "left_chunk", "cnn_layer_norm", "cnn_out"});
  bias.understood({"type"});
  a.divides("attention_heads", e.heads, "attention_dim", e.width);
  return e;
}

// Gated, with half a step of residual.
void describe_step(Sink& sink, std::string_view name, const Ears& e, std::int64_t tokens) {
  const Scope scope(sink, name);
  sink.add(layer_norm("layer_norm", tokens, e.width));
  sink.add(column_linear("gate_up_proj", tokens, e.width, 2 * e.inner, true));
  sink.add(gated_activation("act", tokens * e.inner, Activation::silu));
  sink.add(row_linear("down_proj", tokens, e.inner, e.width, true));
  sink.add(residual(tokens * e.width));
}

void describe_convolutions(Sink& sink, const Ears& e, std::int64_t tokens) {
  const Scope scope(sink, "conv");
  const auto point = [&](std::string_view name, std::int64_t in, std::int64_t out) {
    sink.add(convolution(name, in, out, 1, 1, tokens, tokens, true));
  };
  sink.add(layer_norm("layer_norm", tokens, e.width));
  point("glu", e.width, 2 * e.wide);
  sink.add(parameter("glu.bias", 2 * e.wide, 2 * tokens * e.wide));
  sink.add(gated_activation("act", tokens * e.wide, Activation::silu));
  sink.add(convolution("dw_conv", e.width, e.width, e.width, e.kernel, tokens, tokens, true));
  point("pw_conv", e.width, e.separated);
  sink.add(activation("act", tokens * e.separated, Activation::silu));
  point("ext_pw_conv_1d", e.width, e.wide);
  sink.add(residual(tokens * e.width));
}

void describe_ears(Sink& sink, const Ears& e, std::int64_t tokens) {
  const Scope encoder(sink, "audio_encoder");
  if (e.normed) sink.add(parameter("encoder_embedding", 2 * e.bins, 0));
  std::int64_t time = tokens * e.shrinks, bins = e.bins;
  {
    const Scope embed(sink, "embed");
    for (std::int64_t left = e.shrinks; left > 1; left /= 2) {
      const std::int64_t from = time * bins;
      const bool first = left == e.shrinks;
      time = std::max<std::int64_t>(1, time / 2);
      bins = (bins - 1) / 2 + 1;
      sink.add(
          convolution("conv", first ? 1 : e.channels, e.channels, first ? 1 : e.channels, 9, from, time * bins, true));
      if (!first) sink.add(convolution("conv.point", e.channels, e.channels, 1, 1, time * bins, time * bins, true));
      sink.add(activation("act", time * bins * e.channels, Activation::relu));
    }
    sink.add(linear("out", tokens, e.channels * bins, e.width, true));
  }
  sink.add(relative_bias("relative_attention_bias", e.heads, e.biases, tokens * tokens));
  const Scope layers(sink, "encoders", e.blocks, BlockKind::layer);
  AttentionPart self;
  self.width = e.width;
  self.heads = self.kv_heads = e.heads;
  self.head_dim = e.width / e.heads;
  self.rotary_dim = 0;
  self.mask = AttentionMask::none;
  set_bias(self, true, true);
  describe_step(sink, "feed_forward_in", e, tokens);
  sink.add(layer_norm("layer_norm_att", tokens, e.width));
  describe_attention(self, tokens, sink);
  sink.add(residual(tokens * e.width));
  describe_convolutions(sink, e, tokens);
  describe_step(sink, "feed_forward_out", e, tokens);
  sink.add(layer_norm("layer_norm", tokens, e.width));
}

void describe_projection(Sink& sink, std::string_view name, std::int64_t tokens, std::int64_t in, std::int64_t out) {
  const Scope scope(sink, name);
  sink.add(linear("up", tokens, in, out, true));
  sink.add(activation("act", tokens * out, Activation::gelu));
  sink.add(linear("down", tokens, out, out, true));
}

// Low-rank additions to every matrix of the decoder's layers: those for images run with images, those for speech with
// speech alone.
void describe_adapters(Family& f, std::string_view name, std::int64_t rank, bool runs) {
  const Keys& c = f.config;
  const std::int64_t width = c.size("hidden_size"), heads = c.size("num_attention_heads"),
                     kv = c.size_or("num_key_value_heads", heads), inner = c.size("intermediate_size"),
                     layers = c.size("num_hidden_layers"), tokens = runs ? f.tokens : 0;
  const std::int64_t joined = width + 2 * kv * (width / std::max<std::int64_t>(1, heads));
  const Scope scope(f.sink, name, layers, BlockKind::layer);
  const auto pair = [&](std::string_view what, std::int64_t in, std::int64_t out) {
    const Scope one(f.sink, what);
    f.sink.add(linear("lora_A", tokens, in, rank, false));
    f.sink.add(linear("lora_B", tokens, rank, out, false));
  };
  pair("qkv_proj", width, joined);
  pair("o_proj", width, width);
  pair("gate_up_proj", width, 2 * inner);
  pair("down_proj", inner, width);
}

VisionSizes read_eyes(const Keys& c, bool first) {
  constexpr VisionSizes kPublished{1152, 27, 16, 4304, 3, 448, 14};  // SigLIP so400m, which the first code has built in
  if (first) return kPublished;
  const Keys v = c.child("vision_config");
  v.understood({"crop_size", "image_token_id", "feature_layer"});
  return read_vision(v, kPublished);
}

void describe_phi4_multimodal(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const bool first = c.text_or("model_type", named == "Phi4MMForCausalLM" ? "phi4mm" : "") == "phi4mm";
  const Keys processor = c.child("audio_processor"), layer = c.child("embd_layer");
  processor.understood({"name"});
  if (first && !processor.present()) c.size("audio_processor");
  const Ears ears = first ? read_first_ears(processor.child("config")) : read_ears(c.child("audio_config"));
  const VisionSizes eyes = read_eyes(c, first);
  const Keys sight = c.child("vision_lora"), speech = c.child("speech_lora");
  const std::int64_t seen = first ? sight.size("r") : 0, heard = first ? speech.size("r") : 0,
                     width = c.size("hidden_size");
  for (const Keys& one : {sight, speech}) one.understood({"dp", "layer", "lora_alpha", "r"});
  layer.understood({"audio_embd_layer", "image_embd_layer", "embedding_cls"});
  c.understood({"img_processor", "audio_processor", "embd_layer", "lm_head_bias", "mlp_bias", "attention_bias"});
  f.sequence(c.size_or("max_position_embeddings", 131072));
  if (!f.ok()) return;
  const std::int64_t images = images_per_sample(f), frames = std::max<std::int64_t>(0, f.inputs.frames);
  {
    RepeatedSink sink(f.sink, images);
    const std::int64_t merged = eyes.patches() / 4;  // two by two patches are averaged
    describe_siglip_tower(sink, eyes, true);
    sink.add(parameter("feature_extensors", 2 * eyes.width, 2 * eyes.width));
    describe_projection(sink, "img_projection", merged, eyes.width, width);
  }
  if (frames == 0) f.remark("the audio encoder runs only when positions are given (--let frames=N)");
  {
    RepeatedSink sink(f.sink, frames > 0 ? 1 : 0);
    const std::int64_t tokens = std::max<std::int64_t>(1, frames);
    describe_ears(sink, ears, tokens);
    RepeatedSink alone(f.sink, frames > 0 && images == 0 ? 1 : 0), both(f.sink, frames > 0 && images > 0 ? 1 : 0);
    describe_projection(alone, "speech_projection", tokens, ears.width, width);
    describe_projection(both, "vision_speech_projection", tokens, ears.width, width);
  }
  if (seen > 0) describe_adapters(f, "vision_lora", seen, images > 0);
  if (heard > 0) describe_adapters(f, "speech_lora", heard, frames > 0 && images == 0);
  find_family("phi3", {})->build(c.config(), f.inputs, f.sink);
}

}  // namespace

extern const FamilyDef k_phi4_multimodal;
const FamilyDef k_phi4_multimodal = {
    "phi4_multimodal",
    "Phi-4 multimodal: Phi-4 mini with a SigLIP tower and a conformer, and low-rank adapters for each",
    "huggingface/transformers models/phi4_multimodal; microsoft/Phi-4-multimodal-instruct modeling_phi4mm.py; "
    "2503.01743",
    kTypes,
    kArchitectures,
    build<describe_phi4_multimodal>};

}  // namespace floptally::families
