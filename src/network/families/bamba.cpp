#include "network/blocks/mixers.h"
#include "network/families/_common.h"
#include "network/families/_mamba2.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"bamba"};
constexpr std::string_view kArchitectures[] = {"BambaForCausalLM"};

void describe_bamba(Family& f) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", false);
  set_bias(attention, bias, bias);
  attention.rotary_dim = static_cast<std::int64_t>(c.ratio_or("attn_rotary_emb", static_cast<double>(s.head_dim)));
  const Mamba2Part mamba = read_mamba2(c, s.width);
  const MlpPart mlp = mlp_of(s.width, c.size("intermediate_size"), read_activation(f, Activation::silu), true,
                             c.flag("mlp_bias", false));
  const bool tied = read_tied(f, false);
  c.understood({"mamba_chunk_size", "num_logits_to_keep", "mamba_d_head", "z_loss_coefficient", "time_step_limit",
                "time_step_max", "time_step_min"});
  std::vector<std::uint8_t> kinds = layer_kinds(f, s.layers);
  at_listed(c.node("attn_layer_indices"), kinds.size(), [&](std::size_t i) { kinds[i] = 1; });
  if (!f.ok()) return;
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t attends) {
    if (attends != 0) return describe(f, {.attention = &attention, .mlp = &mlp});
    describe_mixing(
        f, s.width, [&] { describe_mamba2(mamba, f.tokens, f.sink); }, "pre_ff_layernorm", nullptr, &mlp);
  });
}

}  // namespace

extern const FamilyDef k_bamba;
const FamilyDef k_bamba = {"bamba",
                           "Bamba: Mamba-2 layers with a few layers of attention, a feed-forward layer in each",
                           "huggingface/transformers models/bamba/modeling_bamba.py",
                           kTypes,
                           kArchitectures,
                           build<describe_bamba>};

}  // namespace floptally::families
