// What one op keeps for the backward pass: the tensors that its operator saves, what the framework's code adds, and
// what a policy of selective recomputation leaves.
#include <algorithm>
#include <cmath>

#include "estimate/memory_profile.h"
#include "estimate/op_kinds.h"
#include "training/framework.h"

namespace floptally {
namespace {

// Whether the op is a part of a fused query-key-value projection of which only parts are adapted, and is one of them.
bool is_padded(const LowRankAdapter& a, const Op& op) {
  const bool fused = !op.name.empty() && std::string_view("qkv").find(op.name.front()) != std::string_view::npos;
  return fused && op.component == Component::projection && is_adapted(a, op) && !(a.query && a.key && a.value);
}

// Fused attention takes heads of a multiple of 8 numbers: shorter ones are padded, queries, keys, values and output are
// kept so, and the output projection reads a copy without the padding where it does not read a copy anyway
// (flash_attn_interface.py: head_size_og, out_padded; ATen's scaled_dot_product_attention: pad_last_dim).
double padded_heads(const Framework& f, const Attributes<double>& a, const Cost<double>& c) {
  if (f.planned) return 0;  // a compiler's own kernels
  const auto pad = [](double size) { return std::ceil(size / 8) * 8 - size; };
  const double key = pad(a.value[4]), value = pad(a.value[5]);
  if (key == 0 && value == 0) return 0;
  const double queries = a.value[0] * a.value[2], keys = a.value[1] * a.value[3];
  const double copies = f.copies_output ? 1 : f.attention_copies;
  return queries * key + keys * (key + value) + queries * value + (value > 0 && copies == 0 ? c.output : 0);
}

}  // namespace

// What the allocator counts beyond a tensor's bytes: it takes blocks from segments of whole 2 MiB and splits one only
// where more than 1 MiB would be left (CUDACachingAllocator.cpp: round_size, get_allocation_size, should_split).
// Where experts get uneven numbers of tokens any size is as likely as another: half of them leave 0 to 1 MiB.
double MemoryProfile::unsplit(double bytes, bool any_size) const {
  constexpr double kMiB = 1024.0 * 1024;
  const double samples = static_cast<double>(run_.layout.micro_batch), tensor = bytes * samples;
  if (run_.framework.planned || tensor <= kMiB) return 0;
  if (any_size) return kMiB / 4 / samples;
  const double rest = std::ceil(tensor / (2 * kMiB)) * 2 * kMiB - tensor;
  return rest <= kMiB ? rest / samples : 0;
}

double MemoryProfile::saved_bytes(const Op& op, const Saved<double>& saved) const {
  switch (saved.keep) {
    case Keep::fp32:
      return saved.elements * 4;
    case Keep::mask:
      return saved.elements;
    case Keep::index:
      return saved.elements * 8;
    case Keep::activation:
      break;
  }
  if (is_norm(op)) return saved.elements * stream_;
  return saved.elements * (saved.weight_only && quantizes(op) ? kept_format_ : compute_);
}

bool MemoryProfile::quantizes(const Op& op) const {
  return kept_format_ < compute_ && is_linear(op) && op.component != Component::unembed &&
         op.component != Component::router && !run_.framework.keeps_high_precision;
}

// Whether the run's selective recomputation makes this saved tensor again instead of keeping it.
bool MemoryProfile::recomputed(const Op& op, int saved_index) const {
  const std::uint32_t modules = run_.recompute.modules;
  const auto has = [modules](Recompute::Module m) { return (modules & m) != 0; };
  const bool router = op.component == Component::router && is_linear(op);
  const bool expert =
      is_grouped(op) || op.component == Component::router || op.def == &operators::k_routing || experts_depth_ > 0;
  if (has(Recompute::moe) && (expert || shared_depth_ > 0)) return !(router && saved_index == 0);  // its input stays
  const bool scores = op.def == &operators::k_attention && (!run_.fused_attention || op.attributes[9] == 0);
  if (has(Recompute::core_attention) && scores && saved_index >= 2) return true;
  if (has(Recompute::mla_up) && op.def == &operators::k_attention && saved_index < 2) return true;
  if (has(Recompute::norms) && column_parallel(op) && saved_index == 0 && !is_grouped(op)) return true;
  if (has(Recompute::activations) && is_linear(op) && splits(op, 1) && op.component == Component::mlp &&
      saved_index == 0)
    return true;
  // Of a layer with experts `mlp` takes nothing, `shared_experts` what every token passes through.
  if (has(shared_depth_ > 0 ? Recompute::shared_experts : Recompute::mlp) && !expert &&
      (op.component == Component::mlp || op.component == Component::activation))
    return true;
  if (has(Recompute::expert_activations) && is_grouped(op) && splits(op, 1) && saved_index == 0) return true;
  if (has(Recompute::operators)) return is_norm(op) || op.component == Component::activation;
  return false;
}

// Bytes that frozen or adapted matrices keep of their input: a trained one keeps it to make its gradient, an adapter
// keeps its own dropped-out copy with the mask, and some 4-bit products keep it though nothing needs it.
double MemoryProfile::adapter_bytes(const Op& op, double input, bool shared) {
  const Framework& f = run_.framework;
  const bool packed = run_.adapter.base != Dtype::unspecified && (op.component != Component::unembed || f.packs_head);
  // What is made again is gone when the layer's backward pass is.
  const bool gone = run_.lengths != Lengths::fixed || (in_layer_ && run_.recompute.mode == Recompute::Mode::full);
  const double steps = gone ? std::min(1.0, f.packed_inputs) : f.packed_inputs;
  double bytes = packed && !shared ? steps * input * compute_ : 0;
  if (!is_adapted(run_.adapter, op)) return bytes;
  const bool fused = f.fused_values && op.component == Component::projection && shared && fused_adapter_;
  fused_adapter_ = op.component == Component::projection;
  const double format = run_.adapter.wide ? 4 : compute_;
  if (run_.adapter.dropout) {
    if (!fused) bytes += input * (format + 1);
  } else if (!shared && bytes == 0) {
    bytes += input * format;
  }
  return bytes;
}

// What the framework keeps beside the tensors that the operator itself saves.
double MemoryProfile::framework_bytes(const Op& op, const Attributes<double>& a, const Cost<double>& c) const {
  const Framework& f = run_.framework;
  const bool frozen = op.has(op_flags::frozen) || run_.adapter.rank > 0;
  double extra = 0;
  if (op.def == &operators::k_attention) {
    if (run_.adapter.prompts) extra += c.output * compute_;  // what the prompts' attention gave, for the gate
    extra += f.attention_copies * c.output * compute_;
    if (run_.fused_attention) extra += padded_heads(f, a, c) * compute_;
    const double scores = a.value[2] * a.value[0] * a.value[1];
    // What an fp32 softmax gave and, where no dropout stands between, its cast for the product.
    if ((run_.softmax_fp32 || stream_ > compute_) && !run_.fused_attention && compute_ < 4)
      extra += scores * (run_.attention_dropout ? 4 - compute_ : 4);
    if (f.padding_masks && !run_.fused_attention && a.value[6] == 0) extra += a.value[0] * a.value[1];
    if (run_.softcapped && !run_.fused_attention) extra += scores * (compute_ + 4);
    const double heads = a.value[2], kv_heads = a.value[3], keys = a.value[1];
    const bool repeated = (f.repeats_keys || !run_.fused_attention) && kv_heads < heads;
    if (repeated)
      extra += keys * (heads - kv_heads) * (a.value[4] + a.value[5]) * compute_;
    else if (f.fused_values)
      extra += (a.value[0] * heads + keys * kv_heads) * a.value[4] * compute_;
  }
  if (f.zero_pads && is_padded(run_.adapter, op)) extra += c.output * compute_;
  if (run_.adapter.scales_outputs && is_linear(op) && op.component != Component::unembed) extra += c.output * compute_;
  if (op.def == &operators::k_rms_norm && f.norm_bytes > 0 && !run_.compiled)
    extra += c.input * (f.norm_bytes - stream_ +
                        (frozen && !run_.adapter.scales_outputs ? 0 : std::min(4.0, f.norm_trained * stream_ / 2)));
  if (op.def == &operators::k_gated_activation && !run_.compiled) extra += f.gated_kept * c.output * compute_;
  if (is_grouped(op) && splits(op, 1) && previous_ == &operators::k_activation && f.expert_scaled)
    extra += c.input * compute_;
  if (op.def == &operators::k_elementwise && op.name == "residual" && run_.hidden_dropout) extra += c.output;
  return extra;
}

// torchtitan's policy by operator (distributed/activation_checkpoint.py): the first, third, fifth ... product of a
// layer keeps its output, attention keeps its own where it runs in PyTorch's kernels, everything else is made again
// from the layer's input.
double MemoryProfile::products_policy(const Op& op, const Cost<double>& c) {
  double bytes = products_ == 0 && in_layer_ && !started_ ? c.input * compute_ : 0;
  started_ = true;
  if (op.def == &operators::k_linear) return bytes + (++products_ % 2 == 1 ? c.output * compute_ : 0);
  if (op.def != &operators::k_attention || device_overhead(run_.device).cudnn_attention) return bytes;
  for (int i = 2; i < c.saved_count; ++i) bytes += saved_bytes(op, c.saved[i]);
  return bytes;
}

// mamba_ssm's mamba_split_conv1d_scan_combined keeps what the input projection wrote and the scan's output: the short
// convolution's activation and the scan's inputs are made again. causal_conv1d makes its activation again as well.
bool MemoryProfile::remade_by_scan(const Op& op) const {
  if (op.def == &operators::k_state_space) return true;
  return op.def == &operators::k_activation && previous_ == &operators::k_convolution && after_recurrent_;
}

double MemoryProfile::kept_bytes(const Op& op, const Attributes<double>& a, const Cost<double>& c, double& policy) {
  const bool tuned = run_.adapter.rank > 0;
  const bool frozen = op.has(op_flags::frozen) || tuned;
  // Unfused attention does not keep its output, so the output projection does; and a quantized one keeps its own copy.
  const bool after_scores =
      previous_ == &operators::k_attention && (!run_.fused_attention || run_.framework.copies_output || quantizes(op));
  const bool shared = (op.has(op_flags::shared_input) && !after_scores) || (shares_input_ && column_parallel(op));
  const bool selective = run_.recompute.mode == Recompute::Mode::selective;
  double all = 0, under = 0;
  unsplit_all_ = unsplit_policy_ = 0;
  const bool uneven = uneven_ && expert_load_ != 1 && (is_grouped(op) || experts_depth_ > 0);
  for (int i = 0; i < c.saved_count; ++i) {
    if (i == 0 && c.saves_input && is_linear(op) && tuned) {
      const double bytes = adapter_bytes(op, c.saved[0].elements, shared);
      all += bytes;
      under += bytes;
      continue;
    }
    // Autocast casts what comes from a norm anew for every product (only casts of weights are remembered).
    const bool joined =
        op.has(op_flags::joined) || (run_.framework.fused_values && op.component == Component::projection);
    if (i == 0 && c.saves_input && shared && !(stream_ > compute_ && column_parallel(op) && !joined)) continue;
    if (frozen && c.saved[i].weight_only) continue;
    if (op.def == &operators::k_routing && i == 2 && !run_.framework.expert_outputs) continue;
    if (i == 0 && remade_by_scan(op)) continue;
    double bytes = saved_bytes(op, c.saved[i]);
    if (i == 0 && column_parallel(op) && !is_grouped(op) && run_.layout.sequence_parallel &&
        !run_.framework.saves_gathered)
      bytes /= static_cast<double>(run_.layout.tensor);
    // Queries, keys and values are parts of one tensor where positions do not turn them.
    const bool part = op.def == &operators::k_attention && i < 2;
    joined_ += part ? bytes : 0;
    const double beyond = unsplit(part ? i == 1 ? joined_ : 0 : bytes, uneven);
    if (i == 1) joined_ = 0;
    all += bytes;
    unsplit_all_ += beyond;
    if (selective && recomputed(op, i)) continue;
    under += bytes;
    unsplit_policy_ += beyond;
  }
  const double extra = framework_bytes(op, a, c);
  const bool core = op.def == &operators::k_attention && recomputed(op, 2);  // softmaxes, masks, repeated keys
  if (!selective || !(core || recomputed(op, 0))) under += extra;
  const bool by_products =
      selective && (run_.recompute.modules & Recompute::operators) != 0 && run_.framework.products_policy && in_layer_;
  policy += by_products ? products_policy(op, c) : under;
  return all + extra;
}

}  // namespace floptally
