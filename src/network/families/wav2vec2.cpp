#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"wav2vec2", "hubert", "unispeech", "unispeech-sat", "wavlm"};
constexpr std::string_view kArchitectures[] = {"Wav2Vec2Model", "Wav2Vec2ForCTC", "Wav2Vec2ForPreTraining",
                                               "HubertModel",   "HubertForCTC",   "WavLMModel",
                                               "WavLMForCTC",   "UniSpeechModel", "UniSpeechSatModel"};

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
  front.all_normed = c.text_or("feat_extract_norm", "group") == "layer";
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
};

AudioHead read_head(Family& f, bool pretraining) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const bool classifies = named.ends_with("ForSequenceClassification"),
             frames = named.ends_with("ForAudioFrameClassification"),
             letters = named.ends_with("ForCTC") || named.ends_with("ForMaskedLM");
  if (!named.empty() && !pretraining && !classifies && !frames && !letters && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t vocabulary = c.count_or("vocab_size", 32);
  AudioHead head;
  if (classifies || frames) head.labels = label_count(c);
  if (classifies) head.projected = c.assume("classifier_proj_size", 256);
  if (letters) head.letters = vocabulary;
  head.weighted = c.flag("use_weighted_layer_sum", false) && head.labels > 0;
  return head;
}

void describe_head(Family& f, const AudioHead& head, std::int64_t layers, std::int64_t width) {
  const bool pools = head.projected > 0;
  if (head.weighted) f.sink.add(parameter("layer_weights", layers + 1, (layers + 1) * f.tokens * width));
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

void describe_wav2vec2(Family& f) {
  const Keys& c = f.config;
  const std::int64_t width = c.size("hidden_size"), layers = c.size("num_hidden_layers"),
                     heads = c.size("num_attention_heads");
  const std::int64_t inner = c.size("intermediate_size"), kernel = c.assume("num_conv_pos_embeddings", 128),
                     groups = c.assume("num_conv_pos_embedding_groups", 16);
  const Front front = read_front(f);
  const bool before = c.flag("do_stable_layer_norm", false);
  const bool projected_norm = c.flag("feat_proj_layer_norm", true);
  const bool masks = c.ratio_or("mask_time_prob", 0.05) > 0 || c.ratio_or("mask_feature_prob", 0) > 0;
  c.divides("num_attention_heads", heads, "hidden_size", width);
  c.divides("num_conv_pos_embedding_groups", groups, "hidden_size", width);
  const std::string_view named = f.architecture();
  const std::string_view type = c.text_or("model_type", "wav2vec2");
  const bool pretraining = named.ends_with("ForPreTraining") && type == "wav2vec2", gated = type == "wavlm";
  const std::int64_t buckets = gated ? c.assume("num_buckets", 320) : 0;
  const AudioHead head = read_head(f, pretraining);
  const std::int64_t adapter = c.count_or("adapter_attn_dim", 0);
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
  f.sink.add(linear("feature_projection.projection", f.tokens, last, width, true, Component::embed));
  if (masks || c.text_or("model_type", "") == "hubert") f.sink.add(parameter("masked_spec_embed", width, 0));
  // Weight normalization keeps one length for each kernel position beside the direction.
  f.sink.add(convolution("pos_conv_embed", width, width, groups, kernel, f.tokens, f.tokens, true));
  if (c.flag("conv_pos_batch_norm", false))
    f.sink.add(batch_norm("pos_conv_embed.batch_norm", width, f.tokens));
  else
    f.sink.add(parameter("pos_conv_embed.weight_g", kernel, 0, Component::convolution));
  f.sink.add(layer_norm("layer_norm", f.tokens, width));
  if (gated) f.sink.add(relative_bias("rel_attn_embed", heads, buckets, f.tokens * f.tokens));
  {
    const Scope scope(f.sink, "layers", layers, BlockKind::layer);
    describe_encoder_layer({.width = width, .heads = heads, .ffn = inner, .post_norm = !before}, f.tokens, f.sink);
    if (gated) {  // WavLM: each position gates the relative bias of its heads
      f.sink.add(linear("gru_rel_pos_linear", heads * f.tokens, width / heads, 8, true, Component::position));
      f.sink.add(parameter("gru_rel_pos_const", heads, heads * f.tokens, Component::position));
    }
    if (adapter > 0 && before) describe_adapter(f, width, adapter);
  }
  describe_head(f, head, layers, width);
  if (pretraining) describe_quantizer(f, quantizer, last, width);
}

}  // namespace

extern const FamilyDef k_wav2vec2;
const FamilyDef k_wav2vec2 = {
    "wav2vec2",
    "wav2vec 2.0, HuBERT, UniSpeech, WavLM: convolutions over raw audio, a convolution for positions, an encoder",
    "huggingface/transformers models/wav2vec2/modeling_wav2vec2.py, models/hubert/modeling_hubert.py; 2006.11477, "
    "2106.07447",
    kTypes,
    kArchitectures,
    build<describe_wav2vec2>};

}  // namespace floptally::families
