#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"roberta", "xlm-roberta",    "camembert",           "data2vec-text",
                                       "ibert",   "xlm-roberta-xl", "roberta-prelayernorm"};
constexpr std::string_view kArchitectures[] = {
    "RobertaModel",        "RobertaForMaskedLM",    "RobertaForSequenceClassification",
    "XLMRobertaModel",     "XLMRobertaForMaskedLM", "CamembertModel",
    "CamembertForMaskedLM"};

void describe_roberta(Family& f) {
  const std::string_view type = f.config.text_or("model_type", "roberta");
  BertForm form;
  form.heads.own_dense = true;
  BertSizes s = read_bert(f);
  if (type == "xlm-roberta-xl" || type == "roberta-prelayernorm") {
    s.layer.post_norm = false;
    form.final_norm = true;
    form.embedding_norm = type == "roberta-prelayernorm";
  }
  f.config.understood({"quant_mode", "force_dequant"});
  describe_bert(f, s, form);
}

}  // namespace

extern const FamilyDef k_roberta;
const FamilyDef k_roberta = {
    "roberta",
    "RoBERTa, XLM-RoBERTa (and XL), CamemBERT, data2vec text: BERT layers, two position rows of padding",
    "huggingface/transformers models/roberta/modeling_roberta.py; 1907.11692",
    kTypes,
    kArchitectures,
    build<describe_roberta>};

}  // namespace floptally::families
