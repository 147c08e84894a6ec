#include "network/families/_common.h"
#include "network/families/_qwen_hybrid.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"qwen3_5", "qwen3_5_moe", "qwen3_5_text", "qwen3_5_moe_text"};
constexpr std::string_view kArchitectures[] = {"Qwen3_5ForConditionalGeneration", "Qwen3_5MoeForConditionalGeneration",
                                               "Qwen3_5ForCausalLM", "Qwen3_5MoeForCausalLM"};

void describe_qwen3_5(Family& f) {
  const bool composite = f.config.has("text_config");
  Family text = composite ? nested(f, "text_config", f.sink) : f;
  const HybridSizes h = read_hybrid(text);
  const bool tied = composite ? f.config.flag("tie_word_embeddings", false) : read_tied(f, false);
  text.config.understood({"tie_word_embeddings", "pad_token_id", "language_model_only"});
  f.config.understood({"language_model_only"});
  if (f.config.has("vision_config")) describe_qwen_tower(f, f.sink);
  if (!f.ok()) return;
  describe_hybrid(text, h, tied);
}

}  // namespace

extern const FamilyDef k_qwen3_5;
const FamilyDef k_qwen3_5 = {"qwen3_5",
                             "Qwen 3.5 and 3.6: a Qwen3-Next text model, dense or with experts, and a vision tower",
                             "huggingface/transformers models/qwen3_5, models/qwen3_5_moe",
                             kTypes,
                             kArchitectures,
                             build<describe_qwen3_5>};

}  // namespace floptally::families
