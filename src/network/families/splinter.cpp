#include "network/families/_encoder.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"splinter"};
constexpr std::string_view kArchitectures[] = {"SplinterModel", "SplinterForQuestionAnswering",
                                               "SplinterForPreTraining"};

void describe_splinter(Family& f) {
  const Keys& c = f.config;
  const BertSizes s = read_bert(f);
  const std::string_view named = f.architecture();
  const bool spans = named.ends_with("ForQuestionAnswering") || named.ends_with("ForPreTraining");
  if (!named.empty() && !spans && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  c.understood({"question_token_id"});
  if (!f.ok()) return;
  const std::int64_t width = s.layer.width;
  describe_bert_embeddings(f, s, width);
  {
    const Scope layers(f.sink, "layer", s.layers, BlockKind::layer);
    describe_encoder_layer(s.layer, f.tokens, f.sink);
  }
  if (!spans) return;
  const Scope head(f.sink, "splinter_qass");  // one question token looks for its answer's two ends
  for (const bool query : {true, false}) {
    for (const std::string_view name : {"start_transform", "end_transform"}) {
      const std::int64_t rows = query ? 1 : f.tokens;
      f.sink.add(linear(name, rows, width, width, true, Component::head));
      f.sink.add(activation("act", rows * width, Activation::gelu));
      f.sink.add(layer_norm("LayerNorm", rows, width));
    }
  }
  for (const std::string_view name : {"start_classifier", "end_classifier"}) {
    f.sink.add(linear(name, 1, width, width, false, Component::head));
    f.sink.add(matmul("logits", 1, 1, width, f.tokens, 2, Component::head));
  }
}

}  // namespace

extern const FamilyDef k_splinter;
const FamilyDef k_splinter = {"splinter",
                              "Splinter: BERT with a head that looks for spans that recur",
                              "huggingface/transformers models/splinter/modeling_splinter.py; 2101.00438",
                              kTypes,
                              kArchitectures,
                              build<describe_splinter>};

}  // namespace floptally::families
