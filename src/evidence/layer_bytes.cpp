#include "evidence/layer_bytes.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "estimate/memory.h"
#include "evidence/cells.h"
#include "evidence/labels.h"
#include "network/blocks/decoder.h"
#include "training/run_file.h"
#include "training/table.h"

namespace floptally {
namespace {

// What the name of a profile says of its layer: "hidden4096_head32_seqlen2048", "llama-7b_mlp".
struct LayerShape {
  DecoderShape shape;
  bool attention = true, mlp = true;
  bool second_norm = false;  // what attends holds the norm before the experts too
};

FactTable profile_table() { return FactTable("evidence/profiles.csv"); }

// The code that a profile was made with: cells of the first row that speaks of it.
class Code {
 public:
  explicit Code(const LayerProfile& profile) : table_(facts<FactTable, profile_table>()) {
    const std::string_view flags = profile.sequence_parallel ? "sp" : "plain";
    for (std::size_t row = 0; row < table_.rows() && !row_; ++row) {
      const std::string_view family = table_.cell(row, "family"), of = table_.cell(row, "flags");
      if (!contains(profile.source, table_.cell(row, "src"))) continue;
      if (std::string_view(profile.family).substr(0, family.size()) == family && (of.empty() || of == flags))
        row_ = row;
    }
  }
  // 0 where no row speaks of the profile or the row says nothing.
  [[nodiscard]] std::int64_t number(std::string_view column) const {
    return row_ ? static_cast<std::int64_t>(table_.number(*row_, column)) : 0;
  }
  [[nodiscard]] bool has(std::string_view column) const { return number(column) > 0; }

