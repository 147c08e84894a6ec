#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"imagegpt"};
constexpr std::string_view kArchitectures[] = {"ImageGPTForCausalImageModeling", "ImageGPTModel",
                                               "ImageGPTForImageClassification"};

// GPT-2 over clusters of colours, one a pixel; the token that starts the picture is never an answer.
void describe_imagegpt(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("n_embd");
  s.layers = c.size("n_layer");
  s.heads = s.kv_heads = c.size("n_head");
  s.vocabulary = c.size("vocab_size");
  c.divides("n_head", s.heads, "n_embd", s.width);
  s.head_dim = std::max<std::int64_t>(1, s.width / s.heads);
  const std::int64_t positions = c.assume("n_positions", 1024);
  f.sequence(positions);
  AttentionPart attention = attention_of(s);
  attention.joined = true;
  attention.rotary_dim = 0;
  set_bias(attention, true, true);
  const MlpPart mlp = mlp_of(s.width, c.size_or("n_inner", 4 * s.width),
                             read_activation(f, Activation::gelu, "activation_function"), false, true);
  if (c.flag("add_cross_attention", false))
    c.problem("unknown-variant", "add_cross_attention", "ImageGPT with cross-attention is not known");
  if (read_tied(f, false))
    c.problem("unknown-variant", "tie_word_embeddings", "the head has one row less than the table and cannot share it");
  if (s.vocabulary < 2) c.problem("shape-range", "vocab_size", "'vocab_size' leaves no answers");
  const std::string_view named = f.architecture();
  const bool classes = named.ends_with("ForImageClassification");
  const bool plain = named.ends_with("Model");
  if (!named.empty() && !classes && !plain && !named.ends_with("ForCausalImageModeling"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  c.understood({"n_ctx", "scale_attn_weights", "scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn"});
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, s.width, "wte");
  f.sink.add(position_table("wpe", f.tokens, positions, s.width));
  {
    const Scope layers(f.sink, "h", s.layers, BlockKind::layer);
    describe(f, {.attention = &attention, .mlp = &mlp, .norm = NormKind::rms});
  }
  f.sink.add(rms_norm("ln_f", f.tokens, s.width));
  if (plain) return;
  if (classes) {
    f.sink.add(linear("score", 1, s.width, label_count(c), false, Component::head));
    return;
  }
  describe_unembedding({.width = s.width, .vocabulary = s.vocabulary - 1}, f.tokens, f.sink);
}

}  // namespace

extern const FamilyDef k_imagegpt;
const FamilyDef k_imagegpt = {"imagegpt",
                              "ImageGPT: GPT-2 over the pixels of a picture, with norms that do not centre",
                              "huggingface/transformers models/imagegpt/modeling_imagegpt.py; Chen 2020",
                              kTypes,
                              kArchitectures,
                              build<describe_imagegpt>};

}  // namespace floptally::families
