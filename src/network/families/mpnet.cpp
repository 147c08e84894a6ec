#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"mpnet"};
constexpr std::string_view kArchitectures[] = {"MPNetModel", "MPNetForMaskedLM"};

void describe_bias(Family& f, const BertSizes& s) {
  const std::int64_t buckets = f.config.assume("relative_attention_num_buckets", 32);
  f.sink.add(relative_bias("relative_attention_bias", s.layer.heads, buckets, f.tokens * f.tokens));
}

void describe_mpnet(Family& f) {
  BertForm form;
  form.heads.own_dense = true;
  form.after_embedding = describe_bias;
  BertSizes s = read_bert(f);
  s.segments = 0;
  describe_bert(f, s, form);
}

}  // namespace

extern const FamilyDef k_mpnet;
const FamilyDef k_mpnet = {"mpnet",
                           "MPNet: BERT layers with one table of relative positions, no segments",
                           "huggingface/transformers models/mpnet/modeling_mpnet.py; 2004.09297",
                           kTypes,
                           kArchitectures,
                           build<describe_mpnet>};

}  // namespace floptally::families
