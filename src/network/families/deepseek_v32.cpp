#include "network/families/_deepseek.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"deepseek_v32"};
constexpr std::string_view kArchitectures[] = {"DeepseekV32ForCausalLM"};

void describe_deepseek_v32(Family& f) {
  const Keys& c = f.config;
  DeepSeek d = read_deepseek(f);
  d.moe.correction_bias = true;
  const Selection selection = read_selection(f, d.attention);
  const std::vector<std::uint8_t> routed = routed_layers(f, d.sizes.layers);
  const std::int64_t extra = c.count_or("num_nextn_predict_layers", 0);
  const bool tied = read_tied(f, false), extra_described = f.extra_heads(false);
  if (!f.ok()) return;
  const auto layer = [&](Family& g, bool experts) {
    describe_indexer(g, selection.indexer, d.sizes.width);
    describe(g, {.attention = &selection.attention, .mlp = &d.mlp, .moe = experts ? &d.moe : nullptr});
  };
  describe_decoder(f, d.sizes, routed, NormKind::rms, tied, [&](std::uint8_t kind) { layer(f, kind != 0); });
  describe_or_remark_extra_heads(f, extra, extra_described, d.sizes, [&](Family& g) { layer(g, true); });
}

}  // namespace

extern const FamilyDef k_deepseek_v32;
const FamilyDef k_deepseek_v32 = {
    "deepseek_v32",
    "DeepSeek-V3.2: DeepSeek-V3 with a lightning indexer that selects what each token attends to",
    "deepseek-ai/DeepSeek-V3.2-Exp inference/model.py; 2512.02556",
    kTypes,
    kArchitectures,
    build<describe_deepseek_v32>};

}  // namespace floptally::families
