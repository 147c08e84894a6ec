#include "network/families/_common.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"deepseek_v4", "deepseek_ref"};
constexpr std::string_view kArchitectures[] = {"DeepseekV4ForCausalLM"};

struct Sizes {
  TextSizes text;
  std::int64_t q_rank = 1, o_rank = 1, groups = 1, rope = 1, window = 1, streams = 1;
  std::int64_t index_heads = 1, index_dim = 1, index_kept = 1;
};

// This ratio marks compressed sparse attention: overlapping windows and an indexer. Larger ones are dense over few
// positions.
constexpr std::int64_t kSparseRatio = 4;

// Compressed positions a query sees on average: `entries` grow evenly over the sequence, at most `kept` are chosen.
std::int64_t seen_on_average(std::int64_t entries, std::int64_t kept) {
  if (entries <= kept) return (entries + 1) / 2;
  return kept - kept * kept / (2 * entries);
}

// Attention of every token to `seen` positions, through `heads` heads over one shared key-value vector.
void describe_seen(Family& f, std::string_view name, std::int64_t seen, std::int64_t heads, std::int64_t dim,
                   bool values) {
  AttentionShape shape;
  shape.queries = f.tokens;
  shape.keys = seen;
  shape.heads = heads;
  shape.key_dim = dim;
  shape.value_dim = values ? dim : 0;
  shape.mask = AttentionMask::none;
  f.sink.add(attention(name, shape));
}

// Pools `ratio` tokens into one vector of `dim`; overlapping windows carry two series.
void describe_compressor(Family& f, std::int64_t width, std::int64_t dim, std::int64_t ratio, bool overlapping) {
  const std::int64_t series = overlapping ? 2 * dim : dim;
  const Scope scope(f.sink, "compressor");
  f.sink.add(linear("kv_proj", f.tokens, width, series, false, Component::projection));
  f.sink.add(linear("gate_proj", f.tokens, width, series, false, Component::projection).with(op_flags::shared_input));
  f.sink.add(parameter("position_bias", ratio * series, f.tokens * series));
  f.sink.add(softmax("pool", f.tokens, series));
  f.sink.add(rms_norm("kv_norm", std::max<std::int64_t>(1, f.tokens / ratio), dim));
}

void describe_attention_of(Family& f, const Sizes& z, std::int64_t ratio) {
  const TextSizes& s = z.text;
  const std::int64_t tokens = f.tokens, joined = s.heads * s.head_dim;
  const Component projection = Component::projection;
  const Scope scope(f.sink, "self_attn");
  f.sink.add(linear("q_a_proj", tokens, s.width, z.q_rank, false, projection));
  f.sink.add(rms_norm("q_a_norm", tokens, z.q_rank));
  f.sink.add(column_linear("q_b_proj", tokens, z.q_rank, joined, false, projection));
  f.sink.add(rms_norm("q_b_norm", tokens * s.heads, s.head_dim, false));
  f.sink.add(linear("kv_proj", tokens, s.width, s.head_dim, false, projection).with(op_flags::shared_input));
  f.sink.add(rms_norm("kv_norm", tokens, s.head_dim));
  f.sink.add(rotary("rotary", tokens, 2 * s.heads + 1, z.rope));
  f.sink.add(parameter("sinks", s.heads, 0, Component::attention));
  AttentionShape near;
  near.queries = near.keys = tokens;
  near.heads = s.heads;
  near.key_dim = near.value_dim = s.head_dim;
  near.mask = AttentionMask::causal_window;
  near.span = z.window;
  f.sink.add(attention("attention", near));
  if (ratio > 0) {
    const bool sparse = ratio == kSparseRatio;
    const std::int64_t entries = tokens / ratio;
    describe_compressor(f, s.width, s.head_dim, ratio, sparse);
    if (sparse) {
      const Scope indexer(f.sink, "indexer");
      describe_compressor(f, s.width, z.index_dim, ratio, true);
      f.sink.add(linear("q_b_proj", tokens, z.q_rank, z.index_heads * z.index_dim, false, projection));
      f.sink.add(linear("weights_proj", tokens, s.width, z.index_heads, false, projection));
      describe_seen(f, "index_scores", seen_on_average(entries, entries), z.index_heads, z.index_dim, false);
    }
    describe_seen(f, "compressed_attention", seen_on_average(entries, sparse ? z.index_kept : entries), s.heads,
                  s.head_dim, true);
  }
  f.sink.add(make_op(operators::k_grouped_linear, "o_a_proj", projection, tokens * z.groups, joined / z.groups,
                     z.o_rank, 0, z.groups, z.groups));
  f.sink.add(row_linear("o_b_proj", tokens, z.groups * z.o_rank, s.width, false, projection));
}

// Hyper-connections: weights computed from all residual streams together; `outputs` of them, `scales` learned scales.
void describe_streams(Family& f, const Sizes& z, std::string_view name, std::int64_t outputs, std::int64_t scales) {
  const std::int64_t all = z.streams * z.text.width;
  const Scope scope(f.sink, name);
  f.sink.add(rms_norm("input_norm", f.tokens, all, false));
  f.sink.add(linear("fn", f.tokens, all, outputs, false, Component::other));
  f.sink.add(parameter("base", outputs + scales, f.tokens * outputs));
  f.sink.add(elementwise("collapse", f.tokens * all, 1, 2, 1));
  if (outputs > z.streams) f.sink.add(matmul("mix", f.tokens, z.streams, z.streams, z.text.width, 2, Component::other));
}

