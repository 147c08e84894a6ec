#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"eurobert"};
constexpr std::string_view kArchitectures[] = {"EuroBertModel",
                                               "EuroBertForMaskedLM",
                                               "EuroBertForSequenceClassification",
                                               "EuroBertForTokenClassification",
                                               "EuroBertForQuestionAnswering",
                                               "EuroBertForMultipleChoice"};

void describe_eurobert(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false), mlp_bias = c.flag("mlp_bias", false);
  set_bias(attention, bias, bias);
  attention.mask = AttentionMask::none;
  const MlpPart mlp =
      mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu), true, mlp_bias);
  const bool tied = read_tied(f, false);
  const std::string_view named = f.architecture();
  const bool letters = named.ends_with("ForMaskedLM"), tags = named.ends_with("ForTokenClassification"),
             classes = named.ends_with("ForSequenceClassification");
  if (!named.empty() && !letters && !tags && !classes && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = tags || classes ? label_count(c) : 0;
  c.understood({"pretraining_tp", "classifier_pooling", "mask_token", "mask_token_id", "pad_token", "eos_token"});
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, s.width);
  {
    const Scope layers(f.sink, "layers", s.layers, BlockKind::layer);
    describe(f, {.attention = &attention, .mlp = &mlp});
  }
  f.sink.add(rms_norm("norm", f.tokens, s.width));
  if (letters)
    describe_unembedding({.width = s.width, .vocabulary = s.vocabulary, .tied = tied, .bias = mlp_bias}, f.tokens,
                         f.sink);
  if (classes) {
    f.sink.add(linear("dense", 1, s.width, s.width, true, Component::head));
    f.sink.add(activation("act", s.width, Activation::gelu));
  }
  if (labels > 0) f.sink.add(linear("classifier", tags ? f.tokens : 1, s.width, labels, true, Component::head));
}

}  // namespace

extern const FamilyDef k_eurobert;
const FamilyDef k_eurobert = {"eurobert",
                              "EuroBERT: Llama's layers without a mask",
                              "huggingface/transformers models/eurobert/modeling_eurobert.py; 2503.05500",
                              kTypes,
                              kArchitectures,
                              build<describe_eurobert>};

}  // namespace floptally::families
