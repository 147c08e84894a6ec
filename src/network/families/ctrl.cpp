#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"ctrl"};
constexpr std::string_view kArchitectures[] = {"CTRLLMHeadModel", "CTRLModel"};

void describe_ctrl(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  EncoderLayerPart layer{.width = c.size("n_embd"), .heads = c.size("n_head"), .ffn = c.size("dff")};
  layer.mask = AttentionMask::causal;
  layer.activation = Activation::relu;
  const std::int64_t layers = c.size("n_layer"), vocabulary = c.size("vocab_size");
  const bool plain = named == "CTRLModel", classes = named.ends_with("ForSequenceClassification");
  if (!named.empty() && !plain && !classes && !named.ends_with("LMHeadModel"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = classes ? label_count(c) : 0;
  const bool tied = read_tied(f, true);
  c.divides("n_head", layer.heads, "n_embd", layer.width);
  c.understood({"n_ctx", "from_tf"});
  f.sequence(c.size_or("n_positions", 256));
  if (!f.ok()) return;
  f.sink.add(embedding("w", f.tokens, vocabulary, layer.width));
  {
    const Scope scope(f.sink, "h", layers, BlockKind::layer);
    describe_encoder_layer(layer, f.tokens, f.sink);
  }
  f.sink.add(layer_norm("layernorm", f.tokens, layer.width));
  if (plain) return;
  if (classes)
    f.sink.add(linear("classifier", f.tokens, layer.width, labels, false, Component::head));
  else
    describe_unembedding({.width = layer.width, .vocabulary = vocabulary, .tied = tied, .bias = true}, f.tokens,
                         f.sink);
}

}  // namespace

extern const FamilyDef k_ctrl;
const FamilyDef k_ctrl = {"ctrl",
                          "CTRL: a decoder with sinusoidal positions that control codes steer",
                          "huggingface/transformers models/ctrl/modeling_ctrl.py; 1909.05858",
                          kTypes,
                          kArchitectures,
                          build<describe_ctrl>};

}  // namespace floptally::families
