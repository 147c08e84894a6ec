#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"rwkv"};
constexpr std::string_view kArchitectures[] = {"RwkvForCausalLM"};

// Each of the mixed inputs is a learned blend of this token and the one before.
void describe_blends(Family& f, std::int64_t width, std::int64_t streams) {
  f.sink.add(parameter("time_mix", streams * width, streams * f.tokens * width));
}

void describe_time_mixing(Family& f, std::int64_t width, std::int64_t inner) {
  const std::int64_t tokens = f.tokens;
  constexpr Component kPart = Component::recurrent;
  const Scope scope(f.sink, "attention");
  describe_blends(f, width, 3);
  {
    const Scope branches(f.sink, {}, 1, BlockKind::branches);
    for (std::string_view name : {"key", "value", "receptance"})
      f.sink.add(column_linear(name, tokens, width, inner, false, kPart));
  }
  f.sink.add(parameter("time_decay", inner, tokens * inner, kPart));
  f.sink.add(parameter("time_first", inner, tokens * inner, kPart));
  // Per channel and token: two exponentials more than the state's, numerator and denominator, their quotient.
  f.sink.add(elementwise("wkv", tokens * inner, 3, 12, 3).part_of(kPart));
  f.sink.add(gated_activation("gate", tokens * inner, Activation::sigmoid));
  f.sink.add(row_linear("output", tokens, inner, width, false, kPart));
}

void describe_channel_mixing(Family& f, std::int64_t width, std::int64_t inner) {
  const std::int64_t tokens = f.tokens;
  const Scope scope(f.sink, "feed_forward");
  describe_blends(f, width, 2);
  {
    const Scope branches(f.sink, {}, 1, BlockKind::branches);
    f.sink.add(column_linear("receptance", tokens, width, width));
    const Scope values(f.sink, {});
    f.sink.add(column_linear("key", tokens, width, inner));
    f.sink.add(activation("act", tokens * inner, Activation::relu_squared));
    f.sink.add(row_linear("value", tokens, inner, width));
  }
  f.sink.add(gated_activation("gate", tokens * width, Activation::sigmoid));
}

void describe_rwkv(Family& f) {
  const Keys& c = f.config;
  const std::int64_t width = c.size("hidden_size"), layers = c.size("num_hidden_layers"),
                     vocabulary = c.size("vocab_size");
  const std::int64_t attention = c.size_or("attention_hidden_size", width),
                     inner = c.size_or("intermediate_size", 4 * width);
  f.sequence(c.size_or("context_length", 1024));
  const bool tied = read_tied(f, false);
  if (c.has("architecture_version"))
    c.problem("unknown-variant", "architecture_version",
              "only RWKV 4 is written so; RWKV 7 is known as flash-linear-attention writes it (model_type: rwkv7)");
  c.understood({"rescale_every"});
  if (!f.ok()) return;
  const std::int64_t tokens = f.tokens;
  describe_embedding(f, vocabulary, width, "embeddings");
  f.sink.add(layer_norm("pre_ln", tokens, width));
  {
    const Scope scope(f.sink, "blocks", layers, BlockKind::layer);
    f.sink.add(layer_norm("ln1", tokens, width));
    describe_time_mixing(f, width, attention);
    f.sink.add(residual(tokens * width));
    f.sink.add(layer_norm("ln2", tokens, width));
    describe_channel_mixing(f, width, inner);
    f.sink.add(residual(tokens * width));
  }
  describe_head(f, NormKind::layer, width, vocabulary, tied);
}

}  // namespace

extern const FamilyDef k_rwkv;
const FamilyDef k_rwkv = {"rwkv",
                          "RWKV 4: a decayed sum over the past in every channel instead of attention, receptance gates",
                          "huggingface/transformers models/rwkv/modeling_rwkv.py; 2305.13048",
                          kTypes,
                          kArchitectures,
                          build<describe_rwkv>};

}  // namespace floptally::families
