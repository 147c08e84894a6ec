#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"speech_to_text"};
constexpr std::string_view kArchitectures[] = {"Speech2TextForConditionalGeneration", "Speech2TextModel"};

void describe_speech_to_text(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const std::int64_t width = c.size("d_model"), vocabulary = c.size("vocab_size"),
                     bins = c.assume("input_feat_per_channel", 80) * c.assume("input_channels", 1),
                     inner = c.assume("conv_channels", 1024);
  const EncoderLayerPart hearing{.width = width,
                                 .heads = c.assume("encoder_attention_heads", 4),
                                 .ffn = c.assume("encoder_ffn_dim", 2048),
                                 .activation = read_activation(f, Activation::relu, "activation_function")};
  EncoderLayerPart writing = hearing;
  writing.heads = c.assume("decoder_attention_heads", 4);
  writing.ffn = c.assume("decoder_ffn_dim", 2048);
  const std::int64_t encoders = c.assume("encoder_layers", 12), decoders = c.assume("decoder_layers", 6);
  const std::vector<std::int64_t> kernels =
      c.has("conv_kernel_sizes") ? c.config().sizes({"conv_kernel_sizes"}) : std::vector<std::int64_t>{5, 5};
  c.divides("encoder_attention_heads", hearing.heads, "d_model", width);
  c.divides("decoder_attention_heads", writing.heads, "d_model", width);
  if (kernels.empty() || kernels.size() > 16 || inner % 2 != 0)
    c.problem("shape-range", "conv_kernel_sizes", "there must be 1 to 16 convolutions, 'conv_channels' even");
  for (const std::int64_t kernel : kernels)
    if (kernel < 1) c.problem("shape-range", "conv_kernel_sizes", "kernels must be at least 1");
  if (!named.empty() && !named.ends_with("Model") && !named.ends_with("ForConditionalGeneration"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const bool tied = read_tied(f, true);
  c.understood({"num_conv_layers", "scale_embedding", "encoder_layerdrop", "decoder_layerdrop", "max_source_positions",
                "num_hidden_layers"});
  f.sequence(c.size_or("max_target_positions", 1024));
  if (!f.ok()) return;
  constexpr std::int64_t kTenSeconds = 250;
  const std::int64_t heard = f.inputs.frames > 0 ? f.inputs.frames : kTenSeconds;
  if (f.inputs.frames == 0) c.config().assume("frames", heard);
  {
    const Scope encoder(f.sink, "encoder");
    std::int64_t positions = heard << kernels.size(), in = bins;
    for (std::size_t i = 0; i < kernels.size(); ++i) {  // each halves the frames; half of its channels gate the others
      const std::int64_t out = i + 1 == kernels.size() ? 2 * width : inner;
      f.sink.add(convolution("conv", in, out, 1, kernels[i], positions, positions / 2, true));
      positions /= 2;
      f.sink.add(gated_activation("glu", positions * out / 2, Activation::sigmoid));
      in = out / 2;
    }
    {
      const Scope layers(f.sink, "layers", encoders, BlockKind::layer);
      describe_encoder_layer(hearing, heard, f.sink);
    }
    f.sink.add(layer_norm("layer_norm", heard, width));
  }
  {
    const Scope decoder(f.sink, "decoder");
    f.sink.add(embedding("embed_tokens", f.tokens, vocabulary, width));
    {
      const Scope layers(f.sink, "layers", decoders, BlockKind::layer);
      describe_decoder_layer(writing, f.tokens, heard, width, f.sink);
    }
    f.sink.add(layer_norm("layer_norm", f.tokens, width));
  }
  if (!named.ends_with("Model"))
    describe_unembedding({.width = width, .vocabulary = vocabulary, .tied = tied}, f.tokens, f.sink);
}

}  // namespace

extern const FamilyDef k_speech_to_text;
const FamilyDef k_speech_to_text = {
    "speech_to_text",
    "Speech2Text (fairseq S2T): strided convolutions over a spectrogram, an encoder and a decoder",
    "huggingface/transformers models/speech_to_text/modeling_speech_to_text.py; 2010.05171",
    kTypes,
    kArchitectures,
    build<describe_speech_to_text>};

}  // namespace floptally::families
