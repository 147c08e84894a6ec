// What a tensor's name says about the module it belongs to.
#include "network/tensor_file/reconcile.h"

#include <gtest/gtest.h>

#include "network/tensor_file/name_table.h"

namespace floptally {
namespace {

TEST(Reconcile, NamesLeadToModules) {
  const auto path = [](std::string_view name) { return module_path(name, TensorFile::Container::safetensors); };
  EXPECT_EQ(path("model.layers.0.mlp.experts.3.up_proj.weight"), "model.layers.mlp.experts.up_proj");
  EXPECT_EQ(path("lm_head.weight"), "lm_head");
  EXPECT_EQ(path("weight"), "weight");
  EXPECT_EQ(path("..a..7.b.c"), "a.b");
  EXPECT_EQ(path(""), "");
  // The bias that balances experts lies with the router's matrix, and is described where tokens are routed.
  EXPECT_EQ(path("model.layers.3.mlp.gate.e_score_correction_bias"), "model.layers.mlp.routing");
  EXPECT_EQ(path("model.layers.3.mlp.moe_statics.e_score_correction_bias"), "model.layers.mlp.routing");
  EXPECT_EQ(module_path("blk.3.exp_probs_b.bias", TensorFile::Container::gguf), "layers.mlp.routing");
  EXPECT_EQ(module_path("blk.0.ffn_up.weight", TensorFile::Container::gguf), "layers.mlp.up_proj");
}

TEST(Reconcile, TablesAndScalesAreNotLearned) {
  TensorEntry tensor;
  tensor.type = find_tensor_type("fp32");
  const auto learned = [&](const char* name) {
    tensor.name = name;
    return is_parameter(tensor);
  };
  EXPECT_TRUE(learned("model.layers.0.mlp.up_proj.weight"));
  EXPECT_TRUE(learned("weight"));
  EXPECT_FALSE(learned("model.layers.0.mlp.up_proj.weight_scale_inv"));
  EXPECT_FALSE(learned("rope_freqs.weight"));
  EXPECT_FALSE(learned("layers.0.rope_freqs.freqs"));
  EXPECT_TRUE(learned("layers.0.rope_freqs_projection.weight"));
}

TEST(NameTable, KeepsTheOrderAndFindsEach) {
  std::vector<std::string> names;
  for (int i = 0; i < 5000; ++i) names.push_back("layer." + std::to_string(i * 7919 % 5000));
  NameTable table;
  for (const std::string& name : names) EXPECT_TRUE(table.add(name));
  EXPECT_FALSE(table.add("layer.17"));
  EXPECT_EQ(table.find("layer.5000"), NameTable::kNone);
  for (std::uint32_t i = 0; i < names.size(); ++i) ASSERT_EQ(table.find(names[i]), i);
}

}  // namespace
}  // namespace floptally
