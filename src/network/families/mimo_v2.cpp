#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"mimo_v2_flash", "mimo_v2"};
constexpr std::string_view kArchitectures[] = {"MiMoV2FlashForCausalLM", "MiMoV2ForCausalLM"};

void describe_mimo_v2(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart full = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(full, bias, false);
  full.value_dim = c.size_or("v_head_dim", s.head_dim);
  full.sinks = c.flag("add_full_attention_sink_bias", false);
  // As transformers 5 writes it: lists of words, and in windowed layers sinks and twice the keys, which no key names.
  const bool listed = c.has("layer_types");
  const Keys ropes = c.child("rope_parameters");
  const double rotated =
      c.ratio_or("partial_rotary_factor", ropes.child("full_attention").ratio_or("partial_rotary_factor", 1));
  full.rotary_dim = static_cast<std::int64_t>(rotated * static_cast<double>(full.head_dim)) / 2 * 2;
  AttentionPart windowed = full;
  windowed.heads = c.size_or("swa_num_attention_heads", s.heads);
  windowed.kv_heads = c.size_or("swa_num_key_value_heads", listed ? 2 * s.kv_heads : s.kv_heads);
  windowed.head_dim = c.size_or("swa_head_dim", s.head_dim);
  windowed.value_dim = c.size_or("swa_v_head_dim", full.value_dim);
  windowed.rotary_dim = static_cast<std::int64_t>(rotated * static_cast<double>(windowed.head_dim)) / 2 * 2;
  windowed.sinks = c.flag("add_swa_attention_sink_bias", listed);
  const std::int64_t window = c.size("sliding_window", "sliding_window_size");
  set_window(windowed, window);
  c.divides("swa_num_key_value_heads", windowed.kv_heads, "swa_num_attention_heads", windowed.heads);
  MoePart moe = read_deepseek_experts(f, s.width);
  moe.correction_bias = c.text_or("topk_method", "noaux_tc") == "noaux_tc";
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), moe.activation);
  // Kinds: bit 0 routed experts, bit 1 a window.
  const auto always = [](std::int64_t) { return true; };
  const auto never = [](std::int64_t) { return false; };
  std::vector<std::uint8_t> kinds = c.has("mlp_layer_types")
                                        ? kinds_named(f, s.layers, "mlp_layer_types", "sparse", always)
                                        : kinds_flagged(f, s.layers, "moe_layer_freq", always);
  const std::vector<std::uint8_t> sliding = listed ? kinds_named(f, s.layers, "layer_types", "sliding", never)
                                                   : kinds_flagged(f, s.layers, "hybrid_layer_pattern", never);
  for (std::size_t i = 0; i < kinds.size() && i < sliding.size(); ++i)
    if (sliding[i] != 0) kinds[i] = static_cast<std::uint8_t>(kinds[i] | 2U);
  const bool tied = read_tied(f, false);
  c.understood({"sliding_window_size", "swa_rope_theta", "attention_chunk_size", "attention_value_scale"});
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t kind) {
    describe(
        f, {.attention = (kind & 2U) != 0 ? &windowed : &full, .mlp = &mlp, .moe = (kind & 1U) != 0 ? &moe : nullptr});
  });
}

}  // namespace

extern const FamilyDef k_mimo_v2;
const FamilyDef k_mimo_v2 = {
    "mimo_v2",
    "MiMo-V2: windowed layers with sinks between full ones, keys wider than values, 256 experts",
    "XiaomiMiMo/MiMo-V2-Flash modeling_mimo_v2_flash.py; 2601.02780",
    kTypes,
    kArchitectures,
    build<describe_mimo_v2>};

}  // namespace floptally::families
