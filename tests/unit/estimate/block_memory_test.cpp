// What a transformer layer keeps, against PyTorch's autograd (tests/differential/block_memory.csv).
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "base/sources.h"
#include "estimate/memory.h"
#include "network/family.h"
#include "training/framework.h"
#include "training/precision.h"

namespace floptally {
namespace {

const std::map<std::string, std::string> kConfigs = {
    {"gpt2", R"({"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 96, "n_layer": 2, "n_head": 6,
 "n_positions": 64, "n_inner": 256, "vocab_size": 50})"},
    {"llama", R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 96,
 "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 6, "num_key_value_heads": 2, "vocab_size": 50})"},
    {"llama-mha", R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 96,
 "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 6, "num_key_value_heads": 6, "vocab_size": 50})"},
    {"bert", R"({"architectures": ["BertModel"], "model_type": "bert", "hidden_size": 96, "intermediate_size": 256,
 "num_hidden_layers": 2, "num_attention_heads": 6, "max_position_embeddings": 64, "type_vocab_size": 2, "vocab_size": 50})"},
    {"t5", R"({"architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "d_model": 96, "d_kv": 16,
 "d_ff": 256, "num_layers": 2, "num_heads": 6, "relative_attention_num_buckets": 32, "feed_forward_proj": "relu",
 "vocab_size": 50})"},
};

Network built(const std::string& name) {
  Sources sources;
  const Source& source = sources.add("config.json", kConfigs.at(name));
  const Result<Document> document = read_json(source);
  if (!document) return {};
  FamilyInputs inputs;
  inputs.sequence = 64;
  Result<Network> network = build_family(*document, inputs);
  return network.ok() ? *std::move(network) : Network{};
}

TEST(BlocksInMemory, KeepWhatAutogradKeeps) {
  std::ifstream table(std::string(FLOPTALLY_SOURCE_DIR) + "/tests/differential/block_memory.csv");
  ASSERT_TRUE(table.good());
  int rows = 0;
  for (std::string line; std::getline(table, line);) {
    if (line.empty() || line[0] == '#' || line.starts_with("layer,")) continue;
    std::istringstream cells(line);
    std::string layer, attention, dropout, precision, bytes;
    for (std::string* cell : {&layer, &attention, &dropout, &precision, &bytes}) std::getline(cells, *cell, ',');
    floptally::Run run = default_run();
    run.framework = *find_framework("huggingface");
    run.precision = *find_precision(precision == "fp32" ? "fp32" : "bf16-autocast");
    run.fused_attention = attention == "flash";
    run.attention_dropout = run.hidden_dropout = dropout == "1";
    MemoryProfile profile(run);
    replay(built(layer), profile);
    ASSERT_GT(profile.classes(), 0) << layer;
    EXPECT_NEAR(profile.layer(0).kept, std::stod(bytes), 16) << line;  // a scalar or two
    ++rows;
  }
  EXPECT_EQ(rows, 20);
}

}  // namespace
}  // namespace floptally
