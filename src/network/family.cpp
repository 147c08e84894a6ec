#include "network/family.h"

#include <algorithm>

#include "base/nearest.h"

namespace floptally {

namespace families {
extern const FamilyDef* const kAll[];
}

namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 31;  // products of two sizes fit 64 bits

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

}  // namespace

Config::Config(Node mapping) : node_(mapping), report_(std::make_shared<Report>()) {}

Node Config::find(Names names) {
  for (std::string_view name : names) {
    const Node value = node_.find(name);
    if (!value) continue;
    report_->read.push_back(value.id());
    if (!value.is_null()) return value;
  }
  return {};
}

bool Config::has(Names names) { return static_cast<bool>(find(names)); }

std::optional<std::int64_t> Config::whole(Node value, std::int64_t least) {
  const std::optional<Integer> number = value.as_integer();
  if (!number) {
    fail(error("wrong-type", quoted(value.key()) + " expects a whole number", value.span()));
    return std::nullopt;
  }
  if (!(*number < Integer(kLargest)) || *number < Integer(least)) {
    fail(error("shape-range",
               quoted(value.key()) + " is " + number->to_string() + ", must be at least " + std::to_string(least) +
                   " and below 2^31",
               value.span()));
    return std::nullopt;
  }
  return number->to_int64();
}

std::int64_t Config::size(Names names, std::string_view what) {
  const Node value = find(names);
  if (value) return whole(value, 1).value_or(1);
  const std::string_view name = *names.begin();
  std::string help = "add " + quoted(name);
  if (names.size() > 1) {
    help += " (also spelled";
    for (auto other = names.begin() + 1; other != names.end(); ++other) help += " " + std::string(*other);
    help += ")";
  }
  fail(error("missing-key", "the config has no " + quoted(name) + " (" + std::string(what) + ")", node_.span(), help));
  return 1;
}

std::int64_t Config::size_or(Names names, std::int64_t otherwise, std::int64_t least) {
  const Node value = find(names);
  if (value) return whole(value, least).value_or(otherwise);
  assume(std::string(*names.begin()), otherwise);
  return otherwise;
}

std::int64_t Config::size_if(Names names, std::int64_t otherwise, std::int64_t least) {
  const Node value = find(names);
  return value ? whole(value, least).value_or(otherwise) : otherwise;
}

double Config::number_or(Names names, double otherwise) {
  const Node value = find(names);
  if (!value) return otherwise;
  if (const std::optional<double> number = value.as_double()) return *number;
  fail(error("wrong-type", quoted(value.key()) + " expects a number", value.span()));
  return otherwise;
}

bool Config::flag(Names names, bool otherwise) {
  const Node value = find(names);
  if (!value) return otherwise;
  if (const std::optional<bool> answer = value.as_bool()) return *answer;
  if (const std::optional<Integer> number = value.as_integer()) return *number != Integer(0);
  fail(error("wrong-type", quoted(value.key()) + " expects true or false", value.span()));
  return otherwise;
}

std::string_view Config::text(Names names, std::string_view otherwise) {
  const Node value = find(names);
  return value && value.is_scalar() ? value.text() : otherwise;
}

Activation Config::activation(Names names, std::string_view otherwise) {
  const Node value = find(names);
  const std::string_view name = value && value.is_scalar() ? value.text() : otherwise;
  if (const std::optional<Activation> kind = find_activation(name)) return *kind;
  note("unknown-activation", "activation " + quoted(name) + " is not known: counted as GELU", value.span());
  return Activation::gelu;
}

std::vector<std::int64_t> Config::sizes(Names names) {
  std::vector<std::int64_t> result;
  const Node value = find(names);
  if (!value) return result;
  if (!value.is_sequence()) {
    fail(error("wrong-type", quoted(value.key()) + " expects a list of whole numbers", value.span()));
    return result;
  }
  for (Node item : value) {
    const std::optional<Integer> number = item.as_integer();
    if (!number || *number < Integer(-1) || !(*number < Integer(kLargest))) {
      fail(error("wrong-type", quoted(value.key()) + " expects a list of whole numbers", item.span()));
      return result;
    }
    result.push_back(number->to_int64());
  }
  return result;
}

std::vector<std::string_view> Config::words(Names names) {
  std::vector<std::string_view> result;
  const Node value = find(names);
  if (!value) return result;
  for (Node item : value) result.push_back(item.text());
  return result;
}

Config Config::child(Names names) {
  const Node value = find(names);
  if (value && !value.is_mapping()) {
    fail(error("wrong-type", quoted(value.key()) + " expects a mapping", value.span()));
    return {Node{}, report_};
  }
  return {value, report_};
}

