#include "network/families/_conformer.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"seamless_m4t_v2", "seamless_m4t"};
constexpr std::string_view kArchitectures[] = {
    "SeamlessM4Tv2Model",           "SeamlessM4Tv2ForTextToText",     "SeamlessM4Tv2ForSpeechToText",
    "SeamlessM4Tv2ForTextToSpeech", "SeamlessM4Tv2ForSpeechToSpeech", "SeamlessM4TModel",
    "SeamlessM4TForTextToText",     "SeamlessM4TForSpeechToText",     "SeamlessM4TForTextToSpeech",
    "SeamlessM4TForSpeechToSpeech"};

bool is_first(const Family& f) {
  return f.config.text_or("model_type", "") == "seamless_m4t" || f.architecture().starts_with("SeamlessM4TF") ||
         f.architecture() == "SeamlessM4TModel";
}

struct Half {
  std::int64_t layers = 24, heads = 16, ffn = 8192;
};

Half read_half(const Keys& c, const std::string& side, std::int64_t width, const Half& published) {
  const Half h{c.assume(side + "_layers", published.layers), c.assume(side + "_attention_heads", published.heads),
               c.assume(side + "_ffn_dim", published.ffn)};
  c.divides(side + "_attention_heads", h.heads, "hidden_size", width);
  return h;
}

void describe_encoder(Sink& sink, std::string_view name, const Half& h, std::int64_t width, std::int64_t tokens) {
  const Scope scope(sink, name);
  {
    const Scope layers(sink, "layers", h.layers, BlockKind::layer);
    describe_encoder_layer({.width = width, .heads = h.heads, .ffn = h.ffn, .activation = Activation::relu}, tokens,
                           sink);
  }
  sink.add(layer_norm("layer_norm", tokens, width));
}

struct Speech {
  Conformer conformer;
  std::int64_t bins = 160, kernel = 8, stride = 8, adapters = 1;
};

Speech read_speech(const Keys& c, std::int64_t width, bool first) {
  Speech s;
  Conformer& e = s.conformer;
  e.width = width;
  e.layers = c.assume("speech_encoder_layers", 24);
  e.heads = c.assume("speech_encoder_attention_heads", 16);
  e.inner = c.assume("speech_encoder_intermediate_size", 4096);
  e.kernel = c.assume("conv_depthwise_kernel_size", 31);
  e.activation = c.config().activation({"speech_encoder_hidden_act"}, "swish");
  e.batch_normed = e.relative = first;
  e.distances =
      first ? 0 : c.assume("left_max_position_embeddings", 64) + c.assume("right_max_position_embeddings", 8) + 1;
  s.bins = c.assume("feature_projection_input_dim", 160);
  s.kernel = c.assume("adaptor_kernel_size", 8);
  s.stride = c.assume("adaptor_stride", 8);
  s.adapters = c.flag("add_adapter", true) ? c.assume("num_adapter_layers", 1) : 0;
  const std::string_view positions = first ? "relative" : "relative_key";
  if (c.text_or("position_embeddings_type", positions) != positions)
    c.problem("unknown-variant", "position_embeddings_type",
              "only '" + std::string(positions) + "' positions are known here");
  c.understood({"num_conv_pos_embeddings", "num_conv_pos_embedding_groups", "rotary_embedding_base",
                "max_source_positions", "t2u_max_new_tokens"});
  c.divides("speech_encoder_attention_heads", e.heads, "hidden_size", width);
  return s;
}

// Gives the positions that the decoder reads.
std::int64_t describe_speech(Sink& sink, const Speech& s, std::int64_t frames) {
  const Scope scope(sink, "speech_encoder");
  const Conformer& e = s.conformer;
  const std::int64_t width = e.width;
  sink.add(layer_norm("feature_projection.layer_norm", frames, s.bins));
  sink.add(linear("feature_projection.projection", frames, s.bins, width, true, Component::embed));
  describe_conformer(sink, e, frames);
  sink.add(layer_norm("encoder.layer_norm", frames, width));
  describe_mlp(mlp_of(width, e.inner, Activation::relu, false, true), frames, sink);
  std::int64_t tokens = frames;
  for (std::int64_t i = 0; i < s.adapters; ++i) {
    const Scope adapter(sink, "adapter", 1, BlockKind::layer);
    const std::int64_t from = tokens;
    tokens = std::max<std::int64_t>(1, (tokens + 2 * (s.kernel / 2) - s.kernel) / s.stride + 1);
    for (const std::string_view name : {"residual", "self_attn"}) {
      const Scope half(sink, name);
      sink.add(layer_norm("layer_norm", from, width));
      sink.add(convolution("conv", width, 2 * width, 1, s.kernel, from, tokens, true));
      sink.add(gated_activation("glu", tokens * width, Activation::sigmoid));
    }
    AttentionPart self;
    self.width = width;
    self.heads = self.kv_heads = e.heads;
    self.head_dim = width / e.heads;
    self.rotary_dim = 0;
    self.mask = AttentionMask::none;
    set_bias(self, true, true);
    describe_attention(self, tokens, sink);
    sink.add(residual(tokens * width));
    sink.add(layer_norm("ffn_layer_norm", tokens, width));
    describe_mlp(mlp_of(width, e.inner, Activation::relu, false, true), tokens, sink);
    sink.add(residual(tokens * width));
  }
  sink.add(layer_norm("inner_layer_norm", tokens, width));
  return tokens;
}

