#include "network/families/_speech.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"qwen2_5_omni", "qwen2_5_omni_thinker", "qwen3_omni_moe",
                                       "qwen3_omni_moe_thinker", "qwen3_asr"};
constexpr std::string_view kArchitectures[] = {"Qwen2_5OmniModel",
                                               "Qwen2_5OmniForConditionalGeneration",
                                               "Qwen2_5OmniThinkerForConditionalGeneration",
                                               "Qwen3OmniMoeForConditionalGeneration",
                                               "Qwen3OmniMoeThinkerForConditionalGeneration",
                                               "Qwen3ASRForConditionalGeneration"};

struct Hearing {
  HearingSizes sizes;
  std::int64_t out = 3584, window = 100, seen = 800, conv = 480;
};

Hearing read_ears(const Keys& a, bool third) {
  Hearing h;
  h.sizes = read_hearing(a);
  h.out = a.assume("output_dim", 3584);
  h.window = a.assume("n_window", third ? 50 : 100);
  if (third) {
    h.seen = a.assume("n_window_infer", 800);
    h.conv = a.assume("downsample_hidden_size", 480);
  }
  a.understood({"n_window_infer", "conv_chunksize", "downsample_hidden_size"});
  return h;
}

void describe_ear_layers(Sink& sink, const HearingSizes& s, std::int64_t positions, bool key_bias) {
  {
    const Scope layers(sink, "layers", s.layers, BlockKind::layer);
    describe_encoder_layer({.width = s.width, .heads = s.heads, .ffn = s.ffn, .key_bias = key_bias}, positions, sink);
  }
  sink.add(layer_norm("ln_post", positions, s.width));
}

// Whisper's encoder over windows of n_window positions, whose pairs are averaged.
void describe_ears_2(Sink& sink, const Hearing& h) {
  const HearingSizes& s = h.sizes;
  const std::int64_t frames = 2 * h.window, pooled = std::max<std::int64_t>(1, h.window / 2);
  const Scope tower(sink, "audio_tower");
  sink.add(convolution("conv1", s.bins, s.width, 1, 3, frames, frames, true));
  sink.add(activation("act", frames * s.width, Activation::gelu));
  sink.add(convolution("conv2", s.width, s.width, 1, 3, frames, h.window, true));
  sink.add(activation("act", h.window * s.width, Activation::gelu));
  sink.add(parameter("audio_bos_eos_token", 2 * h.out, 0, Component::embed));
  describe_ear_layers(sink, s, h.window, false);
  sink.add(linear("proj", pooled, s.width, h.out, true));
}

// Three strided convolutions over pieces of 2 n_window frames; layers that attend over as many pieces as n_window_infer
// frames hold. Positions of one piece:
std::int64_t piece(const Hearing& h) {
  std::int64_t length = 2 * h.window;
  for (int i = 0; i < 3; ++i) length = (length + 1) / 2;
  return length;
}
std::int64_t pieces(const Hearing& h) { return std::max<std::int64_t>(1, h.seen / (2 * h.window)); }

void describe_ears_3(Sink& sink, const Hearing& h) {
  const HearingSizes& s = h.sizes;
  const Scope tower(sink, "audio_tower");
  {
    std::int64_t bins = s.bins, frames = 2 * h.window, in = 1;
    RepeatedSink each(sink, pieces(h));
    for (const std::string_view name : {"conv2d1", "conv2d2", "conv2d3"}) {
      const std::int64_t next_bins = (bins + 1) / 2, next_frames = (frames + 1) / 2;
      each.add(convolution(name, in, h.conv, 1, 9, bins * frames, next_bins * next_frames, true));
      each.add(activation("act", next_bins * next_frames * h.conv, Activation::gelu));
      bins = next_bins;
      frames = next_frames;
      in = h.conv;
    }
    each.add(linear("conv_out", frames, bins * h.conv, s.width, false));
  }
  const std::int64_t positions = pieces(h) * piece(h);
  describe_ear_layers(sink, s, positions, true);
  sink.add(linear("proj1", positions, s.width, s.width, true));
  sink.add(activation("act", positions * s.width, Activation::gelu));
  sink.add(linear("proj2", positions, s.width, h.out, true));
}

void describe_thinker(Family& f, bool third, bool sees) {
  const Keys& c = f.config;
  const Keys t = c.child("text_config");
  const Hearing h = read_ears(c.child("audio_config"), third);
  const std::int64_t width = t.assume("hidden_size", third ? 2048 : 3584);
  c.understood({"position_id_per_seconds", "seconds_per_chunk", "audio_token_index", "video_token_index"});
  if (!f.ok()) return;
  const std::int64_t positions = third ? pieces(h) * piece(h) : h.window;
  RepeatedSink clips(f.sink, clips_per_sample(f, positions));
  if (third)
    describe_ears_3(clips, h);
  else
    describe_ears_2(clips, h);
  if (sees && third) describe_qwen_tower(f, f.sink);
  if (sees && !third) describe_qwen2_tower(f, f.sink, width);
  describe_nested(f, "text_config", !sees ? "qwen3" : third ? "qwen3_moe" : "qwen2");
}

void describe_omni(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture(), type = c.text_or("model_type", named);
  const bool third = type.starts_with("qwen3") || type.starts_with("Qwen3");
  const bool sees = type != "qwen3_asr" && !type.starts_with("Qwen3ASR");
  if (!sees && !named.empty() && !named.ends_with("ForConditionalGeneration") && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  if (!c.has("thinker_config")) return describe_thinker(f, third, sees);
  FamilyInputs inside = f.inputs;
  inside.inside = true;
  inside.outer = "Qwen2_5OmniThinkerForConditionalGeneration";  // some files name the plain model: it has a head, too
  Family thinker{c.child("thinker_config"), inside, f.sink};
  const bool speaks = c.flag("enable_audio_output", true) && c.flag("enable_talker", true);
  if (!f.ok()) return;
  describe_thinker(thinker, third, sees);
  if (!speaks || !sees || !f.ok()) {
    c.understood({"talker_config", "token2wav_config", "code2wav_config"});
    return;
  }
  f.remark("the talker's and the vocoder's parameters count; text is trained and answered without them");
  RepeatedSink idle(f.sink, 0);
  if (third) {
    describe_qwen3_talker(f, c.child("talker_config"), idle);
    return describe_code2wav(c.child("code2wav_config"), idle);
  }
  describe_qwen2_talker(f, c.child("talker_config"), idle);
  const Keys wave = c.child("token2wav_config");
  const Scope scope(idle, "token2wav");
  describe_speech_dit(wave.child("dit_config"), idle);
  describe_bigvgan(wave.child("bigvgan_config"), idle);
}

}  // namespace

extern const FamilyDef k_qwen_omni;
const FamilyDef k_qwen_omni = {
    "qwen_omni",
    "Qwen2.5-Omni and Qwen3-Omni: towers that see and hear before a language model, a talker and a vocoder behind it; "
    "Qwen3-ASR: the ears and a Qwen 3",
    "huggingface/transformers models/qwen2_5_omni, models/qwen3_omni_moe; 2503.20215, 2509.17765",
    kTypes,
    kArchitectures,
    build<describe_omni>};

}  // namespace floptally::families
