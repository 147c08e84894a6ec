#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"big_bird"};
constexpr std::string_view kArchitectures[] = {"BigBirdModel", "BigBirdForMaskedLM", "BigBirdForPreTraining"};

// `blocks` blocks of queries that each see `seen` blocks of keys.
void describe_scores(Family& f, const BertSizes& s, std::int64_t blocks, std::int64_t block, std::int64_t keys) {
  AttentionShape shape;
  shape.queries = block;
  shape.keys = keys;
  shape.heads = shape.kv_heads = s.layer.heads;
  shape.key_dim = shape.value_dim = s.layer.width / s.layer.heads;
  shape.mask = AttentionMask::none;
  shape.fused = false;
  f.sink.add(attention("attention", shape).repeated(blocks));
}

void describe_layer(Family& f, const BertSizes& s) {
  const std::int64_t block = f.config.assume("block_size", 64), chosen = f.config.assume_count("num_random_blocks", 3),
                     tokens = f.tokens, width = s.layer.width;
  {
    const Scope scope(f.sink, "self");
    for (const std::string_view name : {"query", "key", "value"})
      f.sink.add(column_linear(name, tokens, width, width, f.config.flag("use_bias", true), Component::projection));
    const bool full =
        f.config.text_or("attention_type", "block_sparse") != "block_sparse" || tokens <= (5 + 2 * chosen) * block;
    if (full) {
      describe_scores(f, s, 1, tokens, tokens);
    } else {
      const std::int64_t blocks = (tokens + block - 1) / block;
      describe_scores(f, s, 2, block, blocks * block);        // the first and the last
      describe_scores(f, s, 2, block, (4 + chosen) * block);  // their neighbours
      describe_scores(f, s, blocks - 4, block, (5 + chosen) * block);
    }
    f.sink.add(row_linear("output", tokens, width, width, true, Component::projection));
  }
  f.sink.add(residual(tokens * width));
  f.sink.add(layer_norm("attention_layernorm", tokens, width));
  describe_mlp(mlp_of(width, s.layer.ffn, s.layer.activation, false, true), tokens, f.sink);
  f.sink.add(residual(tokens * width));
  f.sink.add(layer_norm("output_layernorm", tokens, width));
}

void describe_big_bird(Family& f) {
  const Keys& c = f.config;
  BertForm form;
  form.heads = {.always_pooled = true, .own_dense = true};
  form.layer = describe_layer;
  if (f.architecture().ends_with("ForQuestionAnswering"))
    c.problem("unknown-variant", "architectures", "the head of class 'BigBirdForQuestionAnswering' is not known");
  c.understood({"rescale_embeddings", "embedding_size"});
  describe_bert(f, form);
}

}  // namespace

extern const FamilyDef k_big_bird;
const FamilyDef k_big_bird = {"big_bird",
                              "BigBird: BERT whose blocks of tokens attend to their neighbours, to the first and last "
                              "block and to a few random ones",
                              "huggingface/transformers models/big_bird/modeling_big_bird.py; 2007.14062",
                              kTypes,
                              kArchitectures,
                              build<describe_big_bird>};

}  // namespace floptally::families
