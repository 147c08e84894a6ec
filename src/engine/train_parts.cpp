#include "engine/train_parts.h"

#include <cmath>
#include <string>

namespace floptally {
namespace {

class Parts {
 public:
  Parts(Trace& trace, const RankParts& parts, const Run& run) : trace_(trace), parts_(parts), run_(run) {}

  // Trained parameters times bytes each, shared over the data ranks from that ZeRO stage on.
  Traced parameters(const std::string& what, Dtype format, Zero from) {
    const Traced each = number("bytes of " + what + " (" + std::string(dtype_info(format).name) + ")", bytes_of(format),
                               dim::kByte / dim::kParameter);
    const bool shared = run_.layout.zero >= from;
    const Traced dense = held("trained parameters of the rank", parts_.trained_dense, parts_.dense_ranks, shared);
    if (parts_.trained_expert <= 0) return dense * each;
    return (dense + held("trained expert parameters of the rank", parts_.trained_expert, parts_.expert_ranks, shared)) *
           each;
  }
  Traced states() {
    const bool shared = run_.layout.zero >= Zero::optimizer;
    const auto part = [&](const char* name, double bytes, double ranks) {
      const Traced whole = number(name, bytes, dim::kByte);
      return shared && ranks > 1 ? whole / sharing(name, ranks) : whole;
    };
    const Traced dense = part("states of the rank's parameters", parts_.states_dense, parts_.dense_ranks);
    if (parts_.states_expert <= 0) return dense;
    return dense + part("states of the rank's experts", parts_.states_expert, parts_.expert_ranks);
  }
  Traced frozen() {
    const Traced whole = number("frozen weights of the rank", parts_.frozen, dim::kByte);
    const Traced scales = number("scales of packed weights", parts_.frozen_scales, dim::kByte);
    if (run_.layout.zero < Zero::weights || parts_.dense_ranks <= 1)
      return parts_.frozen_scales > 0 ? whole + scales : whole;
    const Traced shared = whole / number("data ranks that share them", parts_.dense_ranks, {});
    return parts_.frozen_scales > 0 ? shared + scales : shared;
  }
  Traced activations() {
    std::vector<Traced> all;
    for (std::size_t c = 0; c < parts_.chunks.size(); ++c) {
      const RankParts::Chunk& chunk = parts_.chunks[c];
      const std::string of = parts_.chunks.size() > 1 ? " by chunk " + std::to_string(c) : "";
      Traced each;
      if (chunk.layer_bytes > 0) {
        const Traced layers = number("layers" + of, chunk.layers, {});
        each = layers * number("kept by a layer", chunk.layer_bytes, dim::kByte);
        const double rest = chunk.bytes - chunk.layers * chunk.layer_bytes;
        if (rest > 0.5) each = each + number("kept before the layers" + of, rest, dim::kByte);
      } else {
        each = number("kept of a micro-batch" + of, chunk.bytes, dim::kByte);
      }
      all.push_back(number("micro-batches held" + of, chunk.micro_batches, {}) * each);
    }
    if (parts_.after > 0) all.push_back(number("kept after the layers", parts_.after, dim::kByte));
    return trace_.sum(all, dim::kByte);
  }
  Traced logits(double bytes) {
    return number("logits of a micro-batch", parts_.logits, {}) *
           number("bytes of a logit at this moment", bytes / parts_.logits, dim::kByte);
  }

 private:
  Traced number(std::string name, double value, Dim dim) {
    return trace_.name(std::move(name), trace_.constant(value, dim));
  }
  // Experts are held by fewer ranks than the rest.
  Traced sharing(std::string_view of, double ranks) {
    const bool experts = of.find("expert") != std::string_view::npos;
    return number(experts ? "data ranks that share the experts" : "data ranks that share them", ranks, {});
  }
  Traced held(const char* name, double elements, double ranks, bool shared) {
    const Traced whole = number(name, elements, dim::kParameter);
    return shared && ranks > 1 ? whole / sharing(name, ranks) : whole;
  }

  Trace& trace_;
  const RankParts& parts_;
  const Run& run_;
};

}  // namespace

Traced part_of(Trace& trace, Holds what, const DeviceMemory& peak, const RankParts& parts, const Run& run) {
  Parts open(trace, parts, run);
  const double bytes = peak[what];
  const auto given = [&](const Traced& expression) {
    return std::abs(expression.value() - bytes) <= 1 + 1e-9 * bytes ? expression
                                                                    : trace.constant(std::round(bytes), dim::kByte);
  };
  const StoredFormats formats = stored_formats(run);
  switch (what) {
    case Holds::weights:
      if (parts.trained_dense + parts.trained_expert <= 0) return given(open.frozen());
      return given(parts.frozen > 0 ? open.parameters("a weight", formats.weights, Zero::weights) + open.frozen()
                                    : open.parameters("a weight", formats.weights, Zero::weights));
    case Holds::gradients:
      return given(open.parameters("a gradient", formats.gradients, Zero::gradients));
    case Holds::master:
      return given(open.parameters("a master weight", formats.master, Zero::optimizer));
    case Holds::states:
      return given(open.states());
    case Holds::activations:
      return given(open.activations());
    case Holds::logits:
      if (parts.logits > 0) return given(open.logits(bytes));
      break;
    default:
      break;
  }
  return trace.constant(std::round(bytes), dim::kByte);
}

}  // namespace floptally
