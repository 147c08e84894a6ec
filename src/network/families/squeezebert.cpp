#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"squeezebert"};
constexpr std::string_view kArchitectures[] = {"SqueezeBertModel",
                                               "SqueezeBertForMaskedLM",
                                               "SqueezeBertForSequenceClassification",
                                               "SqueezeBertForTokenClassification",
                                               "SqueezeBertForQuestionAnswering",
                                               "SqueezeBertForMultipleChoice"};

// Convolutions over one position in groups, in the place of matrices.
void describe_grouped_layer(Family& f, const BertSizes& s) {
  const Keys& c = f.config;
  const std::int64_t width = s.layer.width, ffn = s.layer.ffn, tokens = f.tokens;
  const auto grouped = [&](std::string_view name, std::string_view key, std::int64_t in, std::int64_t out) {
    const std::int64_t groups = c.assume(key, 1);
    if (in % groups != 0 || out % groups != 0)
      return c.problem("shape-divide", key, "'" + std::string(key) + "' does not divide the width");
    f.sink.add(convolution(name, in, out, groups, 1, tokens, tokens, true));
  };
  grouped("query", "q_groups", width, width);
  grouped("key", "k_groups", width, width);
  grouped("value", "v_groups", width, width);
  AttentionShape shape;
  shape.queries = shape.keys = tokens;
  shape.heads = shape.kv_heads = s.layer.heads;
  shape.key_dim = shape.value_dim = width / s.layer.heads;
  shape.mask = AttentionMask::none;
  f.sink.add(attention("attention", shape));
  grouped("post_attention", "post_attention_groups", width, width);
  f.sink.add(residual(tokens * width));
  f.sink.add(layer_norm("layernorm", tokens, width));
  grouped("intermediate", "intermediate_groups", width, ffn);
  f.sink.add(activation("act", tokens * ffn, s.layer.activation));
  grouped("output", "output_groups", ffn, width);
  f.sink.add(residual(tokens * width));
  f.sink.add(layer_norm("layernorm", tokens, width));
}

void describe_squeezebert(Family& f) {
  const BertSizes s = read_bert(f);
  if (f.config.size_or("embedding_size", s.layer.width) != s.layer.width)
    f.config.problem("shape-range", "embedding_size", "'embedding_size' must be 'hidden_size'");
  describe_bert(f, s, {.heads = {.always_pooled = true}, .layer = describe_grouped_layer});
}

}  // namespace

extern const FamilyDef k_squeezebert;
const FamilyDef k_squeezebert = {"squeezebert",
                                 "SqueezeBERT: BERT whose matrices are convolutions in groups",
                                 "huggingface/transformers models/squeezebert/modeling_squeezebert.py; 2006.11316",
                                 kTypes,
                                 kArchitectures,
                                 build<describe_squeezebert>};

}  // namespace floptally::families
