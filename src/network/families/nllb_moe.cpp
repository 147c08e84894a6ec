#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"nllb-moe"};
constexpr std::string_view kArchitectures[] = {"NllbMoeForConditionalGeneration", "NllbMoeModel"};

struct Half {
  std::string_view name;
  std::int64_t layers = 12, heads = 16, ffn = 4096, step = 4, tokens = 1, memory = 0;
};

Half read_half(const Keys& c, const std::string& side, std::int64_t width) {
  Half h;
  h.layers = c.size(side + "_layers");
  h.heads = c.size(side + "_attention_heads");
  h.ffn = c.size(side + "_ffn_dim");
  h.step = c.assume_count(side + "_sparse_step", 4);
  c.divides(side + "_attention_heads", h.heads, "d_model", width);
  return h;
}

void describe_layer(Family& f, const Half& h, std::int64_t width, Activation kind, const MoePart* moe) {
  const std::int64_t tokens = h.tokens;
  AttentionPart self;
  self.width = width;
  self.heads = self.kv_heads = h.heads;
  self.head_dim = width / h.heads;
  self.rotary_dim = 0;
  self.mask = h.memory > 0 ? AttentionMask::causal : AttentionMask::none;
  set_bias(self, true, true);
  f.sink.add(layer_norm("self_attn_layer_norm", tokens, width));
  describe_attention(self, tokens, f.sink);
  f.sink.add(residual(tokens * width));
  if (h.memory > 0) {
    CrossAttentionPart cross;
    cross.name = "cross_attention";
    cross.width = cross.memory_width = width;
    cross.heads = cross.kv_heads = h.heads;
    cross.head_dim = self.head_dim;
    cross.q_bias = cross.k_bias = cross.v_bias = cross.out_bias = true;
    f.sink.add(layer_norm("cross_attention_layer_norm", tokens, width));
    describe_cross_attention(cross, tokens, h.memory, f.sink);
    f.sink.add(residual(tokens * width));
  }
  f.sink.add(layer_norm("ff_layer_norm", tokens, width));
  if (moe != nullptr)
    describe_moe(*moe, tokens, f.sink);
  else
    describe_mlp(mlp_of(width, h.ffn, kind, false, true), tokens, f.sink);
  f.sink.add(residual(tokens * width));
}

void describe_half(Family& f, const Half& h, std::int64_t width, std::int64_t positions, MoePart moe) {
  moe.expert_ffn = h.ffn;
  std::vector<std::uint8_t> kinds = layer_kinds(f, h.layers);
  for (std::size_t i = 0; i < kinds.size(); ++i)
    kinds[i] = h.step > 0 && (static_cast<std::int64_t>(i) + 1) % h.step == 0 ? 1 : 0;
  const Scope scope(f.sink, h.name);
  f.sink.add(move("embed_positions", h.tokens * width, positions * width));
  describe_layers(f.sink, kinds, [&](std::uint8_t routed) {
    describe_layer(f, h, width, moe.activation, routed != 0 ? &moe : nullptr);
  });
  f.sink.add(layer_norm("layer_norm", h.tokens, width));
}

void describe_nllb_moe(Family& f) {
  const Keys& c = f.config;
  const std::int64_t width = c.size("d_model"), vocabulary = c.size("vocab_size"),
                     positions = c.size("max_position_embeddings");
  Half encoder = read_half(c, "encoder", width), decoder = read_half(c, "decoder", width);
  encoder.name = "encoder";
  decoder.name = "decoder";
  MoePart moe;
  moe.width = width;
  moe.experts = c.size("num_experts");
  // Two of them, as trained and in transformers 4. The class of 5.0 to 5.16 reads the mask of what was chosen as
  // numbers of experts and sends each token to the first two as many times as there are experts; with two experts both
  // agree.
  moe.top_k = 2;
  moe.gated = false;
  moe.expert_bias = true;
  moe.router_bias = c.flag("router_bias", false);
  moe.activation = read_activation(f, Activation::relu, "activation_function");
  if (moe.experts < moe.top_k)
    c.problem("shape-experts", "num_experts", "each token uses 2 experts: 'num_experts' must be at least 2");
  if (!read_tied(f, true))
    c.problem("unknown-variant", "tie_word_embeddings", "embeddings that are not shared are not known here");
  c.understood({"scale_embedding", "encoder_layerdrop", "decoder_layerdrop", "num_hidden_layers", "expert_capacity",
                "router_z_loss_coef", "router_aux_loss_coef", "router_dtype", "router_ignore_padding_tokens",
                "batch_prioritized_routing", "second_expert_policy", "normalize_router_prob_before_dropping",
                "moe_eval_capacity_token_fraction", "moe_token_dropout", "output_router_logits", "router_type"});
  const std::string_view named = f.architecture();
  if (!named.empty() && !named.ends_with("Model") && !named.ends_with("ForConditionalGeneration"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  f.sequence(positions);
  if (!f.ok()) return;
  encoder.tokens = f.inputs.source_sequence > 0 ? f.inputs.source_sequence : f.tokens;
  decoder.tokens = f.tokens;
  decoder.memory = encoder.tokens;
  f.sink.add(embedding("shared", encoder.tokens, vocabulary, width));
  describe_half(f, encoder, width, positions, moe);
  f.sink.add(embedding("decoder.embed_tokens", f.tokens, vocabulary, width).with(op_flags::tied));
  describe_half(f, decoder, width, positions, moe);
  if (!named.ends_with("Model")) describe_head(f, NormKind::none, width, vocabulary, true);
}

}  // namespace

extern const FamilyDef k_nllb_moe;
const FamilyDef k_nllb_moe = {
    "nllb_moe",
    "NLLB with experts: M2M100's encoder and decoder, in every fourth layer the best two of 128 feed-forward layers",
    "huggingface/transformers models/nllb_moe/modeling_nllb_moe.py; 2207.04672",
    kTypes,
    kArchitectures,
    build<describe_nllb_moe>};

}  // namespace floptally::families
