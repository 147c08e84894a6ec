// Sources: megatron/core/models/hybrid (hybrid_layer_allocation.py, hybrid_layer_specs.py), megatron/core/ssm/
// mamba_mixer.py, megatron/core/transformer/transformer_config.py (mamba_state_dim 128, mamba_head_dim 64,
// mamba_num_groups 8, expand 2), examples/t5/pretrain_t5.py, megatron/core/models/T5, pretrain_vlm.py.
#include "evidence/megatron_models.h"

#include <algorithm>
#include <cmath>

#include "network/blocks/mixers.h"
#include "network/blocks/tower.h"

namespace floptally {
namespace {

constexpr std::int64_t kMostLayers = 4096;  // that are told one by one
const char* const kTooMany = "more than 4096 layers that are not all alike";

struct Parts {
  const DecoderShape& shape;
  Mamba2Part mamba;
  std::int64_t latent = 0;
};

void describe_norm(const DecoderShape& s, std::string_view name, std::int64_t tokens, Sink& sink) {
  if (s.norm != NormKind::none) sink.add(norm(name, s.norm, tokens, s.width));
}

void describe_self_attention(const DecoderShape& s, AttentionMask mask, std::int64_t tokens, Sink& sink) {
  describe_norm(s, "input_layernorm", tokens, sink);
  describe_attention(attention_of(s, mask), tokens, sink);
  sink.add(residual(tokens * s.width));
}

void describe_dense(const DecoderShape& s, std::int64_t tokens, Sink& sink) {
  describe_norm(s, "post_attention_layernorm", tokens, sink);
  describe_mlp(mlp_of(s), tokens, sink);
  sink.add(residual(tokens * s.width));
}

void describe_experts(const Parts& p, std::int64_t tokens, Sink& sink) {
  const DecoderShape& s = p.shape;
  describe_norm(s, "pre_mlp_layernorm", tokens, sink);
  MoePart moe = experts_of(s);
  moe.latent = p.latent;
  describe_moe(moe, tokens, sink);
  sink.add(residual(tokens * s.width));
}

void describe_parts(const Parts& p, std::string_view parts, Sink& sink) {
  const DecoderShape& s = p.shape;
  for (const char part : parts) {
    if (part == 'M') {
      describe_norm(s, "norm", s.sequence, sink);
      describe_mamba2(p.mamba, s.sequence, sink);
      sink.add(residual(s.sequence * s.width));
    } else if (part == '*') {
      describe_self_attention(s, s.mask, s.sequence, sink);
    } else if (part == '-') {
      describe_dense(s, s.sequence, sink);
    } else if (part == 'E') {
      describe_experts(p, s.sequence, sink);
    }
  }
}

void describe_embedding(const DecoderShape& s, Sink& sink) {
  sink.add(embedding("embed_tokens", s.sequence, s.vocabulary, s.width));
  if (s.positions == Positions::learned) {
    sink.add(
        position_table("embed_positions", s.sequence, s.max_positions > 0 ? s.max_positions : s.sequence, s.width));
  }
}

void describe_logits(const DecoderShape& s, bool tied, Sink& sink) {
  describe_unembedding({"lm_head", s.width, s.vocabulary, tied, s.unembed_bias, true}, s.sequence, sink);
}

// Layers in order, equal neighbours as one.
void describe_layers(const Parts& p, const std::vector<std::string>& layers, Sink& sink) {
  for (std::size_t first = 0; first < layers.size();) {
    std::size_t next = first + 1;
    while (next < layers.size() && layers[next] == layers[first]) ++next;
    const Scope layer(sink, "layers", static_cast<std::int64_t>(next - first), BlockKind::layer);
    describe_parts(p, layers[first], sink);
    first = next;
  }
}

// An extra prediction head: norms of both inputs, their projection, layers of its own, the shared logits.
void describe_extra(const Parts& p, const MegatronStack& stack, Sink& sink) {
  const DecoderShape& s = p.shape;
  const Scope scope(sink, "mtp", stack.heads, BlockKind::layer);
  describe_norm(s, "enorm", s.sequence, sink);
  describe_norm(s, "hnorm", s.sequence, sink);
  sink.add(linear("eh_proj", s.sequence, 2 * s.width, s.width));
  for (const std::string& layer : stack.extra) describe_parts(p, layer, sink);
  describe_norm(s, "norm", s.sequence, sink);
  describe_logits(s, true, sink);
}

// What is frozen is described with its weights alone where nothing before it is trained, else op by op.
class Frozen final : public Sink {
 public:
  Frozen(Sink& to, bool weights_alone) : to_(to), weights_alone_(weights_alone) {}
  void enter(std::string_view name, std::int64_t repeat, BlockKind kind) override {
    repeats_.push_back(repeats_.back() * repeat);
    if (!weights_alone_) to_.enter(name, repeat, kind);
  }
  void add(const Op& op) override {
    if (!weights_alone_) return to_.add(Op(op).with(op_flags::frozen));
    Cost<Integer> cost;
    cost_of(op, Rules{}, cost);
    if (cost.parameters.fits_int64()) held_ += cost.parameters.to_int64() * repeats_.back();
  }
  void leave() override {
    repeats_.pop_back();
    if (!weights_alone_) to_.leave();
  }
  void finish() {
    if (weights_alone_ && held_ > 0) to_.add(parameter("frozen", held_, 0).with(op_flags::frozen).split({0}));
  }

