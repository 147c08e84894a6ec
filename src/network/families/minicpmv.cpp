#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"minicpmv"};
constexpr std::string_view kArchitectures[] = {"MiniCPMV"};

void describe_resampler(Sink& sink, std::int64_t queries, std::int64_t patches, std::int64_t from, std::int64_t width) {
  constexpr std::int64_t kHead = 128;
  const Scope scope(sink, "resampler");
  sink.add(parameter("query", queries * width, queries * width, Component::embed));
  sink.add(linear("kv_proj", patches, from, width, false, Component::projection));
  sink.add(layer_norm("ln_q", queries, width));
  sink.add(layer_norm("ln_kv", patches, width));
  CrossAttentionPart a;
  a.name = "attn";
  a.width = a.memory_width = width;
  a.head_dim = width % kHead == 0 ? kHead : width;
  a.heads = a.kv_heads = width / a.head_dim;
  a.q_bias = a.k_bias = a.v_bias = a.out_bias = true;
  describe_cross_attention(a, queries, patches, sink);
  sink.add(layer_norm("ln_post", queries, width));
  sink.add(linear("proj", queries, width, width));
}

void describe_minicpmv(Family& f) {
  const Keys& c = f.config;
  const Keys v = c.child("vision_config");
  const std::string_view version = c.text_or("version", "");
  // The text model's keys stand at the top, without its name.
  if (version.empty()) c.problem("missing-key", "version", "the config has no 'version' (which text model it is)");
  const bool llama = version == "2.5", qwen = version == "2.6";
  if (!version.empty() && !llama && !qwen)
    c.problem("unknown-variant", "version", "of MiniCPM-V only versions 2.5 and 2.6 are known");
  VisionSizes z = read_vision(v, {1152, 27, 16, 4304, 3, 980, 14});
  v.understood({"model_type"});
  if (c.flag("drop_vision_last_layer", false)) --z.layers;
  const std::int64_t queries = c.size("query_num"), width = c.size("hidden_size");
  c.understood({"batch_vision_input", "slice_config", "slice_mode", "use_image_id", "vision_batch_size", "image_size",
                "patch_size", "drop_vision_last_layer"});
  if (!f.ok()) return;
  {
    RepeatedSink images(f.sink, images_per_sample(f));
    describe_siglip_tower(images, z, false);
    describe_resampler(images, queries, z.patches(), z.width, width);
  }
  Config config = c.config();
  find_family(llama ? "llama" : "qwen2", {})->build(config, f.inputs, f.sink);
}

}  // namespace

extern const FamilyDef k_minicpmv;
const FamilyDef k_minicpmv = {
    "minicpmv",
    "MiniCPM-V 2.5 and 2.6: a SigLIP tower, queries that read the image, a Llama 3 or Qwen 2 text model",
    "openbmb/MiniCPM-V-2_6 modeling_minicpmv.py, resampler.py; 2408.01800",
    kTypes,
    kArchitectures,
    build<describe_minicpmv>};

}  // namespace floptally::families
