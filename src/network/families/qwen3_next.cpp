#include "network/families/_common.h"
#include "network/families/_qwen_hybrid.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"qwen3_next"};
constexpr std::string_view kArchitectures[] = {"Qwen3NextForCausalLM"};

void describe_qwen3_next(Family& f) {
  const HybridSizes h = read_hybrid(f);
  const bool tied = read_tied(f, false);
  if (!f.ok()) return;
  describe_hybrid(f, h, tied);
}

}  // namespace

extern const FamilyDef k_qwen3_next;
const FamilyDef k_qwen3_next = {
    "qwen3_next",
    "Qwen3-Next: three gated delta net layers to one of gated attention, many small experts",
    "huggingface/transformers models/qwen3_next/modeling_qwen3_next.py",
    kTypes,
    kArchitectures,
    build<describe_qwen3_next>};

}  // namespace floptally::families