 private:
  const FactTable& table_;
  std::optional<std::size_t> row_;
};

// Feed-forward width where a profile says the width alone; 0 where published layers of that width differ. Llama 1 up to
// 30B (Touvron et al. 2302.13971, table 2) and narrower cuts of it: two thirds of 4 d, rounded up to 256 (its model.py,
// multiple_of); 8192 is Llama 65B's width and Llama 2 70B's. Baichuan 7B is as Llama's, 13B is not.
std::int64_t feed_forward_of(std::string_view family, std::int64_t width, std::int64_t heads) {
  const auto is = [family](std::string_view begin) { return family.substr(0, begin.size()) == begin; };
  if (is("bert")) return 3072;  // Galvatron's models/bert_hf/meta_configs say none: transformers' BertConfig has 3072
  if (is("gpt") || is("vit")) return 4 * width;
  const bool llama = width < 3072 || (heads * 128 == width && (width == 4096 || width == 5120 || width == 6656));
  if ((is("llama") && llama) || (is("baichuan") && width == 4096)) return (width * 8 / 3 + 255) / 256 * 256;
  return 0;
}

void set_shape(DecoderShape& s, std::int64_t width, std::int64_t heads, std::int64_t ffn, bool gated) {
  s.layers = 1;
  s.width = width;
  s.heads = s.kv_heads = heads;
  s.head_dim = heads > 0 ? width / heads : 0;
  s.ffn = ffn;
  s.gated = gated;
  s.norm = gated ? NormKind::rms : NormKind::layer;
  s.qkv_bias = s.out_bias = s.mlp_bias = !gated;
  s.activation = gated ? Activation::silu : Activation::gelu;
  s.vocabulary = 1024;
  s.sequence = 128;
}

std::optional<LayerShape> shape_of(const LayerProfile& profile, const FindModel& find) {
  LayerShape out;
  std::string name;
  for (const std::string_view part : split(profile.model, '_')) {
    if (part == "attention") out.mlp = false;
    if (part == "mlp") out.attention = false;
    if (name.empty()) name = part;
  }
  if (name.compare(0, 6, "hidden") == 0) {
    const std::int64_t width = number_after(name, "hidden"), heads = number_after(profile.model, "head");
    if (width <= 0 || heads <= 0 || width > 1'000'000 || width % heads != 0) return std::nullopt;
    const std::int64_t ffn = feed_forward_of(profile.family, width, heads);
    if (ffn == 0) return std::nullopt;
    const bool gated = contains(profile.family, "llama") || contains(profile.family, "baichuan");
    set_shape(out.shape, width, heads, ffn, gated);
    return out;
  }
  EvidenceRow row;
  row.model = name;
  row.shape.sequence = 128;
  read_named_model(row);
  if (row.shape.width == 0 && find) {
    read_shipped(row, find);
    if (row.network == nullptr) return std::nullopt;
    const Divisors d = divisors_of(*row.network, row.run);
    const bool gated = std::any_of(row.network->ops.begin(), row.network->ops.end(),
                                   [](const Op& op) { return op.def == &operators::k_gated_activation; });
    set_shape(row.shape, d.width, d.heads, d.experts > 0 ? 0 : d.ffn, gated);
    row.shape.kv_heads = d.kv_heads;
  }
  out.second_norm = row.shape.experts > 0;
  if (row.shape.width == 0 || (row.shape.experts > 0 && out.mlp)) return std::nullopt;
  out.shape = row.shape;
  return out;
}

// The model that was measured, where the profile's name says another.
void correct(const Code& code, DecoderShape& s) {
  if (!code.has("hidden")) return;
  set_shape(s, code.number("hidden"), code.number("heads"), code.number("ffn"), s.gated);
  s.kv_heads = code.number("kv_heads");
}

void describe(const LayerShape& layer, Sink& sink) {
  const DecoderShape& s = layer.shape;
  const Scope scope(sink, "layers", 1, BlockKind::layer);
  if (layer.attention) {
    sink.add(norm("input_layernorm", s.norm, s.sequence, s.width));
    describe_attention(attention_of(s, s.mask), s.sequence, sink);
    sink.add(residual(s.sequence * s.width));
    if (layer.second_norm) sink.add(norm("post_attention_layernorm", s.norm, s.sequence, s.width));
  }
  if (layer.mlp) {
    sink.add(norm("post_attention_layernorm", s.norm, s.sequence, s.width));
    describe_mlp(mlp_of(s), s.sequence, sink);
    sink.add(residual(s.sequence * s.width));
  }
}

// PyTorch's FSDP over Megatron-LM's layers (Galvatron): 16-bit computing, all else sharded in fp32.
Run run_of(const LayerProfile& profile, const Code& code, const LayerShape& layer) {
  Run run = default_run();
  run.precision = *find_precision("fp16-mixed");
  run.framework = *find_framework("fsdp");
  run.layout.tensor = profile.tensor;
  run.layout.data = profile.data;
  run.layout.zero = Zero::weights;
  run.layout.sequence_parallel = profile.sequence_parallel && profile.tensor > 1;
  run.layout.micro_batch = std::max<std::int64_t>(1, profile.batch / profile.data);
  run.fused_attention = !code.has("unfused");
  run.hidden_dropout = run.attention_dropout = code.has("dropout") && !layer.shape.gated;
  Framework& f = run.framework;
  // An fp32 norm written out keeps its input and the input's square, and its result in 16 bits for the scale.
  f.norm_bytes = code.has("eager_norm") ? 8 : 0;
  f.norm_trained = 2;
  f.gated_kept = code.has("split_gate") ? 1 : 0;
  f.saves_gathered = false;  // Megatron-LM's products
  f.repeats_keys = code.has("rotary_tables");
  f.attention_copies = code.has("sequence_first") && run.layout.micro_batch > 1 && run.fused_attention ? 1 : 0;
  return run;
}

// What one layer keeps for the backward pass beside what its operators save.
double kept_beside(const LayerProfile& profile, const Code& code, const LayerShape& layer) {
  const auto square = static_cast<double>(layer.shape.sequence * layer.shape.sequence);
  const std::int64_t samples = profile.batch / profile.data;
  const double mask = code.has("masks") ? square * static_cast<double>(samples) : 0;
  if (profile.checkpointed || !code.has("rotary_tables") || !layer.attention) return mask;
  return mask + 2 * 2 * 2 * static_cast<double>(layer.shape.sequence * layer.shape.head_dim);
}

}  // namespace

bool read_strategy(LayerProfile& profile) {
  const std::vector<std::string_view> parts = split(profile.strategy, '_');
  std::int64_t* const degrees[] = {&profile.pipeline, &profile.tensor, &profile.data};
  if (parts.size() < 3) return false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i >= 3) {
      profile.checkpointed = profile.checkpointed || parts[i] == "c";
      profile.sequence_parallel = profile.sequence_parallel || parts[i] == "sp";
      continue;
    }
    const char* const end = parts[i].data() + parts[i].size();
    const auto [at, status] = std::from_chars(parts[i].data(), end, *degrees[i]);
    if (status != std::errc{} || at != end || *degrees[i] < 1 || *degrees[i] > 1'000'000) return false;
  }
  return true;
}

LayerBytes layer_bytes(const LayerProfile& profile, const FindModel& find) {
  LayerBytes out;
  std::optional<LayerShape> layer = shape_of(profile, find);
  if (!layer) {
    out.reason = "the sizes of its layer are not stated";
    return out;
  }
  const Code code(profile);
  correct(code, layer->shape);
  std::int64_t sequence = profile.sequence > 0 ? profile.sequence : number_after(profile.model, "seqlen");
  if (code.has("sequence")) sequence = code.number("sequence");
  if (sequence > 0) layer->shape.sequence = sequence;
  const Run run = run_of(profile, code, *layer);
  MemoryProfile memory(run);
  describe(*layer, memory);
  const DeviceMemory m = device_memory(memory, run, 0);
  out.states = m[Holds::weights] + m[Holds::gradients] + m[Holds::master] + m[Holds::states];
  if (sequence <= 0)
    out.unkept = "activations: no sequence is stated";
  else if (profile.batch <= 0 || profile.batch % profile.data != 0)
    out.unkept = "activations: the data ranks do not divide the batch";
  else
    out.kept =
        (profile.checkpointed ? memory.layer(0).input : memory.layer(0).kept) + kept_beside(profile, code, *layer);
  return out;
}

}  // namespace floptally