bool Config::divides(std::int64_t part, std::string_view part_name, std::int64_t whole_value,
                     std::string_view whole_name) {
  if (part > 0 && whole_value % part == 0) return true;
  Diagnostic problem = error("shape-divide",
                             quoted(part_name) + " " + std::to_string(part) + " does not divide " + quoted(whole_name) +
                                 " " + std::to_string(whole_value),
                             node_.find(part_name).span());
  if (const Node other = node_.find(whole_name)) problem.labels.push_back({other.span(), "and here"});
  fail(std::move(problem));
  return false;
}

void Config::known(Names names) {
  for (std::string_view name : names) {
    if (const Node value = node_.find(name)) report_->read.push_back(value.id());
  }
}

void Config::fail(Diagnostic problem) { report_->problems.push_back(std::move(problem)); }

void Config::note(std::string code, std::string message, Span at) {
  report_->notes.push_back(floptally::note(std::move(code), std::move(message), at));
}

void Config::assume(std::string name, std::int64_t value) {
  report_->notes.push_back(
      floptally::note("assumed", name + " is not given: assumed " + std::to_string(value), node_.span()));
  report_->bindings.push_back({std::move(name), value, "assumed", {}});
}

bool Config::ok() const { return report_->problems.empty(); }

const FamilyDef* const* all_families() { return families::kAll; }

const FamilyDef* find_family(std::string_view model_type, std::string_view architecture) {
  const auto holds = [](std::span<const std::string_view> names, std::string_view name) {
    return !name.empty() && std::find(names.begin(), names.end(), name) != names.end();
  };
  for (auto family = families::kAll; *family != nullptr; ++family) {
    if (holds((*family)->architectures, architecture)) return *family;
  }
  for (auto family = families::kAll; *family != nullptr; ++family) {
    if (holds((*family)->model_types, model_type)) return *family;
  }
  return nullptr;
}

const FamilyDef* family_of(Node mapping) {
  const Node listed = mapping.find("architectures");
  const std::string_view named =
      listed.is_sequence() && listed.size() > 0 ? listed[std::size_t{0}].text() : mapping.find("_class_name").text();
  return find_family(mapping.find("model_type").text(), named);
}

std::int64_t sequence_length(Config& config, const FamilyInputs& in, Config::Names longest) {
  const std::int64_t most = config.size_if(longest, 0, 1);
  std::int64_t length = in.sequence;
  std::string origin = "given";
  if (length <= 0) {
    constexpr std::int64_t kUsual = 4096;
    length = most > 0 ? std::min(most, kUsual) : kUsual;
    origin = "assumed";
    config.note("assumed", "sequence is not given: assumed " + std::to_string(length) + " tokens (--sequence N)");
  }
  for (Binding& binding : config.report().bindings) {
    if (binding.name == "sequence") return length;
  }
  config.report().bindings.push_back({"sequence", length, std::move(origin), {}});
  return length;
}

