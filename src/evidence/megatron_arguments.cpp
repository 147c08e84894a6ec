// Megatron-LM's command-line arguments (megatron/training/arguments.py, defaults as of August 2026) as a model and a
// Run. What each of them does to memory stands in data/evidence/megatron_arguments.csv.
#include "evidence/megatron_arguments.h"

#include <algorithm>
#include <cmath>

#include "evidence/cells.h"
#include "evidence/labels.h"
#include "evidence/megatron_models.h"
#include "evidence/row.h"
#include "training/table.h"

namespace floptally {
namespace {

using Arguments = MegatronArguments;

// A pipeline layout written out: "(tt|)*2" is "tt|tt|"; groups may nest; "n" after "*" repeats the unit before it.
std::string written_out(std::string_view layout, std::size_t& at, int depth) {
  constexpr std::size_t kMost = 65536;
  std::string out, unit;
  while (at < layout.size() && out.size() < kMost) {
    const char c = layout[at++];
    if (c == ')') break;
    if (c == '(' && depth < 32) {
      out += unit;
      unit = written_out(layout, at, depth + 1);
    } else if (c == '*') {
      std::size_t times = 0;
      while (at < layout.size() && layout[at] >= '0' && layout[at] <= '9' && times < kMost)
        times = times * 10 + static_cast<std::size_t>(layout[at++] - '0');
      for (std::size_t i = 0; i < times && out.size() < kMost; ++i) out += unit;
      unit.clear();
    } else if (c != ',' && c != ' ') {
      out += unit;
      unit = c;
    }
  }
  return out + unit;
}

// "Et*2|(tt|)*5t|tmL": E embedding, t a layer, m an extra prediction head, L the loss; "|" ends a stage, "*n" repeats.
std::vector<std::int64_t> stages_of(std::string_view layout) {
  std::size_t at = 0;
  std::vector<std::int64_t> stages(1, 0);
  for (const char c : written_out(layout, at, 0)) {
    if (c == '|') stages.push_back(0);
    if (c == 't' || c == 'm') ++stages.back();
  }
  return stages;
}

// "([0]*3+[1]*11)": leading layers without experts. What is less regular is told layer by layer (megatron_stack).
void read_moe_layers(DecoderShape& s, const Arguments& a) {
  s.dense_first = 0;
  s.moe_every = 1;
  if (a.has("moe-layer-freq") && a.count("moe-layer-freq", 0) == 0) {
    for (const std::int64_t moe : megatron_list(a.words("moe-layer-freq"), 4096)) {
      if (moe != 0) return;
      ++s.dense_first;
    }
  }
}

// Vocabularies that a tokenizer's name gives away.
std::int64_t vocabulary_of(EvidenceRow& row, const Arguments& a) {
  static constexpr struct {
    std::string_view key, part;
    std::int64_t size;
    const char* what;
  } kNamed[] = {{"tokenizer-model", "nemotron_2_256k", 256000, "vocabulary 256000 (Nemotron-4's tokenizer)"},
                {"tokenizer-model", "128k", 131072, "vocabulary 131072 (the tokenizer's name)"},
                {"tokenizer-type", "TikTokenizer", 131072, "vocabulary 131072 (TikTokenizer's default)"},
                {"tiktoken-pattern", "v", 131072, "vocabulary 131072 (TikTokenizer's default)"},
                {"tokenizer-type", "Llama2Tokenizer", 32000, "vocabulary 32000 (Llama 2's tokenizer)"},
                {"tokenizer-type", "GPT2BPETokenizer", 50257, "vocabulary 50257 (GPT-2's tokenizer)"},
                {"tokenizer-type", "BertWordPieceLowerCase", 30522, "vocabulary 30522 (BERT's tokenizer)"},
                {"tokenizer-type", "BertWordPieceCase", 28996, "vocabulary 28996 (BERT's cased tokenizer)"}};
  for (const auto& named : kNamed) {
    if (a.text(named.key).find(named.part) == std::string_view::npos) continue;
    row.noted.emplace_back(named.what);
    return named.size;
  }
  return 0;
}

std::int64_t tensor_of(const Arguments& a) {
  return a.count("tensor-model-parallel-size", a.count("model-parallel-size", 1));
}

// Rows of the embedding table: the tokenizer's, padded so that they divide over devices.
std::int64_t padded_vocabulary(EvidenceRow& row, const Arguments& a) {
  std::int64_t rows = a.count("vocab-size", row.shape.vocabulary);
  if (rows == 0) rows = vocabulary_of(row, a);
  if (rows == 0 && !a.has("tokenizer-type") && !a.has("tokenizer-model")) {
    const bool bert = row.shape.mask == AttentionMask::none || megatron_kind(row, a) == MegatronKind::encoder_decoder;
    rows = bert ? 30522 : 50257;  // BertWordPieceLowerCase, GPT2BPETokenizer: the test recipes' default tokenizers
    row.noted.emplace_back(bert ? "vocabulary 30522 (default tokenizer)" : "vocabulary 50257 (default tokenizer)");
  }
  if (rows > 0) rows += a.count("vocab-extra-ids", 0);
  const std::int64_t unit = a.count("make-vocab-size-divisible-by", 128) * tensor_of(a);
  return a.count("padded-vocab-size", unit > 0 ? (rows + unit - 1) / unit * unit : rows);
}

// Rows over an even share; 0 where none, or none that can be, is given.
double capacity_of(const Arguments& a, const char* argument) {
  const double factor = a.number(argument, 0);
  return factor > 0 && factor < 1000 ? factor : 0;
}

void read_shape(EvidenceRow& row, const Arguments& a) {
  DecoderShape& s = row.shape;
  s.layers = a.count("num-layers", a.count("decoder-num-layers", a.count("encoder-num-layers", s.layers)));
  s.width = a.count("hidden-size", s.width);
  s.heads = a.count("num-attention-heads", s.heads);
  s.head_dim = a.count("kv-channels", s.heads > 0 ? s.width / s.heads : 0);
  s.kv_heads = a.flag("group-query-attention") ? a.count("num-query-groups", 1) : s.heads;
  s.gated = a.flag("swiglu") || a.flag("quick-geglu");
  const std::int64_t gated_ffn =
      static_cast<std::int64_t>(std::floor(4.0 * static_cast<double>(s.width) * 2 / 3 / 64)) * 64;
  s.ffn = a.count("ffn-hidden-size", s.gated ? gated_ffn : 4 * s.width);
  s.sequence = a.count("seq-length", a.count("encoder-seq-length", s.sequence));
  s.max_positions = a.count("max-position-embeddings", s.sequence);
  const std::string_view positions = a.text("position-embedding-type");
  const bool rotary = positions == "rope" || positions == "yarn" || positions == "mrope";
  const bool none = positions == "none" || positions == "relative" || a.flag("no-position-embedding");
  s.positions = rotary || a.flag("use-rotary-position-embeddings") ? Positions::rotary
                : none                                             ? Positions::none
                                                                   : Positions::learned;
  s.norm = a.text("normalization") == "RMSNorm" ? NormKind::rms : NormKind::layer;
  s.qk_norm = a.flag("qk-layernorm") && !a.flag("multi-latent-attention");
  s.qkv_bias = s.out_bias = s.mlp_bias = !a.flag("disable-bias-linear");
  s.qkv_bias = s.qkv_bias || a.flag("add-qkv-bias");
  s.tied = !a.flag("untie-embeddings-and-output-weights");
  s.activation = a.flag("quick-geglu")    ? Activation::gelu
                 : s.gated                ? Activation::silu
                 : a.flag("squared-relu") ? Activation::relu_squared
                                          : Activation::gelu;
  s.experts = a.count("num-experts", 0);
  s.top_k = s.experts > 0 ? a.count("moe-router-topk", 2) : 0;
  s.expert_ffn = a.count("moe-ffn-hidden-size", s.ffn);
  s.shared_ffn = a.count("moe-shared-expert-intermediate-size", 0);
  read_moe_layers(s, a);
  if (a.flag("moe-pad-expert-input-to-capacity")) {
    s.capacity_numerator = std::llround(1000 * capacity_of(a, "moe-expert-capacity-factor"));
    s.capacity_denominator = 1000;
  }
  s.mtp_heads = a.count("mtp-num-layers", 0);
  row.binary_head = s.mask == AttentionMask::none && !a.flag("bert-no-binary-head");
  s.q_rank = s.kv_rank = 0;
  if (a.flag("multi-latent-attention")) {
    s.q_rank = a.count("q-lora-rank", 0);
    s.kv_rank = a.count("kv-lora-rank", 32);
    s.nope_dim = a.count("qk-head-dim", 128);
    s.rope_dim = a.count("qk-pos-emb-head-dim", 64);
    s.value_dim = a.count("v-head-dim", 128);
  }
  s.vocabulary = padded_vocabulary(row, a);
  const MegatronStack stack = megatron_stack(row, a);
  if (megatron_kind(row, a) == MegatronKind::hybrid) {  // the pattern rules over num-layers
    s.layers = static_cast<std::int64_t>(stack.layers.size());
    s.mtp_heads = stack.heads;
    row.reason = stack.reason;
  }
}

// The first and the last rank hold so many layers (0: as the others); a rank's chunks share its layers.
void uneven_ends(Layout& l, std::int64_t layers, std::int64_t first, std::int64_t last) {
  const std::int64_t inner = l.pipeline - (first > 0 ? 1 : 0) - (last > 0 ? 1 : 0);
  const std::int64_t each = inner > 0 ? std::max<std::int64_t>(0, layers - first - last) / inner : 0;
  l.stages.clear();
  for (std::int64_t chunk = 0; chunk < l.chunks; ++chunk) {
    for (std::int64_t rank = 0; rank < l.pipeline; ++rank) {
      const std::int64_t held = rank == 0 && first > 0 ? first : rank == l.pipeline - 1 && last > 0 ? last : each;
      l.stages.push_back(held / l.chunks);
    }
  }
}

void read_pipeline(EvidenceRow& row, const Arguments& a) {
  Layout& l = row.run.layout;
  const std::int64_t layers = row.shape.layers;
  l.chunks = a.count("num-virtual-stages-per-pipeline-rank", 1);
  const std::int64_t per_chunk = a.count("num-layers-per-virtual-pipeline-stage", 0);
  if (per_chunk > 0 && l.pipeline > 1) l.chunks = std::max<std::int64_t>(1, layers / l.pipeline / per_chunk);
  if (l.chunks < 1 || l.chunks > 4096 || l.chunks * l.pipeline > 1'000'000) {
    row.reason = "virtual stages: " + std::to_string(l.chunks) + " a rank cannot be";
    l.chunks = l.pipeline = 1;
  }
  const std::string_view text = a.text("pipeline-model-parallel-layout");
  const MegatronStack stack = megatron_stack(row, a);
  if (!text.empty() || !stack.stages.empty()) {
    l.stages = stack.stages.empty() ? stages_of(text) : stack.stages;
    l.chunks = std::max<std::int64_t>(1, static_cast<std::int64_t>(l.stages.size()) / l.pipeline);
    std::int64_t held = 0;
    for (const std::int64_t n : l.stages) held += n;
    const std::int64_t all = layers + (stack.layers.empty() ? row.shape.mtp_heads : stack.heads);
    if (held != all || static_cast<std::int64_t>(l.stages.size()) % l.pipeline != 0)
      row.reason = "the pipeline layout holds " + std::to_string(held) + " of " + std::to_string(all) + " layers in " +
                   std::to_string(l.stages.size()) + " stages";
  }
  const bool embedding = a.flag("account-for-embedding-in-pipeline-split"),
             loss = a.flag("account-for-loss-in-pipeline-split");
  if (embedding || loss) {
    const std::int64_t parts = l.pipeline * l.chunks;
    l.stages.assign(static_cast<std::size_t>(parts), (layers + (embedding ? 1 : 0) + (loss ? 1 : 0)) / parts);
    if (embedding) --l.stages.front();
    if (loss) --l.stages.back();
  }
  const std::int64_t first = a.count("decoder-first-pipeline-num-layers", 0),
                     last = a.count("decoder-last-pipeline-num-layers", 0);
  if (l.pipeline > 1 && first + last > 0) uneven_ends(l, layers, first, last);
  // Prediction heads stand on the last rank, beside its share of the layers.
  const std::int64_t extra = stack.layers.empty() ? row.shape.mtp_heads : stack.heads;
  if (l.pipeline > 1 && extra > 0 && text.empty() && stack.stages.empty()) {
    const std::int64_t parts = l.pipeline * l.chunks;
    if (l.stages.empty()) l.stages.assign(static_cast<std::size_t>(parts), layers / parts);
    l.stages.back() += extra;
  }
  if (l.pipeline == 1) l.chunks = 1;
  l.schedule = l.chunks > 1 ? Schedule::interleaved : Schedule::one_f_one_b;
}

void read_layout(EvidenceRow& row, const Arguments& a) {
  Layout& l = row.run.layout;
  l.tensor = std::max<std::int64_t>(1, tensor_of(a));
  l.pipeline = std::max<std::int64_t>(1, a.count("pipeline-model-parallel-size", 1));
  l.context = std::max<std::int64_t>(1, a.count("context-parallel-size", 1));
  l.expert = std::max<std::int64_t>(1, a.count("expert-model-parallel-size", 1));
  l.expert_tensor = a.count("expert-tensor-parallel-size", l.tensor);
  l.sequence_parallel = a.flag("sequence-parallel") && l.tensor > 1;
  l.micro_batch = a.count("micro-batch-size", a.count("batch-size", 1));
  const std::string_view sharding = a.text("data-parallel-sharding-strategy");
  const bool sharded = a.flag("use-megatron-fsdp") || a.flag("use-custom-fsdp") || a.flag("use-torch-fsdp2");
  l.zero = !sharded                    ? a.flag("use-distributed-optimizer") ? Zero::optimizer : Zero::none
           : sharding == "no_shard"    ? Zero::none
           : sharding == "optim"       ? Zero::optimizer
           : sharding == "optim_grads" ? Zero::gradients
                                       : Zero::weights;
  if (a.words("cp-comm-type").find("a2a") != std::string::npos) l.context_kind = ContextKind::all_to_all;
  row.run.batch = a.count("global-batch-size", 0);
  row.instances = a.count("num-distributed-optimizer-instances", 1);
  const std::string_view dispatcher = a.text("moe-token-dispatcher-type");
  l.gathers_tokens = dispatcher.empty() || dispatcher == "allgather";  // the default
  bound_layout(row);
  read_pipeline(row, a);
}

Recompute recompute_of(const Arguments& a) {
  Recompute recompute;
  const std::string_view granularity = a.text("recompute-granularity");
  if (granularity == "full" || a.flag("checkpoint-activations")) {
    recompute.mode = Recompute::Mode::full;
    const std::int64_t layers = a.count("recompute-num-layers", 1);
    if (a.text("recompute-method") == "block")
      recompute.layers = layers;
    else
      recompute.group = std::max<std::int64_t>(1, layers);
  } else if (granularity == "selective" || a.flag("recompute-activations") || a.flag("moe-layer-recompute")) {
    recompute.mode = Recompute::Mode::selective;
    std::string modules;  // " core_attn moe_act ": brackets and commas are blanks
    for (const char c : a.words("recompute-modules")) modules += c == '[' || c == ']' || c == ',' ? ' ' : c;
    const bool none = modules.find_first_not_of(' ') == std::string::npos;
    if (none && granularity == "selective") modules = " core_attn ";
    if (a.flag("recompute-activations")) modules += " core_attn ";
    if (a.flag("moe-layer-recompute")) modules += " moe ";
    recompute.modules = recompute_modules(modules);
  }
  return recompute;
}

// The mask that the data loader brings (core/datasets/gpt_dataset.py), and where the softmax is not fused
// (core/fusions/fused_softmax.py: switched off, or more than 4096 keys).
void read_masks(EvidenceRow& row, const Arguments& a, bool engine) {
  const bool off = a.flag("no-create-attention-mask-in-dataloader") || a.flag("dataloader-inter-document-masking");
  row.run.loader_mask = !off && row.shape.mask == AttentionMask::causal;
  const bool torch = a.flag("no-masked-softmax-fusion") || row.shape.sequence > 4096;
  const bool fp32 = a.flag("attention-softmax-in-fp32") || a.flag("apply-query-key-layer-scaling");
  row.run.softmax_fp32 = !engine && torch && fp32;
}

void read_optimizer(EvidenceRow& row, const Arguments& a) {
  const std::string_view word = a.text("optimizer");
  std::string name(word.empty() || word == "adam" ? "adamw" : word == "sgd" ? "momentum" : word);
  if (name.find("muon") != std::string::npos) name = "muon";
  const auto optimizer = find_optimizer(name);
  if (optimizer.ok())
    row.run.optimizer = *optimizer;
  else
    row.reason = "optimizer " + name + " is not described";
}

// Rows of the fullest expert rank over an even share where something bounds them, else 0 (Megatron-LM d98e8a64,
// token_dispatcher.py, moe_utils.py): routing forced to be even, a rank's buffer of a fixed size, tokens dropped beyond
// an expert's capacity.
double bound_load(const Run& run, const Arguments& a) {
  if (a.flag("moe-router-force-load-balancing")) return 1;
  if (const double buffer = capacity_of(a, "moe-expert-rank-capacity-factor"); buffer > 0) return buffer;
  const double most = capacity_of(a, "moe-expert-capacity-factor");
  const bool bounds = most > 0 && most < run.framework.expert_load && !a.flag("moe-pad-expert-input-to-capacity");
  return bounds ? most : 0;
}

void read_run(EvidenceRow& row, const Arguments& a) {
  Run& run = row.run;
  const bool engine = a.text("transformer-impl") != "local" && a.text("spec") != "local";
  run.framework = *find_framework(engine ? "megatron" : "megatron-legacy");
  run.precision = *find_precision(a.flag("fp16") ? "fp16-mixed" : a.flag("bf16") ? "bf16-mixed" : "fp32");
  if (a.has("fp8-format")) {
    const std::string_view recipe = a.text("fp8-recipe");
    run.precision = *find_precision(recipe == "mxfp8"        ? "mxfp8"
                                    : recipe == "tensorwise" ? "fp8-tensorwise"
                                    : recipe == "blockwise"  ? "fp8-block"
                                                             : "fp8-delayed");
  }
  if (a.has("fp4-format")) run.precision = *find_precision("nvfp4");
  if (a.flag("fp8-param-gather"))
    run.precision.copies.clear();  // weights are fp8 with a transposed copy: two bytes, as bf16
  if (a.flag("grad-reduce-in-bf16")) run.framework.gradients = Dtype::bfloat16;
  if (a.flag("fp16") && a.flag("accumulate-allreduce-grads-in-fp32")) run.precision.gradients = Dtype::float32;
  read_optimizer(row, a);
  if (a.flag("use-precision-aware-optimizer")) {
    // The master copy is the 16 bits that bf16 weights lack (store_param_remainders).
    if (run.precision.master == Dtype::float32) run.precision.master = Dtype::bfloat16;
    const auto small = [&](const char* key, const char* format) {
      return a.text(key).find(format) != std::string::npos;
    };
    if (small("exp-avg-dtype", "16")) run.optimizer = *find_optimizer("adamw-bf16");
    if (small("exp-avg-dtype", "8") && small("exp-avg-sq-dtype", "8")) run.optimizer = *find_optimizer("adam-8bit");
    if (a.text("main-grads-dtype") == "bf16") run.framework.gradients = Dtype::bfloat16;
  }
  run.offload.optimizer = a.flag("optimizer-cpu-offload");
  if (run.offload.optimizer && a.number("optimizer-offload-fraction", 1) < 1)
    row.reason = "optimizer-offload-fraction: a part of the states is in host memory";
  const std::string_view backend = a.text("attention-backend");
  const bool local_scores = !engine && backend != "flash" && !a.flag("use-flash-attn");
  run.fused_attention = backend != "unfused" && backend != "local" && !local_scores;
  read_masks(row, a, engine);
  run.attention_dropout = a.number("attention-dropout", 0.1) > 0;
  run.hidden_dropout = a.number("hidden-dropout", 0.1) > 0;
  run.fused_gradients = !a.flag("no-gradient-accumulation-fusion");
  run.grouped_experts = a.flag("moe-grouped-gemm");
  run.expert_load = bound_load(run, a);
  run.loss_in_place = a.flag("cross-entropy-loss-fusion") && a.text("cross-entropy-fusion-impl") == "te";
  run.fused_loss = a.flag("cross-entropy-loss-fusion") && !run.loss_in_place;
  run.deterministic = a.flag("deterministic-mode");
  run.loss_deferred = a.flag("defer-embedding-wgrad-compute") ? a.count("wgrad-deferral-limit", 0) : 0;
  run.whole_shards = a.text("optimizer") == "muon" && a.flag("no-use-layer-wise-param-layout");
  // FlashAttention's output is transposed, so it is held twice (Transformer Engine dot_product_attention/backends.py):
  // where it is asked for, before Hopper, and on Blackwell where only deterministic kernels may run (2.6 to 2.11,
  // utils.py).
  const bool blackwell = row.generation == "gb200" || row.generation == "b200";
  if (const DeviceOverhead& device = device_overhead(run.device); device.cublas_before > 0 && !run.deterministic) {
    row.either = run.framework.handles * (device.cublas_workspace - device.cublas_before);
    row.noted.emplace_back("cuBLAS workspaces of 32 MiB or, before 2026, 8.1 (PyTorch's version is not stated)");
  }
  const bool chosen = row.generation == "a100" || (blackwell && run.deterministic);
  if (run.fused_attention && backend != "fused" && (chosen || backend == "flash")) run.framework.attention_copies = 1;
  run.recompute = recompute_of(a);
}

struct ArgumentEffect {
  std::string name, effect, unless, why;
};
std::vector<ArgumentEffect> read_effects() {
  std::vector<ArgumentEffect> out;
  const FactTable table("evidence/megatron_arguments.csv");
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const auto cell = [&](std::string_view column) { return std::string(table.cell(row, column)); };
    for (const std::string_view name : split(table.cell(row, "names"), ' '))
      out.push_back({std::string(name), cell("effect"), cell("unless"), cell("why")});
  }
  // Of one argument the user's row stands first, and rules.
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

// What the table says of every argument that is set: those that cannot be followed leave the row out by name, those
// that are followed in part, and those that nobody has heard of, are named as assumptions.
std::string left_out(EvidenceRow& row, const Arguments& a) {
  const auto& effects = facts<std::vector<ArgumentEffect>, read_effects>();
  for (const auto& [name, value] : a.all()) {
    const auto at = std::lower_bound(effects.begin(), effects.end(), name,
                                     [](const ArgumentEffect& e, const std::string& n) { return e.name < n; });
    if (at == effects.end() || at->name != name) {
      row.noted.push_back("argument " + name + " (not known) changes nothing");
      continue;
    }
    if (at->effect == "read" || at->effect == "none" || !a.flag(name)) continue;
    if (!at->unless.empty() && value.text() == at->unless) continue;
    std::string why = name + ": " + at->why;
    if (at->effect == "left out") return why;
    row.noted.push_back("argument " + why);
  }
  const bool trains = a.has("train-iters") || a.has("train-samples");
  const auto infers = [](const auto& argument) { return argument.first.compare(0, 10, "inference-") == 0; };
  if (!trains && std::any_of(a.all().begin(), a.all().end(), infers)) return "a generation test: nothing is trained";
  if (a.has("model-provider") || row.task == "multimodal")
    return "a vision-language model: the vision tower is not in the arguments";
  if (row.model.find("offloading") != std::string::npos)
    return "activations are offloaded; which ones is not in the arguments";
  return {};
}

}  // namespace

void apply_megatron_arguments(EvidenceRow& row) {
  if (!row.reason.empty()) return;  // a bad cell stays one
  Source source;
  source.name = row.id;
  source.text = row.arguments;
  const auto document = read_json(source);
  if (!document.ok() || !document->root().is_mapping()) {
    row.reason = "column arguments: not a JSON object";
    return;
  }
  const Arguments a(document->root());
  row.reason = left_out(row, a);
  if (!row.reason.empty()) return;
  read_shape(row, a);
  read_layout(row, a);
  read_run(row, a);
  if (row.shape.vocabulary == 0) row.reason = "the vocabulary is not stated (a tokenizer file is)";
  if (row.reason.empty()) build_megatron_model(row, a);
}

}  // namespace floptally
