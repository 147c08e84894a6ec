#include "network/families/_conformer.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"wav2vec2", "hubert",         "unispeech",          "unispeech-sat",
                                       "wavlm",    "data2vec-audio", "wav2vec2-conformer", "sew"};
constexpr std::string_view kArchitectures[] = {"Wav2Vec2Model",
                                               "Wav2Vec2ForCTC",
                                               "Wav2Vec2ForPreTraining",
                                               "HubertModel",
                                               "HubertForCTC",
                                               "WavLMModel",
                                               "WavLMForCTC",
                                               "UniSpeechModel",
                                               "UniSpeechSatModel",
                                               "Data2VecAudioModel",
                                               "Data2VecAudioForCTC",
                                               "SEWModel",
                                               "SEWForCTC",
                                               "Wav2Vec2ConformerModel",
                                               "Wav2Vec2ConformerForCTC",
                                               "Wav2Vec2ConformerForPreTraining"};

// The convolutions over raw audio, each with its width, kernel and stride.
struct Front {
  std::vector<std::int64_t> dims, kernels, strides;
  bool bias = false, all_normed = false;
};

Front read_front(Family& f) {
  const Keys& c = f.config;
  Front front{c.config().sizes({"conv_dim"}), c.config().sizes({"conv_kernel"}), c.config().sizes({"conv_stride"})};
  if (front.dims.empty() || front.dims.size() != front.kernels.size() || front.dims.size() != front.strides.size())
    c.problem("missing-key", "conv_dim",
              "'conv_dim', 'conv_kernel' and 'conv_stride' must list the same number of convolutions");
  for (const std::vector<std::int64_t>* list : {&front.dims, &front.kernels, &front.strides})
    for (const std::int64_t value : *list)
      if (value < 1) c.problem("shape-range", "conv_dim", "sizes of convolutions must be at least 1");
  front.bias = c.flag("conv_bias", false);
  const bool data2vec = c.text_or("model_type", "") == "data2vec-audio";
  front.all_normed = c.text_or("feat_extract_norm", data2vec ? "layer" : "group") == "layer";
  return front;
}

void describe_front(Family& f, const Front& front) {
  const std::vector<std::int64_t>& dims = front.dims;
  // Positions before each convolution, from the frames that come out.
  std::vector<std::int64_t> lengths(dims.size() + 1, f.tokens);
  for (std::size_t i = dims.size(); i-- > 0;) lengths[i] = (lengths[i + 1] - 1) * front.strides[i] + front.kernels[i];
  const Scope scope(f.sink, "feature_extractor");
  for (std::size_t i = 0; i < dims.size(); ++i) {
    Op op = convolution("conv", i == 0 ? 1 : dims[i - 1], dims[i], 1, front.kernels[i], lengths[i], lengths[i + 1],
                        front.bias);
    f.sink.add(i == 0 ? op.with(op_flags::input_no_gradient) : op);
    if (front.all_normed)
      f.sink.add(layer_norm("layer_norm", lengths[i + 1], dims[i]));
    else if (i == 0)
      f.sink.add(group_norm("layer_norm", dims[i], lengths[i + 1], dims[i]));
    f.sink.add(activation("act", lengths[i + 1] * dims[i], Activation::gelu));
  }
}

// What pretraining adds: codebooks that the targets are drawn from.
struct Quantizer {
  std::int64_t codebooks = 0, codes = 0, code_dim = 0, shared_dim = 0;
};

Quantizer read_quantizer(const Keys& c) {
  return {c.size("num_codevector_groups"), c.size("num_codevectors_per_group"), c.size("codevector_dim"),
          c.size("proj_codevector_dim")};
}

void describe_quantizer(Family& f, const Quantizer& q, std::int64_t last, std::int64_t width) {
  const Scope quantizer(f.sink, "quantizer");
  f.sink.add(parameter("codevectors", q.codes * q.code_dim, f.tokens * q.code_dim));
  f.sink.add(linear("weight_proj", f.tokens, last, q.codebooks * q.codes, true, Component::head));
  f.sink.add(linear("project_hid", f.tokens, width, q.shared_dim, true, Component::head));
  f.sink.add(linear("project_q", f.tokens, q.code_dim, q.shared_dim, true, Component::head));
}

