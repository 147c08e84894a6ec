#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"t5", "mt5", "umt5"};
constexpr std::string_view kArchitectures[] = {"T5ForConditionalGeneration",
                                               "T5Model",
                                               "T5EncoderModel",
                                               "MT5ForConditionalGeneration",
                                               "MT5EncoderModel",
                                               "UMT5ForConditionalGeneration",
                                               "UMT5EncoderModel",
                                               "T5WithLMHeadModel"};

void describe_t5(Family& f) {
  const Keys& c = f.config;
  const std::int64_t width = c.size("d_model"), layers = c.size("num_layers"),
                     decoders = c.size_or("num_decoder_layers", layers);
  const std::int64_t heads = c.size("num_heads"), dim = c.size("d_kv"), inner = c.size("d_ff"),
                     vocabulary = c.size("vocab_size");
  const std::int64_t buckets = c.assume("relative_attention_num_buckets", 32);
  const std::string_view projection = c.text_or("feed_forward_proj", "relu");
  const bool gated = projection.substr(0, 5) == "gated", every_layer = c.text_or("model_type", "t5") == "umt5";
  const bool tied = read_tied(f, true), encoder_only = f.architecture().find("EncoderModel") != std::string_view::npos;
  const std::string_view named = f.architecture();
  const bool tags = named.ends_with("ForTokenClassification"),
             classifies = named.ends_with("ForSequenceClassification"), spans = named.ends_with("ForQuestionAnswering");
  const std::int64_t labels = tags || classifies ? label_count(c) : 2;
  const bool head = f.architecture().empty() || f.architecture().find("Generation") != std::string_view::npos ||
                    f.architecture().find("LMHead") != std::string_view::npos;
  c.understood({"dense_act_fn", "is_gated_act", "n_positions", "relative_attention_max_distance", "tokenizer_class",
                "output_past", "scalable_attention"});
  if (!head && !encoder_only && !tags && !classifies && !spans && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  f.sequence(c.size_or("n_positions", 512));
  const std::int64_t source = f.inputs.source_sequence > 0 ? f.inputs.source_sequence : f.tokens;
  if (!f.ok()) return;
  const MlpPart mlp = mlp_of(width, inner, gated ? Activation::gelu : Activation::relu, gated);
  const auto stack = [&](std::string_view name, std::int64_t tokens, std::int64_t count, bool decoder) {
    const Scope scope(f.sink, name);
    AttentionPart self;
    self.width = width;
    self.heads = self.kv_heads = heads;
    self.head_dim = dim;
    self.rotary_dim = 0;
    self.mask = decoder ? AttentionMask::causal : AttentionMask::none;
    CrossAttentionPart cross;
    cross.width = cross.memory_width = width;
    cross.heads = cross.kv_heads = heads;
    cross.head_dim = dim;
    if (!every_layer) f.sink.add(relative_bias("relative_attention_bias", heads, buckets, tokens * tokens));
    {
      const Scope block(f.sink, "block", count, BlockKind::layer);
      if (every_layer) f.sink.add(relative_bias("relative_attention_bias", heads, buckets, tokens * tokens));
      f.sink.add(rms_norm("layer_norm", tokens, width));
      describe_attention(self, tokens, f.sink);
      f.sink.add(residual(tokens * width));
      if (decoder) {
        f.sink.add(rms_norm("layer_norm", tokens, width));
        describe_cross_attention(cross, tokens, source, f.sink);
        f.sink.add(residual(tokens * width));
      }
      f.sink.add(rms_norm("layer_norm", tokens, width));
      describe_mlp(mlp, tokens, f.sink);
      f.sink.add(residual(tokens * width));
    }
    f.sink.add(rms_norm("final_layer_norm", tokens, width));
  };
  f.sink.add(embedding("shared", source, vocabulary, width));
  stack("encoder", source, layers, false);
  if (tags) return f.sink.add(linear("classifier", source, width, labels, true, Component::head));
  if (encoder_only) return;
  f.sink.add(embedding("decoder.embed_tokens", f.tokens, vocabulary, width).with(op_flags::tied));
  stack("decoder", f.tokens, decoders, true);
  if (classifies) {
    f.sink.add(linear("classification_head.dense", 1, width, width, true, Component::head));
    f.sink.add(linear("classification_head.out_proj", 1, width, labels, true, Component::head));
  }
  if (spans) f.sink.add(linear("qa_outputs", f.tokens, width, labels, true, Component::head));
  if (head) describe_head(f, NormKind::none, width, vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_t5;
const FamilyDef k_t5 = {
    "t5",
    "T5, mT5, UMT5 and Flan-T5: encoder and decoder with relative position buckets, RMS norms, no biases",
    "huggingface/transformers models/t5/modeling_t5.py; 1910.10683, 2010.11934",
    kTypes,
    kArchitectures,
    build<describe_t5>};

}  // namespace floptally::families
