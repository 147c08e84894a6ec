#include "network/kinds/_recurrent.h"

namespace floptally::kinds {
namespace {

constexpr const char* kDoc = "simple recurrent layers, optionally with embedding and logits";
constexpr FieldTable kTable{"rnn", kDoc, kRecurrentFieldsUnprojected};

void build(Spec& spec, Sink& sink) {
  build_recurrent(spec, sink, false, [](const RecurrentLayer& l) {
    return rnn("rnn", l.steps, l.input, l.hidden, l.directions, l.biases);
  });
}

}  // namespace

extern const KindDef k_rnn;
const KindDef k_rnn = {"rnn", kDoc, "PyTorch torch.nn.RNN; Epoch's layer table", &kTable, build, "step"};

}  // namespace floptally::kinds
