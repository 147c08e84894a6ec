#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"roformer"};
constexpr std::string_view kArchitectures[] = {"RoFormerModel", "RoFormerForMaskedLM"};

void describe_table(Family& f, const BertSizes& s) {
  const std::int64_t dim = s.layer.width / s.layer.heads;
  f.sink.add(position_table("embed_positions", f.tokens, f.config.size("max_position_embeddings"), dim)
                 .with(op_flags::frozen));
}

void describe_roformer(Family& f) {
  const Keys& c = f.config;
  BertForm form;
  form.heads = {.pooler = false, .own_dense = true, .choice_dense = false};
  form.positions = false;
  form.after_embedding = describe_table;
  BertSizes s = read_bert(f);
  s.layer.rotary_dim = s.layer.width / std::max<std::int64_t>(1, s.layer.heads);
  if (c.size_or("embedding_size", s.layer.width) != s.layer.width)
    c.problem("unknown-variant", "embedding_size", "an embedding narrower than the layers is not known");
  c.understood({"rotary_value"});
  describe_bert(f, s, form);
}

}  // namespace

extern const FamilyDef k_roformer;
const FamilyDef k_roformer = {"roformer",
                              "RoFormer: BERT layers with rotary positions",
                              "huggingface/transformers models/roformer/modeling_roformer.py; 2104.09864",
                              kTypes,
                              kArchitectures,
                              build<describe_roformer>};

}  // namespace floptally::families
