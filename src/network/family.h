// Families: one file families/<name>.cpp per published architecture family. It maps the keys of a Hugging Face
// config.json to a description of the network; everything else (counting, memory, views) works on the description.
//
// To add a family, write one file, in the image of families/llama.cpp:
//
//   namespace floptally::families {
//   namespace {
//   constexpr std::string_view kTypes[] = {"llama"};
//   constexpr std::string_view kArchitectures[] = {"LlamaForCausalLM"};
//   void build(Config& config, const FamilyInputs& in, Sink& sink) { ... }
//   }
//   extern const FamilyDef k_llama;
//   const FamilyDef k_llama = {"llama", "Llama 1 to 3 ...", "transformers modeling_llama.py", kTypes, kArchitectures,
//   build};
//   }
//
// What Config guarantees, so that a builder stays a plain list of layers:
//   - a required key that is missing is reported by name, never defaulted silently: the getter returns 1 and the whole
//     build fails afterwards with all problems found;
//   - an optional key that is missing takes the family's published default and is noted as assumed;
//   - sizes are positive and below 2^31; keys never asked for are listed in one note as ignored.
// Builders may therefore compute with what they got; call config.ok() before loops or divisions that need sane sizes
// (config.divides() reports and returns whether one size divides another).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "document/document.h"
#include "network/blocks/blocks.h"
#include "network/network.h"

namespace floptally {

// A mapping of a published config, with a record of which keys were read. Copies share that record.
class Config {
 public:
  using Names = std::initializer_list<std::string_view>;  // spellings of one key, the usual one first
  explicit Config(Node mapping);

  // The value under the first spelling that is there and not null; marks it as read. Nothing if there is none.
  [[nodiscard]] Node find(Names names);
  [[nodiscard]] bool has(Names names);  // there and not null; also marks it as read

  // Required: at least 1. Missing: reported as missing-key with `what` it is; the result is then 1.
  std::int64_t size(Names names, std::string_view what);
  // Optional: at least `least`. Missing or null: `otherwise`, noted as assumed.
  std::int64_t size_or(Names names, std::int64_t otherwise, std::int64_t least = 1);
  // The same, but silent where the key is absent: for keys whose absence is the published way to say "none".
  std::int64_t size_if(Names names, std::int64_t otherwise = 0, std::int64_t least = 0);
  double number_or(Names names, double otherwise);
  bool flag(Names names, bool otherwise);  // absent is the published default: not noted
  std::string_view text(Names names, std::string_view otherwise);
  // "hidden_act" and the like; an unknown function is reported.
  Activation activation(Names names, std::string_view otherwise);
  // A list of whole numbers or of words; empty where absent.
  std::vector<std::int64_t> sizes(Names names);
  std::vector<std::string_view> words(Names names);

  // A nested mapping (text_config); a Config without keys where it is absent (see present()).
  Config child(Names names);
  [[nodiscard]] bool present() const { return static_cast<bool>(node_); }
  [[nodiscard]] Node node() const { return node_; }

  // Reports that `part` does not divide `whole`, if so. True if it does.
  bool divides(std::int64_t part, std::string_view part_name, std::int64_t whole, std::string_view whole_name);
  // Marks keys as understood though they do not shape the network.
  void known(Names names);
  void fail(Diagnostic problem);
  void note(std::string code, std::string message, Span at = {});
  void assume(std::string name, std::int64_t value);
  [[nodiscard]] bool ok() const;

  struct Report {
    Diagnostics problems, notes;
    std::vector<Binding> bindings;
    std::vector<std::uint32_t> read;  // Node::id() of the values that were read
  };
  [[nodiscard]] Report& report() { return *report_; }

 private:
  Config(Node mapping, std::shared_ptr<Report> report) : node_(mapping), report_(std::move(report)) {}
  std::optional<std::int64_t> whole(Node value, std::int64_t least);
  Node node_;
  std::shared_ptr<Report> report_;
};

// What the user asked for beside the config.
struct FamilyInputs {
  std::int64_t sequence = 0;         // 0: not given
  std::int64_t source_sequence = 0;  // encoder side
  std::vector<std::int64_t> image;   // channels, height, width; empty: not given
  std::int64_t images = 0;           // images per sample of a vision-language model; 0: none given
  std::int64_t frames = 0;           // audio positions per sample of a model that hears; 0: none given
  std::optional<bool> extra_heads;   // count multi-token-prediction layers; nothing: as the published class does
  std::optional<bool> tied;          // tie_word_embeddings of the config around a nested one
  bool inside = false;               // the config is nested in another: defaults of the published class are left out
  std::string_view outer;            // then: the class that the file around it names
};

FamilyInputs family_inputs(const Inputs& inputs);

struct FamilyDef {
  std::string_view name;                            // "llama"
  std::string_view doc;                             // one line: which models
  std::string_view source;                          // where the layers were read
  std::span<const std::string_view> model_types;    // config.json "model_type"
  std::span<const std::string_view> architectures;  // config.json "architectures"[0], for configs without a type
  void (*build)(Config&, const FamilyInputs&, Sink&);
  std::string_view unit = "token";  // what a sample is made of: "token", "image", "second" ...
};

const FamilyDef* const* all_families();  // null-terminated
// By architecture (it names the class that runs), then by model_type; null if none fits.
const FamilyDef* find_family(std::string_view model_type, std::string_view architecture);
// The family of a config mapping, by its architectures, model_type or (diffusers) _class_name.
const FamilyDef* family_of(Node mapping);

// The sequence to count: what the user gave, else min(config's longest, 4096), noted as assumed. Also recorded as the
// network's sequence (Network::sequence), which FLOP per token are divided by.
std::int64_t sequence_length(Config& config, const FamilyInputs& in,
                             Config::Names longest = {"max_position_embeddings"});

// A config.json (already read) as a Network. Where no family reads the whole config, the first nested mapping of a
// known family is counted (text_config, llm_config, thinker_config, at any depth), with a warning, and totals are "at
// least"; a tower alone is refused. Errors:
// unknown-architecture (names the nearest and how to write a spec), missing-key, wrong-type, shape-* ...
Result<Network> build_family(const Document& document, const FamilyInputs& inputs);
// For families that hold another family's model inside (vision-language): builds the nested config with the family that
// its model_type names. False (and reported) if there is none.
bool build_nested(Config config, const FamilyInputs& inputs, Sink& sink);

// torch_dtype and quantization_config of a config as storage of the network's parameters (Network::dtype, Op::stored).
void read_storage(Node config, Network& network);

}  // namespace floptally