// Keys that do not shape the network.
void understand_the_rest(const Keys& c) {
  c.understood({"activation_dropout",
                "hidden_act",
                "feat_extract_activation",
                "feat_proj_dropout",
                "feat_quantizer_dropout",
                "final_dropout",
                "contrastive_logits_temperature",
                "diversity_loss_weight",
                "ctc_loss_reduction",
                "ctc_zero_infinity",
                "num_feat_extract_layers",
                "num_negatives",
                "mask_feature_length",
                "mask_time_length",
                "mask_feature_min_masks",
                "mask_time_min_masks",
                "freeze_feat_extract_train",
                "mask_channel_length",
                "mask_channel_min_space",
                "mask_channel_other",
                "mask_channel_prob",
                "mask_channel_selection",
                "mask_time_min_space",
                "mask_time_other",
                "mask_time_selection",
                "no_mask_channel_overlap",
                "no_mask_time_overlap",
                "classifier_proj_size",
                "adapter_kernel_size",
                "adapter_stride",
                "num_adapter_layers",
                "output_hidden_size",
                "tdnn_dim",
                "tdnn_dilation",
                "tdnn_kernel",
                "xvector_output_dim",
                "num_codevectors_per_group",
                "num_codevector_groups",
                "codevector_dim",
                "proj_codevector_dim",
                "gradient_checkpointing",
                "num_ctc_classes",
                "replace_prob",
                "num_clusters",
                "max_bucket_distance",
                "tokenizer_class"});
}

struct AudioHead {
  std::int64_t labels = 0, projected = 0, letters = 0;
  bool weighted = false;  // the layers' outputs are mixed
  // Speakers (x-vectors): layers that read neighbouring frames, then mean and deviation over time.
  std::vector<std::int64_t> dims, kernels, dilations;
  std::int64_t vector = 0;
};

void read_speakers(const Keys& c, AudioHead& head) {
  head.dims = c.sizes_or("tdnn_dim", {512, 512, 512, 512, 1500});
  head.kernels = c.sizes_or("tdnn_kernel", {5, 3, 3, 1, 1});
  head.dilations = c.sizes_or("tdnn_dilation", {1, 2, 3, 1, 1});
  head.vector = c.assume("xvector_output_dim", 512);
  head.labels = label_count(c);
  if (head.dims.empty() || head.dims.size() != head.kernels.size() || head.dims.size() != head.dilations.size())
    c.problem("shape-range", "tdnn_dim", "'tdnn_dim', 'tdnn_kernel' and 'tdnn_dilation' must be of one length");
  for (const std::vector<std::int64_t>* sizes : {&head.dims, &head.kernels, &head.dilations})
    for (const std::int64_t value : *sizes)
      if (value < 1) c.problem("shape-range", "tdnn_dim", "sizes of the speaker layers must be at least 1");
}

AudioHead read_head(Family& f, bool pretraining) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const bool classifies = named.ends_with("ForSequenceClassification"),
             frames = named.ends_with("ForAudioFrameClassification"),
             letters = named.ends_with("ForCTC") || named.ends_with("ForMaskedLM"),
             speakers = named.ends_with("ForXVector");
  if (!named.empty() && !pretraining && !classifies && !frames && !letters && !speakers && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t vocabulary = c.count_or("vocab_size", 32);
  AudioHead head;
  if (classifies || frames) head.labels = label_count(c);
  if (classifies) head.projected = c.assume("classifier_proj_size", 256);
  if (letters) head.letters = vocabulary;
  if (speakers) read_speakers(c, head);
  head.weighted = c.flag("use_weighted_layer_sum", false) && head.labels > 0;
  return head;
}

void describe_speakers(Family& f, const AudioHead& head, std::int64_t width) {
  std::int64_t in = head.dims.front(), tokens = f.tokens;
  f.sink.add(linear("projector", tokens, width, in, true, Component::head));
  for (std::size_t i = 0; i < head.dims.size(); ++i) {
    tokens = std::max<std::int64_t>(1, tokens - (head.kernels[i] - 1) * head.dilations[i]);
    f.sink.add(linear("tdnn", tokens, in * head.kernels[i], head.dims[i], true, Component::head));
    f.sink.add(activation("act", tokens * head.dims[i], Activation::relu));
    in = head.dims[i];
  }
  f.sink.add(linear("feature_extractor", 1, 2 * in, head.vector, true, Component::head));
  f.sink.add(linear("classifier", 1, head.vector, head.vector, true, Component::head));
  f.sink.add(linear("objective", 1, head.vector, head.labels, false, Component::head).with(op_flags::training_only));
}

