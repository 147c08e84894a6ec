// GGUF: the header's key-values describe the network in the words of a config.json of the same architecture; the
// tensors are reconciled with it. An architecture that is not known leaves the tensors.
#include "base/file.h"
#include "network/family.h"
#include "network/format.h"
#include "network/tensor_file/reconcile.h"

namespace floptally::formats {
namespace {

int sniff(const ModelFile& file) {
  if (!file.directory) return is_gguf(file.head) ? 100 : file.named(".gguf") ? 90 : 0;
  for (const std::string& name : list_directory(file.path))
    if (name.ends_with(".gguf")) return 40;
  return 0;
}

// GGUF's architecture and its model_type in a config.json.
struct Architecture {
  std::string_view gguf;
  std::string_view model_type;
  bool experts = false;
};
constexpr Architecture kArchitectures[] = {
    {"llama", "llama", false},     {"llama", "mixtral", true},      {"qwen2", "qwen2", false},
    {"qwen3", "qwen3", false},     {"qwen3moe", "qwen3_moe", true}, {"gemma", "gemma", false},
    {"gemma2", "gemma2", false},   {"phi3", "phi3", false},         {"olmo2", "olmo2", false},
    {"granite", "granite", false},
};

// GGUF key (after the architecture) -> config.json key.
constexpr std::pair<std::string_view, std::string_view> kKeys[] = {
    {"embedding_length", "hidden_size"},
    {"block_count", "num_hidden_layers"},
    {"feed_forward_length", "intermediate_size"},
    {"attention.head_count", "num_attention_heads"},
    {"attention.head_count_kv", "num_key_value_heads"},
    {"attention.key_length", "head_dim"},
    {"context_length", "max_position_embeddings"},
    {"expert_feed_forward_length", "moe_intermediate_size"},
    {"expert_used_count", "num_experts_per_tok"},
    {"attention.sliding_window", "sliding_window"},
};

std::optional<std::string> config_of(const TensorFile& file) {
  const MetadataValue* architecture = file.find("general.architecture");
  if (architecture == nullptr || architecture->kind != MetadataValue::Kind::text) return std::nullopt;
  const auto whole = [&](std::string_view key) -> const MetadataValue* {
    const MetadataValue* value = file.find(architecture->text + "." + std::string(key));
    return value != nullptr && value->kind == MetadataValue::Kind::integer && value->integer > Integer(0) ? value
                                                                                                          : nullptr;
  };
  const MetadataValue* experts = whole("expert_count");
  const Architecture* known = nullptr;
  for (const Architecture& row : kArchitectures)
    if (row.gguf == architecture->text && row.experts == (experts != nullptr)) known = &row;
  if (known == nullptr) return std::nullopt;
  std::string json = "{\"model_type\": \"" + std::string(known->model_type) + "\"";
  for (const auto& [from, to] : kKeys)
    if (const MetadataValue* value = whole(from))
      json += ", \"" + std::string(to) + "\": " + value->integer.to_string();
  if (experts != nullptr)
    json += std::string(known->model_type == "mixtral" ? ", \"num_local_experts\": " : ", \"num_experts\": ") +
            experts->integer.to_string();
  bool tied = true;
  bool biased = false;
  for (const TensorEntry& tensor : file.tensors) {
    if (tensor.name == "token_embd.weight" && !tensor.shape.empty())
      json += ", \"vocab_size\": " + std::to_string(tensor.shape[0]);
    if (tensor.name == "output.weight") tied = false;
    if (tensor.name == "blk.0.attn_q.bias") biased = true;
  }
  if (known->model_type == "llama" && biased) json += ", \"attention_bias\": true";
  return json + ", \"tie_word_embeddings\": " + (tied ? "true" : "false") + "}";
}

Result<Network> read(const std::string& path, const Inputs& inputs, Sources& sources) {
  Result<TensorFile> tensors = read_tensor_file(sources, path);
  if (!tensors.ok()) return tensors.take_problems();
  const std::optional<std::string> config = config_of(*tensors);
  if (config) {
    const Source& source = sources.add(path + " (its metadata)", *config);
    const Result<Document> document = read_json(source);
    if (document.ok()) {
      Result<Network> network = build_family(*document, family_inputs(inputs));
      if (network.ok()) {
        network->name = path;
        reconcile(*tensors, *network);
        return network;
      }
    }
  }
  Network alone = network_of_tensors(*tensors, path);
  const MetadataValue* architecture = tensors->find("general.architecture");
  if (architecture != nullptr)
    alone.notes.push_back(warning("unknown-architecture", "the architecture '" + architecture->text.substr(0, 60) +
                                                              "' is not described here: only the tensors are counted"));
  return alone;
}

}  // namespace

extern const FormatDef k_gguf;
const FormatDef k_gguf = {"gguf", "a GGUF file, whole or split", "github.com/ggml-org/ggml docs/gguf.md", sniff, read};

}  // namespace floptally::formats
