// Models that a plan takes from a file: a config.json (whose sizes may be set and swept), any other model file, or a
// shipped model.
#include <algorithm>

#include "base/file.h"
#include "network/family.h"
#include "network/format.h"
#include "network/shipped.h"
#include "plan/model_count.h"

namespace floptally {

void add_up_network(const Tally<Integer>& tally, const PlanConvention& convention, ModelCount& out);
std::vector<ModelPart> split_network(const Tally<Integer>& tally, const PlanConvention& convention);

namespace {

// Spellings of a size in published configs, the usual one first.
struct ConfigKey {
  FieldId field;
  std::vector<std::string_view> keys;
};
const std::vector<ConfigKey>& config_keys() {
  static const std::vector<ConfigKey> keys = {
      {FieldId::layers, {"num_hidden_layers", "n_layer", "num_layers", "n_layers"}},
      {FieldId::width, {"hidden_size", "n_embd", "d_model"}},
      {FieldId::head_dim, {"head_dim"}},
      {FieldId::heads, {"num_attention_heads", "n_head", "n_heads", "num_heads"}},
      {FieldId::kv_heads, {"num_key_value_heads", "n_head_kv", "num_kv_heads"}},
      {FieldId::ffn, {"intermediate_size", "ffn_dim", "n_inner", "d_ff"}},
      {FieldId::vocab, {"vocab_size"}},
      {FieldId::experts, {"num_local_experts", "num_experts", "n_routed_experts"}},
      {FieldId::top_k, {"num_experts_per_tok"}},
      {FieldId::expert_ffn, {"moe_intermediate_size"}},
      {FieldId::window, {"sliding_window"}},
  };
  return keys;
}

class NetworkFileCounter final : public ModelCounter {
 public:
  NetworkFileCounter(Network network, PlanConvention convention, std::string source)
      : network_(std::move(network)), convention_(std::move(convention)), source_(std::move(source)) {}

  bool count(const FieldValues&, ModelCount& out, Diagnostics*) override {
    out = {};
    out.sequence = network_.sequence;
    add_up_network(floptally::count(network_, {{convention_.pairs}, true}), convention_, out);
    return true;
  }
  std::vector<ModelPart> parts(const FieldValues&) override {
    return split_network(floptally::count(network_, {{convention_.pairs}, true}), convention_);
  }
  [[nodiscard]] bool sweepable(FieldId id) const override { return id >= FieldId::steps; }
  [[nodiscard]] bool reads_samples() const override { return network_.unit != "token"; }
  [[nodiscard]] std::string_view source() const override { return source_; }
  [[nodiscard]] bool cheap() const override { return false; }

 private:
  Network network_;
  PlanConvention convention_;
  std::string source_;
};

// A config.json: sizes that are set or swept replace the config's numbers, and the family builds the network anew.
class ConfigCounter final : public ModelCounter {
 public:
  ConfigCounter(Document config, PlanConvention convention, std::string source)
      : config_(std::move(config)), convention_(std::move(convention)), source_(std::move(source)) {
    for (const ConfigKey& each : config_keys())
      for (const std::string_view key : each.keys)
        if (const Node node = config_.root().find(key); node && own_[static_cast<std::size_t>(each.field)] == 0) {
          const auto value = node.as_integer();
          if (value && value->fits_int64() && *value > Integer(0)) {
            own_[static_cast<std::size_t>(each.field)] = value->to_int64();
            places_[static_cast<std::size_t>(each.field)] = node.span();
          }
        }
  }

