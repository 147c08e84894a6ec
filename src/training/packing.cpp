#include "training/packing.h"

#include <algorithm>
#include <string>

#include "network/ops.h"
#include "quantity/quantity_text.h"

namespace floptally {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 31;  // squares of sums stay below 2^63

Result<std::int64_t> length(const Node& node) {
  const Result<Amount> value = parse_amount(node.text(), node.span(), Suffix::length);
  if (value.ok() && value->exact && Integer(0) < *value->exact && *value->exact < Integer(kMost))
    return value->exact->to_int64();
  return error("bad-whole-number",
               "'packing' expects the tokens of a document, found '" + std::string(node.text()) + "'", node.span(),
               "packing: 1024, or a list such as [4096, 2048, 2048] that adds up to the sequence");
}

}  // namespace

Result<std::optional<Packing>> read_packing(const Node& node) {
  if (!node) return std::optional<Packing>();
  Packing out;
  out.place = node.span();
  if (!node.is_sequence()) {
    const Result<std::int64_t> each = length(node);
    if (!each) return each.problems();
    out.each = *each;
    return std::optional(out);
  }
  for (const Node one : node) {
    const Result<std::int64_t> each = length(one);
    if (!each) return each.problems();
    out.lengths.push_back(*each);
  }
  return std::optional(out);
}

Result<std::int64_t> squares_of(const Packing& packing, std::int64_t sequence) {
  const std::int64_t s = std::min(sequence, kMost);
  if (packing.lengths.empty()) {
    const std::int64_t each = std::clamp<std::int64_t>(packing.each, 1, std::max<std::int64_t>(1, s));
    const std::int64_t rest = s % each;
    return (s / each) * each * each + rest * rest;
  }
  std::int64_t sum = 0, squares = 0;
  for (const std::int64_t each : packing.lengths) {
    sum += each;
    if (sum > s) break;
    squares += each * each;
  }
  if (sum == sequence) return squares;
  return error("bad-whole-number",
               "the packed documents add up to " + std::to_string(sum) + (sum > s ? " tokens or more" : " tokens") +
                   ", a sequence has " + std::to_string(sequence),
               packing.place);
}

Result<bool> pack(Network& network, const Packing& packing) {
  const Result<std::int64_t> squares = squares_of(packing, network.sequence);
  if (!squares) return squares.problems();
  std::int64_t longest = packing.each;
  for (const std::int64_t each : packing.lengths) longest = std::max(longest, each);
  for (Op& op : network.ops) {
    if (op.def != &operators::k_attention || op.attributes[0] != network.sequence ||
        op.attributes[1] != network.sequence)
      continue;
    const auto mask = static_cast<AttentionMask>(op.attributes[6]);
    const bool inside = mask == AttentionMask::causal_window && op.attributes[7] >= longest;
    if (mask == AttentionMask::causal || inside)
      op.attributes[6] = static_cast<std::int64_t>(AttentionMask::causal_documents);
    else if (mask == AttentionMask::none)
      op.attributes[6] = static_cast<std::int64_t>(AttentionMask::documents);
    else
      continue;
    op.attributes[7] = 0;
    op.attributes[8] = *squares;
  }
  return true;
}

}  // namespace floptally
