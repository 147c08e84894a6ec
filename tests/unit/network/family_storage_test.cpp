// Quantized configs: the same parameters as the plain one, stored in the formats that the config names.
#include <gtest/gtest.h>

#include <string>

#include "base/sources.h"
#include "network/count.h"
#include "network/family.h"

namespace floptally {
namespace {

const std::string kDeepSeek =
    R"("architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "hidden_size": 256,
 "num_hidden_layers": 4, "num_attention_heads": 4, "vocab_size": 1000, "q_lora_rank": 64, "kv_lora_rank": 32,
 "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 16, "n_routed_experts": 8, "n_shared_experts": 1,
 "num_experts_per_tok": 2, "moe_intermediate_size": 128, "intermediate_size": 512, "first_k_dense_replace": 1,
 "torch_dtype": "bfloat16", "max_position_embeddings": 128)";

Network build(Sources& sources, const std::string& more) {
  const Source& source = sources.add("config.json", "{" + kDeepSeek + more + "}");
  const Result<Document> document = read_json(source);
  EXPECT_TRUE(document.ok());
  Result<Network> network = build_family(*document, {});
  EXPECT_TRUE(network.ok());
  return std::move(*network);
}

Dtype stored(const Network& network, std::string_view op, std::size_t nth = 0) {
  for (const Op& candidate : network.ops)
    if (candidate.name == op && nth-- == 0) return candidate.stored;
  ADD_FAILURE() << "no op " << op;
  return Dtype::unspecified;
}

TEST(FamilyStorage, CountsTheSameParametersInEveryFormat) {
  Sources sources;
  const Integer plain = count(build(sources, "")).total().parameters;
  for (const char* method : {"fp8", "mxfp4", "gptq", "awq", "bitsandbytes"})
    EXPECT_EQ(count(build(sources, R"(, "quantization_config": {"quant_method": ")" + std::string(method) + "\"}"))
                  .total()
                  .parameters,
              plain);
}

TEST(FamilyStorage, ReadsFp8WithBlocks) {
  Sources sources;
  const Network n =
      build(sources, R"(, "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]})");
  EXPECT_EQ(n.dtype, Dtype::bfloat16);
  EXPECT_EQ(stored(n, "q_a_proj"), Dtype::float8_block128);
  EXPECT_EQ(stored(n, "gate_proj"), Dtype::float8_block128);
  for (const char* kept : {"gate", "lm_head", "embed_tokens", "norm"})
    EXPECT_EQ(stored(n, kept), Dtype::unspecified) << kept;
}

TEST(FamilyStorage, ReadsMxfp4WithLeftOutParts) {
  Sources sources;
  const Network n = build(sources, R"(, "quantization_config": {"quant_method": "mxfp4",
    "modules_to_not_convert": ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]})");
  EXPECT_EQ(stored(n, "q_a_proj"), Dtype::unspecified);
  EXPECT_EQ(stored(n, "gate_proj", 1), Dtype::mxfp4);  // the experts'
}

TEST(FamilyStorage, ReadsPackedIntegersByPattern) {
  Sources sources;
  const Network n =
      build(sources, R"(, "quantization_config": {"quant_method": "compressed-tensors", "format": "pack-quantized",
    "config_groups": {"group_0": {"targets": ["Linear"], "weights": {"num_bits": 4, "type": "int", "group_size": 128}}},
    "ignore": ["lm_head", "re:.*self_attn.*", "re:.*shared_experts.*", "re:.*mlp\\.(gate|up|gate_up|down)_proj.*"]})");
  EXPECT_EQ(stored(n, "q_a_proj"), Dtype::unspecified);
  EXPECT_EQ(stored(n, "gate_proj", 0), Dtype::unspecified);    // dense
  EXPECT_EQ(stored(n, "gate_proj", 1), Dtype::int4_group128);  // experts
  EXPECT_EQ(stored(n, "gate_proj", 2), Dtype::unspecified);    // shared
}

TEST(FamilyStorage, ReadsMixedPrecisionLayerByLayer) {
  Sources sources;
  const Network n =
      build(sources, R"(, "quantization_config": {"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION",
    "quantized_layers": {"model.layers.1.mlp.experts.0.gate_proj": {"quant_algo": "NVFP4"}, "model.layers.0.self_attn.q_a_proj": {"quant_algo": "MXFP8"},
    "model.layers.1.mlp.shared_experts.up_proj": {"quant_algo": "MXFP8"}}, "exclude_modules": ["lm_head"]})");
  EXPECT_EQ(stored(n, "q_a_proj"), Dtype::mxfp8);
  EXPECT_EQ(stored(n, "gate_proj", 0), Dtype::unspecified);
  EXPECT_EQ(stored(n, "gate_proj", 1), Dtype::nvfp4);
  EXPECT_EQ(stored(n, "gate_proj", 2), Dtype::mxfp8);
}

TEST(FamilyStorage, NamesAnUnknownMethod) {
  Sources sources;
  const Network n = build(sources, R"(, "quantization_config": {"quant_method": "mystery"})");
  bool noted = false;
  for (const Diagnostic& note : n.notes) noted = noted || note.code == "unknown-quantization";
  EXPECT_TRUE(noted);
}

}  // namespace
}  // namespace floptally