void describe_head(Family& f, const AudioHead& head, std::int64_t layers, std::int64_t width) {
  const bool pools = head.projected > 0;
  if (head.weighted) f.sink.add(parameter("layer_weights", layers + 1, (layers + 1) * f.tokens * width));
  if (head.vector > 0) return describe_speakers(f, head, width);
  if (pools) f.sink.add(linear("projector", f.tokens, width, head.projected, true, Component::head));
  if (head.labels > 0)
    f.sink.add(
        linear("classifier", pools ? 1 : f.tokens, pools ? head.projected : width, head.labels, true, Component::head));
  if (head.letters > 0) f.sink.add(linear("lm_head", f.tokens, width, head.letters, true, Component::head));
}

// MMS: a small layer for each language.
void describe_adapter(Family& f, std::int64_t width, std::int64_t inner) {
  const Scope small(f.sink, "adapter_layer");
  f.sink.add(layer_norm("norm", f.tokens, width));
  f.sink.add(linear("linear_1", f.tokens, width, inner, true));
  f.sink.add(activation("act", f.tokens * inner, Activation::relu));
  f.sink.add(linear("linear_2", f.tokens, inner, width, true));
  f.sink.add(residual(f.tokens * width));
}

// How an encoder knows where a frame stands, and what its layers are.
struct Body {
  std::int64_t width = 768, layers = 12, heads = 12, inner = 3072, kernel = 128, groups = 16, stacked = 0, squeeze = 1;
  std::int64_t buckets = 0, adapter = 0;
  bool before = false, gated = false, normed = false, conformer = false;
  Conformer layer;
};

Conformer read_conformer(const Keys& c, const Body& b) {
  Conformer e;
  e.width = b.width;
  e.layers = b.layers;
  e.heads = b.heads;
  e.inner = b.inner;
  e.kernel = c.assume("conv_depthwise_kernel_size", 31);
  e.distances = 0;
  const std::string_view positions = c.text_or("position_embeddings_type", "relative");
  e.relative = positions == "relative";
  e.rotary = positions == "rotary";
  e.batch_normed = true;
  e.activation = c.config().activation({"hidden_act"}, "gelu");
  c.understood({"rotary_embedding_base", "max_source_positions", "conformer_conv_dropout"});
  return e;
}

Body read_body(const Family& f, std::string_view type) {
  const Keys& c = f.config;
  Body b;
  b.width = c.size("hidden_size");
  b.layers = c.size("num_hidden_layers");
  b.heads = c.size("num_attention_heads");
  b.inner = c.size("intermediate_size");
  b.groups = c.assume("num_conv_pos_embedding_groups", 16);
  if (type == "data2vec-audio") {  // a stack of smaller ones
    b.stacked = c.assume("num_conv_pos_embeddings", 5);
    b.kernel = c.assume("conv_pos_kernel_size", 19);
  } else {
    b.kernel = c.assume("num_conv_pos_embeddings", 128);
  }
  if (type == "sew") b.squeeze = c.assume("squeeze_factor", 2);
  b.before = c.flag("do_stable_layer_norm", false);
  b.gated = type == "wavlm";
  b.buckets = b.gated ? c.assume("num_buckets", 320) : 0;
  b.adapter = c.count_or("adapter_attn_dim", 0);
  b.normed = c.flag("conv_pos_batch_norm", false);
  b.conformer = type == "wav2vec2-conformer";
  if (b.conformer) b.layer = read_conformer(c, b);
  c.divides("num_attention_heads", b.heads, "hidden_size", b.width);
  c.divides("num_conv_pos_embedding_groups", b.groups, "hidden_size", b.width);
  return b;
}

