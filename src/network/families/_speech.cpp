#include "network/families/_speech.h"

#include "network/blocks/tower.h"

namespace floptally::families {

namespace {

// One position: what is described here is executed 0 times.
Op conv(std::string_view name, std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t groups = 1) {
  return convolution(name, in, out, groups, kernel, 1, 1, true);
}

// The keys of a decoder inside a speaker, with the sizes that its class has where a key is left out.
TextSizes read_speaker(const Keys& c, const TextSizes& published) {
  TextSizes s;
  s.width = c.assume("hidden_size", published.width);
  s.layers = c.assume("num_hidden_layers", published.layers);
  s.heads = c.assume("num_attention_heads", published.heads);
  s.kv_heads = c.assume("num_key_value_heads", published.kv_heads);
  s.head_dim =
      c.size_or("head_dim", published.head_dim > 0 ? published.head_dim : std::max<std::int64_t>(1, s.width / s.heads));
  s.vocabulary = c.assume("vocab_size", published.vocabulary);
  c.divides("num_key_value_heads", s.kv_heads, "num_attention_heads", s.heads);
  c.understood({"max_position_embeddings", "use_sliding_window", "sliding_window", "max_window_layers", "layer_types",
                "hidden_act", "tie_word_embeddings"});
  return s;
}

}  // namespace

void describe_qwen2_talker(const Family& f, const Keys& c, Sink& sink) {
  const TextSizes s = read_speaker(c, {3584, 28, 28, 4, 128, 8448});
  const std::int64_t embedded = c.assume("embedding_size", 3584);
  AttentionPart attention = attention_of(s);
  set_bias(attention, true, false);
  const MlpPart mlp = mlp_of(s.width, c.assume("intermediate_size", 18944));
  c.understood({"spatial_merge_size"});
  if (!c.ok()) return;
  const Scope talker(sink, "talker");
  Family inner{c, f.inputs, sink, 1};
  sink.add(linear("thinker_to_talker_proj", 1, embedded, s.width, true));
  sink.add(embedding("embed_tokens", 1, s.vocabulary, embedded));
  {
    const Scope layers(sink, "layers", s.layers, BlockKind::layer);
    describe(inner, {.attention = &attention, .mlp = &mlp});
  }
  sink.add(rms_norm("norm", 1, s.width));
  sink.add(linear("codec_head", 1, s.width, s.vocabulary, false, Component::head));
}

namespace {

struct SpeakerEncoder {
  std::vector<std::int64_t> widths, kernels;
  std::int64_t in = 80, out = 128, attention = 64, scale = 2, squeezed = 64;
};

SpeakerEncoder read_speaker_encoder(const Keys& c) {
  SpeakerEncoder e;
  e.widths = c.sizes_or("enc_channels", {256, 256, 256, 256, 768});
  e.kernels = c.sizes_or("enc_kernel_sizes", {5, 3, 3, 3, 1});
  e.in = c.assume("mel_dim", 80);
  e.out = c.assume("enc_dim", 128);
  e.attention = c.assume("enc_attention_channels", 64);
  e.scale = c.assume("enc_res2net_scale", 2);
  e.squeezed = c.assume("enc_se_channels", 64);
  if (e.widths.size() < 2 || e.widths.size() != e.kernels.size())
    c.problem("shape-range", "enc_channels", "'enc_channels' and 'enc_kernel_sizes' must be of one length, at least 2");
  return e;
}

void describe_speaker_encoder(Sink& sink, const SpeakerEncoder& e) {
  const Scope scope(sink, "spk_encoder");
  sink.add(conv("conv", e.in, e.widths[0], e.kernels[0]));
  std::int64_t joined = 0;
  for (std::size_t i = 1; i + 1 < e.widths.size(); ++i) {
    const std::int64_t width = e.widths[i], part = std::max<std::int64_t>(1, width / e.scale);
    const Scope block(sink, "blocks");
    sink.add(conv("tdnn1", e.widths[i - 1], width, 1));
    for (std::int64_t piece = 1; piece < e.scale; ++piece) sink.add(conv("res2net_block", part, part, e.kernels[i]));
    sink.add(conv("tdnn2", width, width, 1));
    sink.add(conv("se_block.conv1", width, e.squeezed, 1));
    sink.add(conv("se_block.conv2", e.squeezed, width, 1));
    joined += width;
  }
  const std::int64_t last = e.widths.back();
  sink.add(conv("mfa", std::max<std::int64_t>(1, joined), last, e.kernels.back()));
  sink.add(conv("asp.tdnn", 3 * last, e.attention, 1));
  sink.add(conv("asp.conv", e.attention, last, 1));
  sink.add(conv("fc", 2 * last, e.out, 1));
}

}  // namespace

void describe_speech_dit(const Keys& c, Sink& sink) {
  const std::int64_t width = c.assume("hidden_size", 1024), layers = c.assume("num_hidden_layers", 22),
                     heads = c.assume("num_attention_heads", 16), head_dim = c.assume("head_dim", 64);
  const std::int64_t ffn = c.assume("ff_mult", 2) * width, embedded = c.assume("emb_dim", 512),
                     codes = c.assume("num_embeds", 8193), speaker = c.assume("enc_emb_dim", 192);
  const SpeakerEncoder e = read_speaker_encoder(c);
  c.understood({"max_position_embeddings", "block_size", "look_ahead_layers", "look_backward_layers", "repeats",
                "enc_dilations"});
  if (!c.ok()) return;
  constexpr std::int64_t kFrequencies = 256;
  const Scope scope(sink, "code2wav_dit_model");
  sink.add(linear("time_mlp.0", 1, kFrequencies, width, true));
  sink.add(linear("time_mlp.2", 1, width, width, true));
  sink.add(embedding("codec_embed", 1, codes + 1, embedded));
  sink.add(linear("input_embed.proj", 1, e.in + e.out + speaker + embedded, width, true));
  describe_speaker_encoder(sink, e);
  {
    const Scope blocks(sink, "transformer_blocks", layers, BlockKind::layer);
    sink.add(linear("attn_norm.linear", 1, width, 6 * width, true));
    sink.add(layer_norm("attn_norm.norm", 1, width, false, false));
    AttentionPart a;
    a.name = "attn";
    a.width = width;
    a.heads = a.kv_heads = heads;
    a.head_dim = head_dim;
    a.mask = AttentionMask::none;
    set_bias(a, true, true);
    describe_attention(a, 1, sink);
    sink.add(layer_norm("ff_norm", 1, width, false, false));
    describe_mlp(mlp_of(width, ffn, Activation::gelu, false, true), 1, sink);
  }
  sink.add(linear("norm_out.linear", 1, width, 2 * width, true));
  sink.add(linear("proj_out", 1, width, e.in, true));
}

void describe_bigvgan(const Keys& c, Sink& sink) {
  const std::int64_t mel = c.assume("mel_dim", 80), first = c.assume("upsample_initial_channel", 1536);
  const std::vector<std::int64_t> kernels = c.sizes_or("resblock_kernel_sizes", {3, 7, 11}),
                                  ups = c.sizes_or("upsample_kernel_sizes", {11, 7, 4, 4, 4, 4});
  const auto dilations = static_cast<std::int64_t>(
      c.node("resblock_dilation_sizes").size() > 0 ? c.node("resblock_dilation_sizes")[std::size_t{0}].size() : 3);
  c.understood({"upsample_rates"});
  if (!c.ok()) return;
  const Scope scope(sink, "code2wav_bigvgan_model");
  sink.add(conv("conv_pre", mel, first, 7));
  std::int64_t width = first;
  for (const std::int64_t up : ups) {
    const std::int64_t next = std::max<std::int64_t>(1, width / 2);
    sink.add(convolution_transposed("ups", width, next, 1, up, 1, 1, true));
    width = next;
    for (const std::int64_t kernel : kernels) {
      const Scope block(sink, "resblocks", dilations);
      for (const std::string_view name : {"convs1", "convs2"}) {
        sink.add(parameter("snake", 2 * width, width));
        sink.add(conv(name, width, width, kernel));
      }
    }
  }
  sink.add(parameter("activation_post", 2 * width, width));
  sink.add(convolution("conv_post", width, 1, 1, 7, 1, 1, false));
}

namespace {

// What projects the thinker's states: one linear layer as wide as they are, then one as wide as the talker.
void describe_resize(Sink& sink, std::string_view name, std::int64_t in, std::int64_t inner, std::int64_t out) {
  const Scope scope(sink, name);
  sink.add(linear("linear_fc1", 1, in, inner, true));
  sink.add(linear("linear_fc2", 1, inner, out, true));
}

void describe_code_predictor(const Family& f, const Keys& c, std::int64_t groups, Sink& sink) {
  const TextSizes s = read_speaker(c, {1024, 5, 16, 8, 128, 2048});
  AttentionPart attention = attention_of(s);
  attention.qk_norm = QkNorm::per_head;
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  const MlpPart mlp = mlp_of(s.width, c.assume("intermediate_size", 3072));
  const std::int64_t others = c.assume("num_code_groups", groups) - 1;
  if (!c.ok()) return;
  const Scope scope(sink, "code_predictor");
  Family inner{c, f.inputs, sink, 1};
  {
    const Scope layers(sink, "layers", s.layers, BlockKind::layer);
    describe(inner, {.attention = &attention, .mlp = &mlp});
  }
  sink.add(rms_norm("norm", 1, s.width));
  const Scope codes(sink, "codes", others);
  sink.add(embedding("codec_embedding", 1, s.vocabulary, s.width));
  sink.add(linear("lm_head", 1, s.width, s.vocabulary, false, Component::head));
}

}  // namespace

void describe_qwen3_talker(const Family& f, const Keys& c, Sink& sink) {
  const Keys t = c.child("text_config");
  TextSizes s = read_speaker(t, {1024, 20, 16, 2, 0, 3072});
  AttentionPart attention = attention_of(s);
  attention.qk_norm = QkNorm::per_head;
  const bool bias = t.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  MoePart moe;
  moe.width = s.width;
  moe.experts = t.has("num_local_experts") ? t.size("num_local_experts") : t.assume("num_experts", 128);
  moe.top_k = t.assume("num_experts_per_tok", 8);
  moe.expert_ffn = t.assume("moe_intermediate_size", 384);
  moe.shared_ffn = t.assume("shared_expert_intermediate_size", 768);
  moe.shared_gate = true;
  check_experts({t, f.inputs, sink}, moe, "num_experts", "num_experts_per_tok");
  const std::int64_t thinker = c.assume("thinker_hidden_size", 2048), inner = t.assume("intermediate_size", 2048);
  if (t.assume("decoder_sparse_step", 1) != 1 || t.node("mlp_only_layers").size() > 0)
    t.problem("unknown-variant", "mlp_only_layers", "a talker with dense layers is not known");
  c.understood({"accept_hidden_layer", "speaker_id", "spatial_merge_size", "num_code_groups", "output_router_logits",
                "router_aux_loss_coef"});
  t.understood({"norm_topk_prob"});
  const std::int64_t groups = c.assume("num_code_groups", 32);
  if (!c.ok()) return;
  const Scope talker(sink, "talker");
  Family text{t, f.inputs, sink, 1};
  describe_resize(sink, "text_projection", thinker, inner, s.width);
  describe_resize(sink, "hidden_projection", thinker, inner, s.width);
  sink.add(embedding("codec_embedding", 1, s.vocabulary, s.width));
  {
    const Scope layers(sink, "layers", s.layers, BlockKind::layer);
    describe(text, {.attention = &attention, .moe = &moe});
  }
  sink.add(rms_norm("norm", 1, s.width));
  sink.add(linear("codec_head", 1, s.width, s.vocabulary, false, Component::head));
  describe_code_predictor(f, c.child("code_predictor_config"), groups, sink);
}

void describe_code2wav(const Keys& c, Sink& sink) {
  TextSizes s = read_speaker(c, {1024, 8, 16, 16, 0, 1});
  const std::int64_t codes = c.assume("codebook_size", 2048) * c.assume("num_quantizers", 16);
  const std::vector<std::int64_t> rates = c.sizes_or("upsample_rates", {8, 5, 4, 3}),
                                  ratios = c.sizes_or("upsampling_ratios", {2, 2});
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  const MlpPart mlp = mlp_of(s.width, c.assume("intermediate_size", 3072));
  std::int64_t width = c.assume("decoder_dim", 1536);
  c.understood({"layer_scale_initial_scale"});
  if (!c.ok()) return;
  const Scope scope(sink, "code2wav");
  sink.add(embedding("code_embedding", 1, codes, s.width));
  {
    const Scope layers(sink, "pre_transformer", s.layers, BlockKind::layer);
    sink.add(rms_norm("input_layernorm", 1, s.width));
    describe_attention(attention, 1, sink);
    sink.add(rms_norm("post_attention_layernorm", 1, s.width));
    describe_mlp(mlp, 1, sink);
    sink.add(learned_scale("layer_scale", 2 * s.width, 2 * s.width));
  }
  sink.add(rms_norm("norm", 1, s.width));
  for (const std::int64_t ratio : ratios) {
    const Scope up(sink, "upsample");
    sink.add(convolution_transposed("conv", s.width, s.width, 1, ratio, 1, 1, true));
    sink.add(conv("dwconv", s.width, s.width, 7, s.width));
    sink.add(layer_norm("norm", 1, s.width));
    sink.add(linear("pwconv1", 1, s.width, 4 * s.width, true));
    sink.add(linear("pwconv2", 1, 4 * s.width, s.width, true));
    sink.add(learned_scale("gamma", s.width, s.width));
  }
  sink.add(conv("decoder.conv", s.width, width, 7));
  for (const std::int64_t rate : rates) {
    const Scope block(sink, "decoder");
    const std::int64_t next = std::max<std::int64_t>(1, width / 2);
    sink.add(parameter("snake", 2 * width, width));
    sink.add(convolution_transposed("conv", width, next, 1, 2 * rate, 1, 1, true));
    width = next;
    const Scope units(sink, "units", 3);
    sink.add(parameter("act1", 2 * width, width));
    sink.add(conv("conv1", width, width, 7));
    sink.add(parameter("act2", 2 * width, width));
    sink.add(conv("conv2", width, width, 1));
  }
  sink.add(parameter("snake", 2 * width, width));
  sink.add(conv("decoder.conv", width, 1, 7));
}

}  // namespace floptally::families
