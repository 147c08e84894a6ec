#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"roberta", "xlm-roberta", "camembert"};
constexpr std::string_view kArchitectures[] = {
    "RobertaModel",        "RobertaForMaskedLM",    "RobertaForSequenceClassification",
    "XLMRobertaModel",     "XLMRobertaForMaskedLM", "CamembertModel",
    "CamembertForMaskedLM"};

void describe_roberta(Family& f) { describe_bert(f, 0, "Roberta"); }

}  // namespace

extern const FamilyDef k_roberta;
const FamilyDef k_roberta = {"roberta",
                             "RoBERTa, XLM-RoBERTa, CamemBERT: BERT layers, two position rows of padding",
                             "huggingface/transformers models/roberta/modeling_roberta.py; 1907.11692",
                             kTypes,
                             kArchitectures,
                             build<describe_roberta>};

}  // namespace floptally::families