void describe_durations(Sink& sink, std::int64_t in, std::int64_t hidden, std::int64_t kernel) {
  const Scope scope(sink, "duration_predictor");
  sink.add(convolution("conv1", in, hidden, 1, kernel, 1, 1, true));
  sink.add(layer_norm("ln1", 1, hidden));
  sink.add(convolution("conv2", hidden, hidden, 1, kernel, 1, 1, true));
  sink.add(layer_norm("ln2", 1, hidden));
  sink.add(linear("proj", 1, hidden, 1, true));
}

// Text to units of sound: an encoder, and a decoder (in the second version one whose layers convolve).
void describe_units(Family& f, Sink& sink, std::int64_t width, bool first) {
  const Keys& c = f.config;
  const Half encoder = read_half(c, "t2u_encoder", width, {6, 16, 8192}),
             decoder = read_half(c, "t2u_decoder", width, {6, 16, 8192});
  const std::int64_t vocabulary = c.assume("t2u_vocab_size", 10082);
  if (first) {
    const Scope units(sink, "t2u_model");
    describe_encoder(sink, "encoder", encoder, width, 1);
    sink.add(embedding("embed_tokens", 1, vocabulary, width));
    {
      const Scope layers(sink, "layers", decoder.layers, BlockKind::layer);
      describe_decoder_layer(
          {.width = width, .heads = decoder.heads, .ffn = decoder.ffn, .activation = Activation::relu}, 1, 1, width,
          sink);
    }
    sink.add(layer_norm("layer_norm", 1, width));
    return;
  }
  const std::int64_t letters = c.assume("char_vocab_size", 10943);
  constexpr std::int64_t kKernel = 7;
  const Scope scope(sink, "t2u_model");
  describe_encoder(sink, "encoder", encoder, width, 1);
  sink.add(parameter("pos_emb_alpha", 2, 0));
  sink.add(embedding("embed_tokens", 0, vocabulary, width));
  sink.add(embedding("embed_char", 0, letters, width));
  describe_durations(sink, c.assume("t2u_variance_predictor_embed_dim", 1024),
                     c.assume("t2u_variance_predictor_hidden_dim", 256),
                     c.assume("t2u_variance_predictor_kernel_size", 3));
  {
    const Scope layers(sink, "layers", decoder.layers, BlockKind::layer);
    for (const std::string_view name : {"q_proj", "k_proj", "v_proj", "out_proj"})
      sink.add(linear(name, 1, width, width, true, Component::projection));
    sink.add(layer_norm("self_attn_layer_norm", 1, width));
    for (const std::string_view name : {"conv1", "conv2"})
      sink.add(convolution(name, width, width, 1, kKernel, 1, 1, true));
    sink.add(layer_norm("conv_layer_norm", 1, width));
  }
  sink.add(layer_norm("layer_norm", 1, width));
}

