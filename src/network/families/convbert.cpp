#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"convbert"};
constexpr std::string_view kArchitectures[] = {"ConvBertModel",
                                               "ConvBertForMaskedLM",
                                               "ConvBertForSequenceClassification",
                                               "ConvBertForTokenClassification",
                                               "ConvBertForQuestionAnswering",
                                               "ConvBertForMultipleChoice"};

// Half of the heads are replaced by convolutions whose kernels each position makes for itself.
void describe_mixed_layer(Family& f, const BertSizes& s) {
  const Keys& c = f.config;
  const std::int64_t width = s.layer.width, tokens = f.tokens, kernel = c.assume("conv_kernel_size", 9),
                     heads = std::max<std::int64_t>(1, s.layer.heads / c.assume("head_ratio", 2)),
                     head_dim = std::max<std::int64_t>(1, width / heads / 2), inner = heads * head_dim;
  const Component projection = Component::projection;
  {
    const Scope scope(f.sink, "attention");
    for (const std::string_view name : {"query", "key", "value"})
      f.sink.add(linear(name, tokens, width, inner, true, projection).with(op_flags::shared_input));
    f.sink.add(convolution("key_conv.depthwise", width, width, width, kernel, tokens, tokens, false));
    f.sink.add(convolution("key_conv.pointwise", width, inner, 1, 1, tokens, tokens, true));
    f.sink.add(elementwise("multiply", tokens * inner, 2, 1, 2 * tokens * inner));
    f.sink.add(linear("conv_kernel_layer", tokens, inner, heads * kernel, true, projection));
    f.sink.add(softmax("softmax", tokens * heads, kernel));
    f.sink.add(linear("conv_out_layer", tokens, width, inner, true, projection));
    f.sink.add(matmul("convolved", tokens * heads, head_dim, kernel, 1));
    AttentionShape shape;
    shape.queries = shape.keys = tokens;
    shape.heads = shape.kv_heads = heads;
    shape.key_dim = shape.value_dim = head_dim;
    shape.mask = AttentionMask::none;
    f.sink.add(attention("attention", shape));
    f.sink.add(linear("output.dense", tokens, 2 * inner, width, true, projection));
  }
  f.sink.add(residual(tokens * width));
  f.sink.add(layer_norm("LayerNorm", tokens, width));
  describe_mlp(mlp_of(width, s.layer.ffn, s.layer.activation, false, true), tokens, f.sink);
  f.sink.add(residual(tokens * width));
  f.sink.add(layer_norm("LayerNorm", tokens, width));
}

void describe_convbert(Family& f) {
  const Keys& c = f.config;
  const BertSizes s = read_bert(f);
  const std::int64_t embedded = c.size_or("embedding_size", s.layer.width);
  if (c.assume("num_groups", 1) != 1)
    c.problem("unknown-variant", "num_groups", "feed-forward layers in groups are not known");
  check_encoder_class(f);
  if (!f.ok()) return;
  describe_bert_embeddings(f, s, embedded);
  if (embedded != s.layer.width)
    f.sink.add(linear("embeddings_project", f.tokens, embedded, s.layer.width, true, Component::embed));
  {
    const Scope layers(f.sink, "layer", s.layers, BlockKind::layer);
    describe_mixed_layer(f, s);
  }
  describe_encoder_heads(f, {.pooler = false, .own_dense = true, .choice_dense = false}, s.layer.width, embedded,
                         s.vocabulary);
}

}  // namespace

extern const FamilyDef k_convbert;
const FamilyDef k_convbert = {
    "convbert",
    "ConvBERT: BERT layers, half of whose heads are convolutions with kernels made for each position",
    "huggingface/transformers models/convbert/modeling_convbert.py; 2008.02496",
    kTypes,
    kArchitectures,
    build<describe_convbert>};

}  // namespace floptally::families
