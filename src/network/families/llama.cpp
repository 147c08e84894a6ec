#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"llama",  "yi",     "smollm3",    "internlm",     "xverse",
                                       "aquila", "helium", "code_llama", "PanguEmbedded"};
constexpr std::string_view kArchitectures[] = {"LlamaForCausalLM",  "YiForCausalLM",       "SmolLM3ForCausalLM",
                                               "LLaMAForCausalLM",  "InternLMForCausalLM", "XverseForCausalLM",
                                               "AquilaForCausalLM", "HeliumForCausalLM",   "PanguEmbeddedForCausalLM"};

void describe_llama(Family& f) {
  const Keys& c = f.config;
  constexpr TextSizes kPublished{4096, 32, 32, 32, 128, 32000};  // LlamaConfig
  const TextSizes s = read_text_sizes(f, &kPublished);
  AttentionPart attention = attention_of(s);
  const bool bias = c.flag("attention_bias", c.flag("bias", false));
  set_bias(attention, bias, bias);
  const MlpPart mlp =
      mlp_of(s.width, read_inner(f, 11008), read_activation(f, Activation::silu), true, c.flag("mlp_bias", false));
  const bool tied = read_tied(f, false);
  c.understood({"pretraining_tp", "no_rope_layers", "no_rope_layer_interval", "layer_types", "use_sliding_window",
                "sliding_window", "max_window_layers"});
  if (!f.ok()) return;
  describe_decoder(f, s, {.attention = &attention, .mlp = &mlp}, tied);
}

}  // namespace

extern const FamilyDef k_llama;
const FamilyDef k_llama = {"llama",
                           "Llama 1-3 and its likes (Yi, Vicuna, CodeLlama, SmolLM, DeepSeek LLM, InternLM 1): grouped "
                           "attention, SwiGLU, RMS norms",
                           "huggingface/transformers models/llama/modeling_llama.py",
                           kTypes,
                           kArchitectures,
                           build<describe_llama>};

}  // namespace floptally::families
