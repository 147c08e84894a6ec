#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"xlnet"};
constexpr std::string_view kArchitectures[] = {"XLNetLMHeadModel", "XLNetModel"};

void describe_xlnet(Family& f) {
  const Keys& c = f.config;
  const std::int64_t width = c.size("d_model"), layers = c.size("n_layer"), heads = c.size("n_head"),
                     inner = c.size("d_inner"), vocabulary = c.size("vocab_size");
  c.divides("n_head", heads, "d_model", width);
  const std::int64_t head_dim =
      c.size_or("d_head", std::max<std::int64_t>(1, width / std::max<std::int64_t>(1, heads)));
  const Activation act = read_activation(f, Activation::gelu, "ff_activation");
  c.understood({"attn_type", "bi_data", "clamp_len", "mem_len", "reuse_len", "same_length", "untie_r", "use_mems_eval",
                "use_mems_train", "summary_last_dropout", "start_n_top", "end_n_top", "tie_word_embeddings"});
  const std::string_view named = f.architecture();
  const bool language = named.empty() || named.ends_with("LMHeadModel");
  if (!language && named != "XLNetModel")
    c.problem("unknown-variant", "architectures", "only XLNetLMHeadModel and XLNetModel are known");
  f.sequence(512);
  if (!f.ok()) return;
  const std::int64_t tokens = f.tokens, relative = 2 * tokens, all = heads * head_dim;
  f.sink.add(embedding("word_embedding", tokens, vocabulary, width));
  f.sink.add(parameter("mask_emb", width, 0, Component::embed));
  {
    const Scope scope(f.sink, "layer", layers, BlockKind::layer);
    {
      const Scope attending(f.sink, "rel_attn");
      for (const std::string_view name : {"q", "k", "v"})
        f.sink.add(linear(name, tokens, width, all, false, Component::projection));
      f.sink.add(linear("r", relative, width, all, false, Component::projection));
      f.sink.add(parameter("r_w_bias", all, tokens * all));
      f.sink.add(parameter("r_r_bias", all, tokens * all));
      f.sink.add(parameter("r_s_bias", all, 0));
      f.sink.add(parameter("seg_embed", 2 * all, 0));
      f.sink.add(matmul("content_scores", heads, tokens, head_dim, tokens));
      f.sink.add(matmul("position_scores", heads, tokens, head_dim, relative));
      f.sink.add(softmax("softmax", heads * tokens, tokens));
      f.sink.add(matmul("values", heads, tokens, tokens, head_dim));
      f.sink.add(linear("o", tokens, all, width, false, Component::projection));
      f.sink.add(residual(tokens * width));
      f.sink.add(layer_norm("layer_norm", tokens, width));
    }
    const Scope forward(f.sink, "ff");
    describe_mlp(mlp_of(width, inner, act, false, true), tokens, f.sink);
    f.sink.add(residual(tokens * width));
    f.sink.add(layer_norm("layer_norm", tokens, width));
  }
  if (language)
    describe_unembedding(
        {.name = "lm_loss", .width = width, .vocabulary = vocabulary, .tied = read_tied(f, true), .bias = true}, tokens,
        f.sink);
}

}  // namespace

extern const FamilyDef k_xlnet;
const FamilyDef k_xlnet = {
    "xlnet",
    "XLNet: two streams of attention with relative positions, biases of content, position and segment",
    "huggingface/transformers models/xlnet/modeling_xlnet.py; 1906.08237",
    kTypes,
    kArchitectures,
    build<describe_xlnet>};

}  // namespace floptally::families
