// Every operator: its worked example, its documentation, and both number types agreeing.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "network/ops.h"

namespace floptally {
namespace {

Op example_op(const OperatorDef& def) {
  Op op;
  op.def = &def;
  for (int i = 0; i < def.attribute_count; ++i) op.attributes[i] = def.example.attributes[i];
  return op;
}

TEST(Operators, EveryWorkedExampleHolds) {
  for (auto def = all_operators(); *def != nullptr; ++def) {
    SCOPED_TRACE(std::string((*def)->name));
    const OperatorExample& want = (*def)->example;
    Cost<Integer> cost;
    cost_of(example_op(**def), {}, cost);
    EXPECT_EQ(cost.parameters, Integer(want.parameters));
    EXPECT_EQ(cost.forward.matmul, Integer(want.forward_matmul));
    EXPECT_EQ(cost.forward.other, Integer(want.forward_other));
    EXPECT_EQ(cost.backward_input.matmul, Integer(want.backward_input_matmul));
    EXPECT_EQ(cost.backward_weight.matmul, Integer(want.backward_weight_matmul));
  }
}

TEST(Operators, AreDocumentedAndHaveSources) {
  std::set<std::string_view> names;
  for (auto def = all_operators(); *def != nullptr; ++def) {
    SCOPED_TRACE(std::string((*def)->name));
    EXPECT_FALSE((*def)->doc.empty());
    EXPECT_FALSE((*def)->source.empty());
    EXPECT_FALSE((*def)->example.text.empty());
    EXPECT_TRUE(names.insert((*def)->name).second);
    for (int i = 0; i < (*def)->attribute_count; ++i) EXPECT_FALSE((*def)->attributes[i].doc.empty());
    EXPECT_EQ(find_operator((*def)->name), *def);
  }
  EXPECT_EQ(find_operator("no such operator"), nullptr);
}

TEST(Operators, DoubleCountsEqualExactOnes) {
  for (auto def = all_operators(); *def != nullptr; ++def) {
    SCOPED_TRACE(std::string((*def)->name));
    const Op op = example_op(**def);
    for (Pairs pairs : {Pairs::half, Pairs::exact, Pairs::full}) {
      Cost<Integer> exact;
      Cost<double> fast;
      cost_of(op, {pairs}, exact);
      cost_of(op, {pairs}, fast);
      EXPECT_EQ(exact.parameters.to_double(), fast.parameters);
      EXPECT_EQ(exact.inactive.to_double(), fast.inactive);
      EXPECT_EQ(exact.forward.matmul.to_double(), fast.forward.matmul);
      EXPECT_EQ(exact.forward.other.to_double(), fast.forward.other);
      EXPECT_EQ(exact.backward_input.other.to_double(), fast.backward_input.other);
      EXPECT_EQ(exact.backward_inner.matmul.to_double(), fast.backward_inner.matmul);
      ASSERT_EQ(exact.saved_count, fast.saved_count);
      for (int i = 0; i < exact.saved_count; ++i)
        EXPECT_EQ(exact.saved[i].elements.to_double(), fast.saved[i].elements);
    }
  }
}

}  // namespace
}  // namespace floptally
