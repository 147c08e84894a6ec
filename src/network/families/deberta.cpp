#include "network/families/_common.h"
#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"deberta", "deberta-v2"};
constexpr std::string_view kArchitectures[] = {"DebertaModel",
                                               "DebertaV2Model",
                                               "DebertaForMaskedLM",
                                               "DebertaV2ForMaskedLM",
                                               "DebertaForSequenceClassification",
                                               "DebertaV2ForSequenceClassification"};

void describe_deberta(Family& f) {
  const Keys& c = f.config;
  BertSizes s = read_bert(f);
  const std::int64_t width = s.layer.width, embedded = c.size_or("embedding_size", width);
  const bool second = c.text_or("model_type", "deberta") == "deberta-v2",
             relative = c.flag("relative_attention", false);
  std::int64_t reach = c.config().size_if({"max_relative_positions"}, -1, -1);
  if (reach < 1) reach = s.positions;
  if (second)
    reach = std::max<std::int64_t>(
        1, c.config().size_if({"position_buckets"}, -1, -1) > 0 ? c.size("position_buckets") : reach);
  const bool absolute = c.flag("position_biased_input", true), shared_keys = second && c.flag("share_att_key", false);
  const bool normed = second && c.text_or("norm_rel_ebd", "none").find("layer_norm") != std::string_view::npos;
  const std::int64_t kernel = second ? c.count_or("conv_kernel_size", 0) : 0,
                     groups = std::max<std::int64_t>(1, c.count_or("conv_groups", 1));
  bool to_position = false, from_position = false;
  const Node kinds = c.node("pos_att_type");
  const auto name_kind = [&](std::string_view kind) {
    to_position = to_position || kind.find("c2p") != std::string_view::npos;
    from_position = from_position || kind.find("p2c") != std::string_view::npos;
  };
  if (kinds.is_sequence())
    for (const Node kind : kinds) name_kind(kind.text());
  else if (kinds)
    name_kind(kinds.text());
  check_encoder_class(f);
  c.understood({"pooler_dropout", "pooler_hidden_act", "pooler_hidden_size", "max_relative_positions",
                "position_buckets", "conv_act", "legacy", "attention_head_size", "summary_last_dropout"});
  if (!f.ok()) return;
  if (!absolute) s.positions = 0;
  describe_bert_embeddings(f, s, embedded);
  if (embedded != width) f.sink.add(linear("embed_proj", f.tokens, embedded, width, false, Component::embed));
  if (relative) f.sink.add(parameter("rel_embeddings", 2 * reach * width, 0, Component::position));
  if (relative && normed) f.sink.add(layer_norm("rel_embeddings_norm", 2 * reach, width));
  s.layer.key_bias = second;  // version 1 has biases on queries and values only
  {
    const Scope layers(f.sink, "layer", s.layers, BlockKind::layer);
    if (relative) {
      const Scope positions(f.sink, "self_attn");
      const std::int64_t heads = s.layer.heads, dim = width / s.layer.heads;
      if (to_position && !shared_keys)
        f.sink.add(linear("pos_key_proj", 2 * reach, width, width, second, Component::projection));
      if (from_position && !shared_keys)
        f.sink.add(linear("pos_query_proj", 2 * reach, width, width, true, Component::projection));
      if (to_position) f.sink.add(matmul("content_to_position", heads, f.tokens, dim, 2 * reach));
      if (from_position) f.sink.add(matmul("position_to_content", heads, f.tokens, dim, 2 * reach));
    }
    describe_encoder_layer(s.layer, f.tokens, f.sink);
  }
  if (kernel > 0) {
    const Scope conv(f.sink, "conv");
    f.sink.add(convolution("conv", width, width, groups, kernel, f.tokens, f.tokens, true));
    f.sink.add(layer_norm("LayerNorm", f.tokens, width));
  }
  describe_encoder_heads(f, {.pooler = false, .own_dense = true}, width, embedded, s.vocabulary);
}

}  // namespace

extern const FamilyDef k_deberta;
const FamilyDef k_deberta = {
    "deberta",
    "DeBERTa 1-3: content and relative position attend to each other; shared position keys since version 2",
    "huggingface/transformers models/deberta/modeling_deberta.py, models/deberta_v2/modeling_deberta_v2.py; "
    "2006.03654, 2111.09543",
    kTypes,
    kArchitectures,
    build<describe_deberta>};

}  // namespace floptally::families
