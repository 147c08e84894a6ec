#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"opt"};
constexpr std::string_view kArchitectures[] = {"OPTForCausalLM", "OPTModel"};

void describe_opt(Family& f) {
  const Keys& c = f.config;
  TextSizes s = read_text_sizes(f);
  const std::int64_t embedded = c.size_or("word_embed_proj_dim", s.width);
  const std::int64_t positions = c.size("max_position_embeddings");
  const bool bias = c.flag("enable_bias", true), before = c.flag("do_layer_norm_before", true);
  const NormKind norm_kind = c.flag("layer_norm_elementwise_affine", true) ? NormKind::layer : NormKind::layer_plain;
  AttentionPart attention = attention_of(s);
  attention.kv_heads = s.heads;
  attention.rotary_dim = 0;
  set_bias(attention, bias, bias);
  const MlpPart mlp =
      mlp_of(s.width, c.size("ffn_dim"), read_activation(f, Activation::relu, "activation_function"), false, bias);
  const bool tied = read_tied(f, true), final_norm = before && !c.flag("_remove_final_layer_norm", false);
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, embedded);
  f.sink.add(position_table("embed_positions", f.tokens, positions + 2, s.width));
  if (embedded != s.width) f.sink.add(linear("project_in", f.tokens, embedded, s.width, false, Component::embed));
  {
    const Scope layers(f.sink, "layers", s.layers, BlockKind::layer);
    describe(f, {.attention = &attention,
                 .mlp = &mlp,
                 .norm = norm_kind,
                 .residuals = before ? Residuals::pre_norm : Residuals::post_norm});
  }
  if (final_norm) f.sink.add(norm("final_layer_norm", norm_kind, f.tokens, s.width));
  if (embedded != s.width) f.sink.add(linear("project_out", f.tokens, s.width, embedded, false, Component::unembed));
  describe_head(f, NormKind::none, embedded, s.vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_opt;
const FamilyDef k_opt = {"opt",
                         "OPT: learned positions (two rows more than the context), ReLU, tied embedding",
                         "huggingface/transformers models/opt/modeling_opt.py; Zhang et al. 2205.01068",
                         kTypes,
                         kArchitectures,
                         build<describe_opt>};

}  // namespace floptally::families
