#include "estimate/layer_profiles.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "estimate/evidence_cells.h"
#include "estimate/evidence_labels.h"
#include "estimate/memory.h"
#include "network/blocks/decoder.h"
#include "training/run_file.h"
#include "training/table.h"

namespace floptally {
namespace {

constexpr double kMib = 1024.0 * 1024;
constexpr double kBlocks = 4 * kMib;  // two of the allocator's 2 MiB blocks

struct Profile {
  std::string family, model, strategy, source, reason;
  std::int64_t tensor = 1, data = 1;
  std::map<std::int64_t, double> bytes;  // by layers
};

std::optional<std::int64_t> whole(std::string_view cell) {
  std::int64_t value = 0;
  const auto [end, status] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (status != std::errc{} || end != cell.data() + cell.size() || value < 0 || value > 1'000'000) return std::nullopt;
  return value;
}

// What the name of a profile says of its layer: "hidden4096_head32_seqlen2048", "llama-7b_mlp".
struct LayerShape {
  DecoderShape shape;
  bool attention = true, mlp = true;
};

// Feed-forward widths of the gated families that profiles name by their width alone (Llama 7B and 13B, Baichuan 7B).
std::int64_t gated_width(std::int64_t width) { return width == 4096 ? 11008 : width == 5120 ? 13824 : 0; }

void set_shape(DecoderShape& s, std::int64_t width, std::int64_t heads, std::int64_t ffn, bool gated) {
  s.layers = 1;
  s.width = width;
  s.heads = s.kv_heads = heads;
  s.head_dim = heads > 0 ? width / heads : 0;
  s.ffn = ffn;
  s.gated = gated;
  s.norm = gated ? NormKind::rms : NormKind::layer;
  s.qkv_bias = s.out_bias = s.mlp_bias = !gated;
  s.activation = gated ? Activation::silu : Activation::gelu;
  s.vocabulary = 1024;
  s.sequence = 128;
}

std::optional<LayerShape> shape_of(const Profile& profile, const FindModel& find) {
  LayerShape out;
  std::string name;
  for (const std::string_view part : split(profile.model, '_')) {
    if (part == "attention") out.mlp = false;
    if (part == "mlp") out.attention = false;
    if (name.empty()) name = part;
  }
  if (name.compare(0, 6, "hidden") == 0) {
    const bool gated = contains(profile.family, "llama") || contains(profile.family, "baichuan");
    const std::int64_t width = whole(std::string_view(name).substr(6)).value_or(0);
    const std::int64_t heads = number_after(profile.model, "head");
    const std::int64_t ffn = gated ? gated_width(width) : 4 * width;
    if (width == 0 || heads == 0 || ffn == 0) return std::nullopt;
    set_shape(out.shape, width, heads, ffn, gated);
    return out;
  }
  EvidenceRow row;
  row.model = name;
  row.shape.sequence = 128;
  read_named_model(row);
  if (row.shape.width == 0 && find) {
    read_shipped(row, find);
    if (row.network == nullptr) return std::nullopt;
    const Divisors d = divisors_of(*row.network, row.run);
    const bool gated = std::any_of(row.network->ops.begin(), row.network->ops.end(),
                                   [](const Op& op) { return op.def == &operators::k_gated_activation; });
    set_shape(row.shape, d.width, d.heads, d.experts > 0 ? 0 : d.ffn, gated);
    row.shape.kv_heads = d.kv_heads;
  }
  if (row.shape.width == 0 || row.shape.experts > 0) return std::nullopt;
  out.shape = row.shape;
  return out;
}

// Bytes of weights, gradients, master copies and optimizer states of one layer on one device.
double states_of(const LayerShape& layer, std::int64_t tensor, std::int64_t data) {
  Run run = default_run();
  run.precision = *find_precision("fp16-mixed");
  run.framework = *find_framework("fsdp");
  run.layout.tensor = tensor;
  run.layout.data = data;
  run.layout.zero = Zero::weights;
  MemoryProfile profile(run);
  const DecoderShape& s = layer.shape;
  {
    const Scope scope(profile, "layers", 1, BlockKind::layer);
    if (layer.attention) {
      profile.add(norm("input_layernorm", s.norm, s.sequence, s.width));
      describe_attention(attention_of(s, s.mask), s.sequence, profile);
    }
    if (layer.mlp) {
      profile.add(norm("post_attention_layernorm", s.norm, s.sequence, s.width));
      describe_mlp(mlp_of(s), s.sequence, profile);
    }
  }
  const DeviceMemory m = device_memory(profile, run, 0);
  return m[Holds::weights] + m[Holds::gradients] + m[Holds::master] + m[Holds::states];
}

std::vector<Profile> read_profiles(const Csv& csv) {
  std::map<std::string, Profile> groups;
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    if (csv.cell(row, "quantity") != "model_states") continue;
    std::string key;
    for (const char* column :
         {"family", "model", "strategy", "pp", "tp", "dp_sdp", "flags", "global_bsz", "seq", "rank"})
      key += std::string(csv.cell(row, column)) + "|";
    Profile& profile = groups[key];
    profile.family = csv.cell(row, "family");
    profile.model = csv.cell(row, "model");
    profile.strategy = csv.cell(row, "strategy");
    profile.source = csv.cell(row, "src");
    const std::vector<std::string_view> parts = split(profile.strategy, '_');
    const auto part = [&](const char* column, std::size_t index) {
      const std::string_view cell = csv.cell(row, column);
      return whole(!cell.empty() ? cell : index < parts.size() ? parts[index] : std::string_view());
    };
    const auto pipeline = part("pp", 0), tensor = part("tp", 1), data = part("dp_sdp", 2);
    const auto layers = whole(csv.cell(row, "n_layers"));
    const std::string_view cell = csv.cell(row, "mib");
    double mib = 0;
    const auto [end, status] = std::from_chars(cell.data(), cell.data() + cell.size(), mib);
    const bool number = status == std::errc{} && end == cell.data() + cell.size() && std::isfinite(mib);
    if (!pipeline || *pipeline < 1 || !tensor || !data || *tensor < 1 || *data < 1 || !layers || !number)
      profile.reason = "line " + std::to_string(locate(csv.row_span(row)).line) +
                       ": strategy, n_layers or mib is not a plain number";
    else if (*layers % *pipeline != 0)
      profile.reason = "the pipeline does not divide the layers";
    if (!profile.reason.empty()) continue;
    profile.tensor = *tensor;
    profile.data = *data;
    profile.bytes[*layers / *pipeline] = mib * kMib;  // layers of a rank
  }
  std::vector<Profile> out;
  for (auto& [key, profile] : groups) {
    if (profile.reason.empty() && profile.bytes.size() < 2)
      profile.reason = "one layer count alone: a layer cannot be told from the rest";
    out.push_back(std::move(profile));
  }
  return out;
}

}  // namespace

