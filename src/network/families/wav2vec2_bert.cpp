#include "network/families/_conformer.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"wav2vec2-bert"};
constexpr std::string_view kArchitectures[] = {"Wav2Vec2BertModel", "Wav2Vec2BertForCTC",
                                               "Wav2Vec2BertForSequenceClassification",
                                               "Wav2Vec2BertForAudioFrameClassification"};

Conformer read_conformer(const Family& f) {
  const Keys& c = f.config;
  Conformer e;
  e.width = c.size("hidden_size");
  e.layers = c.size("num_hidden_layers");
  e.heads = c.size("num_attention_heads");
  e.inner = c.size("intermediate_size");
  e.kernel = c.assume("conv_depthwise_kernel_size", 31);
  e.activation = read_activation(f, Activation::silu);
  const std::string_view places = c.text_or("position_embeddings_type", "relative_key");
  e.distances = c.assume("left_max_position_embeddings", 64) + c.assume("right_max_position_embeddings", 8) + 1;
  if (places != "relative_key")
    c.problem("unknown-variant", "position_embeddings_type",
              "'" + std::string(places) + "' positions are not known here");
  if (c.flag("add_adapter", false))
    c.problem("unknown-variant", "add_adapter", "an adapter behind the layers is not known here");
  c.divides("num_attention_heads", e.heads, "hidden_size", e.width);
  c.understood({"adapter_act",
                "adapter_kernel_size",
                "adapter_stride",
                "num_adapter_layers",
                "output_hidden_size",
                "use_intermediate_ffn_before_adapter",
                "max_source_positions",
                "rotary_embedding_base",
                "tdnn_dim",
                "tdnn_kernel",
                "tdnn_dilation",
                "xvector_output_dim",
                "apply_spec_augment",
                "mask_time_prob",
                "mask_time_length",
                "mask_time_min_masks",
                "mask_feature_prob",
                "mask_feature_length",
                "mask_feature_min_masks",
                "ctc_loss_reduction",
                "ctc_zero_infinity",
                "layerdrop",
                "vocab_size"});
  return e;
}

void describe_wav2vec2_bert(Family& f) {
  const Keys& c = f.config;
  const Conformer e = read_conformer(f);
  const std::int64_t bins = c.assume("feature_projection_input_dim", 160);
  const std::string_view named = f.architecture();
  const bool plain = named.empty() || named.ends_with("Model"), letters = named.ends_with("ForCTC"),
             pools = named.ends_with("ForSequenceClassification"),
             frames = named.ends_with("ForAudioFrameClassification");
  if (!plain && !letters && !pools && !frames)
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t out = letters ? c.size("vocab_size")
                           : plain ? 0
                                   : label_count(c),
                     projected = pools ? c.assume("classifier_proj_size", 768) : e.width;
  const bool weighted = !plain && !letters && c.flag("use_weighted_layer_sum", false);
  constexpr std::int64_t kTenSeconds = 499;
  f.sequence(kTenSeconds);
  if (!f.ok()) return;
  const std::int64_t tokens = f.tokens;
  f.sink.add(layer_norm("feature_projection.layer_norm", tokens, bins));
  f.sink.add(linear("feature_projection.projection", tokens, bins, e.width, true, Component::embed));
  f.sink.add(parameter("masked_spec_embed", e.width, 0));
  describe_conformer(f.sink, e, tokens);
  if (weighted) f.sink.add(parameter("layer_weights", e.layers + 1, (e.layers + 1) * tokens * e.width));
  if (pools) f.sink.add(linear("projector", tokens, e.width, projected, true, Component::head));
  if (!plain) f.sink.add(linear("head", pools ? 1 : tokens, projected, out, true, Component::head));
}

}  // namespace

extern const FamilyDef k_wav2vec2_bert;
const FamilyDef k_wav2vec2_bert = {"wav2vec2_bert",
                                   "w2v-BERT 2.0: conformer layers over a spectrogram, a vector for each distance",
                                   "huggingface/transformers models/wav2vec2_bert; 2312.05187",
                                   kTypes,
                                   kArchitectures,
                                   build<describe_wav2vec2_bert>};

}  // namespace floptally::families
