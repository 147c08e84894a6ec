#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"nystromformer"};
constexpr std::string_view kArchitectures[] = {"NystromformerModel", "NystromformerForMaskedLM"};

void describe_layer(Family& f, const BertSizes& s) {
  const std::int64_t heads = s.layer.heads, width = s.layer.width, dim = width / heads, tokens = f.tokens,
                     marks = f.config.assume("num_landmarks", 64), kernel = f.config.count_or("conv_kernel_size", 65);
  {
    const Scope scope(f.sink, "self");
    for (const std::string_view name : {"query", "key", "value"})
      f.sink.add(column_linear(name, tokens, width, width, true, Component::projection));
    if (marks >= tokens) {
      AttentionShape shape;
      shape.queries = shape.keys = tokens;
      shape.heads = shape.kv_heads = heads;
      shape.key_dim = shape.value_dim = dim;
      shape.mask = AttentionMask::none;
      f.sink.add(attention("attention", shape));
    } else {
      f.sink.add(matmul("kernel_1", heads, tokens, dim, marks));
      f.sink.add(matmul("kernel_2", heads, marks, dim, marks));
      f.sink.add(matmul("kernel_3", heads, marks, dim, tokens));
      constexpr std::int64_t kSteps = 6, kProducts = 4;  // of the iterated inverse
      f.sink.add(matmul("inverse", heads, marks, marks, marks).repeated(kSteps * kProducts));
      f.sink.add(matmul("left", heads, tokens, marks, marks));
      f.sink.add(matmul("right", heads, marks, tokens, dim));
      f.sink.add(matmul("values", heads, tokens, marks, dim));
    }
    if (kernel > 0) f.sink.add(convolution("conv", heads, heads, heads, kernel, tokens * dim, tokens * dim, false));
    f.sink.add(row_linear("output", tokens, width, width, true, Component::projection));
  }
  f.sink.add(residual(tokens * width));
  f.sink.add(layer_norm("attention_layernorm", tokens, width));
  describe_mlp(mlp_of(width, s.layer.ffn, s.layer.activation, false, true), tokens, f.sink);
  f.sink.add(residual(tokens * width));
  f.sink.add(layer_norm("output_layernorm", tokens, width));
}

void describe_nystromformer(Family& f) {
  BertForm form;
  form.heads = {.pooler = false, .own_dense = true};
  form.positions_more = 2;
  form.layer = describe_layer;
  f.config.understood({"segment_means_seq_len", "inv_coeff_init_option", "inv_init_coeff_option"});
  describe_bert(f, form);
}

}  // namespace

extern const FamilyDef k_nystromformer;
const FamilyDef k_nystromformer = {
    "nystromformer",
    "Nystroemformer: BERT layers whose scores go through a few landmarks",
    "huggingface/transformers models/nystromformer/modeling_nystromformer.py; 2102.03902",
    kTypes,
    kArchitectures,
    build<describe_nystromformer>};

}  // namespace floptally::families
