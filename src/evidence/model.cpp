// The model of an evidence row: its columns, and the published model that it names.
#include <cstdio>

#include "estimate/memory_profile.h"
#include "evidence/cells.h"
#include "evidence/labels.h"
#include "training/run_file.h"
#include "training/table.h"

namespace floptally {
namespace {

// What the row's architecture needs and no column says; nothing where the columns are enough.
std::string unknown_layers(const EvidenceRow& row) {
  const DecoderShape& s = row.shape;
  const std::string& arch = row.arch;
  if (contains(arch, "mla") && s.kv_rank == 0) return "latent attention without its ranks";
  for (const std::string_view other : {"hybrid", "mamba", "ssm", "linear_attention", "encoder-decoder",
                                       "encoder_decoder", "t5", "diffusion", "vision", "vlm", "multimodal", "unet"}) {
    if (contains(arch, other)) return "arch " + arch + ": the columns do not say its layers";
  }
  if (contains(arch, "moe") && s.experts == 0) return "experts is missing";
  if (s.experts > 0 && row.top_k_unsaid) return "topk is missing";
  return {};
}

FactTable model_table() { return FactTable("evidence/models.csv"); }

}  // namespace

void read_model(EvidenceRow& out, Cells& cells) {
  DecoderShape& s = out.shape;
  s.layers = cells.count("layers", 0);
  s.width = cells.count("hidden", 0);
  s.heads = cells.count("heads", 0);
  const std::int64_t kv = cells.count("kv_heads", 0);
  s.head_dim = cells.count("head_dim", 0);
  if (s.heads == 0 && s.width > 0) {
    s.heads = std::max<std::int64_t>(1, s.width / 128);
    out.assumed.emplace_back("heads of 128");
  }
  s.kv_heads = kv > 0 ? kv : s.heads;
  for (const char* column : {"heads", "kv_heads", "gated_ffn", "ffn"}) {
    const bool experts_alone = std::string_view(column) == "ffn" && !cells.text("moe_ffn").empty();
    if (cells.text(column).empty() && !experts_alone && s.width > 0 && out.arguments.empty())
      out.unsaid += (out.unsaid.empty() ? "" : ", ") + std::string(column);
  }
  if (s.head_dim == 0 && s.heads > 0) s.head_dim = s.width / s.heads;
  s.gated = cells.count("gated_ffn", 0) == 1;
  s.ffn = cells.count("ffn", 0);
  s.vocabulary = cells.count("vocab", 0);
  s.sequence = cells.length("seq_len", cells.length("seq_len_max", cells.length("context_length", 0)));
  s.experts = cells.count("experts", 0);
  s.top_k = cells.count("topk", s.experts > 0 ? 1 : 0);
  out.top_k_unsaid = cells.text("topk").empty();
  s.expert_ffn = cells.count("moe_ffn", 0);
  if (s.ffn == 0)  // three matrices of 8/3, or two of 4 times the width
    s.ffn = s.expert_ffn > 0 ? s.expert_ffn : s.gated ? s.width * 8 / 3 / 64 * 64 : 4 * s.width;
  s.norm = s.gated ? NormKind::rms : NormKind::layer;
  s.positions = s.gated ? Positions::rotary : Positions::learned;
  s.qkv_bias = s.out_bias = s.mlp_bias = !s.gated;
  s.activation = s.gated ? Activation::silu : Activation::gelu;
  const std::string tied = lower(cells.text("tied"));
  s.tied = tied.empty() ? !s.gated : tied == "1" || tied == "true" || tied == "yes";
  const std::string_view notes = out.notes;
  s.shared_ffn = number_after(notes, "shared expert ffn");
  s.kv_rank = number_after(notes, "kv_lora");
  if (s.kv_rank > 0) {
    s.q_rank = number_after(notes, "q_lora");
    s.rope_dim = number_after(notes, "rope_dim");
    s.value_dim = number_after(notes, "v_dim");
    s.nope_dim = s.head_dim;
  }
  if (contains(notes, "layer 1 dense")) s.dense_first = 1;
  if (out.arguments.empty() && out.reason.empty()) out.reason = out.unknown_layers = unknown_layers(out);
  if (contains(cells.text("arch"), "bert")) s.mask = AttentionMask::none;
}

namespace {

// The row of models.csv for one of the model's spellings.
std::optional<std::size_t> find_named(const FactTable& table, const std::string& model) {
  for (const std::string& spelling : model_spellings(model)) {
    if (const auto row = table.find(spelling)) return row;
  }
  return std::nullopt;
}

double parameters_of(const EvidenceRow& row) {
  const Run plain = default_run();
  MemoryProfile profile(plain);
  describe_model(row, profile);
  double sum = profile.before().dense + profile.after().dense;
  for (int i = 0; i < profile.classes(); ++i)
    sum += profile.layer(i).count * (profile.layer(i).dense + profile.layer(i).expert);
  return sum;
}

std::string in_billions(double parameters) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3gB", parameters / 1e9);
  return text;
}

}  // namespace

