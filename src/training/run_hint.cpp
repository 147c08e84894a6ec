#include "training/run_hint.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

#include "base/nearest.h"
#include "base/split.h"
#include "document/flow_text.h"
#include "training/optimizer.h"
#include "training/precision.h"
#include "training/run_tables.h"
#include "training/run_words.h"
#include "training/table.h"

namespace floptally {
namespace {

constexpr std::string_view kGroups[] = {"train", "hardware", "layout", "adapter", "offload", "inference"};

bool on(const Node& node) {
  const std::string word = folded(node.text());
  return word == "true" || word == "yes" || word == "on" || word == "1" || word == "auto";
}
bool off(const Node& node) {
  const std::string word = folded(node.text());
  return node.is_null() || word == "false" || word == "no" || word == "off" || word == "none" || word == "null";
}

const RunWord* word_of(std::string_view key, std::span<const RunWord> words) {
  const std::string plain = folded(key);
  for (const RunWord& entry : words)
    for (const std::string_view word : split(entry.words, '|'))
      if (word == plain) return &entry;
  return nullptr;
}

// The path of the mapping in `table` that has `key`, with its last dot: "hardware." for "devices".
std::optional<std::string> home_of(const FieldTable& table, std::string_view key) {
  for (const std::string_view group : kGroups) {  // `inference` is last: a batch is one of training
    const Field* field = table.find(group);
    if (field != nullptr && field->table != nullptr && field->table->find(key) != nullptr)
      return std::string(group) + ".";
  }
  return std::nullopt;
}

// "zero3", "stage_2", "full_shard", true.
std::optional<std::string> zero_stage(const Node& node) {
  const std::string word = folded(node.text());
  if (off(node) || word == "noshard" || word == "ddp") return std::nullopt;
  if (const std::size_t digit = word.find_first_of("0123"); digit != std::string::npos)
    return std::string(1, word[digit]);
  if (word == "shardgradop") return "2";
  return word == "distributedoptimizer" ? "1" : "3";
}

std::optional<std::string> recipe(const Node& node) {
  const std::string word = folded(node.text());
  if (off(node) || word == "auto" || word == "true") return std::nullopt;
  const std::string plain = word.starts_with("torch") ? word.substr(5) : word;
  for (const std::string& name : {std::string(node.text()), plain})
    if (const Result<Precision> found = find_precision(name); found.ok()) return found->name;
  return flow_text(node);
}

std::optional<std::string> optimizer_name(const Node& node) {
  if (node.is_mapping()) {
    for (const char* key : {"name", "type", "_target_", "optimizer"})
      if (const Node inner = node.find(key)) return optimizer_name(inner);
    return std::nullopt;
  }
  const std::string word = folded(node.text());
  if (const Result<Optimizer> found = find_optimizer(node.text()); found.ok()) return found->name;
  if (word.find("8bit") != std::string::npos && word.find("adam") != std::string::npos) return "adam-8bit";
  for (const char* name : {"adafactor", "adamw", "adam", "lion", "muon", "shampoo", "soap", "sgd"})
    if (word.find(name) != std::string::npos) return std::string(name) == "adam" ? "adamw" : name;
  return flow_text(node);
}

std::optional<std::string> recomputed(const Node& node) {
  if (node.is_mapping()) {
    const Node mode = node.find("mode");
    bool ours = true;
    for (const Node child : node) ours = ours && kRunRecompute.find(child.key()) != nullptr;
    return ours ? flow_text(node) : mode ? recomputed(mode) : std::optional<std::string>("full");
  }
  const std::string word = folded(node.text());
  if (off(node)) return std::nullopt;
  if (word == "selective" || word == "full") return word;
  if (word == "op" || word == "selectiveop" || word == "sac") return "{mode: selective, modules: [operators]}";
  return word == "coreattn" || word == "coreattention" ? "selective" : "full";
}

// Megatron-LM's and PyTorch's names: "interleaved_1f1b", "ZBVZeroBubble".
std::string schedule(const Node& node) {
  const std::string word = folded(node.text());
  for (const auto& [part, ours] :
       {std::pair("interleaved", "interleaved"), std::pair("dualpipev", "dualpipe-v"),
        std::pair("dualpipe", "dualpipe"), std::pair("zbv", "zb-v"), std::pair("zbh2", "zb-h2"),
        std::pair("zerobubble", "zb-h1"), std::pair("1f1b", "1f1b"), std::pair("gpipe", "gpipe")})
    if (word.find(part) != std::string::npos) return ours;
  return flow_text(node);
}

// PEFT's modules in our words.
std::string adapted(const Node& node) {
  constexpr std::pair<std::string_view, std::string_view> kModulesOf[] = {
      {"q", "query"},   {"query", "query"}, {"wq", "query"}, {"k", "key"},    {"key", "key"},    {"wk", "key"},
      {"v", "value"},   {"value", "value"}, {"wv", "value"}, {"o", "output"}, {"out", "output"}, {"output", "output"},
      {"wo", "output"}, {"gate", "mlp"},    {"up", "mlp"},   {"down", "mlp"}, {"mlp", "mlp"},    {"fc1", "mlp"},
      {"fc2", "mlp"},   {"lmhead", "head"}, {"head", "head"}};
  std::vector<std::string_view> found;
  const auto add = [&](std::string_view word) {
    if (std::find(found.begin(), found.end(), word) == found.end()) found.push_back(word);
  };
  const auto read = [&](std::string_view text) {
    std::string word = folded(text);
    if (word.find("all") != std::string::npos)
      for (const std::string_view each : {"query", "key", "value", "output", "mlp"}) add(each);
    if (word == "qkvproj" || word == "querykeyvalue" || word == "cattn")
      for (const std::string_view each : {"query", "key", "value"}) add(each);
    if (word.size() > 4 && word.ends_with("proj")) word.resize(word.size() - 4);
    for (const auto& [module, ours] : kModulesOf)
      if (word == module) add(ours);
  };
  if (node.is_sequence())
    for (const Node each : node) read(each.text());
  else
    for (const std::string_view each : split(node.text(), ',')) read(each);
  std::string out;
  for (const std::string_view word : found) out += (out.empty() ? "" : ", ") + std::string(word);
  return "[" + (out.empty() ? std::string("query, value") : out) + "]";
}

class Rewriter {
 public:
  explicit Rewriter(RunHint& out) : out_(out) {}

