#include "network/kinds/_decoder.h"

#include <algorithm>
#include <cmath>

namespace floptally::kinds {

NormKind norm_kind(std::string_view word) {
  if (word == "rms") return NormKind::rms;
  if (word == "layer") return NormKind::layer;
  if (word == "layer-scale") return NormKind::layer_scale_only;
  return word == "layer-plain" ? NormKind::layer_plain : NormKind::none;
}

namespace {

void read_attention(Spec& spec, DecoderShape& s) {
  if (!spec.has("heads") && !spec.has("head_dim")) {
    spec.fail(missing_key(spec.node(), "heads", "query heads, or 'head_dim'"));
    return;
  }
  s.head_dim = spec.size_or("head_dim", 0);
  s.heads = spec.size_or("heads", 0);
  if (s.heads == 0 && spec.divides("head_dim", s.head_dim, "width", s.width) && s.head_dim > 0)
    s.heads = s.width / s.head_dim;
  if (s.head_dim == 0 && spec.divides("heads", s.heads, "width", s.width) && s.heads > 0)
    s.head_dim = s.width / s.heads;
  s.kv_heads = spec.size_or("kv_heads", s.heads);
  s.window = spec.size_or("window", 0, 0);
  s.window_every = spec.size_or("window_every", 0, 0);
  s.qk_norm = spec.flag("qk_norm", false);
  s.mask = spec.word("mask", "causal") == "none" ? AttentionMask::none : AttentionMask::causal;
  if (const Node latent = spec.node().find("latent"); latent.is_mapping()) {
    Spec inner(latent, spec.session());
    s.q_rank = inner.size_or("q", 0);
    s.kv_rank = inner.size("kv", "rank of keys and values");
    s.rope_dim = inner.size("rope", "rotated numbers of a head", 0);
    s.nope_dim = inner.size("nope", "numbers that are not rotated");
    s.value_dim = inner.size("value", "size of a value head");
  }
}

void read_experts(Spec& spec, DecoderShape& s) {
  s.experts = spec.size_or("experts", 0, 0);
  if (s.experts == 0) return;
  s.top_k = spec.size("top_k", "experts per token");
  s.expert_ffn = spec.size_or("expert_ffn", s.ffn);
  s.shared_ffn = spec.size_or("shared_ffn", 0, 0);
  s.dense_first = spec.size_or("dense_first", 0, 0);
  s.moe_every = spec.size_or("moe_every", 1);
  s.correction_bias = spec.flag("correction_bias", false);
  const double capacity = spec.number_or("capacity", 0);
  if (capacity > 0 && capacity < 1000) {
    s.capacity_numerator = static_cast<std::int64_t>(std::nearbyint(capacity * 1000));
    s.capacity_denominator = 1000;
  }
}

}  // namespace

DecoderShape read_decoder(Spec& spec) {
  DecoderShape s;
  s.layers = spec.size("layers", "layers");
  s.width = spec.size("width", "width of the residual stream");
  s.vocabulary = spec.size("vocab", "rows of the embedding table");
  s.ffn = spec.size_or("ffn", 4 * s.width);
  s.sequence = spec.sequence();
  read_attention(spec, s);
  read_experts(spec, s);
  const std::string_view positions = spec.word("positions", "rotary");
  s.positions = positions == "learned"    ? Positions::learned
                : positions == "rotary"   ? Positions::rotary
                : positions == "relative" ? Positions::relative
                                          : Positions::none;
  s.max_positions = spec.size_or("max_positions", 0, 0);
  s.norm = norm_kind(spec.word("norm", "rms"));
  const bool bias = spec.flag("bias", false);
  s.qkv_bias = spec.flag("qkv_bias", bias);
  s.out_bias = spec.flag("out_bias", bias);
  s.mlp_bias = spec.flag("mlp_bias", bias);
  s.unembed_bias = spec.flag("unembed_bias", false);
  s.gated = spec.flag("gated", false);
  s.tied = spec.flag("tied", false);
  s.activation = spec.activation("activation", s.gated ? Activation::silu : Activation::gelu);
  s.mtp_heads = spec.size_or("mtp", 0, 0);
  s.loss = spec.flag("loss", true);
  const std::vector<std::int64_t> documents = spec.sizes("documents");
  if (!documents.empty()) {
    Integer squares = 0, total = 0;
    for (std::int64_t length : documents) {
      squares += Integer(length) * Integer(length);
      total += Integer(length);
    }
    if (total == Integer(s.sequence) && squares.fits_int64()) {
      s.mask = AttentionMask::causal_documents;
      s.squares = squares.to_int64();
    } else {
      spec.fail(error("shape-join",
                      "the documents hold " + total.to_string() + " tokens, the sequence " + std::to_string(s.sequence),
                      spec.node().find("documents").span()));
    }
  }
  return s;
}

}  // namespace floptally::kinds
