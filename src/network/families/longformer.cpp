#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"longformer"};
constexpr std::string_view kArchitectures[] = {"LongformerModel", "LongformerForMaskedLM"};

void describe_layer(Family& f, const BertSizes& s) {
  const std::int64_t width = s.layer.width;
  // They run only where a task marks tokens as global.
  for (const std::string_view name : {"query_global", "key_global", "value_global"})
    f.sink.add(parameter(name, width * width + width, 0, Component::projection));
  describe_encoder_layer(s.layer, f.tokens, f.sink);
}

void describe_longformer(Family& f) {
  const Keys& c = f.config;
  BertForm form;
  form.heads.own_dense = true;
  form.layer = describe_layer;
  BertSizes s = read_bert(f);
  const Node listed = c.node("attention_window");
  const std::int64_t window =
      listed.is_sequence() ? c.element("attention_window", 0) : c.assume("attention_window", 512);
  if (listed.is_sequence())
    for (std::size_t i = 1; i < listed.size(); ++i)
      if (c.element("attention_window", i) != window)
        c.problem("unknown-variant", "attention_window", "layers of unlike 'attention_window' are not known");
  s.layer.mask = AttentionMask::window_both;
  s.layer.span = std::max<std::int64_t>(1, window / 2);
  c.understood({"attention_mode", "ignore_attention_mask", "onnx_export"});
  f.remark("tokens attend inside their window; no token is counted as global");
  describe_bert(f, s, form);
}

}  // namespace

extern const FamilyDef k_longformer;
const FamilyDef k_longformer = {
    "longformer",
    "Longformer: RoBERTa whose tokens attend inside a window; matrices of their own for tokens that attend everywhere",
    "huggingface/transformers models/longformer/modeling_longformer.py; 2004.05150",
    kTypes,
    kArchitectures,
    build<describe_longformer>};

}  // namespace floptally::families
