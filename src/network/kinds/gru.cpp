#include "network/kinds/_recurrent.h"

namespace floptally::kinds {
namespace {

constexpr const char* kDoc = "GRU layers, optionally with embedding and logits";
constexpr FieldTable kTable{"gru", kDoc, kRecurrentFieldsUnprojected};

void build(Spec& spec, Sink& sink) {
  build_recurrent(spec, sink, false, [](const RecurrentLayer& l) {
    return gru("gru", l.steps, l.input, l.hidden, l.directions, l.biases);
  });
}

}  // namespace

extern const KindDef k_gru;
const KindDef k_gru = {"gru", kDoc, "PyTorch torch.nn.GRU; Epoch's layer table", &kTable, build, "step"};

}  // namespace floptally::kinds
