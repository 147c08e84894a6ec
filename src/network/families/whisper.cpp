#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"whisper"};
constexpr std::string_view kArchitectures[] = {"WhisperForConditionalGeneration", "WhisperModel"};

void describe_whisper(Family& f) {
  const Keys& c = f.config;
  const std::int64_t width = c.size("d_model"), vocabulary = c.size("vocab_size"), bins = c.size("num_mel_bins");
  const std::int64_t encoders = c.size("encoder_layers"), decoders = c.size("decoder_layers");
  const std::int64_t encoder_heads = c.size("encoder_attention_heads"),
                     decoder_heads = c.size("decoder_attention_heads");
  const std::int64_t encoder_ffn = c.size("encoder_ffn_dim"), decoder_ffn = c.size("decoder_ffn_dim");
  const std::int64_t frames = c.size("max_source_positions"), positions = c.size("max_target_positions");
  c.divides("encoder_attention_heads", encoder_heads, "d_model", width);
  c.divides("decoder_attention_heads", decoder_heads, "d_model", width);
  c.understood({"activation_function", "scale_embedding", "encoder_layerdrop", "decoder_layerdrop", "num_hidden_layers",
                "apply_spec_augment", "mask_time_prob", "mask_feature_prob", "max_length", "classifier_proj_size",
                "use_weighted_layer_sum", "median_filter_width", "mask_feature_length", "mask_feature_min_masks",
                "mask_time_length", "mask_time_min_masks"});
  const std::string_view named = f.architecture();
  const bool classifies = named.ends_with("ForAudioClassification");
  if (!named.empty() && !classifies && !named.ends_with("Model") && !named.ends_with("ForConditionalGeneration"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t projected = classifies ? c.assume("classifier_proj_size", 256) : 0,
                     labels = classifies ? label_count(c) : 0;
  const bool weighted = classifies && c.flag("use_weighted_layer_sum", false);
  f.sequence(positions);
  if (!f.ok()) return;
  {
    const Scope encoder(f.sink, "encoder");
    f.sink.add(convolution("conv1", bins, width, 1, 3, 2 * frames, 2 * frames, true).with(op_flags::input_no_gradient));
    f.sink.add(activation("act", 2 * frames * width, Activation::gelu));
    f.sink.add(convolution("conv2", width, width, 1, 3, 2 * frames, frames, true));
    f.sink.add(activation("act", frames * width, Activation::gelu));
    f.sink.add(position_table("embed_positions", frames, frames, width).with(op_flags::frozen));
    {
      const Scope layers(f.sink, "layers", encoders, BlockKind::layer);
      describe_encoder_layer({.width = width, .heads = encoder_heads, .ffn = encoder_ffn, .key_bias = false}, frames,
                             f.sink);
    }
    f.sink.add(layer_norm("layer_norm", frames, width));
  }
  if (classifies) {
    if (weighted) f.sink.add(parameter("layer_weights", encoders + 1, (encoders + 1) * frames * width));
    f.sink.add(linear("projector", frames, width, projected, true, Component::head));
    return f.sink.add(linear("classifier", 1, projected, labels, true, Component::head));
  }
  {
    const Scope decoder(f.sink, "decoder");
    f.sink.add(embedding("embed_tokens", f.tokens, vocabulary, width));
    f.sink.add(position_table("embed_positions", f.tokens, positions, width));
    {
      const Scope layers(f.sink, "layers", decoders, BlockKind::layer);
      describe_decoder_layer({.width = width, .heads = decoder_heads, .ffn = decoder_ffn, .key_bias = false}, f.tokens,
                             frames, width, f.sink);
    }
    f.sink.add(layer_norm("layer_norm", f.tokens, width));
  }
  if (!f.architecture().ends_with("Model")) describe_head(f, NormKind::none, width, vocabulary, read_tied(f, true));
}

}  // namespace

extern const FamilyDef k_whisper;
const FamilyDef k_whisper = {"whisper",
                             "Whisper: convolutions over a spectrogram, an encoder, a decoder that attends to it",
                             "huggingface/transformers models/whisper/modeling_whisper.py; 2212.04356",
                             kTypes,
                             kArchitectures,
                             build<describe_whisper>};

}  // namespace floptally::families
