#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"bert"};
constexpr std::string_view kArchitectures[] = {"BertModel",
                                               "BertForMaskedLM",
                                               "BertForPreTraining",
                                               "BertForSequenceClassification",
                                               "BertForTokenClassification",
                                               "BertForQuestionAnswering"};

void describe_bert(Family& f) { describe_bert(f, 0, "Bert"); }

}  // namespace

extern const FamilyDef k_bert;
const FamilyDef k_bert = {
    "bert",
    "BERT: post-norm encoder with learned positions; pooler or heads by the class that the config names",
    "huggingface/transformers models/bert/modeling_bert.py; 1810.04805",
    kTypes,
    kArchitectures,
    build<describe_bert>};

}  // namespace floptally::families
