#include "network/families/_encoder.h"
#include "network/families/_swin.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"clap"};
constexpr std::string_view kArchitectures[] = {"ClapModel"};

struct Ears {
  SwinBody body;
  std::int64_t spectrum = 256, bins = 64, width = 768, ratio = 4;
  bool fuses = false, stacks = false;
};

Ears read_ears(const Keys& a) {
  Ears e;
  SwinBody& b = e.body;
  b.patch = a.assume("patch_size", 4);
  b.window = a.assume("window_size", 8);
  b.width = a.assume("patch_embeds_hidden_size", 96);
  b.depths = a.sizes_or("depths", {2, 2, 6, 2});
  b.heads = a.sizes_or("num_attention_heads", {4, 8, 16, 32});
  b.ratio = a.ratio_or("mlp_ratio", 4);
  b.qkv_bias = a.flag("qkv_bias", true);
  e.fuses = a.flag("enable_fusion", false);
  e.stacks = e.fuses && a.text_or("fusion_type", "") == "channel_map";
  b.channels = a.assume("patch_embed_input_channels", 1) * (e.stacks ? 4 : 1);
  e.spectrum = a.assume("spec_size", 256);
  e.bins = a.assume("num_mel_bins", 64);
  e.width = a.assume("hidden_size", 768);
  e.ratio = a.assume("aff_block_r", 4);
  const std::vector<std::int64_t> step = a.node("patch_stride").is_sequence()
                                             ? a.config().sizes({"patch_stride"})
                                             : std::vector<std::int64_t>{a.assume("patch_stride", b.patch)};
  for (const std::int64_t side : step)
    if (side != b.patch) a.problem("unknown-variant", "patch_stride", "patches that overlap are not known here");
  if (!a.flag("enable_patch_layer_norm", true))
    a.problem("unknown-variant", "enable_patch_layer_norm", "patches without a norm are not known here");
  if (b.depths.empty() || b.depths.size() != b.heads.size() || b.depths.size() > 8)
    a.problem("shape-range", "depths", "'depths' and 'num_attention_heads' must be of one length, at most 8");
  std::int64_t width = b.width;
  for (std::size_t i = 0; a.ok() && i < b.depths.size(); ++i, width *= 2) {
    if (b.depths[i] < 1 || b.heads[i] < 1 || width % b.heads[i] != 0)
      a.problem("shape-divide", "num_attention_heads", "each stage's heads must divide its width");
    if (i + 1 == b.depths.size() && width != e.width)
      a.problem("shape-range", "hidden_size", "'hidden_size' must be the last stage's width");
  }
  if (e.spectrum < b.patch) a.problem("shape-range", "spec_size", "'spec_size' is smaller than a patch");
  a.understood({"enable_patch_fusion", "flatten_patch_embeds", "fusion_num_hidden_layers", "num_classes",
                "drop_path_rate", "projection_dim", "projection_hidden_act", "hidden_act", "num_hidden_layers",
                "patch_stride"});
  return e;
}

// Long clips are also seen at a finer grain; a small network weighs the two. Clips of ten seconds do without.
void describe_fusion(Sink& sink, const Ears& e) {
  RepeatedSink idle(sink, 0);
  const Scope scope(idle, "fusion_model");
  const std::int64_t width = e.body.width, inner = std::max<std::int64_t>(1, width / e.ratio);
  for (const std::string_view name : {"local_att", "global_att"}) {
    const Scope half(idle, name);
    idle.add(convolution("conv1", width, inner, 1, 1, 1, 1, true));
    idle.add(batch_norm("norm1", inner, 1));
    idle.add(convolution("conv2", inner, width, 1, 1, 1, 1, true));
    idle.add(batch_norm("norm2", width, 1));
  }
  idle.add(convolution("mel_conv2d", 1, width, 1, 3 * e.body.patch * e.body.patch, 1, 1, true));
}

BertSizes read_text(const Keys& t) {
  const BertSizes s = read_bert_tower(t, 50265, 514, 1);
  t.understood({"hidden_act", "position_embedding_type", "projection_dim", "projection_hidden_act",
                "fusion_hidden_size", "fusion_num_hidden_layers"});
  return s;
}

void describe_projection(Sink& sink, std::string_view name, std::int64_t in, std::int64_t out) {
  const Scope scope(sink, name);
  sink.add(linear("linear1", 1, in, out, true, Component::head));
  sink.add(activation("act", out, Activation::relu));
  sink.add(linear("linear2", 1, out, out, true, Component::head));
}

void describe_clap(Family& f) {
  const Keys& c = f.config;
  if (!c.has("audio_config")) c.size("audio_config");
  const Ears e = read_ears(c.child("audio_config"));
  const BertSizes s = read_text(c.child("text_config"));
  const std::int64_t shared = c.assume("projection_dim", 512);
  c.understood({"logit_scale_init_value", "projection_hidden_act", "hidden_size", "num_hidden_layers"});
  constexpr std::int64_t kWords = 77;
  f.sequence(kWords);
  if (!f.ok()) return;
  {
    const Scope audio(f.sink, "audio_model");
    f.sink.add(batch_norm("batch_norm", e.bins, e.spectrum * e.spectrum / e.bins));
    Family inner{c.child("audio_config"), f.inputs, f.sink};
    const std::vector<Map> maps = describe_swin_body(inner, e.body, e.spectrum, e.spectrum);
    f.sink.add(layer_norm("norm", maps.back().positions(), e.width));
    f.sink.add(pool("avgpool", e.width, maps.back().positions(), 1, maps.back().positions(), false));
    if (e.fuses) describe_fusion(f.sink, e);
  }
  describe_projection(f.sink, "audio_projection", e.width, shared);
  const std::int64_t width = s.layer.width;
  {
    const Scope text(f.sink, "text_model");
    describe_bert_embeddings(f, s, width);
    {
      const Scope layers(f.sink, "layer", s.layers, BlockKind::layer);
      describe_encoder_layer(s.layer, f.tokens, f.sink);
    }
    f.sink.add(linear("pooler", 1, width, width, true, Component::head));
  }
  describe_projection(f.sink, "text_projection", width, shared);
  f.sink.add(parameter("logit_scale", 2, 2));
}

}  // namespace

extern const FamilyDef k_clap;
const FamilyDef k_clap = {"clap",
                          "CLAP: a Swin tower over a spectrogram and RoBERTa, projected to one space",
                          "huggingface/transformers models/clap/modeling_clap.py; 2211.06687",
                          kTypes,
                          kArchitectures,
                          build<describe_clap>,
                          "sample"};

}  // namespace floptally::families
