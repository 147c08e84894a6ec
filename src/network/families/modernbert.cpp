#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"modernbert", "modernbert-decoder"};
constexpr std::string_view kArchitectures[] = {"ModernBertModel", "ModernBertForMaskedLM",
                                               "ModernBertForSequenceClassification", "ModernBertDecoderForCausalLM"};

void describe_modernbert(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart full = attention_of(s);
  full.joined = true;
  const bool attention_bias = c.flag("attention_bias", false), norm_bias = c.flag("norm_bias", false);
  set_bias(full, attention_bias, attention_bias);
  full.mask = AttentionMask::none;
  AttentionPart windowed = full;
  windowed.mask = AttentionMask::window_both;
  windowed.span = std::max<std::int64_t>(1, c.size_or("local_attention", 128) / 2);
  const bool decodes = c.text_or("model_type", "modernbert") == "modernbert-decoder";
  if (decodes) {
    full.mask = AttentionMask::causal;
    set_window(windowed, c.size_or("sliding_window", std::max<std::int64_t>(1, c.size_or("local_attention", 128) / 2)));
  }
  const std::int64_t every = c.size_or("global_attn_every_n_layers", 3);
  const NormKind kind = norm_bias ? NormKind::layer : NormKind::layer_scale_only;
  MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::gelu, "hidden_activation"),
                       true, c.flag("mlp_bias", false));
  mlp.joined = true;
  const bool classifier_bias = c.flag("classifier_bias", false), decoder_bias = c.flag("decoder_bias", true);
  const bool tied = read_tied(f, true);
  const std::string_view named = f.architecture();
  const bool tags = named.ends_with("ForTokenClassification") || named.ends_with("ForQuestionAnswering");
  const std::int64_t labels = named.ends_with("ForMultipleChoice")                   ? 1
                              : tags || named.ends_with("ForSequenceClassification") ? label_count(c)
                                                                                     : 0;
  check_encoder_class(f);
  c.understood({"classifier_activation", "classifier_pooling", "cls_token_id", "deterministic_flash_attn",
                "global_rope_theta", "local_rope_theta", "position_embedding_type", "reference_compile",
                "repad_logits_with_grad", "sparse_pred_ignore_index", "sparse_prediction", "hidden_activation",
                "layer_types", "initializer_cutoff_factor", "sliding_window", "local_attention"});
  std::vector<std::uint8_t> kinds = layer_kinds(f, s.layers);  // bit 0: windowed; bit 1: the first, without a norm
  for (std::size_t i = 0; i < kinds.size(); ++i)
    kinds[i] = static_cast<std::uint8_t>((static_cast<std::int64_t>(i) % every != 0 ? 1 : 0) | (i == 0 ? 2 : 0));
  if (!f.ok()) return;
  const std::int64_t tokens = f.tokens;
  f.sink.add(embedding("tok_embeddings", tokens, s.vocabulary, s.width));
  f.sink.add(norm("embeddings_norm", kind, tokens, s.width));
  describe_layers(f.sink, kinds, [&](std::uint8_t layer) {
    if ((layer & 2U) == 0) f.sink.add(norm("attn_norm", kind, tokens, s.width));
    describe_attention((layer & 1U) != 0 ? windowed : full, tokens, f.sink);
    f.sink.add(residual(tokens * s.width));
    f.sink.add(norm("mlp_norm", kind, tokens, s.width));
    describe_mlp(mlp, tokens, f.sink);
    f.sink.add(residual(tokens * s.width));
  });
  f.sink.add(norm("final_norm", kind, tokens, s.width));
  if (named.ends_with("Model")) return;
  const std::int64_t rows = labels > 0 && !tags ? 1 : tokens;
  f.sink.add(linear("head.dense", rows, s.width, s.width, classifier_bias, Component::head));
  f.sink.add(activation("head.act", rows * s.width, Activation::gelu));
  f.sink.add(norm("head.norm", kind, rows, s.width));
  if (labels > 0)
    f.sink.add(linear("classifier", rows, s.width, labels, !decodes || classifier_bias, Component::head));
  else
    describe_head(f, NormKind::none, s.width, s.vocabulary, tied, decoder_bias);
}

}  // namespace

extern const FamilyDef k_modernbert;
const FamilyDef k_modernbert = {"modernbert",
                                "ModernBERT and its decoder: pre-norm layers without biases, GeGLU, rotary positions, "
                                "windows in two of three layers",
                                "huggingface/transformers models/modernbert/modeling_modernbert.py; 2412.13663",
                                kTypes,
                                kArchitectures,
                                build<describe_modernbert>};

}  // namespace floptally::families