namespace {

std::string_view architecture_of(Node mapping) {
  const Node list = mapping.find("architectures");
  return list.is_sequence() && list.size() > 0 ? list[std::size_t{0}].text() : std::string_view{};
}

Diagnostic unknown_architecture(Node mapping) {
  const std::string_view type = mapping.find("model_type").text();
  const std::string_view architecture = architecture_of(mapping);
  std::vector<std::string_view> names;
  for (auto family = families::kAll; *family != nullptr; ++family) {
    names.insert(names.end(), (*family)->model_types.begin(), (*family)->model_types.end());
  }
  const std::string_view asked = type.empty() ? architecture : type;
  std::string help;
  for (std::string_view near : nearest_few(asked, names, 3))
    help += (help.empty() ? "nearest known: " : ", ") + std::string(near);
  help += help.empty() ? "" : "; ";
  help +=
      "or describe it as a spec: {network: 1, kind: decoder, layers: ..., width: ..., heads: ..., ffn: ..., vocab: "
      "...}";
  if (asked.empty()) {
    return error("unknown-architecture", "the config names neither 'model_type' nor 'architectures'", mapping.span(),
                 help);
  }
  const Node at = type.empty() ? mapping.find("architectures") : mapping.find("model_type");
  return error("unknown-architecture", "no family is known for " + quoted(asked), at.span(), help);
}

// Keys that say nothing about shapes in any family (generation, tokenizer, dropout, provenance), in order.
constexpr std::string_view kNeverShape[] = {"_attn_implementation",
                                            "_attn_implementation_autoset",
                                            "_commit_hash",
                                            "_diffusers_version",
                                            "_experts_implementation",
                                            "_name_or_path",
                                            "activation_dropout",
                                            "add_cross_attention",
                                            "apply_residual_connection_post_layernorm",
                                            "apply_spec_augment",
                                            "architectures",
                                            "attention_dropout",
                                            "attention_probs_dropout_prob",
                                            "attention_softmax_in_fp32",
                                            "attn_pdrop",
                                            "auto_map",
                                            "aux_loss_alpha",
                                            "bad_words_ids",
                                            "begin_suppress_tokens",
                                            "boa_token_id",
                                            "boi_token_id",
                                            "bos_token_id",
                                            "chunk_size_feed_forward",
                                            "classifier_dropout",
                                            "compression_config",
                                            "cross_attention_hidden_size",
                                            "decoder_start_token_id",
                                            "diversity_penalty",
                                            "do_sample",
                                            "dropout",
                                            "dropout_p",
                                            "dropout_rate",
                                            "dtype",
                                            "early_stopping",
                                            "embd_pdrop",
                                            "embedding_dropout",
                                            "encoder_no_repeat_ngram_size",
                                            "eoa_token_id",
                                            "eoa_token_index",
                                            "eoi_token_id",
                                            "eos_token_id",
                                            "exponential_decay_length_penalty",
                                            "finetuning_task",
                                            "force_bos_token_to_be_generated",
                                            "forced_bos_token_id",
                                            "forced_decoder_ids",
                                            "forced_eos_token_id",
                                            "gradient_checkpointing",
                                            "hidden_dropout",
                                            "hidden_dropout_prob",
                                            "id2label",
                                            "ignore_index",
                                            "image_token_id",
                                            "image_token_index",
                                            "init_std",
                                            "init_xavier_std",
                                            "initializer_factor",
                                            "initializer_range",
                                            "is_decoder",
                                            "is_encoder_decoder",
                                            "label2id",
                                            "layer_norm_eps",
                                            "layer_norm_epsilon",
                                            "layerdrop",
                                            "layernorm_epsilon",
                                            "length_penalty",
                                            "max_length",
                                            "media_placeholder_token_id",
                                            "min_length",
                                            "model_max_length",
                                            "model_type",
                                            "no_repeat_ngram_size",
                                            "norm_eps",
                                            "norm_epsilon",
                                            "normalize_before",
                                            "num_beam_groups",
                                            "num_beams",
                                            "num_return_sequences",
                                            "output_attentions",
                                            "output_hidden_states",
                                            "output_past",
                                            "output_router_logits",
                                            "output_scores",
                                            "pad_token_id",
                                            "prefix",
                                            "problem_type",
                                            "projector_ln_eps",
                                            "pruned_heads",
                                            "quantization_config",
                                            "remove_invalid_values",
                                            "repetition_penalty",
                                            "resid_pdrop",
                                            "return_dict",
                                            "return_dict_in_generate",
                                            "rms_norm_eps",
                                            "rms_norm_epsilon",
                                            "rope_parameters",
                                            "rope_scaling",
                                            "rope_theta",
                                            "router_aux_loss_coef",
                                            "router_jitter_noise",
                                            "sep_token_id",
                                            "summary_activation",
                                            "summary_first_dropout",
                                            "summary_proj_to_labels",
                                            "summary_type",
                                            "summary_use_proj",
                                            "suppress_tokens",
                                            "task_specific_params",
                                            "temperature",
                                            "tf_legacy_loss",
                                            "tie_encoder_decoder",
                                            "tokenizer_class",
                                            "top_k",
                                            "top_p",
                                            "torch_dtype",
                                            "torchscript",
                                            "transformers_version",
                                            "typical_p",
                                            "use_bfloat16",
                                            "use_cache",
                                            "video_token_id",
                                            "video_token_index",
                                            "vision_end_token_id",
                                            "vision_start_token_id",
                                            "vision_token_id"};

void list_ignored(Node mapping, const std::string& path, const std::vector<std::uint32_t>& read, std::string& names,
                  int& count) {
  for (Node value : mapping) {
    const std::string_view key = value.key();
    if (std::binary_search(std::begin(kNeverShape), std::end(kNeverShape), key)) continue;
    if (!key.empty() && key.front() == '_') continue;
    const std::string full = path + std::string(key);
    if (std::binary_search(read.begin(), read.end(), value.id())) {
      if (value.is_mapping()) list_ignored(value, full + ".", read, names, count);
      continue;
    }
    names += (count++ == 0 ? "" : ", ") + full;
  }
}

// Lists of unlike layers that the family did not ask for: it would count them all alike. Null if there is none.
Node unread_layers(Node mapping, const std::vector<std::uint32_t>& read) {
  for (Node value : mapping) {
    const bool known = std::binary_search(read.begin(), read.end(), value.id());
    if (known && value.is_mapping()) {
      if (const Node inner = unread_layers(value, read)) return inner;
    } else if (!known && value.is_sequence() && value.key().ends_with("layer_types")) {
      std::string_view first;
      for (const Node entry : value) {
        if (first.empty()) first = entry.text();
        if (entry.text() != first) return value;
      }
    }
  }
  return {};
}

}  // namespace

