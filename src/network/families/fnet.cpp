#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"fnet"};
constexpr std::string_view kArchitectures[] = {"FNetModel",
                                               "FNetForMaskedLM",
                                               "FNetForSequenceClassification",
                                               "FNetForTokenClassification",
                                               "FNetForQuestionAnswering",
                                               "FNetForMultipleChoice",
                                               "FNetForPreTraining",
                                               "FNetForNextSentencePrediction"};

std::int64_t doublings(std::int64_t n) {
  std::int64_t steps = 0;
  while (n > 1) {
    n = (n + 1) / 2;
    ++steps;
  }
  return steps;
}

// A Fourier transform over positions and width in the place of attention: 5 n log2(n) FLOP (Cooley and Tukey).
void describe_fnet(Family& f) {
  const Keys& c = f.config;
  BertSizes s;
  s.layer.width = c.size("hidden_size");
  s.layer.ffn = c.size("intermediate_size");
  s.layers = c.size("num_hidden_layers");
  s.vocabulary = c.size("vocab_size");
  s.positions = c.size("max_position_embeddings");
  s.segments = c.count_or("type_vocab_size", 4);
  const Activation kind = read_activation(f, Activation::gelu);
  c.understood({"use_tpu_fourier_optimizations", "tpu_short_seq_length", "tie_word_embeddings"});
  check_encoder_class(f);
  f.sequence(s.positions);
  if (!f.ok()) return;
  const std::int64_t width = s.layer.width, all = f.tokens * width;
  describe_bert_embeddings(f, s, width);
  f.sink.add(linear("projection", f.tokens, width, width, true, Component::embed));
  {
    const Scope layers(f.sink, "layer", s.layers, BlockKind::layer);
    f.sink.add(elementwise("fourier", all, 1, 5 * (doublings(f.tokens) + doublings(width))));
    f.sink.add(residual(all));
    f.sink.add(layer_norm("fourier.LayerNorm", f.tokens, width));
    describe_mlp(mlp_of(width, s.layer.ffn, kind, false, true), f.tokens, f.sink);
    f.sink.add(residual(all));
    f.sink.add(layer_norm("LayerNorm", f.tokens, width));
  }
  describe_encoder_heads(f, {.always_pooled = true}, width, width, s.vocabulary);
}

}  // namespace

extern const FamilyDef k_fnet;
const FamilyDef k_fnet = {"fnet",
                          "FNet: BERT with Fourier transforms in the place of attention",
                          "huggingface/transformers models/fnet/modeling_fnet.py; 2105.03824",
                          kTypes,
                          kArchitectures,
                          build<describe_fnet>};

}  // namespace floptally::families