// Sizes of a published model that the row names but does not spell out (data/evidence/models.csv).
void read_named_model(EvidenceRow& out) {
  const FactTable& table = facts<FactTable, model_table>();
  DecoderShape& s = out.shape;
  const bool latent_missing = !out.unknown_layers.empty();
  const bool complete = s.layers > 0 && s.width > 0 && s.vocabulary > 0 && out.unsaid.empty();
  if (complete && !latent_missing) return;
  const auto row = find_named(table, out.model);
  if (!row) return;
  const auto size = [&](std::string_view column) { return static_cast<std::int64_t>(table.number(*row, column)); };
  const bool same = s.width == 0 || s.width == size("hidden");  // perhaps cut down in layers
  const bool enough =
      out.unknown_layers.empty() || size("kv_rank") > 0 || (size("experts") > 0 && s.layers == size("layers"));
  if (!enough || !same || (s.layers > 0 && size("kv_rank") == 0 && (complete || s.experts > 0) && !latent_missing))
    return;
  out.unsaid.clear();
  if (s.layers == 0) s.layers = size("layers");
  s.width = size("hidden");
  s.heads = size("heads");
  s.kv_heads = size("kv_heads");
  s.head_dim = size("head_dim");
  s.ffn = size("ffn");
  s.gated = size("gated") == 1;
  s.vocabulary = size("vocab");
  s.tied = size("tied") == 1;
  s.experts = size("experts");
  s.top_k = size("topk");
  s.expert_ffn = size("moe_ffn");
  s.shared_ffn = size("shared_ffn");
  s.dense_first = size("dense_first");
  s.parallel_norms = size("parallel");
  s.q_rank = size("q_rank");
  s.kv_rank = size("kv_rank");
  s.rope_dim = size("rope_dim");
  s.nope_dim = size("nope_dim");
  s.value_dim = size("v_dim");
  s.norm = s.gated ? NormKind::rms : NormKind::layer;
  s.positions = Positions::rotary;
  s.qkv_bias = s.out_bias = s.mlp_bias = !s.gated;
  s.activation = s.gated ? Activation::silu : Activation::gelu;
  out.run.softcapped = size("softcap") == 1;
  if (out.reason == out.unknown_layers) out.reason.clear();
  out.assumed.push_back("shape of " + std::string(table.cell(*row, "source")));
}

// A shipped model that the row names, where its columns do not say the sizes.
void read_shipped(EvidenceRow& out, const FindModel& find) {
  DecoderShape& s = out.shape;
  const bool latent_missing = !out.unknown_layers.empty() && out.reason == out.unknown_layers;
  const bool complete = s.layers > 0 && s.width > 0 && s.vocabulary > 0 && out.unsaid.empty();
  if ((complete && !latent_missing) || s.sequence <= 0 || out.network != nullptr) return;
  std::shared_ptr<const Network> network = find(out.model, s.sequence);
  if (network == nullptr) return;
  const Divisors d = divisors_of(*network, out.run);
  if (s.layers > 0 && s.layers != d.layers) return;  // cut down: its shape alone is not enough
  if (s.width > 0 && s.width != d.width) return;
  out.unsaid.clear();
  s.layers = d.layers;
  s.width = d.width;
  s.heads = d.heads;
  s.kv_heads = d.kv_heads;
  s.vocabulary = d.vocabulary;
  s.experts = d.experts;
  s.top_k = std::min<std::int64_t>(1, d.experts);
  if (s.head_dim == 0) s.head_dim = 1;
  if (s.ffn == 0) s.ffn = std::max<std::int64_t>(1, d.ffn);
  out.network = std::move(network);
  if (latent_missing) out.reason.clear();
  out.assumed.push_back("shape of the shipped " + out.network->name);
}

void check_parameters(EvidenceRow& out) {
  DecoderShape& s = out.shape;
  if (!out.reason.empty() || !out.arguments.empty() || out.network != nullptr || !validate(s).empty()) return;
  const bool known = !out.assumed.empty() && out.assumed.back().compare(0, 9, "shape of ") == 0;
  if (out.parameters > 0 && !known && s.experts == 0) {  // whether the table serves twice shows in the sum
    const double apart = std::fabs(parameters_of(out) - out.parameters);
    s.tied = !s.tied;
    if (std::fabs(parameters_of(out) - out.parameters) > apart) s.tied = !s.tied;
  }
  if (out.unsaid.empty()) return;
  const double sum = parameters_of(out);
  if (out.parameters > 0 && std::fabs(sum / out.parameters - 1) > 0.05) {
    out.reason = out.unsaid + ": not stated, and what is usual makes " + in_billions(sum) + " parameters of " +
                 in_billions(out.parameters);
    return;
  }
  out.noted.push_back(out.unsaid + ": the usual (not stated)");
}

}  // namespace floptally
