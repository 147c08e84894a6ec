#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"esm"};
constexpr std::string_view kArchitectures[] = {"EsmModel", "EsmForMaskedLM", "EsmForSequenceClassification",
                                               "EsmForTokenClassification"};

void describe_esm(Family& f) {
  const Keys& c = f.config;
  BertForm form;
  form.heads = {.own_dense = true};
  BertSizes s = read_bert(f);
  const std::string_view positions = c.text_or("position_embedding_type", "absolute");
  form.positions = positions == "absolute";
  if (positions == "rotary") s.layer.rotary_dim = s.layer.width / std::max<std::int64_t>(1, s.layer.heads);
  form.embedding_norm = c.flag("emb_layer_norm_before", false);
  form.final_norm = true;
  s.layer.post_norm = false;
  s.segments = 0;
  c.understood({"token_dropout", "vocab_list", "mask_token_id", "is_folding_model"});
  if (c.flag("is_folding_model", false))
    c.problem("unknown-variant", "is_folding_model", "ESMFold's folding trunk is not known");
  // Contacts are read off all attention maps.
  form.after_embedding = [](Family& g, const BertSizes& z) {
    g.sink.add(parameter("contact_head", z.layers * z.layer.heads + 1, 0, Component::head));
  };
  describe_bert(f, s, form);
}

}  // namespace

extern const FamilyDef k_esm;
const FamilyDef k_esm = {"esm",
                         "ESM-1b and ESM-2: protein encoders, pre-norm, rotary or learned positions",
                         "huggingface/transformers models/esm/modeling_esm.py; 2022.07.20.500902",
                         kTypes,
                         kArchitectures,
                         build<describe_esm>};

}  // namespace floptally::families