// Units to sound (HiFi-GAN 2010.05646).
void describe_vocoder(Family& f, Sink& sink) {
  const Keys& c = f.config;
  const std::int64_t units = c.assume("unit_hifi_gan_vocab_size", 10000), unit = c.assume("unit_embed_dim", 1280),
                     language = c.assume("lang_embed_dim", 256), speaker = c.assume("spkr_embed_dim", 256);
  std::int64_t channels = c.assume("upsample_initial_channel", 512);
  const std::vector<std::int64_t> kernels = c.config().sizes({"upsample_kernel_sizes"}),
                                  blocks = c.config().sizes({"resblock_kernel_sizes"});
  const Node dilations = c.node("resblock_dilation_sizes");
  if (kernels.empty() || blocks.empty() || dilations.size() != blocks.size())
    c.problem("missing-key", "upsample_kernel_sizes",
              "'upsample_kernel_sizes', 'resblock_kernel_sizes' and 'resblock_dilation_sizes' must be lists");
  c.understood({"upsample_rates", "leaky_relu_slope", "sampling_rate", "vocoder_offset", "var_pred_dropout"});
  const Scope scope(sink, "vocoder");
  describe_durations(sink, unit, unit, c.assume("variance_predictor_kernel_size", 3));
  sink.add(embedding("unit_embedding", 0, units, unit));
  sink.add(embedding("speaker_embedding", 0, c.assume("vocoder_num_spkrs", 200), speaker));
  sink.add(embedding("language_embedding", 0, c.assume("vocoder_num_langs", 36), language));
  constexpr std::int64_t kEdge = 7;
  sink.add(convolution("conv_pre", unit + language + speaker, channels, 1, kEdge, 1, 1, true));
  for (const std::int64_t kernel : kernels) {
    const std::int64_t out = std::max<std::int64_t>(1, channels / 2);
    sink.add(convolution_transposed("upsampler", channels, out, 1, std::max<std::int64_t>(1, kernel), 1, 1, true));
    for (std::size_t i = 0; i < blocks.size() && f.ok(); ++i) {
      const auto twice = 2 * static_cast<std::int64_t>(dilations[i].size());
      const Scope block(sink, "resblocks", std::max<std::int64_t>(1, twice));
      sink.add(convolution("convs", out, out, 1, std::max<std::int64_t>(1, blocks[i]), 1, 1, true));
    }
    channels = out;
  }
  sink.add(convolution("conv_post", channels, 1, 1, kEdge, 1, 1, true));
}

void describe_seamless(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const bool whole = named.empty() || named.ends_with("Model"), reads = whole || named.find("ForText") != named.npos,
             hears = whole || named.find("ForSpeech") != named.npos, speaks = whole || named.ends_with("ToSpeech");
  if (!reads && !hears)
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t width = c.size("hidden_size"), vocabulary = c.size("vocab_size");
  const Half encoder = read_half(c, "encoder", width, {}), decoder = read_half(c, "decoder", width, {});
  const bool first = is_first(f);
  const Speech speech = read_speech(c, width, first);
  c.understood({"scale_embedding", "encoder_layerdrop", "decoder_layerdrop", "speech_encoder_layerdrop",
                "activation_function", "num_attention_heads", "num_hidden_layers", "speech_encoder_chunk_size",
                "speech_encoder_left_chunk_num", "adaptor_dropout", "speech_encoder_dropout", "max_new_tokens",
                "t2u_max_position_embeddings"});
  if (!read_tied(f, true))
    c.problem("unknown-variant", "tie_word_embeddings", "embeddings that are not shared are not known here");
  f.sequence(c.size_or("max_position_embeddings", 4096));
  if (!f.ok()) return;
  const std::int64_t source = f.inputs.source_sequence > 0 ? f.inputs.source_sequence : f.tokens;
  constexpr std::int64_t kTenSeconds = 499;
  const std::int64_t frames = f.inputs.frames > 0 ? f.inputs.frames : !reads ? kTenSeconds : 0;
  if (hears && !reads && f.inputs.frames == 0) c.config().assume("frames", frames);
  f.sink.add(embedding("shared", reads ? source : 0, vocabulary, width));
  RepeatedSink from_text(f.sink, frames == 0 ? 1 : 0), from_speech(f.sink, frames > 0 ? 1 : 0), idle(f.sink, 0);
  if (reads) describe_encoder(from_text, "text_encoder", encoder, width, source);
  std::int64_t memory = source;
  if (hears) {
    const std::int64_t heard = describe_speech(from_speech, speech, std::max<std::int64_t>(1, frames));
    if (frames > 0) memory = heard;
  }
  {
    const Scope scope(f.sink, "text_decoder");
    f.sink.add(embedding("embed_tokens", f.tokens, vocabulary, width).with(op_flags::tied));
    {
      const Scope layers(f.sink, "layers", decoder.layers, BlockKind::layer);
      describe_decoder_layer(
          {.width = width, .heads = decoder.heads, .ffn = decoder.ffn, .activation = Activation::relu}, f.tokens,
          memory, width, f.sink);
    }
    f.sink.add(layer_norm("layer_norm", f.tokens, width));
  }
  describe_unembedding({.width = width, .vocabulary = vocabulary, .tied = true}, f.tokens, f.sink);
  if (speaks) {
    describe_units(f, idle, width, first);
    describe_vocoder(f, idle);
    f.remark("what makes sound of the text is held, its FLOP are not counted: how long the sound is, is not known");
  }
}

}  // namespace

extern const FamilyDef k_seamless_m4t_v2;
const FamilyDef k_seamless_m4t_v2 = {
    "seamless_m4t_v2",
    "SeamlessM4T 1 and 2: text and speech encoders, a text decoder, units of sound and a vocoder",
    "huggingface/transformers models/seamless_m4t, models/seamless_m4t_v2; 2308.11596, 2312.05187",
    kTypes,
    kArchitectures,
    build<describe_seamless>};

}  // namespace floptally::families