void describe_layer(Family& f, const Sizes& z, const MoePart& moe, std::int64_t ratio, bool by_table) {
  const std::int64_t width = z.text.width, mixes = (2 + z.streams) * z.streams;
  describe_streams(f, z, "attn_hc", mixes, 3);
  f.sink.add(rms_norm("input_layernorm", f.tokens, width));
  describe_attention_of(f, z, ratio);
  describe_streams(f, z, "ffn_hc", mixes, 3);
  f.sink.add(rms_norm("post_attention_layernorm", f.tokens, width));
  describe_moe(moe, f.tokens, f.sink);
  if (by_table)
    f.sink.add(move("tid2eid", 0, z.text.vocabulary * moe.top_k));
  else
    describe_correction_buffer(f, moe.experts);
}

// How many positions each layer compresses to one, 0: none: a list, or the kinds of layers that transformers writes
// with a ratio for each kind.
std::vector<std::int64_t> read_ratios(const Family& f, std::int64_t layers) {
  const Keys& c = f.config;
  std::vector<std::int64_t> ratios;
  const std::size_t count = layer_kinds(f, layers).size();
  const Node kinds = c.node("layer_types");
  if (kinds && !c.has("compress_ratios")) {
    const Keys rates = c.child("compress_rates");
    for (const Node kind : kinds) ratios.push_back(rates.has(kind.text()) ? rates.size(kind.text()) : 0);
    if (ratios.size() < count) c.problem("missing-key", "layer_types", "'layer_types' has too few entries");
    ratios.resize(count);
    return ratios;
  }
  for (std::size_t i = 0; i < count && f.ok(); ++i) ratios.push_back(c.element("compress_ratios", i));
  return ratios;
}

// The first layers choose experts by a table of tokens.
std::int64_t read_hashed(const Keys& c) {
  std::int64_t hashed = 0;
  for (const Node kind : c.node("mlp_layer_types")) hashed += kind.text() == "hash_moe" ? 1 : 0;
  return c.count_or("num_hash_layers", hashed);
}

void describe_deepseek_v4(Family& f) {
  const Keys& c = f.config;
  TextSizes s;
  s.width = c.size("hidden_size");
  s.layers = c.size("num_hidden_layers");
  s.heads = c.size("num_attention_heads");
  s.head_dim = c.size("head_dim");
  s.vocabulary = c.size("vocab_size");
  f.sequence(c.size_or("max_position_embeddings", 4096));
  Sizes z;
  z.text = s;
  z.q_rank = c.size("q_lora_rank");
  z.o_rank = c.size("o_lora_rank");
  z.groups = c.size("o_groups");
  z.rope = c.size("qk_rope_head_dim");
  z.window = c.size("sliding_window");
  z.streams = c.size("hc_mult");
  z.index_heads = c.size("index_n_heads");
  z.index_dim = c.size("index_head_dim");
  z.index_kept = c.size("index_topk");
  c.divides("o_groups", z.groups, "num_attention_heads", s.heads);
  MoePart moe = read_deepseek_experts(f, s.width);
  const std::int64_t hashed = read_hashed(c), extra = c.count_or("num_nextn_predict_layers", 0);
  const bool tied = read_tied(f, false);
  const std::vector<std::int64_t> ratios = read_ratios(f, s.layers);
  c.understood(
      {"attention_bias", "num_key_value_heads", "compress_rope_theta", "hc_eps", "hc_sinkhorn_iters", "expert_dtype"});
  if (!f.ok()) return;
  describe_embedding(f, s.vocabulary, s.width);
  for (std::size_t first = 0; first < ratios.size();) {
    const bool by_table = static_cast<std::int64_t>(first) < hashed;
    std::size_t next = first + 1;
    while (next < ratios.size() && ratios[next] == ratios[first] &&
           (static_cast<std::int64_t>(next) < hashed) == by_table)
      ++next;
    const Scope layer(f.sink, "layers", static_cast<std::int64_t>(next - first), BlockKind::layer);
    describe_layer(f, z, moe, ratios[first], by_table);
    first = next;
  }
  describe_streams(f, z, "hc_head", z.streams, 1);
  describe_head(f, NormKind::rms, s.width, s.vocabulary, tied);
  if (extra > 0 && !f.extra_heads(false)) remark_extra_heads(f, extra);
  if (extra > 0 && f.extra_heads(false))
    describe_extra_heads(f, extra, s.width, s.vocabulary, [&](Family& g) { describe_layer(g, z, moe, 0, false); });
}

}  // namespace

extern const FamilyDef k_deepseek_v4;
const FamilyDef k_deepseek_v4 = {
    "deepseek_v4",
    "DeepSeek-V4: one shared key-value head over a window and compressed positions, hyper-connections, hashed routing",
    "huggingface/transformers models/deepseek_v4/modeling_deepseek_v4.py",
    kTypes,
    kArchitectures,
    build<describe_deepseek_v4>};

}  // namespace floptally::families
