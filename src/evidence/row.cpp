#include "evidence/row.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "estimate/memory_range.h"
#include "evidence/cells.h"
#include "evidence/labels.h"
#include "training/run_file.h"
#include "training/table.h"

namespace floptally {
namespace {

struct SourceRule {
  std::string framework = "megatron", attention, zero, unit = "gib", gradients;
  std::string recompute, adapter, loss, optimizer;
  bool sequence_parallel = false, fp8_weights = false, shards = false, dropout = true;
  std::int64_t devices = 0, micro_batch = 0;
  Meter meter = Meter::reserved;
  Lengths lengths = Lengths::fixed;
  RankSeen rank = RankSeen::fullest;
  bool balanced = false;  // every expert gets as many tokens
  bool known = false;
  bool named = false;  // the row names its framework
};

FactTable source_table() { return FactTable("evidence/sources.csv"); }

// "llama" begins the text; "*_1node" stands anywhere in it.
bool begins(std::string_view text, std::string_view part) {
  if (!part.empty() && part.front() == '*') return contains(text, part.substr(1));
  return text.substr(0, part.size()) == part;
}

SourceRule rule_for(std::string_view source, std::string_view gpu, std::string_view model) {
  const FactTable& table = facts<FactTable, source_table>();
  const std::string from = lower(source), device = lower(gpu), name = lower(model);
  SourceRule rule;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string part = lower(table.cell(row, "src"));
    if (part.empty() || !contains(from, part) || !begins(device, table.cell(row, "gpu")) ||
        !begins(name, table.cell(row, "model")))
      continue;
    rule.framework = table.cell(row, "framework");
    rule.attention = table.cell(row, "attention");
    rule.zero = table.cell(row, "zero");
    rule.unit = table.cell(row, "unit");
    rule.gradients = table.cell(row, "gradients");
    rule.recompute = table.cell(row, "recompute");
    rule.adapter = table.cell(row, "adapter");
    rule.balanced = table.cell(row, "routing") == "balanced";
    rule.loss = table.cell(row, "loss");
    rule.optimizer = table.cell(row, "optimizer");
    rule.fp8_weights = table.cell(row, "fp8_weights") == "1";
    rule.devices = number_after(table.cell(row, "devices"), "");
    rule.micro_batch = number_after(table.cell(row, "micro_batch"), "");
    rule.dropout = table.cell(row, "dropout") != "none";
    const std::string_view lengths = table.cell(row, "lengths");
    rule.lengths = lengths == "vary" ? Lengths::vary : lengths == "sorted" ? Lengths::sorted : Lengths::fixed;
    rule.shards = table.cell(row, "shards") == "1";
    rule.sequence_parallel = table.cell(row, "sequence") == "1";
    const std::string_view meter = table.cell(row, "meter");
    rule.meter = meter == "visible" ? Meter::visible : meter == "allocated" ? Meter::allocated : Meter::reserved;
    const std::string_view rank = table.cell(row, "rank");
    rule.rank = rank == "last" ? RankSeen::last : rank == "first" ? RankSeen::first : RankSeen::fullest;
    rule.known = true;
    return rule;
  }
  return rule;
}

// The matrices of adapters in our words, from PEFT's: "q_proj, v_proj" are query and value (its default too).
std::string adapter_words(std::string_view targets) {
  const std::string text = lower(targets);
  const bool all = contains(text, "all");
  std::string out;
  const auto add = [&](bool said, const char* word) { out += said || all ? std::string(word) + " " : std::string(); };
  add(text.empty() || contains(text, "q_proj") || contains(text, "query") || contains(text, "qkv"), "query");
  add(contains(text, "k_proj") || contains(text, "key") || contains(text, "qkv"), "key");
  add(text.empty() || contains(text, "v_proj") || contains(text, "value") || contains(text, "qkv"), "value");
  add(contains(text, "o_proj") || contains(text, "out") || contains(text, "attn.proj"), "output");
  add(contains(text, "gate") || contains(text, "up_proj") || contains(text, "down_proj") || contains(text, "mlp") ||
          contains(text, "fc"),
      "mlp");
  return out;
}

// What the row itself says of its adapters, attention and loss rules over its source.
void row_over_source(SourceRule& rule, const Cells& cells) {
  if (!cells.text("adapter").empty())
    rule.adapter = lower(cells.text("adapter"));
  else if (!cells.blank("lora_rank"))
    rule.adapter = adapter_words(cells.text("lora_targets")) + " rank " + std::string(cells.text("lora_rank"));
  if (!cells.text("attention").empty()) rule.attention = lower(cells.text("attention"));
  if (!cells.text("loss").empty()) rule.loss = lower(cells.text("loss"));
  rule.named = !cells.text("framework").empty();
}

// "lora", "QLoRA", "peft": of the columns for it, or of the task.
std::string adapter_method(const EvidenceRow& out, const Cells& cells) {
  std::string method = lower(cells.text("method"));
  if (method.empty()) method = lower(cells.text("train_type"));
  const std::string task = lower(out.task);
  if (!method.empty() || !(contains(task, "lora") || contains(task, "peft") || contains(task, "adapter")))
    return method;
  return contains(task, "peft") ? "lora" : task;
}

bool trains_adapters(const EvidenceRow& out, const Cells& cells) {
  const std::string method = adapter_method(out, cells);
  return contains(method, "lora") || contains(method, "adapter");
}

void read_precision(EvidenceRow& out, const Cells& cells) {
  const std::string_view text = cells.text("precision");
  const std::string label = lower(text);
  std::string name = precision_label(label, out.run.framework.name == "litgpt");
  if (name.empty()) {
    const bool packed = !packed_label(label).empty() && trains_adapters(out, cells);  // the base, not the recipe
    if (!folded(label).empty() && !packed) unknown_label(out, "precision", text);
    if (out.arguments.empty()) out.assumed.emplace_back("precision bf16-mixed");
    name = "bf16-mixed";
  }
  out.run.precision = *find_precision(name);
  // Liger's norms and gates keep their inputs alone, as fused ones do.
  out.run.compiled = contains(out.notes, "torch.compile") || contains(out.notes, "Liger");
  // Gradients that a label says are accumulated in fp32.
  if (contains(label, "fp32 grad")) out.run.framework.gradients = Dtype::float32;
}

void read_zero(EvidenceRow& out, std::string_view text, const SourceRule& rule) {
  const auto sharing = sharing_label(text);
  if (!sharing) return unknown_label(out, "zero", text);
  Layout& l = out.run.layout;
  out.run.unsynced = contains(lower(text), "no_sync");
  out.run.keeps_gathered = contains(lower(text), "no_reshard");
  l.zero = sharing->zero;
  l.shard = sharing->ranks;
  out.run.offload.optimizer = sharing->offloaded && l.zero != Zero::none;
  out.run.offload.weights = sharing->offloaded && l.zero == Zero::weights;
  if (sharing->within_node) {  // unless the row says otherwise
    l.shard = out.node;
    out.assumed.emplace_back("shards within a node");
  }
  if (rule.zero == "1" && l.zero == Zero::none) l.zero = Zero::optimizer;
  if (rule.zero == "3" && text.empty() && out.devices > 1) l.zero = Zero::weights;
  if (text.empty() && out.devices > 1 && out.arguments.empty())
    out.noted.emplace_back(l.zero == Zero::none ? "zero: no states are shared (not stated)"
                                                : "zero: states are shared (the source's recipes)");
  if (l.zero == Zero::weights && !rule.known && !rule.named && !out.run.framework.planned)
    out.run.framework = *find_framework("fsdp");
  // accelerate's FSDP is FSDP1 unless version 2 is asked for.
  const std::string word = lower(text);
  if (out.run.framework.name == "huggingface" && contains(word, "fsdp") && !contains(word, "fsdp2"))
    out.run.framework = *find_framework("huggingface-fsdp");
}

void read_recompute(EvidenceRow& out, std::string_view text, const SourceRule& rule) {
  const auto recompute = recompute_label(text.empty() ? std::string_view(rule.recompute) : text);
  if (!recompute) return unknown_label(out, "recompute", text);
  out.run.recompute = *recompute;
  const bool attention = contains(lower(text), "attn") || contains(lower(text), "attention");
  if (recompute->mode == Recompute::Mode::selective && recompute->modules == Recompute::core_attention && !attention &&
      out.run.framework.products_policy)
    out.run.recompute.modules = Recompute::operators;  // torchtitan's default
  out.run.offload.activations = offloads_inputs(text);
  if (text.empty() && rule.recompute.empty() && out.arguments.empty())
    out.noted.emplace_back("recompute: nothing is recomputed (not stated)");
}

// torchtune's README: techniques one upon the other, on a full fine-tuning in bf16 with AdamW.
bool read_ladder(EvidenceRow& out) {
  static constexpr std::string_view kSteps[] = {"+packed",
                                                "+compile",
                                                "+chunked CE",
                                                "+activation checkpointing",
                                                "+optimizer in backward",
                                                "+activation offloading",
                                                "+8-bit AdamW"};
  int step = 0;
  while (step < 7 && !contains(out.notes, kSteps[step])) ++step;
  if (step == 7 || !contains(out.notes, "cumulatively")) return false;
  Run& run = out.run;
  run.precision = *find_precision("bf16-pure");
  run.compiled = step >= 1;
  run.chunked_loss = step >= 2;
  if (step >= 3) run.recompute.mode = Recompute::Mode::full;
  run.fused_optimizer = step >= 4;
  run.offload.activations = step >= 5;
  if (step >= 6) run.optimizer = *find_optimizer("adam-8bit");
  return true;
}

// Which matrices have adapters, of which rank, on a base in which format.
void read_adapter(EvidenceRow& out, const SourceRule& rule, const std::string& method,
                  const std::string& quantization) {
  LowRankAdapter& adapter = out.run.adapter;
  const std::int64_t rank = rule.adapter.empty() ? 8 : number_after(rule.adapter, "rank");  // PEFT's default: 8
  adapter.rank = contains(method, "lora") ? std::max<std::int64_t>(1, rank) : 1;
  if (rule.adapter.empty()) out.assumed.emplace_back("adapters of rank 8 on queries and values");
  const bool lora = contains(method, "lora");
  const auto adapts = [&](std::string_view word) { return lora && contains(rule.adapter, word); };
  adapter.query = adapts("query") || (lora && rule.adapter.empty());
  adapter.value = adapts("value") || (lora && rule.adapter.empty());
  adapter.key = adapts("key");
  adapter.output = adapts("output");
  adapter.mlp = adapts("mlp");
  adapter.head = adapts("head");
  adapter.dropout = adapts("dropout");
  adapter.wide = adapts("fp32");
  const bool packed = contains(method, "qlora") || contains(quantization, "nf4");
  const bool none = quantization == "none" || quantization == "no" || quantization == "-";
  if (!quantization.empty() && !contains(quantization, "nf4") && !none)
    unknown_label(out, "quantization", quantization);
  if (contains(method, "emb") && out.reason.empty())
    out.reason = "method " + method + ": embeddings trained beside adapters";
  if (packed)
    adapter.base = contains(quantization, "dq") || contains(rule.adapter, "double") ? Dtype::nf4_double : Dtype::nf4;
}

// How the base is packed: by its own column, or where the precision's label says it.
std::string packing_of(const Cells& cells) {
  const std::string own = lower(cells.text("quantization"));
  const std::string packed = packed_label(own.empty() ? cells.text("precision") : std::string_view(own));
  return packed.empty() ? own : packed;
}

// The columns of fine-tuning tables: method, quantization.
void read_tuning(EvidenceRow& out, Cells& cells, const SourceRule& rule) {
  const std::string method = adapter_method(out, cells);
  const bool by_task = !method.empty() && cells.text("method").empty() && cells.text("train_type").empty();
  if (by_task && rule.adapter.empty() && out.reason.empty())
    out.reason = "task " + out.task + ": rank and matrices of the adapters are not stated";
  const auto no_step = [&](const char* column, const std::string& word) {
    if (const std::string why = task_reason(word); !why.empty() && out.reason.empty())
      out.reason = std::string(column) + " " + word + ": " + why;
  };
  no_step("task", out.task);
  if (!by_task) no_step("method", method);
  if (method.empty()) return;
  Run& run = out.run;
  if (contains(method, "lora") || contains(method, "adapter")) read_adapter(out, rule, method, packing_of(cells));
  if (run.batch == 0 && run.framework.name == "litgpt") {
    run.batch = 128;
    out.assumed.emplace_back("global batch 128 (LitGPT's default)");
  }
  run.attention_dropout = run.hidden_dropout = false;
  run.lengths = rule.lengths;
  const std::string notes = lower(out.notes);
  if (contains(method, "full") && !contains(notes, "adam") && out.run.framework.name == "litgpt") {
    if (out.out_of_memory)
      run.optimizer = *find_optimizer("sgd");  // the least it can hold
    else
      out.reason = "the optimizer of a full fine-tuning is not stated";
  }
  run.adapter.scales_outputs = method == "adapter_v2";
  run.adapter.prompts = contains(method, "adapter");
  if (method == "adapter") run.adapter.first = 2;  // LitGPT adapter.py: adapter_start_layer
  if (cells.text("optimizer").empty() && run.framework.name == "torchtune" && !read_ladder(out))
    out.reason = "the optimizer and what the recipe recomputes are not stated";
  if (contains(lower(cells.text("sharding")), "full shard")) run.layout.zero = Zero::weights;
  if (lower(cells.text("cpu_offload")) == "true" || contains(notes, "cpu offload"))
    run.offload.weights = run.offload.optimizer = true;
  if (out.devices > 1 && rule.shards) {  // FSDPStrategy(activation_checkpointing_policy={Block})
    run.layout.zero = Zero::weights;
    run.recompute.mode = Recompute::Mode::full;
  }
}

// An optimizer that the row names rules; one that is not known leaves it out.
void read_optimizer(EvidenceRow& out, std::string_view name) {
  if (name.empty()) return;
  const auto optimizer = find_optimizer(name);
  if (optimizer.ok())
    out.run.optimizer = *optimizer;
  else
    unknown_label(out, "optimizer", name);
}

// What devices and replicas say of the axes that the row leaves empty.
void read_axes(EvidenceRow& out, Cells& cells) {
  Layout& l = out.run.layout;
  const std::int64_t replicas = cells.count("dp", 0), stated = l.tensor * l.pipeline * l.context;
  if (out.devices == 0 || replicas == 0 || !out.arguments.empty() || replicas * stated == out.devices) return;
  std::vector<std::string> empty;
  for (const char* axis : {"tp", "pp", "cp"}) {
    if (cells.blank(axis)) empty.emplace_back(axis);
  }
  const std::int64_t rest = out.devices % (replicas * stated) == 0 ? out.devices / (replicas * stated) : 0;
  if (rest == l.expert) return;  // NVIDIA's performance tables divide dp by ep as well
  if (empty.empty() || rest == 0) {
    out.noted.push_back("dp " + std::to_string(replicas) + " disagrees with n_gpus / (tp x pp x cp)");
    return;
  }
  if (empty.size() > 1 && empty.back() == "cp") empty.pop_back();  // rarely used
  if (empty.size() > 1) {
    if (out.reason.empty())
      out.reason = "tp and pp are missing: " + std::to_string(out.devices / replicas) + " devices share a replica";
    return;
  }
  (empty[0] == "tp" ? l.tensor : empty[0] == "pp" ? l.pipeline : l.context) = rest;
  out.noted.push_back(empty[0] + " " + std::to_string(rest) + " (n_gpus / dp)");
}

// Layers of each pipeline stage, "11+5", where they are not even.
void read_stages(EvidenceRow& out, std::string_view text) {
  if (text.empty()) return;
  std::int64_t sum = 0;
  std::vector<std::int64_t> stages;
  for (const std::string_view part : split(text, '+')) {
    stages.push_back(number_after(part, ""));
    if (stages.back() <= 0 || stages.back() > out.shape.layers) return unknown_label(out, "stages", text);
    sum += stages.back();
  }
  Layout& l = out.run.layout;
  if (sum != out.shape.layers || static_cast<std::int64_t>(stages.size()) != l.pipeline * l.chunks)
    return unknown_label(out, "stages", text);
  l.stages = std::move(stages);
}

void read_layout(EvidenceRow& out, Cells& cells) {
  Layout& l = out.run.layout;
  out.devices = cells.count("n_gpus", 0);
  l.tensor = std::max<std::int64_t>(1, cells.count("tp", 1));
  l.pipeline = std::max<std::int64_t>(1, cells.count("pp", 1));
  l.chunks = std::max<std::int64_t>(1, cells.count("vp", 1));
  l.context = std::max<std::int64_t>(1, cells.count("cp", 1));
  l.expert = std::max<std::int64_t>(1, cells.count("ep", 1));
  l.expert_tensor = cells.count("etp", l.expert > 1 ? 1 : 0);
  l.micro_batch = cells.count("micro_batch", cells.count("batch_per_gpu", 0));
  if (l.pipeline == 1) l.chunks = 1;
  if (l.chunks > 1) l.schedule = Schedule::interleaved;
  bound_layout(out);
  read_stages(out, cells.text("stages"));
  read_axes(out, cells);
  const auto sp = cells.number("sp");
  l.sequence_parallel = l.tensor > 1 && (sp ? *sp > 0 : l.expert > 1);
  out.node = cells.count("gpus_per_node", 8);
  out.run.batch = cells.count("global_batch", number_after(lower(out.notes), "global batch"));
  if (out.run.batch == 0 && out.shape.sequence > 0)
    out.run.batch = cells.length("global_batch_tokens", 0, Suffix::decimal) / out.shape.sequence;
  const std::int64_t replicas = cells.count("dp", 0);
  if (out.devices == 0 && replicas > 0) out.devices = replicas * l.tensor * l.pipeline * l.context;
  out.accumulated = cells.count("grad_accum", 0);
}

// Data-parallel degree and what depends on it, once devices and the model axes are settled.
void settle(EvidenceRow& out) {
  Layout& l = out.run.layout;
  const std::int64_t model = l.tensor * l.pipeline * l.context;
  if (out.devices > 0) {
    if (out.devices % model != 0) {
      if (out.reason.empty())
        out.reason = std::to_string(out.devices) +
                     " devices are not a multiple of tensor x pipeline x context = " + std::to_string(model);
      return;
    }
    l.data = out.devices / model;
  }
  // Fewer sequences than data ranks (MaxText: a fractional per_device_batch_size): several share each.
  const bool fractional = out.run.framework.planned && l.context == 1 && l.micro_batch <= 1 && out.run.batch > 0;
  if (fractional && l.data > out.run.batch && l.data % out.run.batch == 0) {
    l.context = l.data / out.run.batch;
    l.data = out.run.batch;
    out.noted.push_back("context " + std::to_string(l.context) + " (fewer sequences than data ranks)");
  }
  if (out.instances > 1) l.shard = std::max<std::int64_t>(1, l.data * l.context / out.instances);
  if (l.shard > l.data * l.context) l.shard = 0;  // fewer replicas than a group holds: all of them share
  if (l.micro_batch == 0 && out.accumulated > 0 && out.run.batch > 0 && l.data > 0) {
    l.micro_batch = std::max<std::int64_t>(1, out.run.batch / l.data / out.accumulated);
  } else if (l.micro_batch == 0 && out.run.batch > 0 && l.data > 0 && l.pipeline == 1) {
    l.micro_batch = std::max<std::int64_t>(1, out.run.batch / l.data);
    out.assumed.emplace_back("one micro-batch per step");
  }
  if (out.run.batch == 0 && out.accumulated > 0 && out.accumulated <= 1'000'000)
    out.run.batch = l.micro_batch * l.data * out.accumulated;
  if (out.run.batch == 0) out.run.batch = l.micro_batch * l.data * (l.pipeline > 1 ? l.pipeline * 2 : 1);
}

void check_row(EvidenceRow& out) {
  if (!out.reason.empty()) return;
  const DecoderShape& s = out.shape;
  const Layout& l = out.run.layout;
  if (s.layers <= 0 || s.width <= 0)
    out.reason = "layers or hidden is missing" +
                 (out.model.empty() ? std::string() : ", and no model called '" + out.model + "' is shipped");
  else if (s.vocabulary <= 0)
    out.reason = "vocab is missing";
  else if (s.sequence <= 0)
    out.reason = "seq_len is missing";
  else if (l.micro_batch <= 0)
    out.reason = "micro_batch is missing";
  else if (out.devices == 0 && (l.zero != Zero::none || l.expert > 1)) {
    const auto few = [](std::int64_t n) { return std::clamp<std::int64_t>(n, 1, 1000); };
    const std::int64_t dense = few(l.tensor) * few(l.context), experts = few(l.expert) * few(l.expert_tensor_of());
    out.reason = std::string("n_gpus is missing, and the ") +
                 (l.zero != Zero::none ? "optimizer states are shared" : "experts are spread") +
                 " over the devices (a multiple of " + std::to_string(few(l.pipeline) * std::lcm(dense, experts)) + ")";
  }
  if (!out.reason.empty()) return;
  const Diagnostics problems = validate(s);
  if (!problems.empty()) out.reason = problems.front().message;
  if (s.experts > 0 && s.experts % l.expert != 0) out.reason = "ep does not divide the experts";
  if (const std::int64_t ranks = l.data * l.tensor * l.context; l.expert > 1 && l.expert * l.expert_tensor_of() > ranks)
    out.reason = "ep x etp = " + std::to_string(l.expert * l.expert_tensor_of()) + " is more than the " +
                 std::to_string(ranks) + " ranks of a pipeline stage";
  if (out.rank == RankSeen::given && out.given_rank >= l.devices())
    out.reason = "rank " + std::to_string(out.given_rank) + " of " + std::to_string(l.devices()) + " devices";
  if (l.stages.empty() && l.model_chunks() > s.layers) out.reason = "more pipeline chunks than layers";
}

}  // namespace

