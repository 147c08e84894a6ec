#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"moonshine"};
constexpr std::string_view kArchitectures[] = {"MoonshineForConditionalGeneration", "MoonshineModel"};

struct Half {
  std::int64_t layers = 6;
  AttentionPart attention;
  MlpPart mlp;
};

Half read_half(const Family& f, const std::string& side, std::int64_t width, bool encodes) {
  const Keys& c = f.config;
  Half h;
  h.layers = c.assume(side + "_num_hidden_layers", 6);
  h.attention.width = width;
  h.attention.heads = c.assume(side + "_num_attention_heads", 8);
  h.attention.kv_heads = c.size_or(side + "_num_key_value_heads", h.attention.heads);
  c.divides(side + "_num_attention_heads", h.attention.heads, "hidden_size", width);
  c.divides(side + "_num_key_value_heads", h.attention.kv_heads, side + "_num_attention_heads", h.attention.heads);
  h.attention.head_dim = width / std::max<std::int64_t>(1, h.attention.heads);
  const double part = c.ratio_or("partial_rotary_factor", 0.9);
  if (!(part >= 0 && part <= 1))
    c.problem("shape-range", "partial_rotary_factor", "'partial_rotary_factor' must be 0 to 1");
  h.attention.rotary_dim = static_cast<std::int64_t>(part * static_cast<double>(h.attention.head_dim)) / 2 * 2;
  h.attention.mask = encodes ? AttentionMask::none : AttentionMask::causal;
  const bool bias = c.flag("attention_bias", false);
  set_bias(h.attention, bias, false);
  h.mlp =
      mlp_of(width, c.assume("intermediate_size", 1152),
             read_activation(f, encodes ? Activation::gelu : Activation::silu, side + "_hidden_act"), !encodes, true);
  h.mlp.joined = !encodes;
  return h;
}

Op scaled_norm(std::string_view name, std::int64_t rows, std::int64_t width) {
  return layer_norm(name, rows, width, true, false);
}

// Convolutions over raw audio: one of 384 samples comes out.
void describe_front(Family& f, std::int64_t width, std::int64_t heard) {
  const std::int64_t third = (heard - 1) * 2 + 3, second = (third - 1) * 3 + 7, first = (second - 1) * 64 + 127;
  f.sink.add(convolution("conv1", 1, width, 1, 127, first, second, false).with(op_flags::input_no_gradient));
  f.sink.add(activation("act", second * width, Activation::tanh));
  f.sink.add(group_norm("groupnorm", width, second, 1));
  f.sink.add(convolution("conv2", width, 2 * width, 1, 7, second, third, true));
  f.sink.add(activation("act", third * 2 * width, Activation::gelu));
  f.sink.add(convolution("conv3", 2 * width, width, 1, 3, third, heard, true));
  f.sink.add(activation("act", heard * width, Activation::gelu));
}

void describe_layer(Sink& sink, const Half& h, std::int64_t tokens, std::int64_t memory) {
  const std::int64_t width = h.attention.width;
  sink.add(scaled_norm("input_layernorm", tokens, width));
  describe_attention(h.attention, tokens, sink);
  sink.add(residual(tokens * width));
  if (memory > 0) {
    CrossAttentionPart cross;
    cross.width = cross.memory_width = width;
    cross.heads = h.attention.heads;
    cross.kv_heads = h.attention.kv_heads;
    cross.head_dim = h.attention.head_dim;
    cross.q_bias = cross.k_bias = cross.v_bias = h.attention.q_bias;
    sink.add(scaled_norm("post_attention_layernorm", tokens, width));
    describe_cross_attention(cross, tokens, memory, sink);
    sink.add(residual(tokens * width));
  }
  sink.add(scaled_norm("final_layernorm", tokens, width));
  describe_mlp(h.mlp, tokens, sink);
  sink.add(residual(tokens * width));
}

void describe_moonshine(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const std::int64_t width = c.size("hidden_size"), vocabulary = c.size("vocab_size");
  const Half encoder = read_half(f, "encoder", width, true), decoder = read_half(f, "decoder", width, false);
  if (c.has("pad_head_dim_to_multiple_of")) c.understood({"pad_head_dim_to_multiple_of"});
  if (!named.empty() && !named.ends_with("Model") && !named.ends_with("ForConditionalGeneration"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const bool tied = read_tied(f, true);
  f.sequence(c.size_or("max_position_embeddings", 512));
  if (!f.ok()) return;
  constexpr std::int64_t kTenSeconds = 415;
  const std::int64_t heard = f.inputs.frames > 0 ? f.inputs.frames : kTenSeconds;
  if (f.inputs.frames == 0) c.config().assume("frames", heard);
  {
    const Scope scope(f.sink, "encoder");
    describe_front(f, width, heard);
    {
      const Scope layers(f.sink, "layers", encoder.layers, BlockKind::layer);
      describe_layer(f.sink, encoder, heard, 0);
    }
    f.sink.add(scaled_norm("layer_norm", heard, width));
  }
  {
    const Scope scope(f.sink, "decoder");
    f.sink.add(embedding("embed_tokens", f.tokens, vocabulary, width));
    {
      const Scope layers(f.sink, "layers", decoder.layers, BlockKind::layer);
      describe_layer(f.sink, decoder, f.tokens, heard);
    }
    f.sink.add(scaled_norm("norm", f.tokens, width));
  }
  if (!named.ends_with("Model"))
    describe_unembedding({.name = "proj_out", .width = width, .vocabulary = vocabulary, .tied = tied}, f.tokens,
                         f.sink);
}

}  // namespace

extern const FamilyDef k_moonshine;
const FamilyDef k_moonshine = {"moonshine",
                               "Moonshine: convolutions over raw audio, an encoder and a decoder with rotary positions",
                               "huggingface/transformers models/moonshine/modeling_moonshine.py; 2410.15608",
                               kTypes,
                               kArchitectures,
                               build<describe_moonshine>};

}  // namespace floptally::families
