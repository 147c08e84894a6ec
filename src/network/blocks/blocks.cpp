#include "network/blocks/blocks.h"

namespace floptally {

Op norm(std::string_view name, NormKind kind, std::int64_t rows, std::int64_t width) {
  if (kind == NormKind::rms) return rms_norm(name, rows, width);
  const bool scale = kind == NormKind::layer || kind == NormKind::layer_scale_only;
  return layer_norm(name, rows, width, scale, kind == NormKind::layer);
}

namespace {

void describe_qk_norm(QkNorm where, NormKind kind, std::string_view name, std::int64_t tokens, std::int64_t heads,
                      std::int64_t head_dim, Sink& sink) {
  if (where == QkNorm::per_head) sink.add(norm(name, kind, tokens * heads, head_dim).split({0}));
  if (where == QkNorm::whole) sink.add(norm(name, kind, tokens, heads * head_dim));
}

// DeepSeek-V2 2405.04434 section 2.1: low-rank queries and a joint low-rank latent for keys and values.
void describe_latent_projections(const AttentionPart& p, std::int64_t tokens, std::int64_t value_dim, Sink& sink) {
  const Component projection = Component::projection;
  const std::int64_t q_out = p.heads * (p.nope_dim + p.rope_dim);
  const Scope branches(sink, {}, 1, BlockKind::branches);
  {
    const Scope q(sink, {});
    if (p.q_rank > 0) {
      sink.add(linear("q_a_proj", tokens, p.width, p.q_rank, p.q_bias, projection));
      sink.add(rms_norm("q_a_layernorm", tokens, p.q_rank));
      sink.add(column_linear("q_b_proj", tokens, p.q_rank, q_out, false, projection));
    } else {
      sink.add(column_linear("q_proj", tokens, p.width, q_out, false, projection));
    }
    if (p.rope_dim > 0 && p.rotary_dim != 0) sink.add(rotary("rotary", tokens, p.heads, p.rope_dim));
  }
  const Scope kv(sink, {});
  sink.add(linear("kv_a_proj_with_mqa", tokens, p.width, p.kv_rank + p.rope_dim, p.k_bias, projection)
               .with(op_flags::shared_input));
  if (p.rope_dim > 0 && p.rotary_dim != 0) sink.add(rotary("rotary", tokens, 1, p.rope_dim));
  sink.add(rms_norm("kv_a_layernorm", tokens, p.kv_rank));
  sink.add(column_linear("kv_b_proj", tokens, p.kv_rank, p.heads * (p.nope_dim + value_dim), false, projection));
}

void describe_projections(const AttentionPart& p, std::int64_t tokens, std::int64_t value_dim, Sink& sink) {
  const Component projection = Component::projection;
  const std::int64_t rotated = p.rotary_dim < 0 ? p.head_dim : p.rotary_dim;
  const std::uint16_t same = op_flags::shared_input | (p.joined ? op_flags::joined : std::uint16_t{0});
  const Scope branches(sink, {}, 1, BlockKind::branches);
  {
    const Scope q(sink, {});
    sink.add(column_linear("q_proj", tokens, p.width, p.heads * p.head_dim, p.q_bias, projection));
    describe_qk_norm(p.qk_norm, p.qk_norm_kind, "q_norm", tokens, p.heads, p.head_dim, sink);
    if (rotated > 0) sink.add(rotary("rotary", tokens, p.heads, rotated));
  }
  if (!p.borrowed_key_value) {
    const Scope k(sink, {});
    sink.add(column_linear("k_proj", tokens, p.width, p.kv_heads * p.head_dim, p.k_bias, projection).with(same));
    describe_qk_norm(p.qk_norm, p.qk_norm_kind, "k_norm", tokens, p.kv_heads, p.head_dim, sink);
    if (rotated > 0) sink.add(rotary("rotary", tokens, p.kv_heads, rotated));
  }
  if (!p.shared_key_value && !p.borrowed_key_value) {
    sink.add(column_linear("v_proj", tokens, p.width, p.kv_heads * value_dim, p.v_bias, projection).with(same));
  }
}

}  // namespace

void describe_attention(const AttentionPart& p, std::int64_t tokens, Sink& sink) {
  const Scope scope(sink, p.name);
  const bool latent = p.kv_rank > 0;
  const std::int64_t value_dim = p.value_dim > 0 ? p.value_dim : p.head_dim;
  if (latent) {
    describe_latent_projections(p, tokens, value_dim, sink);
  } else {
    describe_projections(p, tokens, value_dim, sink);
  }
  AttentionShape shape;
  shape.queries = tokens;
  shape.keys = p.keys > 0 ? p.keys : tokens;
  shape.heads = p.heads;
  shape.kv_heads = latent ? p.heads : p.kv_heads;
  shape.key_dim = latent ? p.nope_dim + p.rope_dim : p.head_dim;
  shape.value_dim = value_dim;
  shape.mask = p.mask;
  shape.span = p.span;
  shape.squares = p.squares;
  shape.fused = p.fused;
  shape.dropout = p.dropout;
  sink.add(attention("attention", shape));
  if (p.sinks) sink.add(parameter("sinks", p.heads, 0, Component::attention).split({0}));
  if (p.output_gate) {
    sink.add(column_linear("g_proj", tokens, p.width, p.heads * value_dim, false, Component::projection)
                 .with(op_flags::shared_input));
    sink.add(gated_activation("gate", tokens * p.heads * value_dim, Activation::sigmoid));
  }
  Op out = row_linear("o_proj", tokens, p.heads * value_dim, p.out_width > 0 ? p.out_width : p.width, p.out_bias,
                      Component::projection);
  if (p.fused && !p.output_gate) out.with(op_flags::shared_input);  // attention keeps its own output
  sink.add(out);
}

void describe_cross_attention(const CrossAttentionPart& p, std::int64_t tokens, std::int64_t memory, Sink& sink) {
  const Scope scope(sink, p.name);
  const Component projection = Component::projection;
  {
    const Scope branches(sink, {}, 1, BlockKind::branches);
    {
      const Scope q(sink, {});
      sink.add(column_linear("q_proj", tokens, p.width, p.heads * p.head_dim, p.q_bias, projection));
      describe_qk_norm(p.qk_norm, NormKind::rms, "q_norm", tokens, p.heads, p.head_dim, sink);
    }
    {
      const Scope k(sink, {});
      sink.add(column_linear("k_proj", memory, p.memory_width, p.kv_heads * p.head_dim, p.k_bias, projection)
                   .with(op_flags::shared_input));  // the memory is kept once, by whoever made it
      describe_qk_norm(p.qk_norm, NormKind::rms, "k_norm", memory, p.kv_heads, p.head_dim, sink);
    }
    sink.add(column_linear("v_proj", memory, p.memory_width, p.kv_heads * p.head_dim, p.v_bias, projection)
                 .with(op_flags::shared_input));
  }
  AttentionShape shape;
  shape.queries = tokens;
  shape.keys = memory;
  shape.heads = p.heads;
  shape.kv_heads = p.kv_heads;
  shape.key_dim = shape.value_dim = p.head_dim;
  shape.mask = AttentionMask::none;
  sink.add(attention("attention", shape));
  sink.add(
      row_linear("o_proj", tokens, p.heads * p.head_dim, p.width, p.out_bias, projection).with(op_flags::shared_input));
}

void describe_mlp(const MlpPart& p, std::int64_t tokens, Sink& sink) {
  const Scope scope(sink, p.name);
  const std::uint16_t kept = p.shares_input ? op_flags::shared_input : std::uint16_t{0};
  if (p.gated) {
    {
      const Scope branches(sink, {}, 1, BlockKind::branches);
      sink.add(column_linear("gate_proj", tokens, p.width, p.ffn, p.up_bias).with(kept));
      const std::uint16_t same = op_flags::shared_input | (p.joined ? op_flags::joined : std::uint16_t{0});
      sink.add(column_linear("up_proj", tokens, p.width, p.ffn, p.up_bias).with(same));
    }
    sink.add(gated_activation("act_fn", tokens * p.ffn, p.activation));
  } else {
    sink.add(column_linear("up_proj", tokens, p.width, p.ffn, p.up_bias).with(kept));
    sink.add(activation("act_fn", tokens * p.ffn, p.activation));
  }
  const bool held = !p.gated && keeps_output(p.activation);
  sink.add(row_linear("down_proj", tokens, p.ffn, p.width, p.down_bias)
               .with(held ? op_flags::shared_input : std::uint16_t{0}));
}

std::int64_t routed_rows(const MoePart& p, std::int64_t tokens) {
  const std::int64_t rows = tokens * p.top_k;
  if (p.capacity_numerator <= 0) return rows;
  const Integer per_expert =
      ceil_div(Integer(rows) * Integer(p.capacity_numerator), Integer(p.capacity_denominator) * Integer(p.experts));
  return (per_expert * Integer(p.experts)).to_int64();
}

void describe_moe(const MoePart& p, std::int64_t tokens, Sink& sink) {
  const Scope scope(sink, p.name);
  const std::int64_t rows = routed_rows(p, tokens);
  const std::int64_t inner = p.latent > 0 ? p.latent : p.width;
  const std::uint16_t even = p.capacity_numerator > 0 ? op_flags::even_rows : std::uint16_t{0};
  const auto matrices = [&](std::string_view name, std::int64_t in, std::int64_t out, int split) {
    return grouped_linear(name, rows, in, out, p.expert_bias, p.experts, p.top_k).split({split}).with(even);
  };
  sink.add(linear("gate", tokens, p.width, p.experts, p.router_bias, Component::router));
  if (p.latent > 0) sink.add(linear("latent_in", tokens, p.width, inner).with(op_flags::shared_input));
  {
    const Scope experts(sink, "experts");
    if (p.gated) {
      {
        const Scope branches(sink, {}, 1, BlockKind::branches);
        sink.add(matrices("gate_proj", inner, p.expert_ffn, 2));
        sink.add(matrices("up_proj", inner, p.expert_ffn, 2).with(op_flags::shared_input));
      }
      sink.add(gated_activation("act_fn", rows * p.expert_ffn, p.activation));
    } else {
      sink.add(matrices("up_proj", inner, p.expert_ffn, 2));
      sink.add(activation("act_fn", rows * p.expert_ffn, p.activation));
    }
    sink.add(matrices("down_proj", p.expert_ffn, inner, 1));
  }
  sink.add(routing("routing", tokens, p.experts, p.top_k, inner, p.correction_bias));
  if (p.latent > 0) sink.add(linear("latent_out", tokens, inner, p.width));
  if (p.shared_ffn > 0) {
    MlpPart shared;
    shared.name = "shared_experts";
    shared.width = p.width;
    shared.ffn = p.shared_ffn;
    shared.gated = p.gated;
    shared.activation = p.activation;
    describe_mlp(shared, tokens, sink);
    if (p.shared_gate) sink.add(linear("shared_expert_gate", tokens, p.width, 1).with(op_flags::shared_input));
    sink.add(elementwise("add_shared", tokens * p.width));
  }
}

void describe_unembedding(const UnembeddingPart& p, std::int64_t tokens, Sink& sink) {
  Op logits = column_linear(p.name, tokens, p.width, p.vocabulary, p.bias, Component::unembed);
  if (p.tied && p.bias) {  // the table is shared, the bias is its own
    logits.attributes[3] = 0;
    sink.add(logits.with(op_flags::tied));
    sink.add(parameter("bias", p.vocabulary, tokens * p.vocabulary, Component::unembed));
  } else {
    sink.add(p.tied ? logits.with(op_flags::tied) : logits);
  }
  if (p.loss) sink.add(cross_entropy("loss", tokens, p.vocabulary));
}

}  // namespace floptally