  void read(const Node& root) {
    walk(root, &kRunFileTable, "");
    finish();
    write();
  }

 private:
  void walk(const Node& mapping, const FieldTable* table, const std::string& prefix) {
    for (const Node child : mapping) child_of(child, table, prefix);
  }
  void child_of(const Node& child, const FieldTable* table, const std::string& prefix);
  // Puts the value of `child` at `path`; whether it says anything there.
  void place(const Node& child, const std::string& path, std::string_view flag = {});
  std::optional<std::string> value_at(const Node& child, const std::string& path, std::string_view flag);
  void device(const Node& child);
  void adapter(const Node& child);
  void set(const Node& child, const std::string& path, std::string value);
  void finish();
  void write();
  [[nodiscard]] std::int64_t whole(const std::string& path, std::int64_t otherwise) const;

  RunHint& out_;
  std::vector<std::pair<std::string, std::string>> values_;  // by path, in the order of the file
  std::int64_t accumulate_ = 0;
  bool adapted_ = false;  // adapters, of a rank that may stand elsewhere
  bool sharded_ = false;  // by the words of PyTorch's FSDP
  bool hugging_ = false;  // by the words of Hugging Face's libraries
};

void Rewriter::set(const Node& child, const std::string& path, std::string value) {
  const auto at = std::find_if(values_.begin(), values_.end(), [&](const auto& each) { return each.first == path; });
  if (at == values_.end())
    values_.emplace_back(path, value);
  else if (path == "adapter.base" && value == "nf4-dq")  // says more than nf4
    at->second = value;
  out_.moved.push_back({std::string(child.key()), path, std::move(value), child.key_span(), child.span()});
}

void Rewriter::child_of(const Node& child, const FieldTable* table, const std::string& prefix) {
  const std::string_view key = child.key();
  if (const Field* field = table != nullptr ? table->find(key) : nullptr) {
    const std::string path = prefix + std::string(key);
    const bool group = prefix.empty() && std::find(std::begin(kGroups), std::end(kGroups), key) != std::end(kGroups);
    if (group && child.is_mapping()) return walk(child, field->table, path + ".");
    return place(child, path);
  }
  if (table != nullptr && table->open) return place(child, prefix + std::string(key));
  if (prefix == "inference.") {
    if (const RunWord* word = word_of(key, kServingWords)) return place(child, std::string(word->path));
  }
  if (const RunWord* word = word_of(key, kRunWords)) {
    const std::string plain = folded(key);
    sharded_ = sharded_ || plain.starts_with("fsdp") || plain == "dataparallelsharddegree" || plain == "dpshard";
    for (const std::string_view each :
         {"perdevicetrainbatchsize", "basemodel", "modelnameorpath", "loadin4bit", "lorar", "gradientcheckpointing",
          "torchdtype", "attnimplementation", "finetuningtype"})
      hugging_ = hugging_ || plain == each;
    return place(child, std::string(word->path), word->value);
  }
  if (kRunFileTable.find(key) != nullptr && !prefix.empty()) return place(child, std::string(key));
  if (const auto home = home_of(kRunFileTable, key)) return place(child, *home + std::string(key));
  if (child.is_mapping()) return walk(child, nullptr, std::string(key) + ".");  // a group of another program
  constexpr std::size_t kShort = 5, kMistakes = 2;                              // of a word that is only mistyped
  for (const Field& field : table != nullptr ? table->fields : std::span<const Field>{})
    if (key.size() >= kShort && edit_distance(key, field.key, kMistakes) <= kMistakes)
      return place(child, prefix + std::string(field.key));
  out_.left_out.emplace_back(key);
}

void Rewriter::device(const Node& child) {
  const std::string_view text = child.text();
  std::int64_t count = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), count);
  std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  const bool times = !rest.empty() && (rest.front() == 'x' || rest.front() == '*' || rest.front() == 'X');
  if (status != std::errc{} || count <= 0 || (!rest.empty() && !times))
    return set(child, "hardware.device", flow_text(child));
  set(child, "hardware.devices", std::to_string(count));
  if (rest.empty()) return;
  rest.remove_prefix(1);
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  set(child, "hardware.device", std::string(rest));
}

