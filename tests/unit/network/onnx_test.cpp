// The ONNX reader on small graphs written here.
#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "network/convention.h"
#include "network/formats/graph/network_recorder.h"
#include "network/formats/onnx/eval.h"
#include "onnx_writer.h"

namespace floptally {
namespace {

using namespace onnx_writer;

struct Outcome {
  Diagnostics problems;
  Integer parameters, forward, backward;
  bool at_least = false;
  std::vector<std::int64_t> shape;  // of the value called "y"; {-9} if it has none
  std::string notes;
};

Outcome run(const std::string& file, const onnx::Bindings& bindings = {}) {
  Outcome out;
  static const Source source{"test.onnx", "", true};
  Result<std::unique_ptr<onnx::Model>> model = onnx::read_model(file, &source, bindings);
  if (!model) {
    out.problems = model.take_problems();
    return out;
  }
  graph::NetworkRecorder recorder;
  onnx::Evaluator evaluator(**model, recorder, bindings);
  Result<bool> done = evaluator.run();
  if (!done) {
    out.problems = done.take_problems();
    return out;
  }
  const Network network = recorder.finish("test", "onnx");
  const FlopCount flop = count_flop(network, *find_convention("torch"));
  out.parameters = count(network).total().parameters;
  out.forward = flop.forward;
  out.backward = flop.backward;
  out.at_least = flop.at_least;
  out.shape = {-9};
  for (const onnx::Value& v : (*model)->values)
    if (v.name == "y" && v.type.ranked()) out.shape.assign(v.type.dims, v.type.dims + v.type.rank);
  for (const Diagnostic& d : evaluator.notes()) out.notes += d.code + " ";
  return out;
}

std::string code(const Outcome& o) { return o.problems.empty() ? "" : o.problems[0].code; }

TEST(Onnx, CountsTheWeightGradientAloneWhereTheInputIsData) {
  Graph g;
  g.initializers = {tensor("w", 1, {8, 3, 3, 3}), tensor("b", 1, {8}), tensor("v", 1, {8, 8, 1, 1})};
  g.inputs = {value("x", 1, {1, 3, 10, 10})};
  g.nodes = {
      node("Conv", {"x", "w", "b"}, {"h"}, attribute("strides", Sizes{2, 2}) + attribute("pads", Sizes{1, 1, 1, 1})),
      node("Relu", {"h"}, {"r"}), node("Conv", {"r", "v"}, {"y"})};
  g.outputs = {"y"};
  const Outcome o = run(model(g.text()));
  ASSERT_EQ(code(o), "");
  EXPECT_EQ(o.shape, (Sizes{1, 8, 5, 5}));
  const Integer first = 2 * 25 * 8 * 27, second = 2 * 25 * 8 * 8;
  EXPECT_EQ(o.parameters.to_string(), std::to_string(8 * 27 + 8 + 64));
  EXPECT_EQ(o.forward.to_string(), (first + second).to_string());
  EXPECT_EQ(o.backward.to_string(), (first + second * 2).to_string());
  EXPECT_FALSE(o.at_least);
}

TEST(Onnx, FollowsShapeArithmetic) {
  Graph g;  // y = reshape(x, concat(shape(x)[0:1], [-1], shape(x)[2:3] * 2))
  g.initializers = {tensor("one", 7, {1}, {-1}), tensor("zero", 7, {1}, {0}), tensor("two", 7, {1}, {2}),
                    tensor("axes", 7, {1}, {0}), tensor("end", 7, {1}, {1}),  tensor("three", 7, {1}, {3})};
  g.inputs = {value("x", 1, {2, 6, 4})};
  g.nodes = {node("Shape", {"x"}, {"s"}),
             node("Slice", {"s", "zero", "end", "axes"}, {"a"}),
             node("Slice", {"s", "two", "three", "axes"}, {"b"}),
             node("Mul", {"b", "two"}, {"c"}),
             node("Concat", {"a", "one", "c"}, {"t"}, attribute("axis", 0)),
             node("Reshape", {"x", "t"}, {"y"})};
  g.outputs = {"y"};
  EXPECT_EQ(run(model(g.text())).shape, (Sizes{2, 3, 8}));
}

TEST(Onnx, SlicesBackwardsToTheBeginning) {
  Graph g;  // the end -2^63+1 means "past the first"
  g.initializers = {tensor("s", 7, {1}, {-1}), tensor("e", 7, {1}, {INT64_MIN + 1}), tensor("a", 7, {1}, {0}),
                    tensor("n", 7, {1}, {-1}), tensor("t", 7, {2}, {3, 5})};
  g.inputs = {value("x", 1, {15})};
  g.nodes = {node("Slice", {"t", "s", "e", "a", "n"}, {"r"}), node("Reshape", {"x", "r"}, {"y"})};
  g.outputs = {"y"};
  EXPECT_EQ(run(model(g.text())).shape, (Sizes{5, 3}));
}

TEST(Onnx, AsksForFreeDimensions) {
  Graph g;
  g.initializers = {tensor("w", 1, {4, 5})};
  g.inputs = {value("x", 1, {-1, 4})};
  g.nodes = {node("MatMul", {"x", "w"}, {"y"})};
  g.outputs = {"y"};
  const Outcome asked = run(model(g.text()));
  EXPECT_EQ(code(asked), "missing-dimension");
  EXPECT_NE(asked.problems[0].message.find("'batch'"), std::string::npos);
  EXPECT_EQ(run(model(g.text()), {{}, {{"batch", 8}}, 0}).forward.to_string(), "320");
  EXPECT_EQ(run(model(g.text()), {{8, 4}, {}, 0}).forward.to_string(), "320");
  EXPECT_EQ(run(model(g.text()), {{}, {}, 8}).forward.to_string(), "320");
  EXPECT_EQ(code(run(model(g.text()), {{8}, {}, 0})), "input-shape");
}

TEST(Onnx, CountsASharedWeightOnce) {
  Graph g;
  g.initializers = {tensor("w", 1, {4, 4})};
  g.inputs = {value("x", 1, {2, 4})};
  g.nodes = {node("MatMul", {"x", "w"}, {"h"}), node("Transpose", {"w"}, {"u"}), node("MatMul", {"h", "u"}, {"y"})};
  g.outputs = {"y"};
  const Outcome o = run(model(g.text()));
  EXPECT_EQ(o.parameters.to_string(), "16");
  EXPECT_EQ(o.forward.to_string(), "128");
  EXPECT_EQ(o.backward.to_string(), "192");
}

TEST(Onnx, NamesUnknownOperators) {
  Graph g;
  g.inputs = {value("x", 1, {2})};
  g.nodes = {node("Frobnicate", {"x"}, {"y"}, {}, "my.domain")};
  g.outputs = {"y"};
  const Outcome o = run(model(g.text()));
  EXPECT_TRUE(o.at_least);
  EXPECT_EQ(o.notes, "unknown-operator ");
}

std::string loop_model(bool grows) {
  Graph body;
  body.inputs = {value("i", 7, {}), value("c", 9, {}), value("h", 1, {})};
  body.nodes = {node("Identity", {"c"}, {"d"}), node("MatMul", {"h", "w"}, {"p"}),
                grows ? node("Concat", {"h", "p"}, {"k"}, attribute("axis", 0)) : node("Tanh", {"p"}, {"k"})};
  body.outputs = {"d", "k"};
  Graph g;
  g.initializers = {tensor("w", 1, {4, 4}), tensor("n", 7, {}, {3}), tensor("true", 9, {}, {1})};
  g.inputs = {value("x", 1, {2, 4})};
  g.nodes = {node("Loop", {"n", "true", "x"}, {"y"}, attribute_graph("body", body.text()))};
  g.outputs = {"y"};
  return model(g.text());
}

TEST(Onnx, MultipliesALoopThatSettles) {
  const Outcome o = run(loop_model(false));
  ASSERT_EQ(code(o), "");
  EXPECT_EQ(o.parameters.to_string(), "16");
  EXPECT_EQ(o.forward.to_string(), std::to_string(3 * 64));
  EXPECT_EQ(o.backward.to_string(), std::to_string(5 * 64));  // the first step's input is data
}

TEST(Onnx, UnrollsALoopThatGrows) {
  const Outcome o = run(loop_model(true));
  ASSERT_EQ(code(o), "");
  EXPECT_EQ(o.shape, (Sizes{16, 4}));
  EXPECT_EQ(o.forward.to_string(), std::to_string(64 + 128 + 256));
}

TEST(Onnx, InlinesFunctionsAndRefusesThatTheyCallThemselves) {
  auto with_body = [](const std::string& body_op) {
    Graph g;
    g.initializers = {tensor("w", 1, {4, 6})};
    g.inputs = {value("x", 1, {2, 4})};
    g.nodes = {node("Mine", {"x", "w"}, {"y"}, attribute("side", 0), "local")};
    g.outputs = {"y"};
    const std::string body = body_op == "Gemm" ? node("Gemm", {"a", "b"}, {"c"}, attribute_reference("transB", "side"))
                                               : node("Mine", {"a", "b"}, {"c"}, {}, "local");
    const std::string function = bytes(1, "Mine") + bytes(10, "local") + bytes(4, "a") + bytes(4, "b") + bytes(5, "c") +
                                 bytes(6, "side") + bytes(7, body);
    return model(g.text(), 16, bytes(25, function));
  };
  EXPECT_EQ(run(with_body("Gemm")).forward.to_string(), "96");
  EXPECT_EQ(code(run(with_body("Mine"))), "graph-cycle");
}

TEST(Onnx, RefusesCyclesDuplicatesAndUndefinedValues) {
  Graph g;
  g.inputs = {value("x", 1, {2})};
  g.outputs = {"y"};
  g.nodes = {node("Add", {"x", "b"}, {"a"}), node("Relu", {"a"}, {"b"})};
  EXPECT_EQ(code(run(model(g.text()))), "graph-cycle");
  g.nodes = {node("Relu", {"x"}, {"y"}), node("Relu", {"x"}, {"y"})};
  EXPECT_EQ(code(run(model(g.text()))), "duplicate-name");
  g.nodes = {node("Relu", {"nowhere"}, {"y"})};
  EXPECT_EQ(code(run(model(g.text()))), "undefined-value");
  g.nodes = {node("Relu", {"a"}, {"y"}), node("Relu", {"x"}, {"a"})};  // out of order, but no cycle
  EXPECT_EQ(run(model(g.text())).shape, (Sizes{2}));
}

TEST(Onnx, RefusesHostileBytesWithTheirPlace) {
  EXPECT_EQ(code(run("")), "not-onnx");
  EXPECT_EQ(code(run("\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f")), "onnx-malformed");  // a length of 2^63
  EXPECT_EQ(code(run(bytes(7, bytes(1, "\x0a\x7f")))), "onnx-malformed");              // a length past its message
  std::string nested = node("Relu", {"x"}, {"z"});
  for (int i = 0; i < 40; ++i) {
    Graph g;
    g.nodes = {nested};
    nested = node("If", {"c"}, {}, attribute_graph("then_branch", g.text()) + attribute_graph("else_branch", g.text()));
    if (nested.size() > 1 << 22) break;
  }
  Graph g;
  g.nodes = {nested};
  EXPECT_NE(code(run(model(g.text()))), "");
  Graph sizes;
  sizes.initializers = {tensor("w", 1, {std::int64_t{1} << 40, std::int64_t{1} << 40})};
  EXPECT_EQ(code(run(model(sizes.text()))), "onnx-malformed");
}

TEST(Onnx, NeverCrashesOnChangedBytes) {
  const std::string good = loop_model(true);
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    std::string bad = good;
    for (int k = 0; k < 3; ++k) bad[random() % bad.size()] = static_cast<char>(random());
    if (i % 3 == 0) bad.resize(random() % bad.size());
    (void)run(bad);
  }
}

TEST(Onnx, KnowsWeightsThatAreFedOrWrittenAsConstants) {
  Graph g;
  g.inputs = {value("x", 1, {2, 4}), value("fc.weight", 1, {5, 4}), value("fc.bias", 1, {5})};
  g.nodes = {node("Gemm", {"x", "fc.weight", "fc.bias"}, {"y"}, attribute("transB", 1))};
  g.outputs = {"y"};
  EXPECT_EQ(run(model(g.text())).parameters.to_string(), "25");
  EXPECT_EQ(run(model(g.text())).backward.to_string(), "80");
  g.inputs = {value("x", 1, {2, 4})};
  g.nodes = {node("Constant", {}, {"w"}, attribute_tensor("value", tensor("", 1, {4, 5}))),
             node("MatMul", {"x", "w"}, {"y"})};
  EXPECT_EQ(run(model(g.text())).parameters.to_string(), "20");
}

TEST(Onnx, CountsQuantizedWeightsAsFrozen) {
  Graph g;
  g.initializers = {tensor("w", 3, {4, 5}), tensor("s", 1, {}), tensor("z", 3, {})};
  g.inputs = {value("x", 1, {2, 4})};
  g.nodes = {node("DequantizeLinear", {"w", "s", "z"}, {"d"}), node("MatMul", {"x", "d"}, {"y"})};
  g.outputs = {"y"};
  const Outcome o = run(model(g.text()));
  EXPECT_EQ(o.parameters.to_string(), "20");
  EXPECT_EQ(o.forward.to_string(), "80");
  EXPECT_EQ(o.backward.to_string(), "0");
}

TEST(Onnx, CountsARecurrentLayerStepByStep) {
  Graph g;
  g.initializers = {tensor("w", 1, {1, 12, 5}), tensor("r", 1, {1, 12, 3})};
  g.inputs = {value("x", 1, {7, 2, 5})};
  g.nodes = {node("LSTM", {"x", "w", "r"}, {"y"}, attribute("hidden_size", 3))};
  g.outputs = {"y"};
  const Outcome o = run(model(g.text()));
  EXPECT_EQ(o.shape, (Sizes{7, 1, 2, 3}));
  const int input = 2 * 14 * 12 * 5, state = 2 * 2 * 12 * 3;
  EXPECT_EQ(o.forward.to_string(), std::to_string(input + 7 * state));
  EXPECT_EQ(o.backward.to_string(), std::to_string(input + 7 * state + 6 * state));  // the first state is data
}

TEST(Onnx, TakesTheBranchThatAConstantChooses) {
  auto branches = [](bool known) {
    Graph big, small, g;
    big.nodes = {node("MatMul", {"x", "w"}, {"p"}), node("MatMul", {"p", "w"}, {"q"})};
    big.outputs = {"q"};
    small.nodes = {node("MatMul", {"x", "w"}, {"s"})};
    small.outputs = {"s"};
    g.initializers = {tensor("w", 1, {4, 4})};
    g.inputs = {value("x", 1, {2, 4})};
    if (known)
      g.initializers.push_back(tensor("c", 9, {}, {1}));
    else
      g.inputs.push_back(value("c", 9, {}));
    g.nodes = {node("If", {"c"}, {"y"},
                    attribute_graph("then_branch", big.text()) + attribute_graph("else_branch", small.text()))};
    g.outputs = {"y"};
    return model(g.text());
  };
  EXPECT_EQ(run(branches(true)).forward.to_string(), "128");
  const Outcome open = run(branches(false));
  EXPECT_EQ(open.forward.to_string(), "64");
  EXPECT_TRUE(open.at_least);
}

TEST(Onnx, KeepsBatchStatisticsOutOfTheParameters) {
  Graph g;
  g.initializers = {tensor("g", 1, {4}), tensor("b", 1, {4}), tensor("m", 1, {4}), tensor("v", 1, {4})};
  g.inputs = {value("x", 1, {1, 4, 2, 2})};
  g.nodes = {node("BatchNormalization", {"x", "g", "b", "m", "v"}, {"y"})};
  g.outputs = {"y"};
  EXPECT_EQ(run(model(g.text())).parameters.to_string(), "8");
}

}  // namespace
}  // namespace floptally
