// Megatron-LM's command-line arguments (megatron/training/arguments.py, defaults as of core r0.13) as a model and a
// Run.
#include <cmath>

#include "document/document.h"
#include "estimate/evidence_row.h"

namespace floptally {
namespace {

class Arguments {
 public:
  explicit Arguments(Node node) : node_(node) {}
  [[nodiscard]] bool flag(std::string_view key) const {
    const Node n = node_.find(key);
    return n && n.as_bool().value_or(n.kind() != NodeKind::boolean);
  }
  [[nodiscard]] std::int64_t count(std::string_view key, std::int64_t otherwise) const {
    const auto value = node_.find(key) ? node_.find(key).as_integer() : std::nullopt;
    return value && value->fits_int64() ? value->to_int64() : otherwise;
  }
  [[nodiscard]] double number(std::string_view key, double otherwise) const {
    return node_.find(key) ? node_.find(key).as_double().value_or(otherwise) : otherwise;
  }
  [[nodiscard]] std::string_view text(std::string_view key) const { return node_.find(key).text(); }
  [[nodiscard]] bool has(std::string_view key) const { return static_cast<bool>(node_.find(key)); }

 private:
  Node node_;
};

// "Et*2|(tt|)*5t|tmL": E embedding, t a layer, m an extra prediction head, L the loss; "|" ends a stage, "*n" repeats.
std::vector<std::int64_t> stages_of(std::string_view layout) {
  std::string flat;
  std::size_t group = 0;
  for (std::size_t i = 0; i < layout.size() && flat.size() < 4096; ++i) {
    const char c = layout[i];
    if (c == '(') {
      group = flat.size();
    } else if (c == '*') {
      std::size_t n = 0;
      while (i + 1 < layout.size() && layout[i + 1] >= '0' && layout[i + 1] <= '9')
        n = n * 10 + static_cast<std::size_t>(layout[++i] - '0');
      const bool parenthesis = !flat.empty() && flat.back() == ')';
      if (parenthesis) flat.pop_back();
      const std::string unit = parenthesis ? flat.substr(group) : flat.substr(flat.empty() ? 0 : flat.size() - 1);
      for (std::size_t k = 1; k < n && flat.size() < 4096; ++k) flat += unit;
    } else {
      flat += c;
    }
  }
  std::vector<std::int64_t> stages(1, 0);
  for (const char c : flat) {
    if (c == '|') stages.push_back(0);
    if (c == 't') ++stages.back();
  }
  return stages;
}

// "([0]*3+[1]*11)": leading layers without experts; "2": every second layer.
void read_moe_layers(DecoderShape& s, const Arguments& a) {
  const std::string_view text = a.text("moe-layer-freq");
  const std::size_t zeros = text.find("[0]*");
  if (zeros != std::string_view::npos) {
    s.dense_first = 0;
    for (std::size_t i = zeros + 4; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i)
      s.dense_first = s.dense_first * 10 + (text[i] - '0');
  } else {
    s.moe_every = std::max<std::int64_t>(1, a.count("moe-layer-freq", 1));
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
                {"tokenizer-type", "Llama2Tokenizer", 32000, "vocabulary 32000 (Llama 2's tokenizer)"}};
  for (const auto& named : kNamed) {
    if (a.text(named.key).find(named.part) == std::string_view::npos) continue;
    row.assumed.emplace_back(named.what);
    return named.size;
  }
  return 0;
}

void read_shape(EvidenceRow& row, const Arguments& a) {
  DecoderShape& s = row.shape;
  s.layers = a.count("num-layers", s.layers);
  s.width = a.count("hidden-size", s.width);
  s.heads = a.count("num-attention-heads", s.heads);
  s.head_dim = a.count("kv-channels", s.heads > 0 ? s.width / s.heads : 0);
  s.kv_heads = a.flag("group-query-attention") ? a.count("num-query-groups", 1) : s.heads;
  s.gated = a.flag("swiglu");
  const std::int64_t gated_ffn =
      static_cast<std::int64_t>(std::floor(4.0 * static_cast<double>(s.width) * 2 / 3 / 64)) * 64;
  s.ffn = a.count("ffn-hidden-size", s.gated ? gated_ffn : 4 * s.width);
  s.sequence = a.count("seq-length", s.sequence);
  s.max_positions = a.count("max-position-embeddings", s.sequence);
  const std::string_view positions = a.text("position-embedding-type");
  s.positions = positions == "rope" || a.flag("use-rotary-position-embeddings") ? Positions::rotary
                : positions == "none"                                           ? Positions::none
                                                                                : Positions::learned;
  s.norm = a.text("normalization") == "RMSNorm" ? NormKind::rms : NormKind::layer;
  s.qk_norm = a.flag("qk-layernorm") && !a.flag("multi-latent-attention");
  s.qkv_bias = s.out_bias = s.mlp_bias = !a.flag("disable-bias-linear");
  s.tied = !a.flag("untie-embeddings-and-output-weights");
  s.activation = s.gated ? Activation::silu : a.flag("squared-relu") ? Activation::relu_squared : Activation::gelu;
  s.experts = a.count("num-experts", 0);
  s.top_k = s.experts > 0 ? a.count("moe-router-topk", 2) : 0;
  s.expert_ffn = a.count("moe-ffn-hidden-size", s.ffn);
  s.shared_ffn = a.count("moe-shared-expert-intermediate-size", 0);
  read_moe_layers(s, a);
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
  std::int64_t vocabulary = a.count("vocab-size", s.vocabulary);
  if (vocabulary == 0) vocabulary = vocabulary_of(row, a);
  if (vocabulary == 0 && !a.has("tokenizer-type") && !a.has("tokenizer-model")) {
    const bool bert = s.mask == AttentionMask::none;
    vocabulary =
        bert ? 30522 : 50257;  // BertWordPieceLowerCase, GPT2BPETokenizer: the test recipes' default tokenizers
    row.assumed.emplace_back(bert ? "vocabulary 30522 (default tokenizer)" : "vocabulary 50257 (default tokenizer)");
  }
  const std::int64_t unit = a.count("make-vocab-size-divisible-by", 128) * a.count("tensor-model-parallel-size", 1);
  s.vocabulary = unit > 0 ? (vocabulary + unit - 1) / unit * unit : vocabulary;
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
  const std::string_view text = a.text("pipeline-model-parallel-layout");
  if (!text.empty()) {
    l.stages = stages_of(text);
    l.chunks = std::max<std::int64_t>(1, static_cast<std::int64_t>(l.stages.size()) / l.pipeline);
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
  if (l.pipeline == 1) l.chunks = 1;
  l.schedule = l.chunks > 1 ? Schedule::interleaved : Schedule::one_f_one_b;
}

void read_layout(EvidenceRow& row, const Arguments& a) {
  Layout& l = row.run.layout;
  l.tensor = std::max<std::int64_t>(1, a.count("tensor-model-parallel-size", 1));
  l.pipeline = std::max<std::int64_t>(1, a.count("pipeline-model-parallel-size", 1));
  l.context = std::max<std::int64_t>(1, a.count("context-parallel-size", 1));
  l.expert = std::max<std::int64_t>(1, a.count("expert-model-parallel-size", 1));
  l.expert_tensor = a.count("expert-tensor-parallel-size", l.tensor);
  l.sequence_parallel = a.flag("sequence-parallel") && l.tensor > 1;
  l.micro_batch = a.count("micro-batch-size", 1);
  l.zero = a.flag("use-megatron-fsdp")           ? Zero::weights
           : a.flag("use-distributed-optimizer") ? Zero::optimizer
                                                 : Zero::none;
  row.run.batch = a.count("global-batch-size", 0);
  const std::int64_t instances = a.count("num-distributed-optimizer-instances", 1);
  const std::int64_t model = l.tensor * l.pipeline * l.context;
  if (instances > 1 && row.devices > 0)
    l.shard = std::max<std::int64_t>(1, row.devices / model * l.context / instances);
  read_pipeline(row, a);
}

Recompute recompute_of(const Arguments& a) {
  Recompute recompute;
  const std::string_view granularity = a.text("recompute-granularity");
  if (granularity == "full") {
    recompute.mode = Recompute::Mode::full;
    const std::int64_t layers = a.count("recompute-num-layers", 1);
    if (a.text("recompute-method") == "block")
      recompute.layers = layers;
    else
      recompute.every = std::max<std::int64_t>(1, layers);
  } else if (granularity == "selective") {
    recompute.mode = Recompute::Mode::selective;
    const std::string modules(a.text("recompute-modules"));
    recompute.modules = modules.empty() ? std::uint32_t{Recompute::core_attention} : 0u;
    const auto when = [&](const char* word, Recompute::Module bit) {
      if (modules.find(word) != std::string::npos) recompute.modules |= bit;
    };
    when("core_attn", Recompute::core_attention);
    when("layernorm", Recompute::norms);
    when("moe_act", Recompute::activations);
    when("mla_up_proj", Recompute::mla_up);
    when(" mlp", Recompute::mlp);
    when("[mlp", Recompute::mlp);
    when("shared_experts", Recompute::shared_experts);
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
  run.optimizer = *find_optimizer(a.text("optimizer") == "muon"  ? "muon"
                                  : a.text("optimizer") == "sgd" ? "momentum"
                                                                 : "adamw");
  if (a.flag("use-precision-aware-optimizer")) {
    // The master copy is the 16 bits that bf16 weights lack (store_param_remainders).
    if (run.precision.master == Dtype::float32) run.precision.master = Dtype::bfloat16;
    if (a.text("exp-avg-dtype") == "bf16") run.optimizer = *find_optimizer("adamw-bf16");
    if (a.text("main-grads-dtype") == "bf16") run.framework.gradients = Dtype::bfloat16;
  }
  run.offload.optimizer = a.flag("optimizer-cpu-offload") && a.number("optimizer-offload-fraction", 1) >= 1;
  const std::string_view backend = a.text("attention-backend");
  const bool local_scores = !engine && backend != "flash" && !a.flag("use-flash-attn");
  run.fused_attention = backend != "unfused" && backend != "local" && !local_scores;
  read_masks(row, a, engine);
  run.attention_dropout = a.number("attention-dropout", 0.1) > 0;
  run.hidden_dropout = a.number("hidden-dropout", 0.1) > 0;
  run.fused_gradients = !a.flag("no-gradient-accumulation-fusion");
  run.grouped_experts = a.flag("moe-grouped-gemm");
  run.fused_loss = a.flag("cross-entropy-loss-fusion");
  run.deterministic = a.flag("deterministic-mode");
  run.loss_deferred = a.flag("defer-embedding-wgrad-compute") ? a.count("wgrad-deferral-limit", 0) : 0;
  // FlashAttention-2 (the backend before Hopper) transposes its output, so it is held twice.
  if (run.fused_attention && row.generation == "a100") run.framework.attention_copies = 1;
  run.recompute = recompute_of(a);
}

// Tests that do more, or something else, than train one decoder.
std::string other_work(const EvidenceRow& row, const Arguments& a) {
  if (a.flag("perform-rl-step")) return "a reinforcement-learning test: it generates text beside training";
  if (a.has("export-kd-cfg")) return "a distillation test: a second model is held";
  if (a.flag("flextron")) return "an elastic-network test: several sub-networks share one step";
  if (a.has("hybrid-layer-pattern") || a.has("hybrid-override-pattern") || a.flag("is-hybrid-model"))
    return "a hybrid Mamba model: its layer sizes are not in the arguments";
  if (a.has("model-provider") || row.task == "multimodal")
    return "a vision-language model: the vision tower is not in the arguments";
  if (row.model.find("offloading") != std::string::npos && !a.has("offload-modules"))
    return "activations are offloaded; which ones is not in the arguments";
  if (a.has("rerun-mode")) return "a fault-injection test: steps are run twice and compared";
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
  row.reason = other_work(row, a);
  if (!row.reason.empty()) return;
  read_shape(row, a);
  read_layout(row, a);
  read_run(row, a);
  if (row.shape.vocabulary == 0) row.reason = "the vocabulary is not stated (a tokenizer file is)";
}

}  // namespace floptally
