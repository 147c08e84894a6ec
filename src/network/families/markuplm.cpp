#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"markuplm"};
constexpr std::string_view kArchitectures[] = {"MarkupLMModel", "MarkupLMForSequenceClassification",
                                               "MarkupLMForTokenClassification", "MarkupLMForQuestionAnswering"};

// Where a word stands in the tree of the page: a tag and a number at each depth.
void describe_paths(Family& f, const BertSizes& s) {
  const Keys& c = f.config;
  const std::int64_t depth = c.assume("max_depth", 50), unit = c.assume("xpath_unit_hidden_size", 32),
                     tags = c.assume("max_xpath_tag_unit_embeddings", 256),
                     places = c.assume("max_xpath_subs_unit_embeddings", 1024), width = s.layer.width,
                     inner = 4 * width, tokens = f.tokens;
  const Scope scope(f.sink, "xpath_embeddings");
  {
    const Scope each(f.sink, "units", depth);
    f.sink.add(embedding("tag", tokens, tags, unit));
    f.sink.add(embedding("subs", tokens, places, unit));
  }
  RepeatedSink idle(f.sink, 0);  // held by the class, not used
  idle.add(linear("xpath_unitseq2_embeddings", tokens, depth * unit, width, true, Component::embed));
  f.sink.add(linear("xpath_unitseq2_inner", tokens, depth * unit, inner, true, Component::embed));
  f.sink.add(activation("act", tokens * inner, Activation::relu));
  f.sink.add(linear("inner2emb", tokens, inner, width, true, Component::embed));
}

void describe_markuplm(Family& f) {
  f.config.understood({"tag_pad_id", "subs_pad_id", "max_depth"});
  describe_bert(f, {.heads = {}, .after_embedding = describe_paths});
}

}  // namespace

extern const FamilyDef k_markuplm;
const FamilyDef k_markuplm = {"markuplm",
                              "MarkupLM: BERT that sees where each word stands in the tree of a page",
                              "huggingface/transformers models/markuplm/modeling_markuplm.py; 2110.08518",
                              kTypes,
                              kArchitectures,
                              build<describe_markuplm>};

}  // namespace floptally::families