void describe_positions(Sink& sink, const Body& b, std::int64_t tokens, std::int64_t left) {
  if (b.stacked > 0) {
    const Scope layers(sink, "pos_conv_embed", b.stacked);
    sink.add(convolution("conv", b.width, b.width, b.groups, b.kernel, tokens, left, true));
    sink.add(layer_norm("layer_norm", left, b.width, false, false));
    sink.add(activation("act", left * b.width, Activation::gelu));
    return;
  }
  // Weight normalization keeps one length for each kernel position beside the direction.
  sink.add(convolution("pos_conv_embed", b.width, b.width, b.groups, b.kernel, tokens, left, true));
  if (b.normed)
    sink.add(batch_norm("pos_conv_embed.batch_norm", b.width, left));
  else
    sink.add(parameter("pos_conv_embed.weight_g", b.kernel, 0, Component::convolution));
}

void describe_body(Family& f, const Body& b) {
  const std::int64_t width = b.width, left = std::max<std::int64_t>(1, f.tokens / b.squeeze);
  if (b.conformer) {  // its convolution over positions is held and not used
    RepeatedSink idle(f.sink, 0);
    describe_positions(idle, b, f.tokens, f.tokens);
    describe_conformer(f.sink, b.layer, f.tokens);
    f.sink.add(layer_norm("layer_norm", f.tokens, width));
    return;
  }
  describe_positions(f.sink, b, f.tokens, left);
  f.sink.add(layer_norm("layer_norm", left, width));
  if (b.gated) f.sink.add(relative_bias("rel_attn_embed", b.heads, b.buckets, left * left));
  {
    const Scope scope(f.sink, "layers", b.layers, BlockKind::layer);
    describe_encoder_layer({.width = width, .heads = b.heads, .ffn = b.inner, .post_norm = !b.before}, left, f.sink);
    if (b.gated) {  // WavLM: each position gates the relative bias of its heads
      f.sink.add(linear("gru_rel_pos_linear", b.heads * left, width / b.heads, 8, true, Component::position));
      f.sink.add(parameter("gru_rel_pos_const", b.heads, b.heads * left, Component::position));
    }
    if (b.adapter > 0 && b.before) describe_adapter(f, width, b.adapter);
  }
  if (b.squeeze > 1 || f.config.text_or("model_type", "") == "sew") {
    f.sink.add(linear("upsample.projection", left, width, width * b.squeeze, true));
    f.sink.add(activation("act", left * width * b.squeeze, Activation::gelu));
  }
}

void describe_wav2vec2(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture(), type = c.text_or("model_type", "wav2vec2");
  const Body b = read_body(f, type);
  const Front front = read_front(f);
  const bool projected_norm = c.flag("feat_proj_layer_norm", true), sew = type == "sew";
  const bool masks = c.ratio_or("mask_time_prob", 0.05) > 0 || c.ratio_or("mask_feature_prob", 0) > 0;
  const bool pretraining = named.ends_with("ForPreTraining") && (type == "wav2vec2" || b.conformer);
  const AudioHead head = read_head(f, pretraining);
  if (c.flag("add_adapter", false))
    c.problem("unknown-variant", "add_adapter", "an encoder with strided adapter layers is not known");
  const Quantizer quantizer = pretraining ? read_quantizer(c) : Quantizer{};
  understand_the_rest(c);
  constexpr std::int64_t kTenSeconds = 499;  // frames of ten seconds at 16 kHz and a stride of 320
  f.sequence(kTenSeconds);
  if (!f.ok()) return;
  describe_front(f, front);
  const std::int64_t last = front.dims.back();
  if (projected_norm) f.sink.add(layer_norm("feature_projection.layer_norm", f.tokens, last));
  if (!sew || last != b.width)
    f.sink.add(linear("feature_projection.projection", f.tokens, last, b.width, true, Component::embed));
  if (masks || type == "hubert") f.sink.add(parameter("masked_spec_embed", b.width, 0));
  describe_body(f, b);
  describe_head(f, head, b.layers, b.width);
  if (pretraining) describe_quantizer(f, quantizer, last, b.width);
}

}  // namespace

extern const FamilyDef k_wav2vec2;
const FamilyDef k_wav2vec2 = {
    "wav2vec2",
    "wav2vec 2.0 and its conformer, HuBERT, UniSpeech, WavLM, data2vec, SEW: convolutions over raw audio, a "
    "convolution "
    "for positions, an encoder",
    "huggingface/transformers models/wav2vec2/modeling_wav2vec2.py, models/hubert/modeling_hubert.py; 2006.11477, "
    "2106.07447",
    kTypes,
    kArchitectures,
    build<describe_wav2vec2>};

}  // namespace floptally::families
