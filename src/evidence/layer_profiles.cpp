#include "evidence/layer_profiles.h"

#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "evidence/layer_bytes.h"

namespace floptally {
namespace {

constexpr double kMib = 1024.0 * 1024;
// A layer's states are four flat tensors (weights, gradients, two moments); each may stand in a cached block that is up
// to 1 MiB larger and is not split (CUDACachingAllocator.cpp: should_split, kSmallSize), in either of the profiles.
constexpr double kBlocks = 4 * kMib;

struct Profile {
  LayerProfile what;
  std::string reason;
  std::map<std::int64_t, double> states, kept;  // bytes by layers of a rank
};

std::optional<std::int64_t> whole(std::string_view cell) {
  std::int64_t value = 0;
  const auto [end, status] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (status != std::errc{} || end != cell.data() + cell.size() || value < 0 || value > 1'000'000) return std::nullopt;
  return value;
}

// Adds one line of the table to its profile.
void read_line(const Csv& csv, std::size_t row, bool states, Profile& profile) {
  LayerProfile& what = profile.what;
  what.family = csv.cell(row, "family");
  what.model = csv.cell(row, "model");
  what.strategy = csv.cell(row, "strategy");
  what.source = csv.cell(row, "src");
  bool read = read_strategy(what);
  const auto set = [&](const char* column, std::int64_t& to) {
    const std::string_view cell = csv.cell(row, column);
    if (cell.empty()) return;
    const auto value = whole(cell);
    read = read && value && *value >= 1;
    if (value) to = *value;
  };
  std::int64_t layers = 0;
  set("pp", what.pipeline);
  set("tp", what.tensor);
  set("dp_sdp", what.data);
  set("global_bsz", what.batch);
  set("seq", what.sequence);
  set("n_layers", layers);
  const std::string_view cell = csv.cell(row, "mib");
  double mib = 0;
  const auto [end, status] = std::from_chars(cell.data(), cell.data() + cell.size(), mib);
  if (!read || layers < 1 || status != std::errc{} || end != cell.data() + cell.size() || !std::isfinite(mib))
    profile.reason =
        "line " + std::to_string(locate(csv.row_span(row)).line) + ": strategy, n_layers or mib is not a plain number";
  else if (layers % what.pipeline != 0)
    profile.reason = "the pipeline does not divide the layers";
  if (profile.reason.empty()) (states ? profile.states : profile.kept)[layers / what.pipeline] = mib * kMib;
}

std::vector<Profile> read_profiles(const Csv& csv) {
  std::map<std::string, Profile> groups;
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    const bool states = csv.cell(row, "quantity") == "model_states";
    if (!states && csv.cell(row, "quantity") != "activation") continue;
    std::string key;
    for (const char* column :
         {"family", "model", "strategy", "pp", "tp", "dp_sdp", "flags", "global_bsz", "seq", "rank"})
      key += std::string(csv.cell(row, column)) + "|";
    read_line(csv, row, states, groups[key]);
  }
  std::vector<Profile> out;
  for (auto& [key, profile] : groups) {
    if (profile.reason.empty() && profile.states.size() < 2 && profile.kept.size() < 2)
      profile.reason = "one layer count alone: a layer cannot be told from the rest";
    out.push_back(std::move(profile));
  }
  return out;
}

void skip(MemoryCard& card, const std::string& id, const std::string& reason) {
  const bool said = !card.skipped.empty() && card.skipped.back().id == id && card.skipped.back().reason == reason;
  if (!said) card.skipped.push_back({id, reason});  // once for all batches, sequences and ranks
}

// What one layer more costs, of several profiles that differ in their layers alone.
void score_difference(const Profile& profile, const std::map<std::int64_t, double>& bytes, const char* measure,
                      double predicted, const std::string& id, MemoryCard& card) {
  const auto& [few, low] = *bytes.begin();
  const auto& [many, high] = *bytes.rbegin();
  Scored s;
  s.id = id;
  s.source = "Galvatron " + profile.what.source;
  s.framework = "fsdp";
  s.model = profile.what.model;
  s.kind = "layer";
  s.measure = measure;
  s.measured = (high - low) / static_cast<double>(many - few);
  s.allocated = s.predicted = predicted;
  s.low = s.predicted - kBlocks;
  s.high = s.predicted + kBlocks;
  s.regimes = {"measure " + s.measure, "family " + profile.what.family};
  if (s.measured > 0)
    card.scored.push_back(std::move(s));
  else
    skip(card, id, "no more memory with more layers");
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
    const std::string id = profile.what.family + "/" + profile.what.model + "/" + profile.what.strategy;
    if (!profile.reason.empty()) {
      skip(card, id, profile.reason);
      continue;
    }
    const LayerBytes bytes = layer_bytes(profile.what, find);
    if (!bytes.reason.empty()) {
      skip(card, id, bytes.reason);
      continue;
    }
    if (profile.states.size() > 1)
      score_difference(profile, profile.states, "states of a layer", bytes.states, id, card);
    if (profile.kept.size() > 1 && bytes.unkept.empty())
      score_difference(profile, profile.kept, "activations of a layer", bytes.kept, id, card);
    else if (profile.kept.size() > 1)
      skip(card, id, bytes.unkept);
  }
  card.rows = card.scored.size() + card.skipped.size();  // profiles, of several lines each
  total_card(card);
  return card;
}

}  // namespace floptally