void Rewriter::adapter(const Node& child) {
  if (child.is_mapping()) {
    out_.moved.push_back({std::string(child.key()), "adapter", {}, child.key_span(), child.span()});
    return walk(child, &kRunAdapter, "adapter.");
  }
  const std::string word = folded(child.text());
  if (word == "full" || off(child)) return;
  std::int64_t rank = 0;
  const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), rank);
  const bool number = status == std::errc{} && end == word.data() + word.size() && rank > 0;
  if (number && word != "1") return set(child, "adapter.rank", word);
  adapted_ = true;
  out_.moved.push_back({std::string(child.key()), "adapter", {}, child.key_span(), child.span()});
  if (word == "qlora" || folded(child.key()) == "qlora") set(child, "adapter.base", "nf4");
}

std::optional<std::string> Rewriter::value_at(const Node& child, const std::string& path, std::string_view flag) {
  if (!flag.empty()) {
    const Node enabled = child.is_mapping() ? child.find("enabled") : child;
    if (off(enabled)) return std::nullopt;
    if (child.is_mapping() || on(child) || path != "layout.zero") return std::string(flag);
  }
  if (path == "layout.zero") return child.is_mapping() ? std::optional<std::string>("3") : zero_stage(child);
  if (path == "precision" && !child.is_mapping()) return recipe(child);
  if (path == "optimizer") return optimizer_name(child);
  if (path == "recompute") return recomputed(child);
  if (path == "adapter.targets") return adapted(child);
  if (path == "adapter.base" && flag.empty()) {
    const std::string word = folded(child.text());
    return word == "4bit" || word == "bnb4bit"   ? "nf4"
           : word == "8bit" || word == "bnb8bit" ? "int8"
                                                 : flow_text(child);
  }
  if (path == "layout.schedule") return schedule(child);
  if (path == "adapter.dropout" && !child.is_mapping()) {
    const auto rate = child.as_double();
    return rate ? std::optional<std::string>(*rate > 0 ? "true" : "false") : flow_text(child);
  }
  if (path.starts_with("offload.")) {
    const Node where = child.is_mapping() ? child.find("device") : child;
    return off(where) ? std::nullopt : std::optional<std::string>("true");
  }
  if (path == "attention") {
    const std::string word = folded(child.text());
    if (word == "fused" || word == "flash" || word.starts_with("unfused")) return flow_text(child);
    return word == "eager" || word == "math" || word == "local" ? "unfused" : "fused";
  }
  if (path == "model" && child.is_mapping() && child.find("flavor") && child.find("name"))  // torchtitan's
    return std::string(child.find("name").text()) + "-" + std::string(child.find("flavor").text());
  if (path == "layout.shard" && child.text().starts_with("-")) return std::nullopt;  // all
  if (path == "model" && child.is_mapping() && !child.find("from") && !child.find("kind"))
    for (const char* key : {"name", "name_or_path", "path", "hf_model", "id"})
      if (const Node name = child.find(key)) return flow_text(name);
  return flow_text(child);
}

