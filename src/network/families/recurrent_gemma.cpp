#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"recurrent_gemma"};
constexpr std::string_view kArchitectures[] = {"RecurrentGemmaForCausalLM"};

// Two branches, one through a short convolution and the recurrence, whose two gates are block-diagonal.
void describe_recurrence(Family& f, std::int64_t width, std::int64_t inner, std::int64_t blocks, std::int64_t kernel,
                         Activation act) {
  const std::int64_t tokens = f.tokens;
  constexpr Component kPart = Component::recurrent;
  const Scope scope(f.sink, "temporal_block");
  {
    const Scope branches(f.sink, {}, 1, BlockKind::branches);
    {
      const Scope gate(f.sink, {});
      f.sink.add(column_linear("linear_y", tokens, width, inner, true, kPart));
      f.sink.add(activation("act", tokens * inner, act));
    }
    const Scope main(f.sink, {});
    f.sink.add(column_linear("linear_x", tokens, width, inner, true, kPart).with(op_flags::shared_input));
    f.sink.add(convolution("conv_1d", inner, inner, inner, kernel, tokens, tokens, true).part_of(kPart));
    for (std::string_view name : {"input_gate", "recurrent_gate"})
      f.sink.add(convolution(name, inner, inner, blocks, 1, tokens, tokens, true).part_of(kPart));
    f.sink.add(parameter("recurrent_param", inner, tokens * inner, kPart));
    f.sink.add(elementwise("recurrence", tokens * inner, 3, 8, 3).part_of(kPart));
  }
  f.sink.add(elementwise("gate", tokens * inner, 2, 1, 2));
  f.sink.add(row_linear("linear_out", tokens, inner, width, true, kPart));
}

void describe_recurrent_gemma(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, true);
  set_window(attention, c.count_or("attention_window_size", 2048));
  attention.rotary_dim =
      static_cast<std::int64_t>(c.ratio_or("partial_rotary_factor", 0.5) * static_cast<double>(s.head_dim));
  const std::int64_t inner = c.size_or("lru_width", s.width), kernel = c.size_or("conv1d_width", 4);
  const Activation act = read_activation(f, Activation::gelu, "hidden_activation");
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size") / 2, act, true, true);
  std::vector<std::string_view> pattern;
  for (const Node block : c.node(c.has("block_types") ? "block_types" : "_block_types"))
    pattern.push_back(block.text());
  if (pattern.empty()) pattern = {"recurrent", "recurrent", "attention"};
  const bool tied = read_tied(f, true);
  c.understood({"logits_soft_cap", "w_init_variance_scale", "embeddings_scale_by_sqrt_dim",
                "final_w_init_variance_scale", "hidden_activation"});
  c.divides("num_attention_heads", s.heads, "lru_width", inner);
  std::vector<std::uint8_t> kinds = layer_kinds(f, s.layers);
  for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i] = pattern[i % pattern.size()] == "attention" ? 1 : 0;
  if (mlp.ffn < 1)
    c.problem("shape-range", "intermediate_size", "'intermediate_size' is that of gate and up together: at least 2");
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t attends) {
    if (attends != 0) return describe(f, {.attention = &attention, .mlp = &mlp});
    describe_mixing(
        f, s.width, [&] { describe_recurrence(f, s.width, inner, s.heads, kernel, act); }, "channel_pre_norm", nullptr,
        &mlp);
  });
}

}  // namespace

extern const FamilyDef k_recurrent_gemma;
const FamilyDef k_recurrent_gemma = {
    "recurrent_gemma",
    "RecurrentGemma (Griffin): gated linear recurrences, windowed multi-query attention in every third layer, tied "
    "embedding",
    "huggingface/transformers models/recurrent_gemma/modeling_recurrent_gemma.py; 2402.19427",
    kTypes,
    kArchitectures,
    build<describe_recurrent_gemma>};

}  // namespace floptally::families
