// What every operator reads, writes and keeps for its backward pass, of its worked example (`floptally reference
// operators` has them): elements worked out by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string>

#include "network/ops.h"

namespace floptally {
namespace {

struct Moved {
  std::string_view name;
  std::int64_t input, output;
  std::array<std::int64_t, kKeepCount> kept;  // in the compute format, fp32, masks, indices
};

constexpr Moved kMoved[] = {
    {"activation", 10, 10, {10, 0, 0, 0}},  // GELU reads what it kept
    {"attention", 48, 24, {72, 8, 0, 0}},   // queries 24, keys and values 12 each, the output; a number a row and head
    {"batch_norm", 36, 36, {36, 0, 0, 0}},  // statistics belong to the batch, not to a sample
    {"convolution", 150'528, 802'816, {150'528, 0, 0, 0}},  // 3 x 224^2 and 64 x 112^2
    {"convolution_transposed", 36, 72, {36, 0, 0, 0}},      // 4 x 3^2 and 2 x 6^2
    {"cross_entropy", 10, 1, {0, 10, 0, 2}},                // log-softmax, and the right classes
    {"delta_rule", 90, 30, {78, 12, 0, 0}},                 // 2 tokens of 2 x 3 x 4 + 3 x 5; decay and step size
    {"dropout", 10, 10, {0, 0, 10, 0}},                     // a byte a number
    {"elementwise", 20, 10, {0, 0, 0, 0}},                  // a sum needs nothing
    {"embedding", 8, 32, {0, 0, 0, 8}},                     // token ids
    {"gated_activation", 20, 10, {20, 0, 0, 0}},            // both halves
    {"group_norm", 32, 32, {32, 4, 0, 0}},                  // mean and deviation of 2 groups
    {"grouped_linear", 36, 60, {36, 0, 0, 0}},              // 12 rows: 6 tokens at 2 experts each
    {"gru", 15, 20, {115, 0, 0, 0}},              // input, and 5 x 4 of three gates, the candidate's part and the state
    {"layer_norm", 12, 12, {12, 6, 0, 0}},        // mean and deviation of 3 rows
    {"linear", 12, 20, {12, 0, 0, 0}},            // its input
    {"linear_attention", 78, 30, {78, 0, 0, 0}},  // 2 tokens of 2 x 3 x 4 + 3 x 5
    {"lstm", 15, 20, {135, 0, 0, 0}},             // input, and 5 x 4 of four gates, cell and state
    {"matmul", 64, 30, {64, 0, 0, 0}},            // both factors
    {"move", 10, 10, {0, 0, 0, 0}},
    {"parameter", 4, 4, {0, 0, 0, 0}},
    {"pointwise", 10, 10, {0, 0, 0, 0}},
    {"pool", 16, 4, {16, 0, 0, 4}},  // the input and where its maxima stood
    {"position_table", 20, 20, {0, 0, 0, 0}},
    {"product", 12, 15, {12, 0, 0, 0}},       // the factor that is not learned
    {"relative_bias", 18, 18, {0, 0, 0, 0}},  // 2 x 3 x 3 scores
    {"resize", 4, 16, {0, 0, 0, 0}},
    {"rms_norm", 12, 12, {12, 3, 0, 0}},  // a number a row
    {"rnn", 15, 20, {35, 0, 0, 0}},       // input and state
    {"rotary", 48, 48, {0, 0, 0, 0}},
    {"routing", 42, 15, {30, 12, 0, 6}},       // experts' outputs 3 x 2 x 5, scores 3 x 4, choices 3 x 2
    {"selective_scan", 28, 6, {28, 0, 0, 0}},  // 2 tokens of x 3, step 3, B and C 4 each
    {"softmax", 10, 10, {10, 0, 0, 0}},        // its output
    {"sparse_linear", 24, 12, {24, 0, 0, 0}},  // its input
    {"state_space", 50, 24, {44, 6, 0, 0}},    // 2 tokens of x 12, B and C 5 each; the step's 3 in fp32
    {"unknown", 0, 0, {0, 0, 0, 0}},
};

TEST(Operators, ReadWriteAndKeepWhatTheirExamplesSay) {
  for (auto def = all_operators(); *def != nullptr; ++def) {
    SCOPED_TRACE(std::string((*def)->name));
    const auto* expected =
        std::find_if(std::begin(kMoved), std::end(kMoved), [&](const Moved& row) { return row.name == (*def)->name; });
    ASSERT_NE(expected, std::end(kMoved)) << "give the operator a row here";
    Op op;
    op.def = *def;
    for (int i = 0; i < (*def)->attribute_count; ++i) op.attributes[i] = (*def)->example.attributes[i];
    Cost<Integer> cost;
    cost_of(op, {}, cost);
    std::array<Integer, kKeepCount> kept{};
    for (int i = 0; i < cost.saved_count; ++i) {
      Integer& of = kept[static_cast<std::size_t>(cost.saved[i].keep)];
      of = of + cost.saved[i].elements;
    }
    EXPECT_EQ(cost.input, Integer(expected->input));
    EXPECT_EQ(cost.output, Integer(expected->output));
    for (std::size_t i = 0; i < kKeepCount; ++i) EXPECT_EQ(kept[i], Integer(expected->kept[i])) << i;
  }
}

}  // namespace
}  // namespace floptally