void Rewriter::place(const Node& child, const std::string& path, std::string_view flag) {
  if (path == "run") return;
  if (path == "accumulate") {
    accumulate_ = child.as_integer() && child.as_integer()->fits_int64() ? child.as_integer()->to_int64() : 0;
    out_.moved.push_back({std::string(child.key()), "train.batch", {}, child.key_span(), child.span()});
    return;
  }
  const bool list = child.is_sequence();
  if ((path == "hardware.device" || path == "hardware.devices" || path == "hardware") && child.is_scalar())
    return device(child);
  if (path == "adapter" && !list) return adapter(child);
  if (path == "layout" && child.is_scalar()) return place(child, "layout.zero");
  const std::string word = folded(child.text());
  if (path == "offload" && (on(child) || word == "cpu")) return set(child, path, "[optimizer]");
  if (path == "offload" && off(child)) return;
  if (path == "inference" && child.is_scalar()) return on(child) ? set(child, "inference.batch", "1") : void();
  if (path == "train" && child.is_scalar()) return set(child, "train.tokens", flow_text(child));
  if (std::optional<std::string> value = value_at(child, path, flag)) set(child, path, *std::move(value));
}

std::int64_t Rewriter::whole(const std::string& path, std::int64_t otherwise) const {
  for (const auto& [at, value] : values_) {
    std::int64_t number = 0;
    const auto [end, status] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (at == path && status == std::errc{} && end == value.data() + value.size() && number > 0 && number < (1 << 20))
      return number;
  }
  return otherwise;
}

// What follows from other words of the file: adapters, a framework, the batch of a step that gives its micro-batches.
void Rewriter::finish() {
  const auto has = [&](std::string_view path) {
    return std::any_of(values_.begin(), values_.end(), [&](const auto& each) { return each.first == path; });
  };
  if (adapted_ && !has("adapter.rank")) values_.emplace_back("adapter.rank", "8");  // PEFT's
  if (sharded_ && !has("layout.zero")) values_.emplace_back("layout.zero", "3");
  const bool split = has("layout.tensor") || has("layout.pipeline") || has("layout.context");
  hugging_ = hugging_ && !split;
  if ((sharded_ || hugging_) && !has("framework")) values_.emplace_back("framework", hugging_ ? "huggingface" : "fsdp");
  if (accumulate_ <= 0 || accumulate_ > (1 << 20) || has("train.batch")) return;
  const std::int64_t model = whole("layout.tensor", 1) * whole("layout.pipeline", 1) * whole("layout.context", 1);
  const std::int64_t data = std::max<std::int64_t>(1, whole("hardware.devices", 1) / std::max<std::int64_t>(1, model));
  const std::int64_t batch = accumulate_ * whole("layout.micro_batch", 1) * data;
  values_.emplace_back("train.batch", std::to_string(batch));
  for (RunHint::Moved& moved : out_.moved)
    if (moved.path == "train.batch" && moved.value.empty()) moved.value = std::to_string(batch);
}

