#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"colpali", "colqwen2"};
constexpr std::string_view kArchitectures[] = {"ColPaliForRetrieval", "ColQwen2ForRetrieval"};

// The model inside is held without its logits, whatever class its part of the config names.
void describe_colpali(Family& f) {
  const Keys& c = f.config;
  const bool qwen =
      c.text_or("model_type", f.architecture()) == "colqwen2" || f.architecture() == "ColQwen2ForRetrieval";
  const std::int64_t out = c.size("embedding_dim");
  const Keys inner = c.child("vlm_config");
  if (!inner.present()) c.size("vlm_config");
  const Keys text = inner.child("text_config");
  const std::int64_t width = text.present() ? text.size("hidden_size") : inner.size("hidden_size");
  f.sequence(text.present() ? text.size_or("max_position_embeddings", 8192) : 8192);
  c.understood({"text_config", "tie_word_embeddings"});
  if (!f.ok()) return;
  FamilyInputs inputs = f.inputs;
  inputs.inside = true;
  inputs.outer = qwen ? "Qwen2VLModel" : "PaliGemmaModel";
  const Scope scope(f.sink, "vlm");
  const FamilyDef* family = find_family(inner.text_or("model_type", qwen ? "qwen2_vl" : "paligemma"), {});
  if (family == nullptr || (family->name != "qwen2_vl" && family->name != "paligemma"))
    return inner.problem("unknown-variant", "model_type", "only PaliGemma and Qwen2-VL are known inside");
  Config config = inner.config();
  family->build(config, inputs, f.sink);
  f.sink.add(linear("embedding_proj_layer", f.tokens, width, out, true, Component::head));
}

}  // namespace

extern const FamilyDef k_colpali;
const FamilyDef k_colpali = {
    "colpali",
    "ColPali and ColQwen2: PaliGemma or Qwen2-VL without logits, a short vector for each token",
    "huggingface/transformers models/colpali, models/colqwen2; 2407.01449",
    kTypes,
    kArchitectures,
    build<describe_colpali>};

}  // namespace floptally::families
