#include "network/blocks/mixers.h"
#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"mamba2"};
constexpr std::string_view kArchitectures[] = {"Mamba2ForCausalLM"};

void describe_mamba2(Family& f) {
  const Keys& c = f.config;
  const std::int64_t width = c.size("hidden_size"), layers = c.size("num_hidden_layers"),
                     vocabulary = c.size("vocab_size");
  f.sequence(4096);
  Mamba2Part mamba;
  mamba.width = width;
  mamba.heads = c.size("num_heads");
  mamba.head_dim = c.size("head_dim");
  mamba.state = c.size("state_size");
  mamba.groups = c.size_or("n_groups", 1);
  mamba.kernel = c.assume("conv_kernel", 4);
  mamba.bias = c.flag("use_bias", false);
  mamba.convolution_bias = c.flag("use_conv_bias", true);
  const bool tied = read_tied(f, false);
  c.understood({"expand", "chunk_size", "intermediate_size", "norm_before_gate", "rescale_prenorm_residual",
                "residual_in_fp32", "rms_norm", "time_step_floor", "time_step_init_scheme", "time_step_limit",
                "time_step_max", "time_step_min", "time_step_rank", "time_step_scale"});
  if (!f.ok()) return;
  describe_embedding(f, vocabulary, width, "embeddings");
  {
    const Scope scope(f.sink, "layers", layers, BlockKind::layer);
    f.sink.add(rms_norm("norm", f.tokens, width));
    describe_mamba2(mamba, f.tokens, f.sink);
    f.sink.add(residual(f.tokens * width));
  }
  describe_head(f, NormKind::rms, width, vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_mamba2;
const FamilyDef k_mamba2 = {"mamba2",
                            "Mamba 2: state-space duality layers without attention",
                            "huggingface/transformers models/mamba2/modeling_mamba2.py; 2405.21060",
                            kTypes,
                            kArchitectures,
                            build<describe_mamba2>};

}  // namespace floptally::families
