#include "network/convention.h"

#include "network/flop_per_element.h"

namespace floptally {

namespace {

constexpr ComponentSet without(ComponentSet set, Component c) { return set & ~component_bit(c); }
constexpr ComponentSet kNoEmbed = without(kAllComponents, Component::embed);
constexpr ComponentSet kKaplan = without(without(kNoEmbed, Component::unembed), Component::position);
constexpr ComponentSet kMegatron = without(kNoEmbed, Component::router);

Convention make(std::string_view name, std::string_view doc, std::string_view source) {
  Convention c;
  c.name = name;
  c.doc = doc;
  c.source = source;
  return c;
}

// Those that add up operators as this program sees them.
void add_plain(std::vector<Convention>& rows) {
  Convention c =
      make("matmul", "matrix products and convolutions; attention over the exact pairs that the mask lets through",
           "s(s+1)/2 pairs where causal");
  c.pairs = Pairs::exact;
  rows.push_back(c);

  c = make("all", "matmul, and everything else: norms, softmax, activations, biases",
           "per-element counts of ELECTRA's flops_computation.py");
  c.pairs = Pairs::exact;
  c.others = true;
  rows.push_back(c);

  c = make("causal", "matrix products and convolutions; causal attention counts half the square, s^2/2",
           "Llama and Megatron-LM reports");
  c.source = "Dubey et al. 2407.21783 and Megatron-LM count so";
  rows.push_back(c);

  c = make("full", "matrix products and convolutions; attention counts the whole square whatever the mask",
           "what an unfused kernel executes");
  c.pairs = Pairs::full;
  rows.push_back(c);
}

// Those that multiply parameters by tokens.
void add_parameter_rules(std::vector<Convention>& rows) {
  Convention c = make("6nd", "6 x active parameters x tokens, embeddings included",
                      "Kaplan et al. 2001.08361; Hoffmann et al. 2203.15556 for all parameters");
  c.by_parameters = true;
  c.components = 0;
  c.backward = Backward::twice;
  rows.push_back(c);

  c = make("palm", "6N + 12 L H Q T per token: all active parameters, attention over the whole square",
           "Chowdhery et al. 2204.02311, appendix B");
  c.by_parameters = true;
  c.pairs = Pairs::full;
  c.components = component_bit(Component::attention);
  c.backward = Backward::twice;
  rows.push_back(c);

  c = make("kaplan", "6N + 6 L s d per token: matrices without embeddings and logits, half the square of attention",
           "Kaplan et al. 2001.08361, section 2.1, table 1");
  c.by_parameters = true;
  c.parameter_components = kKaplan;
  c.matrices_only = true;
  c.components = component_bit(Component::attention);
  c.backward = Backward::twice;
  rows.push_back(c);
}

// Those of papers and tools that add up operators their own way.
void add_published(std::vector<Convention>& rows) {
  Convention c = make(
      "chinchilla",
      "every matrix product with the embedding as one, whole square, softmax 3 per score; backward twice the forward",
      "Hoffmann et al. 2203.15556, appendix F");
  c.pairs = Pairs::full;
  c.embedding_product = true;
  c.softmax = 3;
  c.backward = Backward::twice;
  rows.push_back(c);

  c.name = "chinchilla-logits";
  c.doc = "chinchilla without the embedding product";
  c.embedding_product = false;
  rows.push_back(c);

  c.name = "chinchilla-layers";
  c.doc = "chinchilla without embedding and logits: what reproduces the paper's table A4";
  c.components = without(kNoEmbed, Component::unembed);
  rows.push_back(c);

  c = make("megatron", "matrix products without the router, causal attention halved; backward twice the forward",
           "Megatron-LM num_floating_point_operations (training.py)");
  c.components = kMegatron;
  c.backward = Backward::twice;
  rows.push_back(c);

  c = make("torchtitan", "6 x active parameters without embeddings, and attention over the whole square",
           "torchtitan get_nparams_and_flops");
  c.by_parameters = true;
  c.parameter_components = kNoEmbed;
  c.pairs = Pairs::full;
  c.components = component_bit(Component::attention);
  c.backward = Backward::twice;
  rows.push_back(c);

  c = make("epoch",
           "matrix products and convolutions, causal attention halved; backward twice the forward for every layer",
           "Epoch, Estimating Training Compute of Deep Learning Models: backward to forward 2:1");
  c.backward = Backward::twice;
  rows.push_back(c);

  c = make("torch",
           "matrix products and convolutions that PyTorch executes: whole square, real backward, scores recomputed by "
           "fused attention",
           "torch.utils.flop_counter.FlopCounterMode");
  c.pairs = Pairs::full;
  c.kernel_recompute = true;
  rows.push_back(c);

  c = make(
      "mac",
      "multiply-accumulates of matrix products and convolutions, whole square (what fvcore and ptflops print as FLOPs)",
      "fvcore FlopCountAnalysis");
  c.pairs = Pairs::full;
  c.flop_per_count = 2;
  rows.push_back(c);
}

std::vector<Convention> build() {
  std::vector<Convention> rows;
  add_plain(rows);
  add_parameter_rules(rows);
  add_published(rows);
  return rows;
}

}  // namespace

const std::vector<Convention>& conventions() {
  static const std::vector<Convention> rows = build();
  return rows;
}

const Convention* find_convention(std::string_view name) {
  for (const Convention& row : conventions()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

const Convention& default_convention() { return *find_convention("causal"); }

CountOptions options_of(const Convention& convention) {
  CountOptions options;
  options.rules.pairs = convention.pairs;
  return options;
}

FlopCount flop_of(const Measure<Integer>& part, Component component, const Convention& convention, Integer sequence) {
  FlopCount result;
  const ComponentSet bit = component_bit(component);
  result.at_least = part.at_least;
  if ((convention.components & bit) != 0) {
    result.forward = part.forward.matmul + (convention.others ? part.forward.other : Integer(0));
    result.backward = part.backward_matmul() + (convention.others ? part.backward_other() : Integer(0));
    result.recompute = part.recompute_matmul;
  }
  if (convention.by_parameters && (convention.parameter_components & bit) != 0) {
    if (!convention.matrices_only) {
      result.forward += Integer(2) * sequence * (convention.active_only ? part.active() : part.parameters);
    } else if (component != Component::attention) {
      result.forward += part.forward.matmul;  // each matrix meets every token once: 2 x matrices x tokens
    }
  }
  if (convention.embedding_product && component == Component::embed) {
    result.forward += Integer(2) * part.parameters * sequence;
  }
  if (convention.softmax > 0 && component == Component::attention) {
    // The attention operator books 5 FLOP per score as `other`.
    result.forward += part.forward.other / Integer(flop_per_element::softmax) * Integer(convention.softmax);
  }
  if (convention.backward == Backward::twice) result.backward = Integer(2) * result.forward;
  if (convention.kernel_recompute) result.backward += result.recompute;
  return result;
}

FlopCount count_flop(const Network& network, const Convention& convention) {
  const Tally<Integer> tally = count(network, options_of(convention));
  FlopCount result;
  for (int i = 0; i < kComponentCount; ++i) {
    const FlopCount part =
        flop_of(tally.by_component[i], static_cast<Component>(i), convention, Integer(network.sequence));
    result.forward += part.forward;
    result.backward += part.backward;
    result.recompute += part.recompute;
    result.at_least = result.at_least || part.at_least;
  }
  result.forward /= Integer(convention.flop_per_count);
  result.backward /= Integer(convention.flop_per_count);
  result.recompute /= Integer(convention.flop_per_count);
  return result;
}

}  // namespace floptally