// Groups on a line each, in the order of the reference.
void Rewriter::write() {
  std::string& text = out_.text;
  text = "run: 1\n";
  for (const Field& field : kRunFileTable.fields) {
    std::string group, single;
    for (const auto& [path, value] : values_) {
      const std::size_t dot = path.find('.');
      if (path.substr(0, dot) != field.key || path == "run") continue;
      if (dot == std::string::npos)
        single = value;
      else if (field.key == "offload")
        group += (group.empty() ? "" : ", ") + path.substr(dot + 1);
      else
        group += (group.empty() ? "" : ", ") + path.substr(dot + 1) + ": " + value;
    }
    if (!group.empty())
      text += std::string(field.key) + ": " + (field.key == "offload" ? "[" + group + "]\n" : "{" + group + "}\n");
    else if (!single.empty())
      text += std::string(field.key) + ": " + single + "\n";
  }
}

// The key that stands at that place, as it should be: "layout: {zero: 3}"; empty where nothing is known.
template <class Test>
std::string meant(const RunHint& hint, const Test& test) {
  std::string group, inner;
  for (const RunHint::Moved& each : hint.moved) {
    if (each.value.empty() || !test(each)) continue;
    const std::size_t dot = each.path.find('.');
    group = each.path.substr(0, dot);
    if (dot == std::string::npos) return group + ": " + each.value;
    if (group == "offload") return "offload: " + each.path.substr(dot + 1);
    inner += (inner.empty() ? "" : ", ") + each.path.substr(dot + 1) + ": " + each.value;
  }
  return inner.empty() ? std::string() : group + ": {" + inner + "}";
}

// What to write for a task of other programs, which no key names.
std::string task_help(const Node& root) {
  for (const Node child : root) {
    const std::string key = folded(child.key()), task = folded(child.text());
    if (key != "task" && key != "objective" && key != "method" && key != "stage" && key != "rl") continue;
    const auto says = [&](std::string_view word) { return task.find(word) != std::string::npos; };
    if (says("dpo") || says("kto") || says("ipo"))
      return std::string(child.text()) +
             " holds pairs of sequences and a frozen reference model: write twice the micro_batch, and add the bytes "
             "of "
             "the reference's weights (none where adapters are trained)";
    if (says("ppo") || says("grpo") || says("rlhf"))
      return std::string(child.text()) +
             " holds several models and generates: each is a run, or `inference`, of its own";
    if (says("infer") || says("serv") || says("generat")) return "serving is 'inference: {batch: 1, context: 4k}'";
    return "a run trains all weights, or its 'adapter' alone: leave '" + std::string(child.key()) + "' out";
  }
  return {};
}

bool about_keys(const Diagnostic& problem) {
  return problem.code == "unknown-key" || problem.code == "wrong-type" || problem.code == "missing-key";
}

std::string listed(const std::vector<RunHint::Moved>& moved, const Diagnostics& problems) {
  std::string out;
  for (const Diagnostic& problem : problems) {
    if (problem.code == "missing-key" || !about_keys(problem) || problem.labels.empty()) continue;
    for (const RunHint::Moved& each : moved) {
      if (each.at.begin != problem.labels.front().span.begin || each.at.source != problem.labels.front().span.source)
        continue;
      out += (out.empty() ? "" : ", ") + each.key + " (" + each.path + ")";
      break;
    }
  }
  return out;
}

}  // namespace

RunHint run_hint(const Node& root) {
  RunHint out;
  if (root.is_mapping()) Rewriter(out).read(root);
  return out;
}

