#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"t5", "mt5", "umt5", "switch_transformers", "longt5"};
constexpr std::string_view kArchitectures[] = {"T5ForConditionalGeneration",
                                               "T5Model",
                                               "T5EncoderModel",
                                               "MT5ForConditionalGeneration",
                                               "MT5EncoderModel",
                                               "UMT5ForConditionalGeneration",
                                               "UMT5EncoderModel",
                                               "T5WithLMHeadModel",
                                               "SwitchTransformersForConditionalGeneration",
                                               "LongT5ForConditionalGeneration",
                                               "LongT5Model",
                                               "LongT5EncoderModel"};

struct Sizes {
  std::int64_t width = 1, heads = 1, dim = 1, buckets = 32;
  bool every_layer = false;  // each layer has a relative bias of its own, not the first for all
  bool routed = false;
  std::int64_t block = 0, global = 0;  // LongT5: tokens of a block; tokens that one global token stands for
  MlpPart mlp;
  MoePart moe;
};

// One half of the model; experts (Switch) in every `step`-th layer, 0: in none.
struct Half {
  std::string_view name;
  std::int64_t tokens = 1, layers = 1, step = 0, memory = 0;  // memory > 0: a decoder that reads so many positions
};

// LongT5's encoder (2112.07916): blocks attend to themselves and both neighbours, and to the means of short runs.
void describe_local(Family& f, const Sizes& z, std::int64_t tokens) {
  const std::int64_t inner = z.heads * z.dim, blocks = (tokens + z.block - 1) / z.block,
                     global = z.global > 0 ? tokens / z.global : 0;
  const Scope scope(f.sink, "local_attention");
  for (const std::string_view name : {"q", "k", "v"})
    f.sink.add(column_linear(name, tokens, z.width, inner, false, Component::projection));
  if (z.global > 0) {
    f.sink.add(matmul("global_aggregates", 1, global, tokens, z.width));
    f.sink.add(rms_norm("global_input_layer_norm", global, z.width));
    for (const std::string_view name : {"k", "v"})
      f.sink.add(column_linear(name, global, z.width, inner, false, Component::projection).with(op_flags::tied));
  }
  AttentionShape shape;
  shape.queries = z.block;
  shape.keys = 3 * z.block + global;
  shape.heads = shape.kv_heads = z.heads;
  shape.key_dim = shape.value_dim = z.dim;
  shape.mask = AttentionMask::none;
  f.sink.add(attention("attention", shape).repeated(blocks));
  f.sink.add(row_linear("o", tokens, inner, z.width, false, Component::projection));
}

void describe_layer(Family& f, const Sizes& z, const Half& half, bool experts) {
  const std::int64_t tokens = half.tokens, width = z.width;
  AttentionPart self;
  self.width = width;
  self.heads = self.kv_heads = z.heads;
  self.head_dim = z.dim;
  self.rotary_dim = 0;
  self.mask = half.memory > 0 ? AttentionMask::causal : AttentionMask::none;
  if (z.every_layer) f.sink.add(relative_bias("relative_attention_bias", z.heads, z.buckets, tokens * tokens));
  f.sink.add(rms_norm("layer_norm", tokens, width));
  if (z.block > 0 && half.memory == 0)
    describe_local(f, z, tokens);
  else
    describe_attention(self, tokens, f.sink);
  f.sink.add(residual(tokens * width));
  if (half.memory > 0) {
    CrossAttentionPart cross;
    cross.width = cross.memory_width = width;
    cross.heads = cross.kv_heads = z.heads;
    cross.head_dim = z.dim;
    f.sink.add(rms_norm("layer_norm", tokens, width));
    describe_cross_attention(cross, tokens, half.memory, f.sink);
    f.sink.add(residual(tokens * width));
  }
  f.sink.add(rms_norm("layer_norm", tokens, width));
  if (experts)
    describe_moe(z.moe, tokens, f.sink);
  else
    describe_mlp(z.mlp, tokens, f.sink);
  f.sink.add(residual(tokens * width));
}

void describe_half(Family& f, const Sizes& z, const Half& half) {
  const Scope scope(f.sink, half.name);
  const bool local = z.block > 0 && half.memory == 0;
  const std::int64_t pairs = local ? 3 * z.block * z.block : half.tokens * half.tokens;
  if (!z.every_layer) f.sink.add(relative_bias("relative_attention_bias", z.heads, z.buckets, pairs));
  if (local && z.global > 0)
    f.sink.add(
        relative_bias("global_relative_attention_bias", z.heads, z.buckets, half.tokens * (half.tokens / z.global)));
  if (half.step == 0) {
    const Scope block(f.sink, "block", half.layers, BlockKind::layer);
    describe_layer(f, z, half, false);
  } else {
    std::vector<std::uint8_t> kinds = layer_kinds(f, half.layers);
    for (std::size_t i = 0; i < kinds.size(); ++i)
      kinds[i] = half.step == 1 || static_cast<std::int64_t>(i) % half.step == 1 ? 1 : 0;
    describe_layers(
        f.sink, kinds, [&](std::uint8_t kind) { describe_layer(f, z, half, kind != 0); }, "block");
  }
  f.sink.add(rms_norm("final_layer_norm", half.tokens, z.width));
}

