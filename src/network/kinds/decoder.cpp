#include "network/kinds/_decoder.h"

namespace floptally::kinds {
namespace {

constexpr std::string_view kPositions[] = {"none", "learned", "rotary", "relative"};
constexpr std::string_view kNorms[] = {"none", "rms", "layer", "layer-scale", "layer-plain"};
constexpr std::string_view kMasks[] = {"causal", "none"};
constexpr Field kLatentFields[] = {
    {.key = "q", .expect = Expect::integer, .doc = "rank of the queries; absent: full"},
    {.key = "kv", .expect = Expect::integer, .doc = "rank of keys and values", .required = true},
    {.key = "rope", .expect = Expect::integer, .doc = "rotated numbers of a head", .required = true},
    {.key = "nope", .expect = Expect::integer, .doc = "numbers of a head that are not rotated", .required = true},
    {.key = "value", .expect = Expect::integer, .doc = "size of a value head", .required = true},
};
constexpr FieldTable kLatentTable{"latent", "latent attention (DeepSeek-V2 2405.04434)", kLatentFields};
constexpr Field kFields[] = {
    {.key = "layers", .expect = Expect::any, .doc = "layers", .required = true},
    {.key = "width", .expect = Expect::any, .doc = "width of the residual stream", .required = true},
    {.key = "heads", .expect = Expect::any, .doc = "query heads (or give head_dim)"},
    {.key = "kv_heads", .expect = Expect::any, .doc = "key and value heads; absent: as many as query heads"},
    {.key = "head_dim", .expect = Expect::any, .doc = "size of a head (width / heads)"},
    {.key = "ffn", .expect = Expect::any, .doc = "width of the feed-forward layer (4 x width)"},
    {.key = "gated", .expect = Expect::boolean, .doc = "gated feed-forward layer (SwiGLU and the like)"},
    {.key = "vocab", .expect = Expect::any, .doc = "rows of the embedding table", .required = true},
    {.key = "sequence", .expect = Expect::any, .doc = "tokens of one sample"},
    {.key = "positions", .expect = Expect::word, .doc = "none, learned, rotary or relative", .words = kPositions},
    {.key = "max_positions", .expect = Expect::any, .doc = "rows of a learned position table"},
    {.key = "norm",
     .expect = Expect::word,
     .doc = "none, rms, layer, layer-scale (no shift) or layer-plain (no parameters)",
     .words = kNorms},
    {.key = "bias", .expect = Expect::boolean, .doc = "biases everywhere but in the logits"},
    {.key = "qkv_bias", .expect = Expect::boolean, .doc = "biases of q, k and v"},
    {.key = "out_bias", .expect = Expect::boolean, .doc = "bias of the attention's output"},
    {.key = "mlp_bias", .expect = Expect::boolean, .doc = "biases of the feed-forward layer"},
    {.key = "unembed_bias", .expect = Expect::boolean, .doc = "bias of the logits"},
    {.key = "qk_norm", .expect = Expect::boolean, .doc = "norm of queries and keys per head"},
    {.key = "tied", .expect = Expect::boolean, .doc = "logits use the embedding table"},
    {.key = "activation", .expect = Expect::text, .doc = "activation function"},
    {.key = "window", .expect = Expect::any, .doc = "causal window of the attention"},
    {.key = "window_every", .expect = Expect::any, .doc = "of every so many layers the last sees everything"},
    {.key = "mask", .expect = Expect::word, .doc = "causal or none", .words = kMasks},
    {.key = "experts", .expect = Expect::any, .doc = "experts per layer"},
    {.key = "top_k", .expect = Expect::any, .doc = "experts per token"},
    {.key = "expert_ffn", .expect = Expect::any, .doc = "width of one expert (ffn)"},
    {.key = "shared_ffn", .expect = Expect::any, .doc = "width of the shared expert"},
    {.key = "dense_first", .expect = Expect::any, .doc = "leading layers without experts"},
    {.key = "moe_every", .expect = Expect::any, .doc = "every so many layers have experts"},
    {.key = "correction_bias",
     .expect = Expect::boolean,
     .doc = "one balancing number per expert, held as a parameter"},
    {.key = "capacity", .expect = Expect::number, .doc = "capacity factor of the experts; absent: dropless"},
    {.key = "latent",
     .expect = Expect::record,
     .doc = "latent attention (MLA): {q, kv, rope, nope, value}",
     .table = &kLatentTable},
    {.key = "mtp", .expect = Expect::any, .doc = "extra prediction heads"},
    {.key = "documents",
     .expect = Expect::any,
     .doc = "lengths of packed documents; the attention stays inside each",
     .shape = Shape::list},
    {.key = "loss", .expect = Expect::boolean, .doc = "false: no cross-entropy"},
    {.key = "count", .expect = Expect::any, .doc = "for plans: which components count"},
};
constexpr FieldTable kTable{"decoder", "decoder-only transformer", kFields};

void build(Spec& spec, Sink& sink) {
  const DecoderShape shape = read_decoder(spec);
  if (!spec.ok()) return;
  for (Diagnostic& problem : validate(shape)) {
    problem.labels.push_back({spec.node().span(), ""});
    spec.fail(std::move(problem));
  }
  if (spec.ok()) describe_decoder(shape, sink);
}

}  // namespace

extern const KindDef k_decoder;
const KindDef k_decoder = {
    "decoder",
    "decoder-only transformer",
    "Vaswani et al. 1706.03762; Radford et al. 2019; Touvron et al. 2302.13971; DeepSeek-V3 2412.19437",
    &kTable,
    build,
    "token"};

}  // namespace floptally::kinds
