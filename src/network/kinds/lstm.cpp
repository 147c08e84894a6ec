#include "network/kinds/_recurrent.h"

namespace floptally::kinds {
namespace {

constexpr const char* kDoc = "LSTM layers, optionally with embedding and logits";
constexpr FieldTable kTable{"lstm", kDoc, kRecurrentFields};

void build(Spec& spec, Sink& sink) {
  build_recurrent(spec, sink, true, [](const RecurrentLayer& l) {
    return lstm("lstm", l.steps, l.input, l.hidden, l.directions, l.biases, l.projected);
  });
}

}  // namespace

extern const KindDef k_lstm;
const KindDef k_lstm = {"lstm", kDoc, "PyTorch torch.nn.LSTM; Epoch's layer table", &kTable, build, "step"};

}  // namespace floptally::kinds
