// Counting: the backward pass by rule, relations between shapes, published formulas and worked examples.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/sources.h"
#include "network/adapt.h"
#include "network/blocks/decoder.h"
#include "network/convention.h"
#include "network/format.h"
#include "network/spec.h"

namespace floptally {
namespace {

Network spec(std::string text, Inputs inputs = {}) {
  static Sources sources;
  const Source& source = sources.add("spec.yaml", std::move(text));
  Result<Document> document = read_yaml(source);
  EXPECT_TRUE(document.ok());
  Result<Network> network = build_spec(document->root(), inputs, sources, {});
  EXPECT_TRUE(network.ok()) << (network.ok() ? "" : to_text(network.problems()));
  return network.ok() ? std::move(*network) : Network{};
}

Network shipped(const std::string& name, Inputs inputs = {}) {
  static Sources sources;
  Result<Network> network = load_model(name, inputs, sources);
  EXPECT_TRUE(network.ok()) << name;
  return network.ok() ? std::move(*network) : Network{};
}

Integer matmul_backward(const Network& network) { return count(network).total().backward_matmul(); }
Integer matmul_forward(const Network& network) { return count(network).total().forward.matmul; }

// "What's the backward-forward FLOP ratio for neural networks?" (Hobbhahn and Sevilla): SGD's update, 2 FLOP a weight,
// counts once a batch. Ratios for batches of 1, 2, 4 ... 1024.
TEST(Backward, HasTheRatiosOfEpoch) {
  const double linear[] = {2.0009, 1.5009, 1.2509, 1.1259, 1.0634, 1.0321, 1.0165, 1.0087, 1.0048, 1.0028, 1.0018};
  const double one[] = {2.9923, 2.4923, 2.2423, 2.1173, 2.0548, 2.0235, 2.0079, 2.0001, 1.9962, 1.9942, 1.9932};
  const struct {
    const char* text;
    const double* want;
  } cases[] = {{"{kind: mlp, sizes: [150528, 4096, 128, 10], bias: false}", linear},
               {"{kind: mlp, sizes: [1, 4096, 128, 10], bias: false}", one}};
  for (const auto& c : cases) {
    const Network network = spec(c.text);
    const double update = 2 * count(network).total().parameters.to_double();
    for (int i = 0; i <= 10; ++i) {
      const double batch = std::pow(2, i);
      const double ratio =
          (matmul_backward(network).to_double() * batch + update) / (matmul_forward(network).to_double() * batch);
      EXPECT_NEAR(ratio, c.want[i], 6e-5) << c.text << " batch " << batch;
    }
  }
}

TEST(Backward, FollowsWhatIsTrained) {
  const std::string net =
      "{kind: layers, input: [8], layers: [{linear: {out: 8, bias: false}, name: a}, {linear: {out: 8, bias: false}, "
      "name: b}, {linear: {out: 8, bias: false}, name: c}]";
  const Integer one = 128;                                                     // 2 x 8 x 8
  EXPECT_EQ(matmul_backward(spec(net + "}")), Integer(5) * one);               // first: weights only
  EXPECT_EQ(matmul_backward(spec(net + ", freeze: [a]}")), Integer(3) * one);  // frozen below: nothing; then b is first
  EXPECT_EQ(matmul_backward(spec(net + ", freeze: [c]}")), Integer(4) * one);  // frozen above: input gradient only
  EXPECT_EQ(matmul_backward(spec(net + ", frozen: true}")), Integer(0));
  EXPECT_EQ(matmul_backward(spec(net + ", train: [b]}")), Integer(2) * one);
}

TEST(Backward, SplitsTheFirstOfRepeatedLayers) {
  const Network network =
      spec("{kind: layers, input: [8], layers: [{repeat: 5, layers: [{linear: {out: 8, bias: false}}]}]}");
  EXPECT_EQ(matmul_backward(network), Integer(128) * Integer(2 * 5 - 1));
}

TEST(Backward, LoraTrainsAdaptersBesideAFrozenBase) {
  const std::string base = "kind: decoder, layers: 2, width: 64, heads: 4, vocab: 100, sequence: 16";
  const Network plain = spec("{" + base + "}");
  const Network lora = spec("{" + base + ", lora: {rank: 4, targets: [q_proj, v_proj]}}");
  const Measure<Integer> a = count(plain).total(), b = count(lora).total();
  EXPECT_EQ(b.parameters - a.parameters, Integer(2 * 2 * 4 * (64 + 64)));
  EXPECT_EQ(b.parameters - b.frozen, Integer(2 * 2 * 4 * (64 + 64)));
  // Base matrices: forward and input gradient but for the first layer's q, k, v, whose input no trained part made.
  const Integer qkv = Integer(2 * 16) * Integer(64 * 64);
  const Integer adapters = b.forward.matmul - a.forward.matmul;
  const Integer first_input = Integer(2) * Integer(2 * 16 * 64 * 4);  // input gradients of the first layer's two A
  EXPECT_EQ(b.backward_matmul(), a.forward.matmul + count(plain)[Component::attention].forward.matmul -
                                     Integer(3) * qkv + Integer(2) * adapters - first_input);
}

TEST(Relations, OneExpertIsTheDenseLayer) {
  const std::string shape = "layers: 2, width: 48, heads: 4, ffn: 96, gated: true, vocab: 50, sequence: 8";
  const Tally<Integer> dense = count(spec("{kind: decoder, " + shape + "}"));
  const Tally<Integer> moe = count(spec("{kind: decoder, " + shape + ", experts: 1, top_k: 1}"));
  EXPECT_EQ(dense[Component::mlp].parameters, moe[Component::mlp].parameters);
  EXPECT_EQ(dense[Component::mlp].forward.matmul, moe[Component::mlp].forward.matmul);
  EXPECT_EQ(dense[Component::mlp].backward_matmul(), moe[Component::mlp].backward_matmul());
}

TEST(Relations, AllHeadsGroupedIsMultiHeadAndWideWindowIsCausal) {
  const std::string shape = "{kind: decoder, layers: 2, width: 48, heads: 4, vocab: 50, sequence: 8";
  const auto training = [](const Network& n, const char* convention) {
    return count_flop(n, *find_convention(convention)).training();
  };
  for (const char* convention : {"matmul", "causal", "full"}) {
    EXPECT_EQ(training(spec(shape + "}"), convention), training(spec(shape + ", kv_heads: 4}"), convention));
    EXPECT_EQ(training(spec(shape + "}"), convention), training(spec(shape + ", window: 8}"), convention));
    EXPECT_EQ(training(spec(shape + "}"), convention), training(spec(shape + ", window: 800}"), convention));
  }
  EXPECT_EQ(training(spec(shape + "}"), "causal"), training(spec(shape + ", documents: [8]}"), "causal"));
  EXPECT_LT(training(spec(shape + ", documents: [4, 4]}"), "causal"), training(spec(shape + "}"), "causal"));
}

TEST(Relations, CapacityPadsTheExperts) {
  const std::string shape =
      "{kind: decoder, layers: 1, width: 8, heads: 2, ffn: 16, vocab: 10, sequence: 10, experts: 4, top_k: 1";
  const Integer rows10 = count(spec(shape + "}"))[Component::mlp].forward.matmul;
  const Integer padded =
      count(spec(shape + ", capacity: 1.25}"))[Component::mlp].forward.matmul;  // ceil(1.25 * 10 / 4) = 4 rows each
  EXPECT_EQ(padded * Integer(10), rows10 * Integer(16));
}

TEST(Published, CnnLstmFcn) {
  const std::string layers =
      "{kind: layers, input: [5, 400, 400], steps: 20, layers: [{conv: {out: 16, kernel: 5, stride: 2, padding: 2";
  const Network right = spec(layers + "}}, {flatten: }, {lstm: {hidden: 256, biases: 1}}, {linear: 10}]}");
  const Convention& epoch = *find_convention("epoch");
  EXPECT_EQ(count_flop(right, epoch).training() * Integer(10 * 100 * 128), Integer(11299195453440000));
  EXPECT_EQ(count(right).total().parameters, Integer(2016 + 655623168 + 2570));
  // The article's figure is that of its convolution alone, counted as if fully connected.
  const Network article = spec(layers + ", dense: true}}]}");
  EXPECT_EQ(count_flop(article, epoch).training() * Integer(10 * 100 * 128), Integer(7864320000000000000));
}

// Megatron-LM's formula for GPT-3 over 300e9 tokens, and its causal half for Llama 3 and Mixtral.
TEST(Published, MegatronsFormula) {
  const Convention& megatron = *find_convention("megatron");
  const auto at = [&](const char* name, double tokens, std::int64_t sequence) {
    Inputs inputs;
    inputs.sequence = sequence;
    return count_flop(shipped(name, inputs), megatron).training().to_double() / static_cast<double>(sequence) * tokens;
  };
  EXPECT_NEAR(at("gpt-3", 300e9, 2048) / 3.186e23, 1, 5e-4);
  EXPECT_NEAR(at("llama-3.1-8b", 15e12, 8192) / 7.72e23, 1, 1e-3);
  EXPECT_NEAR(at("llama-3.1-70b", 15e12, 8192) / 6.74e24, 1, 1e-3);
  EXPECT_NEAR(at("llama-3.1-405b", 15.6e12, 8192) / 3.937e25, 1, 1e-3);
  EXPECT_NEAR(at("deepseek-v3", 14.8e12, 4096) / 3.697e24, 1, 1e-3);
  // Narayanan et al. 2104.04473 eq. 3 without recomputation, whole square: 72 B l s h^2 (1 + s/6h + V/12lh), exactly.
  const Network gpt = spec(
      "{kind: decoder, layers: 96, width: 12288, heads: 96, vocab: 51200, sequence: 2048, norm: none, positions: "
      "none}");
  const Integer h = 12288, l = 96, s = 2048, v = 51200;
  EXPECT_EQ(count_flop(gpt, *find_convention("full")).training(),
            Integer(72) * l * s * h * h + Integer(12) * l * s * s * h + Integer(6) * s * h * v);
}

TEST(Published, PalmAndTorchtitan) {
  const Network palm = shipped("palm-540b");
  const double per_token = count_flop(palm, *find_convention("palm")).training().to_double() / 2048;
  EXPECT_NEAR(per_token, 6 * 540358649856.0 + 35634806784.0, 1);
  Inputs inputs;
  inputs.sequence = 8192;
  EXPECT_NEAR(count_flop(shipped("llama-3.1-8b", inputs), *find_convention("torchtitan")).training().to_double() / 8192,
              5.79e10, 1e8);
}

// Hoffmann et al. 2203.15556, table A4: their count over 6 N D, in the three modes.
TEST(Published, ChinchillasTable) {
  const struct {
    int layers, width, ffn, heads, kv;
    double layers_only, logits, all;
  } rows[] = {{10, 640, 2560, 10, 64, 1.0264, 1.304, 1.582},   {20, 1024, 4096, 16, 64, 1.1019, 1.209, 1.317},
              {24, 1280, 5120, 10, 128, 1.0838, 1.158, 1.232}, {26, 1792, 7168, 14, 128, 1.0447, 1.095, 1.145},
              {28, 2048, 8192, 16, 128, 1.0335, 1.075, 1.116}, {40, 3584, 14336, 28, 128, 0.9944, 1.011, 1.028}};
  for (const auto& row : rows) {
    const Network n = spec("{kind: decoder, layers: " + std::to_string(row.layers) +
                           ", width: " + std::to_string(row.width) + ", ffn: " + std::to_string(row.ffn) +
                           ", heads: " + std::to_string(row.heads) + ", head_dim: " + std::to_string(row.kv) +
                           ", vocab: 32000, sequence: 2048, positions: relative, norm: none, tied: true}");
    const double nd = 6 * count(n).total().parameters.to_double() * 2048;
    EXPECT_NEAR(count_flop(n, *find_convention("chinchilla-layers")).training().to_double() / nd, row.layers_only, 5e-3)
        << row.width;
    EXPECT_NEAR(count_flop(n, *find_convention("chinchilla-logits")).training().to_double() / nd, row.logits, 5e-3)
        << row.width;
    EXPECT_NEAR(count_flop(n, *find_convention("chinchilla")).training().to_double() / nd, row.all, 5e-3) << row.width;
  }
}

TEST(Views, AddUpToTheTotal) {
  for (const char* name : {"deepseek-v3", "resnet50", "gpt-3"}) {
    const Network network = shipped(name);
    const Measure<Integer> total = count(network).total();
    for (const std::vector<ViewRow>& rows :
         {view_by_layer(network), view_by_operator(network), view_by_component(network)}) {
      Measure<Integer> sum;
      for (const ViewRow& row : rows) sum.add(row.tally.total());
      EXPECT_EQ(sum.parameters, total.parameters) << name;
      EXPECT_EQ(sum.forward.matmul, total.forward.matmul) << name;
      EXPECT_EQ(sum.backward_other(), total.backward_other()) << name;
      EXPECT_EQ(sum.kept[0], total.kept[0]) << name;
    }
  }
}

TEST(Shipped, EveryModelCounts) {
  const struct {
    const char* name;
    std::int64_t parameters;
  } known[] = {{"gpt-2", 124439808},          {"gpt-2-medium", 354823168},
               {"gpt-2-large", 774030080},    {"gpt-2-xl", 1557611200},
               {"gpt-3", 174604259328},       {"llama-2-13b", 13015864320},
               {"llama-2-70b", 68976648192},  {"mistral-7b", 7241732096},
               {"mixtral-8x7b", 46702792704}, {"deepseek-v3", 671026419200},
               {"resnet50", 25557032},        {"vgg16", 138357544},
               {"alexnet", 61100840},         {"vit_b_16", 86567656},
               {"vit_l_16", 304326632},       {"llama-3.1-405b", 405853388800}};
  for (const auto& row : known)
    EXPECT_EQ(count(shipped(row.name)).total().parameters, Integer(row.parameters)) << row.name;
  EXPECT_EQ(count_flop(shipped("resnet50"), *find_convention("mac")).forward, Integer(4089184256));
  EXPECT_EQ(count_flop(shipped("vgg16"), *find_convention("mac")).forward, Integer(15470264320));
  EXPECT_EQ(count_flop(shipped("alexnet"), *find_convention("mac")).forward, Integer(714188480));
}

}  // namespace
}  // namespace floptally
