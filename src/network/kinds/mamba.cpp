#include <string>

#include "network/blocks/mixers.h"
#include "network/spec.h"

namespace floptally::kinds {
namespace {

constexpr Field kFields[] = {
    {.key = "layers", .expect = Expect::any, .doc = "layers", .required = true},
    {.key = "width", .expect = Expect::any, .doc = "width", .required = true},
    {.key = "vocab", .expect = Expect::any, .doc = "rows of the embedding table", .required = true},
    {.key = "version", .expect = Expect::integer, .doc = "1 or 2 (1)"},
    {.key = "expand", .expect = Expect::any, .doc = "inner width over width (2)"},
    {.key = "state", .expect = Expect::any, .doc = "state numbers per channel (16; version 2: 128)"},
    {.key = "conv", .expect = Expect::any, .doc = "taps of the convolution (4)"},
    {.key = "rank", .expect = Expect::any, .doc = "rank of the step size (width / 16; version 1)"},
    {.key = "head_dim", .expect = Expect::any, .doc = "channels per head (64; version 2)"},
    {.key = "groups", .expect = Expect::any, .doc = "groups that share B and C (1; version 2)"},
    {.key = "tied", .expect = Expect::boolean, .doc = "logits use the embedding table (true)"},
    {.key = "sequence", .expect = Expect::any, .doc = "tokens of one sample"},
};
constexpr FieldTable kTable{"mamba", "Mamba (1 or 2) decoder", kFields};

void build(Spec& spec, Sink& sink) {
  const std::int64_t layers = spec.size("layers", "layers"),
                     vocabulary = spec.size("vocab", "rows of the embedding table");
  const std::int64_t width = spec.size("width", "width"), inner = width * spec.size_or("expand", 2),
                     taps = spec.size_or("conv", 4);
  const bool second = spec.size_or("version", 1) == 2;
  const std::int64_t state = spec.size_or("state", second ? 128 : 16), head_dim = spec.size_or("head_dim", 64);
  const std::int64_t groups = spec.size_or("groups", 1), rank = spec.size_or("rank", (width + 15) / 16);
  const bool tied = spec.flag("tied", true);
  const std::int64_t tokens = spec.sequence();
  if (second && inner % head_dim != 0)
    spec.fail(error("shape-divide", "'head_dim' does not divide the inner width " + std::to_string(inner),
                    spec.node().find("head_dim").span()));
  if (!spec.ok()) return;
  sink.add(embedding("embeddings", tokens, vocabulary, width));
  {
    const Scope layer(sink, "layers", layers, BlockKind::layer);
    sink.add(rms_norm("norm", tokens, width));
    if (second) {
      describe_mamba2({.width = width,
                       .heads = inner / head_dim,
                       .head_dim = head_dim,
                       .state = state,
                       .groups = groups,
                       .kernel = taps},
                      tokens, sink);
    } else {
      describe_mamba({.width = width, .inner = inner, .state = state, .kernel = taps, .step_rank = rank}, tokens, sink);
    }
    sink.add(residual(tokens * width));
  }
  sink.add(rms_norm("norm_f", tokens, width));
  describe_unembedding({"lm_head", width, vocabulary, tied}, tokens, sink);
}

}  // namespace

extern const KindDef k_mamba;
const KindDef k_mamba = {"mamba",
                         "Mamba (1 or 2) decoder",
                         "Gu and Dao 2312.00752, Dao and Gu 2405.21060; state-spaces/mamba",
                         &kTable,
                         build,
                         "token"};

}  // namespace floptally::kinds
