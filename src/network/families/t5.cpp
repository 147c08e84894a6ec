#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"t5", "mt5", "umt5", "switch_transformers"};
constexpr std::string_view kArchitectures[] = {"T5ForConditionalGeneration",
                                               "T5Model",
                                               "T5EncoderModel",
                                               "MT5ForConditionalGeneration",
                                               "MT5EncoderModel",
                                               "UMT5ForConditionalGeneration",
                                               "UMT5EncoderModel",
                                               "T5WithLMHeadModel",
                                               "SwitchTransformersForConditionalGeneration"};

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
  // Switch: experts, one a token, in every n-th layer of a half.
  const bool routed = c.has("num_sparse_encoder_layers") || c.has("num_experts");
  MoePart moe;
  if (routed) {
    moe.width = width;
    moe.experts = c.size("num_experts");
    moe.top_k = 1;
    moe.expert_ffn = inner;
    moe.gated = false;
    moe.router_bias = c.flag("router_bias", false);
    moe.activation = Activation::relu;
  }
  const std::int64_t sparse_encoders = routed ? c.size("num_sparse_encoder_layers") : 0,
                     sparse_decoders = routed ? c.size("num_sparse_decoder_layers") : 0;
  c.understood({"expert_capacity", "add_router_probs", "router_dtype", "router_ignore_padding_tokens", "router_type",
                "router_z_loss_coef", "num_sparse_encoder_layers", "num_sparse_decoder_layers", "encoder_sparse_step",
                "decoder_sparse_step", "expert_bias"});
  if (!f.ok()) return;
  const MlpPart mlp = mlp_of(width, inner, gated ? Activation::gelu : Activation::relu, gated);
  const auto stack = [&](std::string_view name, std::int64_t tokens, std::int64_t count, bool decoder,
                         std::int64_t sparse) {
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
    const auto layer = [&](bool experts) {
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
      if (experts)
        describe_moe(moe, tokens, f.sink);
      else
        describe_mlp(mlp, tokens, f.sink);
      f.sink.add(residual(tokens * width));
    };
    if (sparse == 0) {
      const Scope block(f.sink, "block", count, BlockKind::layer);
      layer(false);
    } else {
      const std::int64_t step = std::max<std::int64_t>(1, count / sparse);
      std::vector<std::uint8_t> kinds = layer_kinds(f, count);
      for (std::size_t i = 0; i < kinds.size(); ++i)
        kinds[i] = step == 1 || static_cast<std::int64_t>(i) % step == 1 ? 1 : 0;
      describe_layers(
          f.sink, kinds, [&](std::uint8_t kind) { layer(kind != 0); }, "block");
    }
    f.sink.add(rms_norm("final_layer_norm", tokens, width));
  };
  f.sink.add(embedding("shared", source, vocabulary, width));
  stack("encoder", source, layers, false, sparse_encoders);
  if (tags) return f.sink.add(linear("classifier", source, width, labels, true, Component::head));
  if (encoder_only) return;
  f.sink.add(embedding("decoder.embed_tokens", f.tokens, vocabulary, width).with(op_flags::tied));
  stack("decoder", f.tokens, decoders, true, sparse_decoders);
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
    "T5, mT5, UMT5, Flan-T5 and Switch: encoder and decoder with relative position buckets, RMS norms, no biases",
    "huggingface/transformers models/t5/modeling_t5.py; 1910.10683, 2010.11934, 2101.03961",
    kTypes,
    kArchitectures,
    build<describe_t5>};

}  // namespace floptally::families
