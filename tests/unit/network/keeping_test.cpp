// What imported graphs keep for the backward pass: whole operators in pieces, views, products.
#include <gtest/gtest.h>

#include <memory>

#include "network/count.h"
#include "network/formats/graph/network_recorder.h"
#include "network/formats/onnx/eval.h"
#include "onnx_writer.h"

namespace floptally {
namespace {

using namespace onnx_writer;

struct Kept {
  std::int64_t elements = -1;
  std::string notes;
};

Kept kept(const Graph& g) {
  static const Source source{"test.onnx", "", true};
  const std::string file = model(g.text());
  Result<std::unique_ptr<onnx::Model>> read = onnx::read_model(file, &source, {});
  if (!read) return {-1, read.problems()[0].message};
  graph::NetworkRecorder recorder;
  onnx::Evaluator evaluator(**read, recorder, {});
  const Result<bool> done = evaluator.run();
  if (!done) return {-1, done.problems()[0].message};
  const Measure<Integer> total = count(recorder.finish("test", "onnx")).total();
  Kept out{total.kept[static_cast<int>(Keep::activation)].to_int64(), {}};
  for (const Diagnostic& d : evaluator.notes()) out.notes += d.code + ": " + d.message + "\n";
  return out;
}

// x [4, 8] times w gives h [4, 16]; `middle` makes z [4, 16] of it; z times v gives y. x is kept, 32 numbers; what else
// is kept is the middle's.
Kept middle(const std::vector<std::string>& nodes, const std::vector<std::string>& outputs = {}) {
  Graph g;
  g.initializers = {tensor("w", 1, {8, 16}), tensor("v", 1, {16, 4}), tensor("gamma", 1, {16}), tensor("beta", 1, {16}),
                    tensor("0c", 1, {})};
  g.inputs = {value("x", 1, {4, 8})};
  g.nodes = {node("MatMul", {"x", "w"}, {"h"})};
  g.nodes.insert(g.nodes.end(), nodes.begin(), nodes.end());
  g.nodes.push_back(node("MatMul", {"z", "v"}, {"y"}));
  g.outputs = {"y"};
  g.outputs.insert(g.outputs.end(), outputs.begin(), outputs.end());
  Kept k = kept(g);
  k.elements -= 32;
  return k;
}

constexpr std::int64_t kAll = 64, kRows = 4;  // numbers of h and z; rows

TEST(Keeping, KnowsFunctionsInPieces) {
  const std::vector<std::vector<std::string>> functions = {
      // GELU by the error function: h / sqrt(2), erf, + 1, times h, times a half
      {node("Div", {"h", "0c"}, {"a"}), node("Erf", {"a"}, {"b"}), node("Add", {"b", "0c"}, {"c"}),
       node("Mul", {"h", "c"}, {"d"}), node("Mul", {"d", "0c"}, {"z"})},
      // GELU by a tangent
      {node("Pow", {"h", "0c"}, {"a"}), node("Mul", {"a", "0c"}, {"b"}), node("Add", {"h", "b"}, {"c"}),
       node("Mul", {"c", "0c"}, {"d"}), node("Tanh", {"d"}, {"e"}), node("Add", {"e", "0c"}, {"f"}),
       node("Mul", {"h", "0c"}, {"g"}), node("Mul", {"g", "f"}, {"z"})},
      // SiLU, hard swish, Mish
      {node("Sigmoid", {"h"}, {"a"}), node("Mul", {"h", "a"}, {"z"})},
      {node("HardSigmoid", {"h"}, {"a"}), node("Mul", {"a", "h"}, {"z"})},
      {node("Softplus", {"h"}, {"a"}), node("Tanh", {"a"}, {"b"}), node("Mul", {"h", "b"}, {"z"})},
  };
  for (const auto& nodes : functions) {
    const Kept k = middle(nodes);
    EXPECT_EQ(k.elements, 2 * kAll);  // h and z
    EXPECT_NE(k.notes.find("whole-operators: in pieces, kept as whole operators keep: 1 activation function"),
              std::string::npos);
  }
}

TEST(Keeping, KeepsThePiecesWhereSomethingElseReadsThem) {
  const std::vector<std::string> silu = {node("Sigmoid", {"h"}, {"a"}), node("Mul", {"h", "a"}, {"z"})};
  EXPECT_EQ(middle(silu, {"a"}).elements, 3 * kAll);
  EXPECT_EQ(middle(silu, {"a"}).notes, "");
}

TEST(Keeping, KnowsNormsInPieces) {
  const Kept layer =
      middle({node("ReduceMean", {"h"}, {"m"}, attribute("axes", Sizes{-1})), node("Sub", {"h", "m"}, {"a"}),
              node("Pow", {"a", "0c"}, {"b"}), node("ReduceMean", {"b"}, {"n"}, attribute("axes", Sizes{-1})),
              node("Add", {"n", "0c"}, {"o"}), node("Sqrt", {"o"}, {"p"}), node("Div", {"a", "p"}, {"q"}),
              node("Mul", {"q", "gamma"}, {"r"}), node("Add", {"r", "beta"}, {"z"})});
  EXPECT_EQ(layer.elements, 2 * kAll + 2 * kRows);  // h, z; mean and variance of every row
  EXPECT_NE(layer.notes.find("1 norm"), std::string::npos);
  const Kept rms =
      middle({node("Mul", {"h", "h"}, {"b"}), node("ReduceMean", {"b"}, {"n"}, attribute("axes", Sizes{-1})),
              node("Add", {"n", "0c"}, {"o"}), node("Sqrt", {"o"}, {"p"}), node("Reciprocal", {"p"}, {"q"}),
              node("Mul", {"h", "q"}, {"r"}), node("Mul", {"r", "gamma"}, {"z"})});
  EXPECT_EQ(rms.elements, 2 * kAll + kRows);
}

TEST(Keeping, KeepsASoftmaxOnce) {
  const Kept whole = middle({node("Softmax", {"h"}, {"z"})});
  EXPECT_EQ(whole.elements, kAll);  // what it gives is what the product reads
  const Kept pieces =
      middle({node("ReduceMax", {"h"}, {"m"}, attribute("axes", Sizes{-1})), node("Sub", {"h", "m"}, {"a"}),
              node("Exp", {"a"}, {"b"}), node("ReduceSum", {"b"}, {"n"}, attribute("axes", Sizes{-1})),
              node("Div", {"b", "n"}, {"z"})});
  EXPECT_EQ(pieces.elements, kAll);
  EXPECT_NE(pieces.notes.find("1 softmax"), std::string::npos);
}

// Queries, keys and values of 4 positions and 16 numbers; the scores are 16 numbers.
Kept attention(bool both) {
  std::vector<std::string> nodes = {node("Mul", {"h", "0c"}, {"q"}), node("Transpose", {"h"}, {"t"})};
  if (both) nodes.push_back(node("Mul", {"t", "0c"}, {"k"}));
  nodes.push_back(node("MatMul", {"q", both ? "k" : "t"}, {"s"}));
  nodes.push_back(node("Softmax", {"s"}, {"p"}));
  nodes.push_back(node("MatMul", {"p", "h"}, {"z"}));
  return middle(nodes);
}

TEST(Keeping, KeepsScoresOfEagerAttentionAlone) {
  const Kept eager = attention(false);
  EXPECT_EQ(eager.elements, 3 * kAll + 16);  // q; h as keys and values; scores; z
  EXPECT_EQ(eager.notes, "");
  const Kept fused = attention(true);
  EXPECT_EQ(fused.elements, 4 * kAll + kRows);  // q, k, h, z; a number a row
  EXPECT_NE(fused.notes.find("1 scaled_dot_product_attention"), std::string::npos);
}

TEST(Keeping, AViewHoldsTheWhole) {
  const Kept half = middle({node("Split", {"h"}, {"a", "b"}, attribute("axis", 1)), node("Relu", {"b"}, {"c"}),
                            node("Tanh", {"a"}, {"d"}), node("Concat", {"d", "c"}, {"z"}, attribute("axis", 1))});
  EXPECT_EQ(half.elements, 2 * kAll);  // what both functions give, z
  const Kept read = middle({node("Split", {"h"}, {"a", "b"}, attribute("axis", 1)), node("Abs", {"b"}, {"c"}),
                            node("Concat", {"a", "c"}, {"z"}, attribute("axis", 1))});
  EXPECT_EQ(read.elements, 2 * kAll);  // all of h, for the half that is read; z
  const Kept shaped = middle({node("Abs", {"h"}, {"a"}), node("Identity", {"h"}, {"b"}), node("Abs", {"b"}, {"c"}),
                              node("Concat", {"a", "c"}, {"z"}, attribute("axis", 0))});
  EXPECT_EQ(shaped.elements, 3 * kAll);  // h once; z, of twice as many rows
}

}  // namespace
}  // namespace floptally