void unknown_label(EvidenceRow& out, const char* column, std::string_view label) {
  if (out.reason.empty() && out.arguments.empty())
    out.reason = std::string(column) + ": \"" + std::string(label) + "\" is not a known label";
}

void bound_layout(EvidenceRow& out) {
  Layout& l = out.run.layout;
  const struct {
    const char* name;
    std::int64_t* value;
    std::int64_t most;
  } sizes[] = {
      {"tensor parallelism", &l.tensor, 100'000},       {"pipeline parallelism", &l.pipeline, 100'000},
      {"virtual stages", &l.chunks, 100'000},           {"context parallelism", &l.context, 100'000},
      {"expert parallelism", &l.expert, 100'000},       {"expert tensor parallelism", &l.expert_tensor, 100'000},
      {"the micro-batch", &l.micro_batch, 1'000'000},   {"devices", &out.devices, 10'000'000},
      {"the batch", &out.run.batch, 1'000'000'000'000}, {"shared by", &l.shard, 10'000'000}};
  for (const auto& size : sizes) {
    if (*size.value >= 0 && *size.value <= size.most) continue;
    if (out.reason.empty())
      out.reason = std::string(size.name) + ": " + std::to_string(*size.value) + " is not between 0 and " +
                   std::to_string(size.most);
    *size.value = 1;
  }
}