void explain_values(const Node& root, Diagnostics& problems) {
  constexpr std::string_view kOfValues[] = {"unknown-word",      "not-a-quantity",        "unknown-optimizer",
                                            "unknown-precision", "unknown-number-format", "wrong-type"};
  constexpr std::size_t kMost = 1000;  // a file with more keys is none of a run
  if (root.size() > kMost) return;
  std::optional<RunHint> hint;
  for (Diagnostic& problem : problems) {
    if (std::find(std::begin(kOfValues), std::end(kOfValues), problem.code) == std::end(kOfValues)) continue;
    if (problem.labels.empty() || problem.help.starts_with("here that is")) continue;
    if (!hint) hint = run_hint(root);
    const Span at = problem.labels.front().span;
    const std::string line = meant(*hint, [&](const RunHint::Moved& each) {
      const Span& whole = each.whole;
      if (whole.source != at.source || at.begin < whole.begin || at.end > whole.end) return false;
      return each.value != std::string_view(whole.source->text).substr(whole.begin, whole.end - whole.begin);
    });
    if (!line.empty()) problem.help = "here that is '" + line + "'";
  }
}

bool explain_keys(const Node& root, Diagnostics& problems,
                  const std::function<Diagnostics(const std::string& text)>& others) {
  const auto count = std::count_if(problems.begin(), problems.end(), about_keys);
  constexpr long kMost = 100;  // beyond this a file means something else
  if (count == 0 || count > kMost) return false;
  const RunHint hint = run_hint(root);
  if (count == 1) {
    for (Diagnostic& problem : problems) {
      if (!about_keys(problem) || problem.labels.empty()) continue;
      const Span at = problem.labels.front().span;
      const std::string line = meant(
          hint, [&](const RunHint::Moved& each) { return each.at.begin == at.begin || each.whole.begin == at.begin; });
      const bool vague =
          problem.help.empty() || problem.help.starts_with("known here") || line.starts_with("inference");
      if (!line.empty() && vague) problem.help = "here that is '" + line + "'";
      const std::string task = problem.code == "unknown-key" ? task_help(root) : std::string();
      if (!task.empty() && line.empty()) problem.help = task;
    }
    return false;
  }
  const std::string keys = listed(hint.moved, problems);
  if (keys.empty()) return false;  // nothing that the hint knows better
  Diagnostic folded_one = error("run-keys", "keys of a RUN file stand elsewhere or have other names: " + keys);
  for (const Diagnostic& problem : problems) {
    if (!about_keys(problem)) continue;
    const bool missing = problem.code == "missing-key";
    if (folded_one.labels.empty() ||
        (!missing && folded_one.labels.front().span.begin > problem.labels.front().span.begin))
      folded_one.labels = problem.labels;
    if (missing && problem.message.starts_with("'run'")) folded_one.message += "; 'run: 1' is missing";
  }
  folded_one.help = "the same as a RUN file (`floptally reference run` lists the keys):\n\n" + hint.text;
  if (!hint.left_out.empty()) {
    constexpr std::size_t kListed = 12;
    std::string names;
    for (std::size_t i = 0; i < hint.left_out.size() && i < kListed; ++i)
      names += (names.empty() ? "" : ", ") + hint.left_out[i];
    if (hint.left_out.size() > kListed) names += " and " + std::to_string(hint.left_out.size() - kListed) + " more";
    folded_one.help += "\nno answer stands on: " + names;
  }
  if (const std::string task = task_help(root); !task.empty()) folded_one.help += "\n" + task;
  if (others) {
    for (const Diagnostic& problem : others(hint.text))
      folded_one.help += "\nand there: " + problem.message + (problem.help.empty() ? "" : " (" + problem.help + ")");
  }
  while (folded_one.help.ends_with("\n")) folded_one.help.pop_back();
  std::erase_if(problems, about_keys);
  problems.insert(problems.begin(), std::move(folded_one));
  return true;
}

}  // namespace floptally
