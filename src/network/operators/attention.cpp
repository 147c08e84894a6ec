#include "book/trace.h"
#include "network/flop_per_element.h"
#include "network/operator.h"
#include "network/ops.h"

namespace floptally::operators {
namespace {

constexpr AttributeDef kAttributes[] = {
    {"queries", "query positions", 0, Axis::tokens},
    {"keys", "key positions", 0},
    {"heads", "query heads", 1, Axis::channels},
    {"kv_heads", "key and value heads (1: multi-query, heads: multi-head)", 1, Axis::channels},
    {"key_dim", "size of a query and key head", 1},
    {"value_dim", "size of a value head; 0 counts scores alone", 0},
    {"mask",
     "0 none, 1 causal, 2 causal window, 3 causal chunks, 4 causal selection, 5 causal documents, 6 documents, 7 "
     "window on both sides",
     0},
    {"span", "window, chunk or selection size in positions", 0},
    {"squares", "sum of the squared document lengths (masks 5 and 6)", 0},
    {"fused", "1: scores are never stored and are recomputed in the backward pass (FlashAttention)", 0},
    {"dropout", "1: attention probabilities go through dropout", 0},
};

template <class N>
N window_pairs_twice(N s, N w, N extra) {  // sum over i of min(i, w), twice; extra = w counts the diagonal whole
  return w * (N(2) * s - w) + extra;
}

// Twice the number of query-key pairs, so that halves stay whole numbers.
template <class N>
N pairs_twice(const Attributes<N>& a, Pairs rule) {
  const N q = a[0], k = a[1], span = a[7], squares = a[8];
  const N full = N(2) * q * k;
  const N one = rule == Pairs::exact ? N(1) : N(0);
  const auto is = [&a](AttentionMask mask) { return a[6] == N(static_cast<std::int64_t>(mask)); };
  if (is(AttentionMask::documents)) return N(2) * squares;
  if (is(AttentionMask::causal_documents)) return rule == Pairs::full ? N(2) * squares : squares + one * q;
  if (is(AttentionMask::none) || rule == Pairs::full) return full;
  if (is(AttentionMask::window_both)) {  // |i - j| <= span, the diagonal counted once
    const N w = smaller(span, q - N(1));
    return N(2) * q * (N(2) * w + N(1)) - N(2) * w * (w + N(1));
  }
  if (is(AttentionMask::causal_chunks)) {
    const N chunks = floor_div(q, span), rest = q - chunks * span;
    return chunks * span * span + rest * rest + one * q;
  }
  const N past = k < q ? N(0) : k - q;  // keys before the first query (a cache) are seen by all queries
  if (is(AttentionMask::causal)) return N(2) * q * past + q * q + one * q;
  const N w = smaller(span, k);  // window and selection: each query sees at most w keys
  if (past == N(0)) return window_pairs_twice(q, w, one * w);
  // sum over the last q of k positions = whole triangle minus the past's
  const N w_past = smaller(w, past);
  return window_pairs_twice(k, w, one * w) - window_pairs_twice(past, w_past, one * w_past);
}

template <class N>
void cost(const Attributes<N>& a, const Rules& rules, Cost<N>& c) {
  namespace per = flop_per_element;
  const N q = a[0], k = a[1], heads = a[2], kv_heads = a[3], key = a[4], value = a[5], fused = a[9], dropout = a[10];
  const N pairs = pairs_twice(a, rules.pairs) * heads;  // twice the pairs of all heads
  const N soft = value == N(0) ? N(0) : N(1);
  c.forward = {pairs * (key + value), soft * floor_div(pairs * N(per::softmax), N(2))};
  c.backward_input = {N(2) * c.forward.matmul, soft * floor_div(pairs * N(per::softmax_backward), N(2))};
  c.input = q * heads * key + k * kv_heads * (key + value);
  c.output = value == N(0) ? floor_div(pairs, N(2)) : q * heads * value;
  c.keep_input(q * heads * key, false);
  c.keep(k * kv_heads * (key + value), Keep::activation);
  if (N(0) < fused) {
    c.recompute_matmul = pairs * key;
    c.keep(q * heads * value, Keep::activation);  // the output, which the output projection therefore shares
    c.keep(q * heads, Keep::fp32);                // log-sum-exp of each row
  } else {
    const N scores = heads * q * k;  // an unfused kernel stores the square whatever the mask
    c.keep(scores, Keep::activation);
    c.workspace = scores;
    if (N(0) < dropout) {
      c.keep(scores, Keep::mask);
      c.keep(scores, Keep::activation);
    }
  }
}

}  // namespace

extern const OperatorDef k_attention;
const OperatorDef k_attention = {"attention",
                                 "scores and values over query-key pairs: multi-head, grouped, multi-query, latent; "
                                 "causal, windowed, chunked, packed, cross",
                                 "Vaswani et al. 1706.03762; GQA 2305.13245; FlashAttention 2205.14135 "
                                 "(recomputation); pairs as masked: s^2/2 or s(s+1)/2",
                                 kAttributes,
                                 11,
                                 {"causal, 4 tokens, 2 heads of 3, one shared key-value head",
                                  {4, 4, 2, 1, 3, 3, 1, 0, 0, 1, 0},
                                  0,
                                  192,
                                  80,
                                  384,
                                  0},
                                 cost<Integer>,
                                 cost<double>,
                                 cost<Traced>};

}  // namespace floptally::operators
