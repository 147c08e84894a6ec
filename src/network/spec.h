// Network specs: a network written down by a person, in YAML or JSON (or as `model:` inside a plan or a run).
//
//   network: 1
//   kind: decoder        # one file kinds/<name>.cpp per kind; `kind: layers` writes layers out, `kind: parts` joins
//   networks layers: 32 ... freeze: [embed_tokens]              # any kind: parts that are not trained lora: {rank: 16,
//   targets: [q_proj, v_proj]}   # everything else is frozen then
//
// Each kind's fields are a decoding table, so that unknown keys are errors with a suggestion and the JSON Schema is
// generated from the same rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/sources.h"
#include "document/decode.h"
#include "network/blocks/blocks.h"
#include "network/network.h"

namespace floptally {

// A record of a spec with getters that report what is wrong and go on.
class Spec {
 public:
  struct Session {
    Sources& sources;
    Inputs inputs;
    std::string base_file;
    Diagnostics problems, notes;
    std::vector<Binding> bindings;
    std::string unit;
    int depth = 0;
  };
  Spec(Node node, Session& session) : node_(node), session_(session) {}

  [[nodiscard]] Node node() const { return node_; }
  [[nodiscard]] Session& session() const { return session_; }
  [[nodiscard]] bool has(std::string_view key) const { return static_cast<bool>(node_.find(key)); }
  // Whole numbers; `least` and 2^40 bound them. "50_000" and "32K" are read.
  std::int64_t size(std::string_view key, std::string_view what, std::int64_t least = 1);  // required
  std::int64_t size_or(std::string_view key, std::int64_t otherwise, std::int64_t least = 1);
  std::optional<std::int64_t> whole(Node value, std::int64_t least);
  double number_or(std::string_view key, double otherwise);
  bool flag(std::string_view key, bool otherwise);
  std::string_view word(std::string_view key, std::string_view otherwise);
  std::vector<std::int64_t> sizes(std::string_view key);  // a list, or one number
  Activation activation(std::string_view key, Activation otherwise);
  // What the user asked for on the command line, else the key, else a usual value that is noted as assumed.
  std::int64_t sequence(std::int64_t usual = 2048);
  // Channels, height, width of the input image; `image: 224` or `image: [3, 224, 224]`.
  std::vector<std::int64_t> image(std::int64_t usual);
  bool divides(std::string_view part, std::int64_t part_value, std::string_view whole_name, std::int64_t whole_value);
  void fail(Diagnostic problem) { session_.problems.push_back(std::move(problem)); }
  [[nodiscard]] bool ok() const { return session_.problems.empty(); }

 private:
  Node node_;
  Session& session_;
};

struct KindDef {
  std::string_view name;  // "decoder"
  std::string_view doc;   // one line
  std::string_view source;
  const FieldTable* table;  // its own fields; the common ones are added
  void (*build)(Spec&, Sink&);
  std::string_view unit = "sample";
};

const KindDef* find_kind(std::string_view name);
// A kind's fields together with those that every spec has.
const FieldTable& full_table(const KindDef& kind);
// Describes a spec (of any kind) to a sink; false if something is wrong (see Session::problems).
bool describe_spec(Node node, Spec::Session& session, Sink& sink);

// A whole spec as a network. `base_file`: where relative `from:` paths start.
Result<Network> build_spec(Node node, const Inputs& inputs, Sources& sources, const std::string& base_file);
// True if a mapping looks like a spec ("kind", "parts" or "from").
bool is_spec(Node node);
// JSON Schema of all kinds.
std::string spec_schema();

}  // namespace floptally