  bool count(const FieldValues& fields, ModelCount& out, Diagnostics* problems) override {
    Result<Network> network = build(fields);
    if (!network) {
      if (problems != nullptr)
        for (Diagnostic& each : network.take_problems()) problems->push_back(std::move(each));
      return false;
    }
    out = {};
    out.sequence = network->sequence;
    add_up_network(floptally::count(*network, {{convention_.pairs}, true}), convention_, out);
    return true;
  }
  std::vector<ModelPart> parts(const FieldValues& fields) override {
    Result<Network> network = build(fields);
    if (!network) return {};
    return split_network(floptally::count(*network, {{convention_.pairs}, true}), convention_);
  }
  [[nodiscard]] std::int64_t own(FieldId id) const override {
    const std::int64_t value = own_[static_cast<std::size_t>(id)];
    return value > 0 ? value : -1;
  }
  [[nodiscard]] bool sweepable(FieldId id) const override { return id >= FieldId::steps || own(id) > 0; }
  [[nodiscard]] std::string_view source() const override { return source_; }
  [[nodiscard]] bool cheap() const override { return false; }

 private:
  // The config's text with the changed numbers written over.
  Result<Network> build(const FieldValues& fields) {
    struct Change {
      Span place;
      std::int64_t value;
    };
    std::vector<Change> changes;
    for (std::size_t i = 0; i < kFieldCount; ++i)
      if (own_[i] > 0 && fields[i] >= 0 && fields[i] != own_[i]) changes.push_back({places_[i], fields[i]});
    std::sort(changes.begin(), changes.end(),
              [](const Change& a, const Change& b) { return a.place.begin > b.place.begin; });
    Inputs inputs;
    inputs.sequence = std::max<std::int64_t>(0, fields[static_cast<std::size_t>(FieldId::sequence)]);
    if (changes.empty()) return build_family(config_, family_inputs(inputs));
    std::string text = config_.source().text;
    for (const Change& each : changes)
      text.replace(each.place.begin, each.place.end - each.place.begin, std::to_string(each.value));
    edited_ = std::make_unique<Source>(Source{config_.source().name, std::move(text), false});
    ReadOptions options;
    options.allow_nan = true;
    Result<Document> document = read_json(*edited_, options);
    if (!document) return document.take_problems();
    Result<Network> network = build_family(*document, family_inputs(inputs));
    if (network) return network;
    Diagnostics problems = network.take_problems();  // their places lie in a text that is gone soon
    for (Diagnostic& each : problems) each.labels.clear();
    return problems;
  }

  Document config_;
  PlanConvention convention_;
  std::string source_;
  std::unique_ptr<Source> edited_;
  std::array<std::int64_t, kFieldCount> own_{};
  std::array<Span, kFieldCount> places_{};
};

}  // namespace

std::unique_ptr<ModelCounter> file_counter(const Plan& plan, const PlanConvention& convention, Sources& sources,
                                           std::int64_t sequence, Diagnostics& problems, Diagnostics& notes) {
  const std::string base = plan.from_place ? plan.from_place.source->name : std::string();
  const bool beside = !base.empty() && base != "-" && base[0] != '-';
  std::string path = beside ? resolve_beside(base, plan.from) : plan.from;
  if (is_directory(path) && path_exists(path + "/config.json")) path += "/config.json";
  const auto report = [&](Diagnostics found) {
    for (Diagnostic& each : found) {
      if (each.labels.empty() && plan.from_place) each.labels.push_back({plan.from_place, {}});
      problems.push_back(std::move(each));
    }
  };
  if (path.ends_with(".json") && path_exists(path)) {
    Result<const Source*> source = sources.read(path);
    if (!source) return report(source.take_problems()), nullptr;
    ReadOptions options;
    options.allow_nan = true;
    Result<Document> document = read_json(**source, options);
    if (!document) return report(document.take_problems()), nullptr;
    if (document->root().find("model_type") || document->root().find("architectures"))
      return std::make_unique<ConfigCounter>(std::move(*document), convention, plan.from);
  }
  Inputs inputs;
  inputs.sequence = std::max<std::int64_t>(0, sequence);
  Result<Network> network = load_model(plan.from, inputs, sources, beside ? base : std::string());
  if (!network) return report(network.take_problems()), nullptr;
  for (const Diagnostic& each : network->notes) notes.push_back(each);
  return std::make_unique<NetworkFileCounter>(std::move(*network), convention, plan.from);
}

}  // namespace floptally