namespace {

struct Found {
  const FamilyDef* family = nullptr;
  Node mapping;
  std::string path;
  bool side = false;  // a tower or a speaker: no language model
};

constexpr int kDeepestConfig = 6;

// Towers and speakers beside the language model.
bool is_side(std::string_view key) {
  for (std::string_view word : {"vision", "audio", "talker", "code2wav", "image", "video"})
    if (key.find(word) != std::string_view::npos) return true;
  return false;
}

// The first mapping of a known family, from the outside inwards, in the order of the file.
Found find_anywhere(Node mapping, const std::string& path, int depth) {
  if (!mapping.is_mapping()) return {};
  if (const FamilyDef* family = family_of(mapping)) return {family, mapping, path};
  if (depth == kDeepestConfig) return {};
  for (const bool side : {false, true}) {
    for (Node child : mapping) {
      if (is_side(child.key()) != side) continue;
      Found found = find_anywhere(child, (path.empty() ? "" : path + ".") + std::string(child.key()), depth + 1);
      found.side = found.side || side;
      if (found.family != nullptr) return found;
    }
  }
  return {};
}

}  // namespace

bool build_nested(Config config, const FamilyInputs& inputs, Sink& sink) {
  const FamilyDef* family = family_of(config.node());
  if (family == nullptr) {
    config.fail(unknown_architecture(config.node()));
    return false;
  }
  family->build(config, inputs, sink);
  return config.ok();
}

Result<Network> build_family(const Document& document, const FamilyInputs& inputs) {
  const Node root = document.root();
  if (!root.is_mapping()) return error("wrong-type", "a config is a mapping", root.span());
  const Found found = find_anywhere(root, "", 0);
  const FamilyDef* family = found.family;
  if (family == nullptr) return unknown_architecture(root);
  const bool partial = !found.path.empty();
  if (found.side || (partial && family->unit != "token")) {  // what is beside it is most of the model, and not known
    Diagnostic problem = unknown_architecture(root);
    problem.help = "only " + quoted(found.path) + " (" + std::string(family->name) + ") is known; " + problem.help;
    return problem;
  }
  Config config(found.mapping);
  NetworkBuilder builder;
  family->build(config, inputs, builder);
  if (partial) builder.add(unknown("rest_of_the_model"));
  Config::Report& report = config.report();
  if (!report.problems.empty()) return std::move(report.problems);
  if (builder.too_large()) return too_large(root.span());
  Network network = builder.finish();
  for (const Op& op : network.ops)  // a product of sizes that left 64 bits
    for (int i = 0; i < op.def->attribute_count; ++i)
      if (op.attributes[i] < 0)
        return error("shape-overflow", "the sizes of " + quoted(op.name) + " are too large together",
                     found.mapping.span());
  network.family = family->name;
  network.unit = family->unit;
  network.name = document.source().name;
  for (const Binding& binding : report.bindings) {
    if (binding.name == "sequence") network.sequence = binding.value;
  }
  network.bindings = std::move(report.bindings);
  network.notes = std::move(report.notes);
  std::sort(report.read.begin(), report.read.end());
  if (const Node layers = unread_layers(found.mapping, report.read))
    return error("unknown-variant",
                 quoted(layers.key()) + " lists unlike layers, which " + std::string(family->name) + " does not read",
                 layers.span());
  std::string ignored;
  int ignored_count = 0;
  list_ignored(found.mapping, found.path.empty() ? "" : found.path + ".", report.read, ignored, ignored_count);
  if (ignored_count > 0) {
    network.notes.push_back(note("ignored-keys", "keys that do not shape the network: " + ignored, root.span()));
  }
  if (partial) {
    network.notes.push_back(
        warning("partial-model",
                "only " + quoted(found.path) + " (" + std::string(family->name) +
                    ") is counted: no family reads the config as a whole, so totals are \"at least\"",
                found.mapping.span()));
  }
  read_storage(root, network);
  return network;
}

}  // namespace floptally