namespace {

// The framework a row names, or that of its source. One device, or data parallelism alone: plain PyTorch; TPUs: XLA.
void read_framework(EvidenceRow& out, Cells& cells, const SourceRule& rule) {
  const std::string_view named = cells.text("framework");
  const auto framework = find_framework(named.empty() ? std::string_view(rule.framework) : named);
  if (framework.ok()) out.run.framework = *framework;
  if (!framework.ok() && !named.empty()) unknown_label(out, "framework", named);
  if (rule.known || !named.empty()) return;
  bool split = !cells.text("arguments").empty();
  for (const char* axis : {"tp", "pp", "cp", "ep"}) split = split || cells.count(axis, 1) > 1;
  if (generation_of(cells.text("gpu")) == "tpu")
    out.run.framework = *find_framework("maxtext");  // XLA plans the memory of TPUs, whoever calls it
  else if (!split)
    out.run.framework = *find_framework("pytorch");
  out.assumed.push_back("framework " + out.run.framework.name);
}

// How the loss is made, and what of the vocabulary tensor ranks hold whole.
void read_loss(EvidenceRow& out, std::string_view label) {
  out.run.loss_in_place = label == "in-place";
  out.run.chunked_loss = out.run.chunked_loss || label == "chunked";
  // cross_entropy of 16-bit logits: log-softmax, its gradient, the logits' gradient; the logits where a variable holds
  // them.
  if (contains(label, "16-bit")) out.run.narrow_loss = contains(label, "held") ? 4 : 3;
  // Under autocast cross_entropy is fp32: its input's copy or gradient, log-softmax, that one's gradient; what a
  // variable holds accelerate has made fp32 too (utils/operations.py: convert_outputs_to_fp32), beside the 16-bit ones.
  if (contains(label, "16-bit") && contains(label, "autocast")) out.run.narrow_loss += contains(label, "held") ? 5 : 3;
  out.run.whole_logits = contains(label, "whole");
  out.run.whole_embedding = contains(label, "embedding");
  out.run.linear_loss = label == "linear" || contains(out.task, "classification");
}

// Until transformers 4.46 a model's forward pass gave the name of its logits to their fp32 copy (modeling_llama.py:
// logits = logits.float()); since then its caller holds the 16-bit ones while the loss is made (loss/loss_utils.py).
void read_version(EvidenceRow& out, std::string_view label) {
  Framework& f = out.run.framework;
  if (f.name.compare(0, 11, "huggingface") != 0) return;
  const std::int64_t minor = number_after(out.notes, "transformers 4.");
  if (minor > 0 && minor < 46) {
    f.loss_forward = f.loss_backward = std::min(f.loss_forward, 12.0);
    f.loss_blocks = std::max(f.loss_blocks, 2.0);
  }
  // A loop of its own whose variable holds the outputs, with them the fp32 logits, until the next ones are there.
  if (label == "held" && f.loss_forward == 12) f.loss_backward = f.loss_forward + 4;
}

EvidenceRow read_row(const Csv& csv, std::size_t row, std::uint64_t line, const FindModel& find) {
  EvidenceRow out;
  Cells cells(csv, row, line, out);
  out.row = row;
  out.id = cells.text("id");
  if (out.id.empty()) out.id = "line " + std::to_string(line);
  out.source = cells.text(csv.find("src") ? "src" : "source");
  if (csv.find("train_type") && out.source.empty()) out.source = "AnswerDotAI/fsdp_qlora";
  out.model = cells.text("model");
  out.arch = lower(cells.text("arch"));
  out.task = cells.text("task");
  out.arguments = cells.text("arguments");
  out.notes = cells.text("notes");
  SourceRule rule = rule_for(out.source, cells.text("gpu"), out.model);
  row_over_source(rule, cells);
  out.run = default_run();
  read_framework(out, cells, rule);
  out.run.device = lower(cells.text("gpu"));
  out.generation = generation_of(cells.text("gpu"));
  read_model(out, cells);
  read_layout(out, cells);
  read_named_model(out);
  read_precision(out, cells);
  read_zero(out, cells.text("zero"), rule);
  read_recompute(out, cells.text("recompute"), rule);
  read_recipe(out, cells, rule.micro_batch, rule.known);
  if (rule.fp8_weights) out.run.precision.copies.clear();
  if ((rule.sequence_parallel || !rule.known) && out.run.layout.tensor > 1 && cells.blank("sp")) {
    out.run.layout.sequence_parallel = true;
    out.assumed.emplace_back(rule.known ? "sequence parallelism (the source's recipes)"
                                        : "sequence parallelism with tensor parallelism");
  }
  if (const auto format = find_dtype(rule.gradients); format && !rule.gradients.empty())
    out.run.framework.gradients = *format;
  read_loss(out, rule.loss);
  read_version(out, rule.loss);
  if (rule.balanced) out.run.expert_load = 1;
  out.run.fused_attention = !contains(rule.attention, "unfused") && !out.run.softcapped;
  out.run.caches_keys = contains(rule.attention, "cached");
  out.run.attention_dropout = out.run.hidden_dropout = !out.shape.gated && rule.dropout;
  out.parameters = cells.amount("params");
  out.meter = rule.meter;
  out.rank = rule.rank;
  read_measured(out, cells, rule.unit, rule.known);
  if (const auto optimizer = find_optimizer(rule.optimizer); !rule.optimizer.empty() && optimizer.ok())
    out.run.optimizer = *optimizer;
  read_tuning(out, cells, rule);
  read_optimizer(out, cells.text("optimizer"));
  if (!out.arguments.empty()) apply_megatron_arguments(out);
  if (out.devices == 0 && rule.devices > 0 && !contains(out.model, "release")) {
    out.devices = rule.devices;
    out.noted.push_back("devices " + std::to_string(rule.devices) + " (the source's recipes)");
  }
  out.framework = out.run.framework.name;
  if (out.run.framework.unties) out.shape.tied = false;
  if (find) read_shipped(out, find);
  settle(out);
  check_row(out);
  check_parameters(out);
  return out;
}

}  // namespace