Sizes read_t5_sizes(Family& f) {
  const Keys& c = f.config;
  Sizes z;
  z.width = c.size("d_model");
  z.heads = c.size("num_heads");
  z.dim = c.size("d_kv");
  z.buckets = c.assume("relative_attention_num_buckets", 32);
  z.every_layer = c.text_or("model_type", "t5") == "umt5";
  const std::int64_t inner = c.size("d_ff");
  const bool gated = c.text_or("feed_forward_proj", "relu").substr(0, 5) == "gated";
  z.mlp = mlp_of(z.width, inner, gated ? Activation::gelu : Activation::relu, gated);
  if (c.text_or("model_type", "t5") == "longt5") {
    const std::string_view kind = c.text_or("encoder_attention_type", "local");
    z.block = c.assume("local_radius", 127) + 1;
    if (kind == "transient-global") z.global = c.assume("global_block_size", 16);
    c.understood({"global_block_size"});
    if (kind != "local" && kind != "transient-global")
      c.problem("unknown-variant", "encoder_attention_type", "'" + std::string(kind) + "' attention is not known");
  }
  z.routed = c.has("num_sparse_encoder_layers") || c.has("num_experts");
  if (!z.routed) return z;
  z.moe.width = z.width;
  z.moe.experts = c.size("num_experts");
  z.moe.top_k = 1;
  z.moe.expert_ffn = inner;
  z.moe.gated = false;
  z.moe.router_bias = c.flag("router_bias", false);
  z.moe.activation = Activation::relu;
  c.understood({"expert_capacity", "add_router_probs", "router_dtype", "router_ignore_padding_tokens", "router_type",
                "router_z_loss_coef", "num_sparse_encoder_layers", "num_sparse_decoder_layers", "encoder_sparse_step",
                "decoder_sparse_step", "expert_bias"});
  return z;
}

// Switch: every how many layers; the older configs say how many layers have experts.
std::int64_t read_step(const Keys& c, std::string_view key, std::string_view count_key, std::int64_t layers) {
  const std::int64_t sparse = c.has(key) ? 0 : c.count_or(count_key, 0);
  return c.size_or(key, std::max<std::int64_t>(1, sparse > 0 ? layers / sparse : layers));
}

void describe_t5(Family& f) {
  const Keys& c = f.config;
  const Sizes z = read_t5_sizes(f);
  const std::int64_t layers = c.size("num_layers"), decoders = c.size_or("num_decoder_layers", layers),
                     vocabulary = c.size("vocab_size"), width = z.width;
  const bool tied = read_tied(f, true);
  const std::string_view named = f.architecture();
  const bool encoder_only = named.find("EncoderModel") != std::string_view::npos,
             tags = named.ends_with("ForTokenClassification"),
             classifies = named.ends_with("ForSequenceClassification"), spans = named.ends_with("ForQuestionAnswering");
  const std::int64_t labels = tags || classifies ? label_count(c) : 2;
  const bool head = named.empty() || named.find("Generation") != std::string_view::npos ||
                    named.find("LMHead") != std::string_view::npos;
  c.understood({"dense_act_fn", "is_gated_act", "n_positions", "relative_attention_max_distance", "tokenizer_class",
                "output_past", "scalable_attention"});
  if (!head && !encoder_only && !tags && !classifies && !spans && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  f.sequence(c.size_or("n_positions", 512));
  const std::int64_t source = f.inputs.source_sequence > 0 ? f.inputs.source_sequence : f.tokens;
  Half encoder{"encoder", source, layers}, decoder{"decoder", f.tokens, decoders, 0, source};
  if (z.routed) {
    encoder.step = read_step(c, "encoder_sparse_step", "num_sparse_encoder_layers", layers);
    decoder.step = read_step(c, "decoder_sparse_step", "num_sparse_decoder_layers", decoders);
  }
  if (!f.ok()) return;
  f.sink.add(embedding("shared", source, vocabulary, width));
  describe_half(f, z, encoder);
  if (tags) return f.sink.add(linear("classifier", source, width, labels, true, Component::head));
  if (encoder_only) return;
  f.sink.add(embedding("decoder.embed_tokens", f.tokens, vocabulary, width).with(op_flags::tied));
  describe_half(f, z, decoder);
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
    "T5, mT5, UMT5, Flan-T5, Switch and LongT5: encoder and decoder with relative position buckets, RMS norms, no "
    "biases",
    "huggingface/transformers models/t5/modeling_t5.py; 1910.10683, 2010.11934, 2101.03961, 2112.07916",
    kTypes,
    kArchitectures,
    build<describe_t5>};

}  // namespace floptally::families
