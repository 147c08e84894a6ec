#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"gemma3n_text"};
constexpr std::string_view kArchitectures[] = {"Gemma3nForCausalLM", "Gemma3nTextModel"};

struct Extras {
  std::int64_t streams = 4, rank = 64, per_layer = 256, rows = 262144, borrowing = 0;
};

// AltUp's router and the mixing of the streams: before the layer (predict) and after it (correct).
void describe_altup(Family& f, std::int64_t width, const Extras& x) {
  const Scope scope(f.sink, "altup");
  const std::int64_t tokens = f.tokens, n = x.streams;
  f.sink.add(rms_norm("router_norm", tokens, width).repeated(2));
  f.sink.add(linear("modality_router", tokens, width, n).repeated(2));
  f.sink.add(linear("prediction_coefs", tokens, n, n * n));
  f.sink.add(matmul("predict", tokens, width, n, n, 2, Component::mlp));
  f.sink.add(linear("correction_coefs", tokens, n, n));
  f.sink.add(elementwise("correct", tokens * width * n, 2, 2));
  f.sink.add(parameter("correct_output_scale", width, tokens * width));
}

void describe_layer(Family& f, const AttentionPart& a, const MlpPart& mlp, const Extras& x, bool borrowed) {
  const std::int64_t width = a.width, tokens = f.tokens;
  AttentionPart attention = a;
  attention.borrowed_key_value = borrowed;
  describe_altup(f, width, x);
  {
    const Scope laurel(f.sink, "laurel");
    f.sink.add(linear("linear_left", tokens, width, x.rank));
    f.sink.add(linear("linear_right", tokens, x.rank, width));
    f.sink.add(rms_norm("post_laurel_norm", tokens, width));
  }
  describe(f, {.attention = &attention, .mlp = &mlp, .residuals = Residuals::sandwich});
  if (borrowed) {  // the matrices are there, the keys and values of an earlier layer are used
    f.sink.add(parameter("self_attn.k_proj", (width + a.k_bias) * a.kv_heads * a.head_dim, 0, Component::projection));
    f.sink.add(parameter("self_attn.v_proj", (width + a.v_bias) * a.kv_heads * a.head_dim, 0, Component::projection));
    f.sink.add(parameter("self_attn.k_norm", a.head_dim, 0, Component::norm));
  }
  const Scope scope(f.sink, "per_layer_input");
  f.sink.add(linear("per_layer_input_gate", tokens, width, x.per_layer));
  f.sink.add(gated_activation("act", tokens * x.per_layer, Activation::gelu));
  f.sink.add(linear("per_layer_projection", tokens, x.per_layer, width));
  f.sink.add(rms_norm("post_per_layer_input_norm", tokens, width));
  f.sink.add(residual(tokens * width * (x.streams - 1)));
}

void describe_gemma3n(Family& f) {
  const Keys& c = f.config;
  constexpr TextSizes kPublished{2048, 35, 8, 2, 256, 262400};
  const TextSizes s = read_text_sizes(f, &kPublished);
  AttentionPart full = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(full, bias, bias);
  full.qk_norm = QkNorm::per_head;
  AttentionPart windowed = full;
  set_window(windowed, c.assume("sliding_window", 512));
  Extras x;
  x.streams = c.assume("altup_num_inputs", 4);
  x.rank = c.assume("laurel_rank", 64);
  x.per_layer = c.assume("hidden_size_per_layer_input", 256);
  x.rows = c.assume("vocab_size_per_layer_input", 262144);
  x.borrowing = c.assume_count("num_kv_shared_layers", 15);
  std::vector<std::uint8_t> kinds =
      kinds_named(f, s.layers, "layer_types", "sliding", [](std::int64_t i) { return (i + 1) % 5 != 0; });
  const Node inner = c.node("intermediate_size");
  std::vector<std::int64_t> widths(kinds.size(), 0);
  for (std::size_t i = 0; i < widths.size(); ++i)
    widths[i] = inner.is_sequence() ? c.element("intermediate_size", i)
                : i == 0            ? read_inner(f, 16384)
                                    : widths.front();
  const bool tied = read_tied(f, true);
  c.understood({"activation_sparsity_pattern", "altup_active_idx", "altup_coef_clip", "altup_correct_scale",
                "altup_lr_multiplier", "final_logit_softcapping", "hidden_activation", "query_pre_attn_scalar",
                "rope_local_base_freq", "layer_types"});
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (static_cast<std::int64_t>(i) >= s.layers - x.borrowing) kinds[i] = static_cast<std::uint8_t>(kinds[i] | 2U);
    if (f.ok() && widths[i] != widths.front())
      c.problem("unknown-variant", "intermediate_size", "layers of unlike 'intermediate_size' are not known");
  }
  if (!f.ok()) return;
  const MlpPart mlp = mlp_of(s.width, widths.empty() ? 1 : widths.front(), Activation::gelu);
  describe_embedding(f, s.vocabulary, s.width);
  {
    const Scope scope(f.sink, "per_layer_inputs");
    f.sink.add(embedding("embed_tokens_per_layer", f.tokens, x.rows, s.layers * x.per_layer));
    f.sink.add(
        linear("per_layer_model_projection", f.tokens, s.width, s.layers * x.per_layer, false, Component::embed));
    f.sink.add(rms_norm("per_layer_projection_norm", f.tokens * s.layers, x.per_layer));
  }
  for (const std::string_view name : {"altup_projections", "altup_unembed_projections"}) {
    const Scope scope(f.sink, name, x.streams - 1);
    f.sink.add(linear("projection", f.tokens, s.width, s.width));
  }
  describe_layers(f.sink, kinds, [&](std::uint8_t kind) {
    describe_layer(f, (kind & 1U) != 0 ? windowed : full, mlp, x, (kind & 2U) != 0);
  });
  describe_head(f, NormKind::rms, s.width, s.vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_gemma3n;
const FamilyDef k_gemma3n = {"gemma3n",
                             "Gemma 3n (text): four streams beside the residual (AltUp), low-rank branches (LAuReL), "
                             "per-layer embeddings, keys of earlier layers shared",
                             "huggingface/transformers models/gemma3n/modeling_gemma3n.py",
                             kTypes,
                             kArchitectures,
                             build<describe_gemma3n>};

}  // namespace floptally::families