void describe_model(const EvidenceRow& row, Sink& sink) {
  if (row.network != nullptr)
    replay(*row.network, sink);
  else
    describe_decoder(row.shape, sink);
  if (row.network != nullptr || row.shape.mask != AttentionMask::none) return;
  const DecoderShape& s = row.shape;
  if (contains(row.task, "classification")) {  // transformers BertForSequenceClassification: a pooler, and few classes
    sink.add(linear("pooler.dense", 1, s.width, s.width, true, Component::head));
    return;
  }
  // Megatron-LM core/models/bert (bert_lm_head.py, pooler.py): every tensor rank has the whole of both.
  sink.add(linear("lm_head.dense", s.sequence, s.width, s.width, true, Component::head));
  sink.add(activation("lm_head.gelu", s.sequence * s.width, Activation::gelu));
  sink.add(norm("lm_head.layer_norm", s.norm, s.sequence, s.width));
  if (row.binary_head) sink.add(linear("pooler.dense", 1, s.width, s.width, true, Component::head));
}

Result<std::vector<EvidenceRow>> read_evidence(const Csv& csv, const FindModel& find) {
  int known = 0;
  for (const std::string_view column :
       {"layers", "hidden", "seq_len", "gpu", "iter_time_s", "micro_batch", "id", "model", "context_length"}) {
    known += csv.find(column) ? 1 : 0;
  }
  known += has_memory_column(csv) ? 1 : 0;
  if (known < 2) {
    return error("evidence-columns", "this table has none of the columns of a measured or a published run",
                 csv.columns() > 0 ? csv.header_span(0) : Span{},
                 "columns such as id, layers, hidden, heads, ffn, vocab, seq_len, gpu, n_gpus, tp, pp, micro_batch, "
                 "global_batch, precision, mem_alloc_gib; or model, parameters, tokens and training_compute_flop");
  }
  std::vector<EvidenceRow> rows;
  rows.reserve(csv.rows());
  RowLines lines(csv);
  for (std::size_t row = 0; row < csv.rows(); ++row) rows.push_back(read_row(csv, row, lines.line_of(row), find));
  return rows;
}

}  // namespace floptally
