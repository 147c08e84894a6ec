// EvidenceRow: a measured run from a CSV (the columns are listed in docs; any may be missing), turned into a model and
// a Run.
//
// Always holds: nothing is guessed silently. What a row does not say is taken from a rule that `assumed` names, or the
// row is left out with a reason.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/csv.h"
#include "network/blocks/decoder.h"
#include "network/network.h"
#include "training/run.h"

namespace floptally {

// How `mem_reserved_gib` was read.
enum class Meter : std::uint8_t { allocated, reserved, visible };    // torch's peak, torch's cache, nvidia-smi
enum class RankSeen : std::uint8_t { fullest, first, last, given };  // which rank's number a source or row reports

struct EvidenceRow {
  std::string id, source, model, arch, task, arguments, notes;
  std::size_t row = 0;
  DecoderShape shape;
  std::shared_ptr<const Network> network;  // of a shipped model that the row names without its sizes; else `shape`
  bool binary_head = false;                // BERT's: a pooler beside the head of the masked words
  Run run;
  std::int64_t devices = 0, node = 8;      // and devices of a node
  std::int64_t instances = 1;              // groups of data ranks that share the states each on their own
  std::int64_t accumulated = 0;            // micro-batches of a step; 0: not stated
  double parameters = 0;                   // as stated; 0: not
  std::optional<double> allocated, other;  // bytes measured; `other` is reserved or visible
  Meter meter = Meter::reserved;
  RankSeen rank = RankSeen::fullest;
  std::int64_t given_rank = 0;  // of all devices, where the row says whose number it holds
  bool out_of_memory = false;
  bool has_memory = false;  // a cell for memory is filled, well or badly
  std::string framework, generation;
  std::string reason;          // why the row cannot be predicted; empty if it can
  std::string unknown_layers;  // what its architecture needs and no column says: a named model may
  double either = 0;           // bytes that were not there with a version of its software that the row may have had
  bool top_k_unsaid = false;
  std::string unsaid;                // columns of the model's shape that are empty
  std::vector<std::string> assumed;  // settings that the row does not say; its range is that of such rows
  std::vector<std::string> noted;    // what a rule of its source said instead, or is followed in part
};

// A shipped model by its name, for sequences of that length; nothing where there is none.
using FindModel = std::function<std::shared_ptr<const Network>(std::string_view name, std::int64_t sequence)>;

// Every row of the table; bad cells become reasons. `find` is asked where a row names a model without its sizes.
// Errors: evidence-columns (not one column is known).
Result<std::vector<EvidenceRow>> read_evidence(const Csv& csv, const FindModel& find = {});

// Whether the table has a place for measured memory.
bool has_memory_column(const Csv& csv);

// Describes the row's model to `sink`.
void describe_model(const EvidenceRow& row, Sink& sink);

// Applies a Megatron-LM arguments object (JSON) to the row: it rules over the columns.
void apply_megatron_arguments(EvidenceRow& row);

}  // namespace floptally
