#include "network/families/_conformer.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"parakeet_ctc", "parakeet_encoder"};
constexpr std::string_view kArchitectures[] = {"ParakeetForCTC", "ParakeetEncoder"};

struct Ears {
  Conformer layers;
  std::int64_t bins = 80, factor = 8, channels = 256, kernel = 3, stride = 2;
  [[nodiscard]] int steps() const {
    int steps = 0;
    for (std::int64_t n = factor; n > 1; n /= 2) ++steps;
    return steps;
  }
};

Ears read_ears(const Keys& e) {
  Ears ears;
  Conformer& c = ears.layers;
  c.width = e.size("hidden_size");
  c.layers = e.assume("num_hidden_layers", 24);
  c.heads = e.assume("num_attention_heads", 8);
  c.inner = e.assume("intermediate_size", 4096);
  c.kernel = e.assume("conv_kernel_size", 9);
  c.distances = 0;
  c.relative = c.batch_normed = true;
  c.linear_bias = e.flag("attention_bias", true);
  c.conv_bias = e.flag("convolution_bias", true);
  c.activation = e.config().activation({"hidden_act"}, "silu");
  ears.bins = e.assume("num_mel_bins", 80);
  ears.factor = e.assume("subsampling_factor", 8);
  ears.channels = e.assume("subsampling_conv_channels", 256);
  ears.kernel = e.assume("subsampling_conv_kernel_size", 3);
  ears.stride = e.assume("subsampling_conv_stride", 2);
  e.divides("num_attention_heads", c.heads, "hidden_size", c.width);
  if (e.has("num_key_value_heads") && e.size("num_key_value_heads") != c.heads)
    e.problem("unknown-variant", "num_key_value_heads", "grouped heads are not known here");
  std::int64_t shrunk = 1;
  for (int i = 0; i < ears.steps(); ++i) shrunk *= ears.stride;
  if (ears.stride != 2 || ears.bins < shrunk || ears.factor != shrunk)
    e.problem("shape-range", "subsampling_factor", "'subsampling_factor' must be a power of 2, at most 'num_mel_bins'");
  e.understood({"layerdrop", "scale_input", "max_position_embeddings", "dropout_positions"});
  return ears;
}

// Strided convolutions over the spectrogram, the later ones depthwise with one across channels behind.
void describe_subsampling(Sink& sink, const Ears& e, std::int64_t tokens) {
  const Scope scope(sink, "subsampling");
  std::int64_t bins = e.bins, frames = tokens * e.factor, in = 1;
  const std::int64_t kernel = e.kernel * e.kernel;
  for (int i = 0; i < e.steps(); ++i) {
    const std::int64_t next_bins = (bins + 1) / 2, next = (frames + 1) / 2;
    sink.add(
        convolution("conv", in, e.channels, i == 0 ? 1 : e.channels, kernel, bins * frames, next_bins * next, true));
    if (i > 0) sink.add(convolution("pointwise", in, e.channels, 1, 1, next_bins * next, next_bins * next, true));
    sink.add(activation("act", e.channels * next_bins * next, Activation::relu));
    bins = next_bins;
    frames = next;
    in = e.channels;
  }
  sink.add(linear("linear", tokens, e.channels * (e.bins / e.factor), e.layers.width, true, Component::embed));
}

void describe_parakeet(Family& f) {
  const Keys& c = f.config;
  const bool whole = c.has("encoder_config");
  const Ears e = read_ears(whole ? c.child("encoder_config") : c);
  const std::int64_t letters = whole ? c.assume("vocab_size", 1025) : 0;
  c.understood({"ctc_loss_reduction", "ctc_zero_infinity"});
  if (whole) c.child("encoder_config").understood({"model_type"});
  constexpr std::int64_t kTenSeconds = 125;  // positions of ten seconds: 100 frames a second, one of eight
  f.sequence(kTenSeconds);
  if (!f.ok()) return;
  describe_subsampling(f.sink, e, f.tokens);
  describe_conformer(f.sink, e.layers, f.tokens);
  if (letters > 0) f.sink.add(linear("ctc_head", f.tokens, e.layers.width, letters, true, Component::head));
}

}  // namespace

extern const FamilyDef k_parakeet;
const FamilyDef k_parakeet = {"parakeet",
                              "Parakeet with CTC: a conformer (FastConformer) over an eighth of a spectrogram's frames",
                              "huggingface/transformers models/parakeet/modeling_parakeet.py; 2305.05084",
                              kTypes,
                              kArchitectures,
                              build<describe_parakeet>};

}  // namespace floptally::families