 private:
  Sink& to_;
  bool weights_alone_;
  std::vector<std::int64_t> repeats_{1};
  std::int64_t held_ = 0;
};

Mamba2Part mamba_of(const DecoderShape& s, const MegatronArguments& a) {
  Mamba2Part mamba;
  mamba.width = s.width;
  mamba.head_dim = a.count("mamba-head-dim", 64);
  mamba.heads = a.count("mamba-num-heads", mamba.head_dim > 0 ? 2 * s.width / mamba.head_dim : 0);
  mamba.state = a.count("mamba-state-dim", 128);
  mamba.groups = a.count("mamba-num-groups", 8);
  return mamba;
}

// Evenly spaced attention and dense layers among Mamba layers (hybrid_layer_allocation.py, pattern_from_ratios).
std::string spaced_pattern(std::int64_t layers, double attention, double dense) {
  std::string pattern(static_cast<std::size_t>(layers), 'M');
  const auto place = [&](char kind, double gap) {
    double left = gap;
    for (char& layer : pattern) {
      if (layer != 'M') continue;
      if (left < 0.5) {
        layer = kind;
        left += gap;
      } else {
        left -= 1;
      }
    }
  };
  const double n = static_cast<double>(layers), some = std::round(n * attention), mlps = std::round(n * dense);
  if (some > 0) place('*', (n - some) / (some + 1));
  if (mlps > 0) place('-', (n - some - mlps) / mlps);
  return pattern;
}

// "MEM*E|MEM-/*E/*E": "|" ends a pipeline chunk, each "/" begins a prediction head.
MegatronStack hybrid_stack(const EvidenceRow& row, const MegatronArguments& a) {
  MegatronStack out;
  std::string pattern(a.text(a.has("hybrid-layer-pattern") ? "hybrid-layer-pattern" : "hybrid-override-pattern"));
  if (pattern.empty() && row.shape.layers > kMostLayers) out.reason = kTooMany;
  const bool spaced = a.has("hybrid-attention-ratio") || a.has("hybrid-mlp-ratio");
  if (pattern.empty() && !spaced && row.arch.find("mamba") == std::string::npos)
    out.reason = "hybrid-layer-pattern is missing";
  if (pattern.empty())
    pattern = spaced_pattern(std::clamp<std::int64_t>(row.shape.layers, 0, kMostLayers),
                             a.number("hybrid-attention-ratio", 0), a.number("hybrid-mlp-ratio", 0));
  const std::size_t slash = pattern.find('/');
  std::string extra(a.text("mtp-hybrid-override-pattern"));
  if (slash != std::string::npos) {
    out.heads = std::count(pattern.begin(), pattern.end(), '/');
    extra = pattern.substr(slash + 1, pattern.find('/', slash + 1) - slash - 1);
    pattern.resize(slash);
  } else if (!extra.empty()) {
    out.heads = a.count("mtp-num-layers", 0);
  }
  std::int64_t held = 0;
  for (const char kind : pattern) {
    if (kind == '|') {
      out.stages.push_back(held);
      held = 0;
      continue;
    }
    // With latent attention "*" is latent too, and "+" asks for it by name.
    out.layers.emplace_back(1, kind == '+' ? '*' : kind);
    ++held;
    if (std::string_view("M*-E+").find(kind) == std::string_view::npos)
      out.reason = std::string("layers of kind '") + kind + "' in the hybrid pattern are not described";
  }
  if (!out.stages.empty()) out.stages.push_back(held + out.heads);
  for (const char kind : extra) out.extra.emplace_back(1, kind == '+' ? '*' : kind);
  return out;
}

std::shared_ptr<const Network> stack_network(const EvidenceRow& row, const MegatronArguments& a,
                                             const MegatronStack& stack) {
  NetworkBuilder builder;
  const DecoderShape& s = row.shape;
  const Parts parts{s, mamba_of(s, a), a.count("moe-latent-size", 0)};
  describe_embedding(s, builder);
  describe_layers(parts, stack.layers, builder);
  describe_norm(s, "norm", s.sequence, builder);
  describe_logits(s, s.tied, builder);
  if (stack.heads > 0) describe_extra(parts, stack, builder);
  auto network = std::make_shared<Network>(builder.finish());
  network->name = row.model;
  network->sequence = s.sequence;
  network->unit = "token";
  return network;
}

// T5Model: encoder and decoder of equal width; the decoder's layers look at the encoder's output as well.
std::shared_ptr<const Network> t5_network(const EvidenceRow& row, const MegatronArguments& a) {
  NetworkBuilder builder;
  DecoderShape s = row.shape;
  const std::int64_t source = a.count("encoder-seq-length", a.count("seq-length", s.sequence));
  const std::int64_t target = a.count("decoder-seq-length", 128);
  const std::int64_t encoders = std::max<std::int64_t>(0, a.count("encoder-num-layers", s.layers));
  CrossAttentionPart cross;
  cross.width = cross.memory_width = s.width;
  cross.heads = cross.kv_heads = s.heads;
  cross.head_dim = s.head_dim;
  cross.q_bias = cross.k_bias = cross.v_bias = s.qkv_bias;
  cross.out_bias = s.out_bias;
  s.sequence = source;
  describe_embedding(s, builder);
  {
    const Scope layer(builder, "encoder", encoders, BlockKind::layer);
    describe_self_attention(s, AttentionMask::none, source, builder);
    describe_dense(s, source, builder);
  }
  {
    const std::int64_t decoders = std::max<std::int64_t>(0, a.count("decoder-num-layers", s.layers));
    const Scope layer(builder, "decoder", decoders, BlockKind::layer);
    describe_self_attention(s, AttentionMask::causal, target, builder);
    describe_norm(s, "pre_cross_attn_layernorm", target, builder);
    describe_cross_attention(cross, target, source, builder);
    builder.add(residual(target * s.width));
    describe_dense(s, target, builder);
  }
  describe_norm(s, "encoder_norm", source, builder);
  s.sequence = target;
  describe_norm(s, "norm", target, builder);
  s.unembed_bias = s.tied;
  describe_logits(s, s.tied, builder);
  auto network = std::make_shared<Network>(builder.finish());
  network->name = row.model;
  network->sequence = target;
  network->unit = "token";
  return network;
}

// pretrain_vlm.py: a CLIP tower of the language model's width before it, joined by a feed-forward layer.
std::shared_ptr<const Network> vision_network(EvidenceRow& row, const MegatronArguments& a) {
  NetworkBuilder builder;
  const std::int64_t patch = std::max<std::int64_t>(1, a.count("patch-dim", 16)), channels = a.count("num-channels", 3);
  const auto side = [&](const char* key) { return std::clamp<std::int64_t>(a.count(key, 224), 0, 100'000) / patch; };
  const std::int64_t patches = side("img-h") * side("img-w");
  const std::int64_t seen = patches + (a.flag("disable-vision-class-token") ? 0 : 1);
  const std::int64_t towers = std::max<std::int64_t>(0, a.count("encoder-num-layers", row.shape.layers));
  DecoderShape tower = row.shape, s = row.shape;
  tower.kv_heads = tower.heads;
  tower.positions = Positions::none;
  s.sequence = a.count("dataloader-seq-length", s.sequence) + seen;
  s.max_positions = std::max(s.max_positions, s.sequence);
  Frozen frozen_tower(builder, true), frozen_model(builder, false);
  Sink& first = a.flag("freeze-ViT") ? static_cast<Sink&>(frozen_tower) : builder;
  Sink& second = a.flag("freeze-LM") ? static_cast<Sink&>(frozen_model) : builder;
  first.add(convolution("conv1", channels, s.width, 1, patch * patch, patches * patch * patch, patches, false)
                .with(op_flags::input_no_gradient));
  first.add(position_table("position_embeddings", patches + 1, patches + 1, s.width));
  describe_norm(tower, "ln_pre", patches + 1, first);
  {
    const Scope layer(first, "vision", towers, BlockKind::layer);
    describe_self_attention(tower, AttentionMask::none, patches + 1, first);
    describe_dense(tower, patches + 1, first);
  }
  frozen_tower.finish();
  describe_mlp(mlp_of(s), seen, builder);
  describe_embedding(s, second);
  const auto layers = static_cast<std::size_t>(std::clamp<std::int64_t>(s.layers, 0, kMostLayers));
  describe_layers({s, {}, 0}, std::vector<std::string>(layers, "*-"), second);
  describe_norm(s, "norm", s.sequence, second);
  describe_logits(s, s.tied, second);
  row.shape.sequence = s.sequence;
  Layout& l = row.run.layout;
  if (l.pipeline > 1) {  // the tower stands on the first rank, beside its share of the language model
    l.stages.assign(static_cast<std::size_t>(l.pipeline), s.layers / l.pipeline);
    if (!a.flag("freeze-ViT")) l.stages.front() += towers;
  }
  auto network = std::make_shared<Network>(builder.finish());
  network->name = row.model;
  network->sequence = s.sequence;
  network->unit = "token";
  return network;
}

}  // namespace

MegatronKind megatron_kind(const EvidenceRow& row, const MegatronArguments& a) {
  for (const char* key :
       {"hybrid-layer-pattern", "hybrid-override-pattern", "is-hybrid-model", "hybrid-attention-ratio"})
    if (a.has(key)) return MegatronKind::hybrid;
  for (const char* key :
       {"img-h", "patch-dim", "dataloader-seq-length", "freeze-LM", "freeze-ViT", "disable-vision-class-token"})
    if (a.has(key)) return MegatronKind::vision;
  if (row.arch.find("llava") != std::string::npos) return MegatronKind::vision;
  if (row.arch.find("hybrid") != std::string::npos || row.arch.find("mamba") != std::string::npos)
    return MegatronKind::hybrid;
  if (a.has("decoder-seq-length") || a.has("encoder-seq-length") || row.arch.find("t5") != std::string::npos)
    return MegatronKind::encoder_decoder;
  return MegatronKind::decoder;
}

MegatronStack megatron_stack(const EvidenceRow& row, const MegatronArguments& a) {
  if (megatron_kind(row, a) == MegatronKind::hybrid) return hybrid_stack(row, a);
  MegatronStack out;
  const DecoderShape& s = row.shape;
  const auto layers = static_cast<std::size_t>(std::clamp<std::int64_t>(s.layers, 0, kMostLayers));
  std::vector<std::int64_t> experts(s.experts > 0 ? layers : 0, 1);
  if (const std::int64_t every = a.count("moe-layer-freq", 0); every > 1) {  // the first of every so many layers
    for (std::size_t i = 0; i < experts.size(); ++i) experts[i] = i % static_cast<std::size_t>(every) == 0 ? 1 : 0;
  } else if (every == 0 && a.has("moe-layer-freq") && s.experts > 0) {
    experts = megatron_list(a.words("moe-layer-freq"), layers);
    if (experts.size() != layers) out.reason = "moe-layer-freq does not list every layer";
  }
  const auto first = std::find(experts.begin(), experts.end(), 1);
  const bool regular = std::find(first, experts.end(), 0) == experts.end();  // dense layers first, if any
  if (!out.reason.empty() || s.experts == 0 || (regular && !a.has("moe-latent-size"))) return out;
  if (s.layers > kMostLayers) out.reason = kTooMany;
  for (const std::int64_t moe : experts) out.layers.emplace_back(moe != 0 ? "*E" : "*-");
  out.heads = s.mtp_heads;
  if (out.heads > 0) out.extra.push_back(out.layers.back());
  return out;
}

void build_megatron_model(EvidenceRow& row, const MegatronArguments& a) {
  const MegatronKind kind = megatron_kind(row, a);
  if (kind == MegatronKind::encoder_decoder) {
    if (row.run.layout.pipeline > 1)
      row.reason = "T5 under pipeline parallelism: Megatron-LM no longer splits it, and how it did is not stated";
    row.shape.sequence = a.count("decoder-seq-length", 128);
    if (row.shape.sequence < 1 || a.count("encoder-seq-length", a.count("seq-length", 1)) < 1)
      row.reason = "a sequence of no tokens";
    if (!row.reason.empty() || !validate(row.shape).empty()) return;
    row.network = t5_network(row, a);
    return;
  }
  if (!validate(row.shape).empty()) return;  // said by check_row
  if (kind == MegatronKind::vision) {
    if (row.shape.layers > kMostLayers) row.reason = kTooMany;
    row.network = vision_network(row, a);
    return;
  }
  const MegatronStack stack = megatron_stack(row, a);
  if (!stack.reason.empty()) row.reason = stack.reason;
  if (stack.layers.empty() || !row.reason.empty()) return;
  const auto has = [&](char part) {
    return std::any_of(stack.layers.begin(), stack.layers.end(),
                       [part](const std::string& layer) { return layer.find(part) != std::string::npos; });
  };
  if (has('E') && row.shape.experts == 0) row.reason = "the hybrid pattern has experts, num-experts is missing";
  if (!has('E')) row.shape.experts = 0;
  const Mamba2Part mamba = mamba_of(row.shape, a);
  if (has('M') && (mamba.heads <= 0 || mamba.head_dim <= 0 || mamba.groups <= 0 || mamba.state <= 0))
    row.reason = "a size of the Mamba layers is not above 0";
  if (row.reason.empty()) row.network = stack_network(row, a, stack);
}

}  // namespace floptally
