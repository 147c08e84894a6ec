#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"bert", "ernie", "layoutlm", "dpr", "megatron-bert", "bert-generation"};
constexpr std::string_view kArchitectures[] = {"BertModel",
                                               "BertForMaskedLM",
                                               "BertForPreTraining",
                                               "BertForSequenceClassification",
                                               "BertForTokenClassification",
                                               "BertForQuestionAnswering",
                                               "BertLMHeadModel",
                                               "LayoutLMModel",
                                               "MegatronBertModel"};

// LayoutLM: the box of each token on the page, four coordinates from tables for x, y, height and width.
void describe_boxes(Family& f, const BertSizes& s) {
  const std::int64_t rows = f.config.assume("max_2d_position_embeddings", 1024);
  for (const std::string_view name : {"x_position_embeddings", "y_position_embeddings"})
    f.sink.add(embedding(name, 2 * f.tokens, rows, s.layer.width, Component::position));
  for (const std::string_view name : {"h_position_embeddings", "w_position_embeddings"})
    f.sink.add(embedding(name, f.tokens, rows, s.layer.width, Component::position));
}

void describe_tasks(Family& f, const BertSizes& s) {
  f.sink.add(embedding("task_type_embeddings", f.tokens, f.config.assume("task_type_vocab_size", 3), s.layer.width));
}

void describe_bert(Family& f) {
  const Keys& c = f.config;
  const std::string_view type = c.text_or("model_type", "bert"), named = f.architecture();
  BertForm form;
  BertSizes s = read_bert(f);
  if (type == "layoutlm") {
    form.heads.always_pooled = true;
    form.after_embedding = describe_boxes;
  } else if (type == "dpr") {
    form.heads.pooler = false;
    if (c.count_or("projection_dim", 0) > 0)
      c.problem("unknown-variant", "projection_dim", "a DPR encoder with a projection is not known");
    if (!named.empty() && !named.ends_with("Encoder"))
      c.problem("unknown-variant", "architectures", "only DPR's encoders are known");
  } else if (type == "megatron-bert") {
    s.layer.post_norm = false;
    form.embedding_norm = false;
    form.final_norm = true;
  } else if (type == "bert-generation") {
    form.heads.pooler = false;
    s.segments = 0;
    if (!named.empty() && !named.ends_with("Encoder"))
      c.problem("unknown-variant", "architectures", "only BertGenerationEncoder is known");
  } else if (type == "ernie") {
    c.understood({"task_type_vocab_size"});
    if (c.flag("use_task_id", false)) form.after_embedding = describe_tasks;
  }
  describe_bert(f, s, form);
}

}  // namespace

extern const FamilyDef k_bert;
const FamilyDef k_bert = {"bert",
                          "BERT, ERNIE 1-3, LayoutLM, DPR, Megatron BERT: post-norm (Megatron: pre-norm) encoder with "
                          "learned positions; pooler or heads by the class that the config names",
                          "huggingface/transformers models/bert/modeling_bert.py; 1810.04805",
                          kTypes,
                          kArchitectures,
                          build<describe_bert>};

}  // namespace floptally::families