bool is_layer_profile(const Csv& csv) {
  for (const char* column : {"model", "strategy", "n_layers", "quantity", "mib"})
    if (!csv.find(column)) return false;
  return true;
}

MemoryCard layer_profile_card(const Csv& csv, const FindModel& find) {
  MemoryCard card;
  for (const Profile& profile : read_profiles(csv)) {
    const std::string id = profile.family + "/" + profile.model + "/" + profile.strategy;
    const auto shape = profile.reason.empty() ? shape_of(profile, find) : std::nullopt;
    if (!shape) {
      const std::string reason = profile.reason.empty() ? "the sizes of its layer are not stated" : profile.reason;
      const bool said = !card.skipped.empty() && card.skipped.back().id == id && card.skipped.back().reason == reason;
      if (!said) card.skipped.push_back({id, reason});  // once for all batches, sequences and ranks
      continue;
    }
    const auto& [few, low] = *profile.bytes.begin();
    const auto& [many, high] = *profile.bytes.rbegin();
    Scored s;
    s.id = id;
    s.source = "Galvatron " + profile.source;
    s.framework = "fsdp";
    s.model = profile.model;
    s.kind = "layer";
    s.measure = "states of a layer";
    s.measured = (high - low) / static_cast<double>(many - few);
    s.allocated = s.predicted = states_of(*shape, profile.tensor, profile.data);
    s.low = s.predicted - kBlocks;
    s.high = s.predicted + kBlocks;
    s.regimes = {"measure " + s.measure, "family " + profile.family};
    if (s.measured > 0)
      card.scored.push_back(std::move(s));
    else
      card.skipped.push_back({id, "no more memory with more layers"});
  }
  card.rows = card.scored.size() + card.skipped.size();  // profiles, of several lines each
  total_card(card);
  return card;
}

}  // namespace floptally
