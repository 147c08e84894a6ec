#include "network/families/_common.h"
#include "network/families/_vision.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"minimax_m3", "minimax_m3_vl", "minimax_m3_vl_text"};
constexpr std::string_view kArchitectures[] = {"MiniMaxM3ForCausalLM", "MiniMaxM3SparseForCausalLM",
                                               "MiniMaxM3SparseForConditionalGeneration",
                                               "MiniMaxM3VLForConditionalGeneration"};

void describe_tower(Family& f) {
  const Keys v = f.config.child("vision_config");
  VisionSizes sizes = read_vision(v, {1280, 32, 16, 5120, 3, 2016, 14});
  const Keys compression = v.has("img_token_compression_config") ? v.child("img_token_compression_config")
                                                                 : f.config.child("img_token_compression_config");
  const std::int64_t frames =
      compression.present() ? compression.size_or("temporal_patch_size", 2) : v.size_or("temporal_patch_size", 2);
  const std::int64_t merge =
      compression.present() ? compression.size_or("spatial_merge_size", 2) : v.size_or("spatial_merge_size", 2);
  const std::int64_t text_width = f.config.child("text_config").size("hidden_size");
  const std::int64_t inner = f.config.size_or("projector_hidden_size", text_width);
  compression.understood({"image_token_compression_method"});
  v.understood({"img_token_compression_config", "initializer_factor", "position_embedding_type", "rope_mode",
                "vision_segment_max_frames"});
  f.config.understood({"img_token_compression_config", "image_grid_pinpoints", "image_seq_length",
                       "multimodal_projector_bias", "num_reward_heads", "process_image_mode", "projector_hidden_act",
                       "vision_feature_layer", "vision_feature_select_strategy"});
  if (!f.ok()) return;
  constexpr std::int64_t kUsualImage = 448;
  sizes.image = std::max(sizes.patch * merge, kUsualImage / (sizes.patch * merge) * sizes.patch * merge);
  RepeatedSink images(f.sink, images_per_sample(f));
  const std::int64_t tokens = sizes.patches(), merged = merge * merge,
                     rows = std::max<std::int64_t>(1, tokens / merged);
  {
    const Scope tower(images, "vision_tower");
    images.add(patch_embedding("patch_embedding", sizes.channels, sizes.width, frames * sizes.patch * sizes.patch,
                               tokens, false));
    images.add(layer_norm("pre_layrnorm", tokens, sizes.width));
    const Scope layers(images, "layers", sizes.layers, BlockKind::layer);
    describe_encoder_layer(
        {.width = sizes.width, .heads = sizes.heads, .ffn = sizes.ffn, .rotary_dim = sizes.width / sizes.heads}, tokens,
        images);
  }
  const Scope projector(images, "projector");
  images.add(linear("linear_1", tokens, sizes.width, inner, true));
  images.add(activation("act", tokens * inner, Activation::gelu));
  images.add(linear("linear_2", tokens, inner, text_width, true));
  images.add(linear("merge_linear_1", rows, text_width * merged, inner, true));
  images.add(activation("merge_act", rows * inner, Activation::gelu));
  images.add(linear("merge_linear_2", rows, inner, text_width, true));
}

MoePart read_experts(const Family& f, std::int64_t width) {
  const Keys& c = f.config;
  MoePart moe;
  moe.width = width;
  moe.experts = c.size("num_local_experts");
  moe.top_k = c.size("num_experts_per_tok");
  moe.expert_ffn = c.size("intermediate_size");
  moe.shared_ffn = c.count_or("shared_intermediate_size", 0) * c.count_or("n_shared_experts", 1);
  check_experts(f, moe, "num_local_experts", "num_experts_per_tok");
  return moe;
}

// Small heads score every earlier position; the best blocks are attended to.
void describe_indexer(Family& g, std::int64_t width, std::int64_t heads, std::int64_t dim) {
  const Scope indexer(g.sink, "indexer");
  g.sink.add(linear("q_proj", g.tokens, width, heads * dim, false, Component::projection));
  g.sink.add(linear("k_proj", g.tokens, width, dim, false, Component::projection));
  g.sink.add(rms_norm("q_norm", g.tokens * heads, dim));
  g.sink.add(rms_norm("k_norm", g.tokens, dim));
  AttentionShape scores;
  scores.queries = scores.keys = g.tokens;
  scores.heads = heads;
  scores.key_dim = dim;
  scores.value_dim = 0;
  g.sink.add(attention("index_scores", scores));
}

