#include "network/blocks/mixers.h"
#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"mamba", "falcon_mamba"};
constexpr std::string_view kArchitectures[] = {"MambaForCausalLM", "FalconMambaForCausalLM"};

void describe_mamba(Family& f) {
  const Keys& c = f.config;
  const std::int64_t width = c.size("hidden_size", "d_model"), layers = c.size("num_hidden_layers", "n_layer"),
                     vocabulary = c.size("vocab_size");
  f.sequence(4096);
  MambaPart mamba;
  mamba.width = width;
  mamba.inner = c.size_or("intermediate_size", c.size_or("expand", 2) * width);
  mamba.state = c.assume("state_size", 16);
  mamba.kernel = c.assume("conv_kernel", 4);
  mamba.step_rank = c.text_or("time_step_rank", "auto") == "auto" ? (width + 15) / 16 : c.size("time_step_rank");
  mamba.bias = c.flag("use_bias", false);
  mamba.convolution_bias = c.flag("use_conv_bias", true);
  const bool tied = read_tied(f, true);
  c.understood({"n_layer", "d_inner", "d_model", "expand", "fused_add_norm", "pad_vocab_size_multiple",
                "rescale_prenorm_residual", "residual_in_fp32", "rms_norm", "ssm_cfg", "time_step_floor",
                "time_step_init_scheme", "time_step_max", "time_step_min", "time_step_scale", "time_step_rank",
                "use_mambapy", "mixer_rms_eps", "use_falcon_mambapy"});
  if (!f.ok()) return;
  describe_embedding(f, vocabulary, width, "embeddings");
  {
    const Scope scope(f.sink, "layers", layers, BlockKind::layer);
    f.sink.add(rms_norm("norm", f.tokens, width));
    describe_mamba(mamba, f.tokens, f.sink);
    f.sink.add(residual(f.tokens * width));
  }
  describe_head(f, NormKind::rms, width, vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_mamba;
const FamilyDef k_mamba = {"mamba",
                           "Mamba 1: selective state-space layers without attention",
                           "huggingface/transformers models/mamba/modeling_mamba.py; 2312.00752",
                           kTypes,
                           kArchitectures,
                           build<describe_mamba>};

}  // namespace floptally::families
