#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"glmasr"};
constexpr std::string_view kArchitectures[] = {"GlmAsrForConditionalGeneration", "GlmAsrModel"};

// Whisper's convolutions, layers with rotary positions, four positions joined before the language model.
void describe_glmasr(Family& f) {
  const Keys& c = f.config;
  if (!c.has("audio_config")) c.size("audio_config");
  const Keys a = c.child("audio_config"), t = c.child("text_config");
  HearingSizes h;
  h.width = a.assume("hidden_size", h.width);
  h.layers = a.assume("num_hidden_layers", h.layers);
  h.heads = a.assume("num_attention_heads", h.heads);
  h.ffn = a.assume("intermediate_size", h.ffn);
  h.bins = a.assume("num_mel_bins", h.bins);
  h.positions = a.assume("max_position_embeddings", h.positions);
  a.divides("num_attention_heads", h.heads, "hidden_size", h.width);
  const std::int64_t head_dim = a.size_or("head_dim", h.width / std::max<std::int64_t>(1, h.heads)),
                     text = t.assume("hidden_size", 2048);
  const double part = a.ratio_or("partial_rotary_factor", 0.5);
  if (a.has("num_key_value_heads") && a.size("num_key_value_heads") != h.heads)
    a.problem("unknown-variant", "num_key_value_heads", "grouped heads of the audio tower are not known");
  if (!(part >= 0 && part <= 1))
    a.problem("shape-range", "partial_rotary_factor", "'partial_rotary_factor' must be 0 to 1");
  if (h.width * 4 != h.ffn)
    a.problem("shape-range", "intermediate_size",
              "the projector reads four positions: 'intermediate_size' must be 4 times 'hidden_size'");
  a.understood({"hidden_act", "model_type"});
  c.understood({"projector_hidden_act", "audio_token_id"});
  if (!f.ok()) return;
  {
    RepeatedSink clips(f.sink, clips_per_sample(f, h.positions));
    const std::int64_t frames = 2 * h.positions, rows = std::max<std::int64_t>(1, h.positions / 4);
    {
      const Scope tower(clips, "audio_tower");
      clips.add(convolution("conv1", h.bins, h.width, 1, 3, frames, frames, true));
      clips.add(activation("act", frames * h.width, Activation::gelu));
      clips.add(convolution("conv2", h.width, h.width, 1, 3, frames, h.positions, true));
      clips.add(activation("act", h.positions * h.width, Activation::gelu));
      {
        const Scope layers(clips, "layers", h.layers, BlockKind::layer);
        describe_encoder_layer({.width = h.width,
                                .heads = h.heads,
                                .ffn = h.ffn,
                                .head_dim = head_dim,
                                .key_bias = false,
                                .rotary_dim = static_cast<std::int64_t>(part * static_cast<double>(head_dim))},
                               h.positions, clips);
      }
      clips.add(layer_norm("norm", h.positions, h.width));
    }
    const Scope projector(clips, "multi_modal_projector");
    clips.add(linear("linear_1", rows, h.ffn, 2 * text, true));
    clips.add(activation("act", rows * 2 * text, Activation::gelu));
    clips.add(linear("linear_2", rows, 2 * text, text, true));
  }
  describe_nested(f, "text_config", "llama");
}

}  // namespace

extern const FamilyDef k_glmasr;
const FamilyDef k_glmasr = {"glmasr",
                            "GLM-ASR: Whisper's encoder with rotary positions, four positions joined, a Llama",
                            "huggingface/transformers models/glmasr/modeling_glmasr.py",
                            kTypes,
                            kArchitectures,
                            build<describe_glmasr>};

}  // namespace floptally::families
