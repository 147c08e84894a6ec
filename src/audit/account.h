// AuditRun: what is known of a training run from the outside, each fact with its range, place and source, before
// anything is computed from it.
//
// Always holds for a run that read_audit_run() or run_of() returned: every fact has the dimension its comment names, is
// positive, and utilizations lie in (0, 1]. A fact that was not stated is absent.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/date.h"
#include "document/document.h"
#include "floptally/book.h"
#include "hardware/catalogue.h"
#include "quantity/quantity_text.h"
#include "training/packing.h"

namespace floptally {

struct Fact {
  Amount amount;
  Span place;
  Mark mark = Mark::given;
  std::string source;  // where a catalogue fact comes from
};
using MaybeFact = std::optional<Fact>;

// Hardware over one stretch of time.
struct Period {
  std::string name;
  const Device* device = nullptr;
  std::vector<const Device*> variants;  // more than one where the name fits several ("A100")
  Span device_place;
  MaybeFact devices;                 // device
  MaybeFact seconds;                 // second, of wall-clock
  MaybeFact device_seconds;          // device x second
  MaybeFact peak;                    // FLOP/s of one device
  MaybeFact utilization;             // of that peak, over the whole time
  bool of_steps = false;             // the utilization is that of good steps (MFU, HFU): the whole time kept less of it
  bool hardware_flop = false;        // the utilization counts recomputed activations (HFU)
  bool derived = false;              // the source divided its operation count by time and peak: no second opinion
  MaybeFact rate;                    // achieved FLOP/s of one device
  std::optional<Arithmetic> format;  // whose peak is meant; else the device's training format
  MaybeFact joules;
  MaybeFact usd;
  MaybeFact price;  // USD / (device x second)
  Span place;
};

// A part of the work on the model: each law counts its own selection of these.
struct Phase {
  std::string name = "pretraining";
  std::string component = "pretraining";  // a row of data/law/inclusions.csv
  std::string architecture;               // "dense", "moe", "encoder-decoder", "recurrent"; empty: as the run
  MaybeFact parameters;                   // as the run where absent
  MaybeFact active;
  MaybeFact tokens;    // that update parameters, in one pass
  MaybeFact words;     // the same in words, where tokens are not known
  MaybeFact passes;    // over the tokens or examples
  MaybeFact examples;  // with `connections`: multiply-adds of one example's forward pass
  MaybeFact connections;
  MaybeFact generated;                            // tokens sampled (rollouts, synthetic data), discarded ones too
  MaybeFact scored;                               // tokens read by reward, value or reference models
  MaybeFact flop;                                 // stated outright
  MaybeFact layers, width, sequence, vocabulary;  // for the attention that 6ND leaves out
  bool public_data = false;                       // generated data were published
  Span place;
};

// What a network's own operators cost, for runs whose architecture is known (`model: {from: ...}`, or a shipped name).
struct ExactCount {
  std::string name;            // of the network
  std::string unit = "token";  // what FLOP are per
  Integer flop;                // of training on one sample, attention over the causal half
  Integer units = Integer(1);  // tokens a sample
  Integer parameters, active;
  bool rules = false;  // the run names the network itself: method 1 is this count
};

struct AuditRun {
  std::string name, title, organization, source, note;
  Date date;
  Span date_place;
  std::string domain = "language";
  std::string architecture = "dense";
  bool architecture_stated = false;
  std::vector<std::string> modalities;  // "text", "speech", "text-to-image", "text-to-video"
  std::string model_from;               // a model file, folder or shipped name, with its place
  Span model_place;
  std::optional<ExactCount> exact;
  std::optional<Packing> packing;
  std::vector<Phase> phases;
  std::vector<Period> hardware;
  MaybeFact base_flop;  // of the model this one started from
  std::string base;
  Span base_place;
  MaybeFact published;         // FLOP, by the developers or a database
  std::string published_from;  // "developer", "operations", "hardware", "mixed"; empty: not said
  std::string confidence;      // Epoch AI's word for the published value
  MaybeFact usd;
  MaybeFact expected;        // what the answer must be
  bool own_records = false;  // the developer's own figures rather than published ones
  bool checked = false;      // published facts that were checked against their sources
  bool from_table = false;   // a database's row: the size of the data set stands for the tokens seen
  bool wants_parts = false;  // list what was not given and would count
  std::vector<std::string> aliases;
  std::string fault;               // why a published row takes no part in scores
  std::string utilization_option;  // "article": 30% and 40%
};

// Fills in what the network says: parameters where the run states none, and the exact count.
void attach_network(AuditRun& run, ExactCount exact);

// Reads a RUN. Errors (all at once): the document's, unknown-key, wrong-unit, not-a-quantity, unknown-device,
// ambiguous-device, utilization-over-one, not-positive, bad-date, contradictory-facts (both places).
Result<AuditRun> read_audit_run(const Document& document, const Catalogue& catalogue);

}  // namespace floptally
