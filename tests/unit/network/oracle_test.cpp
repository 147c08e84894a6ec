// Every operator that multiplies, against loops that count each multiply-add, over all small shapes.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "network/ops.h"
#include "network/shapes.h"

namespace floptally {
namespace {

Cost<Integer> cost(const Op& op, Pairs pairs = Pairs::exact) {
  Cost<Integer> c;
  cost_of(op, {pairs}, c);
  return c;
}

// Calls `body` with every combination of `N` numbers from 1 to `most`.
template <int N>
void all_small(int most, const std::function<void(const int*)>& body) {
  int v[N];
  for (int& x : v) x = 1;
  while (true) {
    body(v);
    int i = 0;
    while (i < N && ++v[i] > most) v[i++] = 1;
    if (i == N) return;
  }
}

TEST(Oracle, Linear) {
  all_small<3>(3, [](const int* v) {
    long forward = 0, input = 0, weight = 0;
    for (int row = 0; row < v[0]; ++row) {
      for (int out = 0; out < v[2]; ++out) {
        for (int in = 0; in < v[1]; ++in) {
          ++forward;  // y[row][out] += x[row][in] w[out][in]
          ++input;    // gx[row][in] += gy[row][out] w[out][in]
          ++weight;   // gw[out][in] += gy[row][out] x[row][in]
        }
      }
    }
    const Cost<Integer> c = cost(linear("", v[0], v[1], v[2], true));
    EXPECT_EQ(c.forward.matmul, Integer(2 * forward));
    EXPECT_EQ(c.backward_input.matmul, Integer(2 * input));
    EXPECT_EQ(c.backward_weight.matmul, Integer(2 * weight));
    EXPECT_EQ(c.parameters, Integer(v[1] * v[2] + v[2]));
  });
}

// in, out channels per group, groups, size, kernel, stride, padding + 1, dilation
TEST(Oracle, ConvolutionInTwoDimensions) {
  all_small<8>(2, [](const int* v) {
    const int groups = v[2], in = v[0] * groups, out = v[1] * groups, size = v[3] + 2, kernel = v[4], stride = v[5],
              padding = v[6] - 1, dilation = v[7];
    long products = 0, positions = 0, weights = 0;
    for (int y = -padding; y + dilation * (kernel - 1) < size + padding; y += stride) {
      for (int x = -padding; x + dilation * (kernel - 1) < size + padding; x += stride) {
        ++positions;
        for (int o = 0; o < out; ++o) {
          for (int i = 0; i < in / groups; ++i) {
            for (int k = 0; k < kernel * kernel; ++k) ++products;
          }
        }
      }
    }
    for (int o = 0; o < out; ++o) weights += in / groups * kernel * kernel;
    const std::int64_t side = convolved(size, kernel, stride, padding, dilation);
    ASSERT_EQ(side * side, positions);
    const Cost<Integer> c = cost(convolution("", in, out, groups, kernel * kernel, size * size, side * side, false));
    EXPECT_EQ(c.forward.matmul, Integer(2 * products));
    EXPECT_EQ(c.backward_input.matmul, Integer(2 * products));
    EXPECT_EQ(c.backward_weight.matmul, Integer(2 * products));
    EXPECT_EQ(c.parameters, Integer(weights));
  });
}

TEST(Oracle, TransposedConvolutionInOneDimension) {
  all_small<6>(3, [](const int* v) {
    const int groups = v[2] == 3 ? 2 : v[2], in = v[0] * groups, out = v[1] * groups, size = v[3], kernel = v[4],
              stride = v[5];
    long products = 0, last = 0;
    for (int x = 0; x < size; ++x) {
      for (int k = 0; k < kernel; ++k) {
        last = std::max<long>(last, x * stride + k + 1);
        for (int i = 0; i < in; ++i) {
          for (int o = 0; o < out / groups; ++o) ++products;  // y[x s + k][o] += x[x][i] w[i][o][k]
        }
      }
    }
    ASSERT_EQ(convolved_transposed(size, kernel, stride), last);
    EXPECT_EQ(cost(convolution_transposed("", in, out, groups, kernel, size, last, false)).forward.matmul,
              Integer(2 * products));
  });
}

struct MaskCase {
  AttentionMask mask;
  std::function<bool(int query, int key, int span)> lets;
};

TEST(Oracle, AttentionPairsOfEveryMask) {
  const MaskCase cases[] = {
      {AttentionMask::none, [](int, int, int) { return true; }},
      {AttentionMask::causal, [](int q, int k, int) { return k <= q; }},
      {AttentionMask::causal_window, [](int q, int k, int w) { return k <= q && q - k < w; }},
      {AttentionMask::causal_chunks, [](int q, int k, int c) { return k <= q && q / c == k / c; }},
      {AttentionMask::causal_selection,
       [](int q, int k, int w) { return k <= q && q - k < w; }},  // any w earlier keys: as many
      {AttentionMask::window_both, [](int q, int k, int w) { return q - k <= w && k - q <= w; }},
  };
  for (const MaskCase& c : cases) {
    for (int s = 1; s <= 7; ++s) {
      for (int span = 1; span <= 8; ++span) {
        long products = 0, full = 0;
        for (int head = 0; head < 3; ++head) {
          for (int q = 0; q < s; ++q) {
            for (int k = 0; k < s; ++k) {
              for (int d = 0; d < 2 + 5; ++d) {  // 2 for the score, 5 for the value
                full += 1;
                if (c.lets(q, k, span)) ++products;
              }
            }
          }
        }
        const Op op = attention("", {.queries = s,
                                     .keys = s,
                                     .heads = 3,
                                     .kv_heads = 1,
                                     .key_dim = 2,
                                     .value_dim = 5,
                                     .mask = c.mask,
                                     .span = span});
        EXPECT_EQ(cost(op).forward.matmul, Integer(2 * products))
            << static_cast<int>(c.mask) << " s " << s << " span " << span;
        EXPECT_EQ(cost(op).backward_input.matmul, Integer(4 * products));
        if (c.mask != AttentionMask::window_both) {
          EXPECT_EQ(cost(op, Pairs::full).forward.matmul, Integer(2 * full));
        }
      }
    }
  }
}

TEST(Oracle, AttentionWithACacheAndPackedDocuments) {
  for (int q = 1; q <= 3; ++q) {
    for (int past = 0; past <= 4; ++past) {
      for (int span = 1; span <= 8; ++span) {
        long causal = 0, window = 0;
        for (int i = past; i < past + q; ++i) {
          for (int k = 0; k <= i; ++k) {
            ++causal;
            if (i - k < span) ++window;
          }
        }
        AttentionShape shape{.queries = q, .keys = q + past, .mask = AttentionMask::causal, .span = span};
        EXPECT_EQ(cost(attention("", shape)).forward.matmul, Integer(4 * causal));
        shape.mask = AttentionMask::causal_window;
        EXPECT_EQ(cost(attention("", shape)).forward.matmul, Integer(4 * window));
      }
    }
  }
  // Documents of 3, 1 and 2 tokens: pairs stay inside.
  AttentionShape packed{.queries = 6, .keys = 6, .mask = AttentionMask::causal_documents, .squares = 14};
  EXPECT_EQ(cost(attention("", packed)).forward.matmul, Integer(4 * (6 + 1 + 3)));
  packed.mask = AttentionMask::documents;
  EXPECT_EQ(cost(attention("", packed)).forward.matmul, Integer(4 * 14));
}

// steps, input, hidden, projected (4 means none), directions
TEST(Oracle, RecurrentLayers) {
  all_small<5>(3, [](const int* v) {
    if (v[4] > 2) return;
    const int steps = v[0], input = v[1], hidden = v[2], projected = v[3] == 3 ? 0 : v[3], directions = v[4];
    for (int gates : {1, 3, 4}) {
      const int state = gates == 4 && projected > 0 ? projected : hidden;
      long products = 0, state_gradient = 0, parameters = 0;
      for (int d = 0; d < directions; ++d) {
        for (int t = 0; t < steps; ++t) {
          for (int row = 0; row < gates * hidden; ++row) {
            products += input + state;
            if (t > 0) state_gradient += state;
          }
          if (gates == 4 && projected > 0) {
            products += projected * hidden;
            state_gradient += projected * hidden;
          }
        }
        parameters += gates * hidden * (input + state + 2) + (gates == 4 ? projected * hidden : 0);
      }
      const Op op = gates == 1   ? rnn("", steps, input, hidden, directions)
                    : gates == 3 ? gru("", steps, input, hidden, directions)
                                 : lstm("", steps, input, hidden, directions, 2, projected);
      const Cost<Integer> c = cost(op);
      EXPECT_EQ(c.forward.matmul, Integer(2 * products));
      EXPECT_EQ(c.backward_weight.matmul, Integer(2 * products));
      EXPECT_EQ(c.backward_inner.matmul, Integer(2 * state_gradient));
      EXPECT_EQ(c.backward_input.matmul, Integer(2L * directions * steps * gates * hidden * input));
      EXPECT_EQ(c.parameters, Integer(parameters));
    }
  });
}

TEST(Oracle, ExpertsAreOneLinearLayerEach) {
  all_small<4>(3, [](const int* v) {
    const int tokens = v[0], in = v[1], out = v[2], experts = 3, active = v[3];
    long products = 0;
    for (int t = 0; t < tokens; ++t) {
      for (int e = 0; e < active; ++e) products += in * out;
    }
    const Cost<Integer> c = cost(grouped_linear("", tokens * active, in, out, false, experts, active));
    EXPECT_EQ(c.forward.matmul, Integer(2 * products));
    EXPECT_EQ(c.parameters, Integer(experts * in * out));
    EXPECT_EQ(c.parameters - c.inactive, Integer(active * in * out));
  });
}

TEST(Oracle, StructuredSparsity) {
  for (int rows = 1; rows <= 3; ++rows) {
    for (int in = 4; in <= 8; in += 4) {
      for (int out = 1; out <= 3; ++out) {
        long kept = 0;
        for (int o = 0; o < out; ++o) {
          for (int i = 0; i < in; ++i) kept += i % 4 < 2 ? 1 : 0;
        }
        const Cost<Integer> c = cost(sparse_linear("", rows, in, out, false, 2, 4, true));
        EXPECT_EQ(c.parameters, Integer(kept));
        EXPECT_EQ(c.forward.matmul, Integer(2 * rows * kept));
        EXPECT_EQ(c.backward_weight.matmul, Integer(2 * rows * in * out));
      }
    }
  }
}

TEST(Oracle, StateMixersMultiplyTheirStates) {
  all_small<4>(3, [](const int* v) {
    const int tokens = v[0], heads = v[1], key = v[2], value = v[3];
    long products = 0;
    for (int t = 0; t < tokens; ++t) {
      for (int h = 0; h < heads; ++h) products += 2 * key * value;  // write k v^T, read q S
    }
    EXPECT_EQ(cost(linear_attention("", tokens, heads, key, value)).forward.matmul, Integer(2 * products));
    EXPECT_EQ(cost(delta_rule("", tokens, heads, heads, key, value)).forward.matmul,
              Integer(4 * products));  // and erase, decay
  });
}

}  // namespace
}  // namespace floptally