void describe_text(Family& f, bool absent_tied) {
  const Keys& c = f.config;
  const TextSizes s = read_text_sizes(f);
  AttentionPart full = attention_of(s);
  full.rotary_dim = c.count_or("rotary_dim", s.head_dim);
  full.output_gate = c.flag("attention_output_gate", false);
  if (c.flag("use_qk_norm", true)) full.qk_norm = QkNorm::per_head;
  const Keys sparse = c.child("sparse_attention_config");
  const bool selects = sparse.present() && sparse.flag("use_sparse_attention", true);
  AttentionPart selected = full;
  std::int64_t index_heads = 0, index_dim = 0;
  if (selects) {
    index_heads = sparse.size("sparse_num_index_heads");
    index_dim = sparse.size("sparse_index_dim");
    selected.mask = AttentionMask::causal_selection;
    selected.span = sparse.size("sparse_topk_blocks") * sparse.size("sparse_block_size");
    sparse.understood({"sparse_disable_index_value", "sparse_init_block", "sparse_local_block", "sparse_score_type"});
  }
  const MoePart moe = read_experts(f, s.width);
  const MlpPart mlp = mlp_of(s.width, c.size("dense_intermediate_size"));
  std::vector<std::uint8_t> kinds =
      kinds_flagged(f, s.layers, "moe_layer_freq", [](std::int64_t) { return true; });  // bit 0 experts
  if (selects) {
    Family inner{sparse, f.inputs, f.sink, f.tokens};
    const std::vector<std::uint8_t> chosen =
        kinds_flagged(inner, s.layers, "sparse_attention_freq", [](std::int64_t) { return false; });
    for (std::size_t i = 0; i < kinds.size() && i < chosen.size(); ++i)
      if (chosen[i] != 0) kinds[i] = static_cast<std::uint8_t>(kinds[i] | 2U);  // bit 1 selects
  }
  const bool tied = read_tied(f, absent_tied);
  // Configs name both the modules and the layers of one; the published checkpoint held num_nextn_predict_layers of
  // them.
  const std::int64_t extra = c.count_or("num_nextn_predict_layers", c.count_or("num_mtp_modules", 0));
  c.understood({"first_k_dense_replace", "moe_intermediate_size", "num_mtp_modules", "partial_rotary_factor",
                "qk_norm_type", "routed_scaling_factor", "scoring_func", "swiglu_alpha", "swiglu_limit",
                "use_gemma_norm", "use_routing_bias"});
  if (!f.ok()) return;
  const auto layer = [&](Family& g, std::uint8_t kind) {
    if ((kind & 2U) != 0) {
      describe_indexer(g, s.width, index_heads, index_dim);
    }
    describe(
        g, {.attention = (kind & 2U) != 0 ? &selected : &full, .mlp = &mlp, .moe = (kind & 1U) != 0 ? &moe : nullptr});
    if ((kind & 1U) != 0) describe_correction_buffer(g, moe.experts);
  };
  describe_decoder(f, s, kinds, NormKind::rms, tied, [&](std::uint8_t kind) { layer(f, kind); });
  if (extra > 0 && !f.extra_heads(false)) remark_extra_heads(f, extra);
  if (extra > 0 && f.extra_heads(false))
    describe_extra_heads(f, extra, s.width, s.vocabulary,
                         [&](Family& g) { layer(g, static_cast<std::uint8_t>(selects ? 3 : 1)); });
}

void describe_minimax_m3(Family& f) {
  const bool composite = f.config.has("text_config");
  if (composite && f.config.has("vision_config")) describe_tower(f);
  Family text = composite ? nested(f, "text_config", f.sink) : f;
  describe_text(text, composite ? f.config.flag("tie_word_embeddings", false) : false);
}

}  // namespace

extern const FamilyDef k_minimax_m3;
const FamilyDef k_minimax_m3 = {
    "minimax_m3",
    "MiniMax-M3: grouped attention on selected blocks, sigmoid router with a shared expert, vision tower",
    "huggingface/transformers models/minimax_m3_vl/modeling_minimax_m3_vl.py",
    kTypes,
    kArchitectures,
    build<describe_minimax_m3>};

}  // namespace floptally::families
