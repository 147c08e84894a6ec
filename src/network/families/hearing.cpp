#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"qwen2_audio", "voxtral", "audioflamingo3"};
constexpr std::string_view kArchitectures[] = {"Qwen2AudioForConditionalGeneration", "VoxtralForConditionalGeneration",
                                               "AudioFlamingo3ForConditionalGeneration"};

void describe_hearing_model(Family& f) {
  const Keys& c = f.config;
  const std::string_view type = c.text_or("model_type", "qwen2_audio");
  const HearingSizes h = read_hearing(c.child("audio_config"));
  const bool qwen = type == "qwen2_audio", stacks = type == "voxtral";
  const Keys t = c.child("text_config");
  const std::int64_t width = stacks ? t.size("hidden_size") : t.assume("hidden_size", 4096);
  c.understood(
      {"audio_token_id", "audio_token_index", "projector_hidden_act", "projector_bias", "hidden_size", "vocab_size"});
  const bool bias = !stacks && c.flag("projector_bias", true);
  if (!f.ok()) return;
  if (stacks && h.ffn % h.width != 0)
    return c.problem("shape-divide", "audio_config",
                     "'hidden_size' of the audio tower does not divide 'intermediate_size'");
  {
    RepeatedSink clips(f.sink, clips_per_sample(f, h.positions));
    describe_hearing(clips, h);
    // Voxtral stacks neighbouring positions until they are as wide as the feed-forward layer; the others average two.
    const std::int64_t in = stacks ? h.ffn : h.width, rows = stacks ? h.positions * h.width / h.ffn : h.positions / 2;
    const Scope projector(clips, "multi_modal_projector");
    clips.add(linear(qwen ? "linear" : "linear_1", rows, in, width, qwen || bias));
    if (!qwen) {
      clips.add(activation("act", rows * width, Activation::gelu));
      clips.add(linear("linear_2", rows, width, width, bias));
    }
  }
  describe_nested(f, "text_config", stacks ? "llama" : "qwen2");
}

}  // namespace

extern const FamilyDef k_hearing;
const FamilyDef k_hearing = {"hearing",
                             "Qwen2-Audio, Voxtral, Audio Flamingo 3: Whisper's encoder, a projector, a language model",
                             "huggingface/transformers models/qwen2_audio/modeling_qwen2_audio.py, models/voxtral, "
                             "models/audioflamingo3; 2407.10759, 2507.13264",
                             kTypes,
                             kArchitectures,
                             build<describe_hearing_model>};

}  // namespace floptally::families
