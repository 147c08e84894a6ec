// Lints over runs: peaks that are not the device's dense one, utilizations that no device reaches, claims of precision.
#include "audit/lint/defs.h"
#include "audit/lint/helpers.h"
#include "audit/methods.h"

namespace floptally::lint {
namespace {

bool near(double a, double b, double tolerance = 0.03) { return b > 0 && std::fabs(a / b - 1) < tolerance; }

template <class Visit>
void each_period(const Node& root, const LintFacts& facts, const Visit& visit) {
  const Node hardware = root.find("hardware");
  const auto one = [&](const Node& node) {
    const std::vector<const Device*> found = facts.catalogue.matches(node.find("device").text());
    if (node.find("device") && found.size() == 1) visit(node, *found.front());
  };
  if (!root.find("run")) return;
  if (hardware.is_mapping()) one(hardware);
  if (hardware.is_sequence()) {
    for (const Node each : hardware) one(each);
  }
}

std::optional<double> amount(const Node& node, Dim dim) {
  if (!node) return std::nullopt;
  const Result<Amount> read = parse_amount(node.text(), dim, "", node.span(), true);
  return read.ok() ? std::optional(read->best) : std::nullopt;
}

std::optional<double> dense(const Device& device, const Node& node) {
  const std::optional<Arithmetic> stated = arithmetic_named(node.find("format").text());
  const std::optional<Arithmetic> format = stated ? stated : device.training_arithmetic();
  return format ? device.peak_of(*format) : std::nullopt;
}

void run_peak(const Node& root, const LintFacts& facts, Diagnostics& findings) {
  each_period(root, facts, [&](const Node& node, const Device& device) {
    const Node at = node.find("peak");
    const std::optional<double> stated = amount(at, dim::kFlopPerSecond), right = dense(device, node);
    if (!stated || !right || near(*stated, *right)) return;
    const std::string help = "the dense peak of " + device.name + " is " + digits(*right / 1e12) + " TFLOP/s";
    if (device.kind == "tpu" && near(*stated, 4 * *right, 0.16)) {
      find(findings, "peak-per-board", "a peak of " + text_of(at) + " is that of a board of four chips", at, help);
    } else if (near(*stated, 2 * *right)) {
      const bool fp8 = device.peak_of(Arithmetic::fp8) && near(*stated, *device.peak_of(Arithmetic::fp8));
      find(findings, "peak-sparse",
           "a peak of " + text_of(at) + " counts 2:4 sparsity" + (fp8 ? " (or is that of fp8)" : ""), at, help);
    } else {
      std::string other;
      for (std::size_t i = 0; i < kArithmetics; ++i) {
        if (device.peak[i] && near(*stated, *device.peak[i])) other = std::string(kArithmeticNames[i]);
      }
      find(findings, "peak-of-other-format",
           "a peak of " + text_of(at) + (other.empty() ? " is none of the device's" : " is that of " + other), at,
           help);
    }
  });
}

void run_ceiling(const Node& root, const LintFacts& facts, Diagnostics& findings) {
  each_period(root, facts, [&](const Node& node, const Device& device) {
    const std::optional<Arithmetic> stated_format = arithmetic_named(node.find("format").text());
    const std::optional<Arithmetic> format = stated_format ? stated_format : device.training_arithmetic();
    if (!format || !device.ceiling_of(*format) || !device.peak_of(*format)) return;
    const double ceiling = *device.ceiling_of(*format),
                 peak = amount(node.find("peak"), dim::kFlopPerSecond).value_or(*device.peak_of(*format));
    for (const char* key : {"utilization", "mfu", "hfu"}) {
      const Node at = node.find(key);
      const std::optional<double> share = amount(at, dim::kNone);
      if (share && *share <= 1 && *share * peak > ceiling)
        find(findings, "above-ceiling",
             "a utilization of " + text_of(at) + " is " + digits(*share * peak / 1e12) + " TFLOP/s; no matmul on " +
                 device.name + " was ever measured above " + digits(ceiling / 1e12),
             at, "check the peak, the device count and whether recomputation or another format is counted");
    }
    const Node rate = node.find("rate");
    const std::optional<double> achieved = amount(rate, dim::kFlopPerSecond);
    if (achieved && *achieved > ceiling)
      find(findings, "above-ceiling",
           "a rate of " + text_of(rate) + " per device is above any matmul measured on " + device.name, rate,
           "the best is " + digits(ceiling / 1e12) + " TFLOP/s");
  });
}

void run_hfu(const Node& root, const LintFacts& facts, Diagnostics& findings) {
  const std::string_view recompute = root.find("train").find("recompute").text();
  if (recompute.empty() || recompute == "none") return;
  each_period(root, facts, [&](const Node& node, const Device&) {
    const Node at = node.find("utilization");
    if (at)
      find(findings, "mfu-or-hfu",
           "with activations recomputed, a utilization of " + text_of(at) + " may count them or not", at,
           "write `mfu:` or `hfu:`; with full recomputation they differ by 8 to 6");
  });
}

void run_margin(const Node& root, const LintFacts&, Diagnostics& findings) {
  const Node claim = root.find("margin");
  if (!claim || !root.find("run")) return;
  const std::optional<double> margin = amount(claim, dim::kNone);
  const Node hardware = root.find("hardware");
  const bool counted = root.find("model").find("parameters") && root.find("train").find("tokens");
  const bool measured = hardware.find("utilization") || hardware.find("mfu") || hardware.find("rate");
  if (margin && *margin <= 0.31 && !counted && !measured)
    find(findings, "margin-not-supported",
         "a margin of " + text_of(claim) + " is claimed without a measured utilization", claim,
         "utilizations of published runs spread by a factor of 1.7 (90%): 30% is met in two of three cases only");
}

void run_words(const Node& root, const LintFacts&, Diagnostics& findings) {
  const Node train = root.find("train");
  if (root.find("run") && train.find("words") && !train.find("tokens"))
    find(findings, "words-for-tokens", "the data are given in words", train.find("words"),
         "English text has about 4/3 tokens a word: state the tokens that were seen");
}

void run_scope(const Node& root, const LintFacts&, Diagnostics& findings) {
  if (!root.find("run") || root.find("facts").text() != "own" || root.find("phases") || !root.find("law")) return;
  find(findings, "scope-not-given", "a statement for a law counts more than pre-training", root.find("law"),
       "list fine-tuning, reinforcement and generated data under `phases`, or say that there were none");
}

}  // namespace

const LintDef kPeakSparse = {"peak-sparse", "the peak counts 2:4 sparsity",
                             "Vendors print peaks with structured sparsity that training does not use. Against them a "
                             "utilization looks half of what it is; multiplied with one, compute doubles.",
                             "H100: 1,979 TFLOP/s bf16 in the data sheet is the sparse figure; 989 is dense.",
                             run_peak};
const LintDef kPeakPerBoard = {
    "peak-per-board", "the peak is that of a board, the count that of chips",
    "A board carries several chips; a count of chips times the board's peak is several times too large.",
    "TPU v2 and v3: 180 and 420 TFLOP/s are per board of four chips; Epoch's sheet of 2022 lists them as devices.",
    nullptr};
const LintDef kPeakOfOtherFormat = {
    "peak-of-other-format", "the peak is that of another number format",
    "Every format has its own peak: fp8 twice that of bf16, TF32 half, the ordinary fp32 units a fifteenth.",
    "Epoch's sheet of 2022: A100 'FP32' 1.56e14 is TF32; DeepSeek-V3's utilization is 34% of the bf16 peak and 17% of "
    "fp8's.",
    nullptr};
const LintDef kAboveCeiling = {
    "above-ceiling", "a utilization that no device reaches",
    "Even a lone large matmul stays below the peak: 80% to 87% on H100 and A100. A training run cannot be above it.",
    "llm.c's 150 ms for GPT-3 125M on 8 A100 was above the chip's peak; FlashAttention-2's '72.0' in the database is a "
    "percent.",
    run_ceiling};
const LintDef kMfuOrHfu = {"mfu-or-hfu", "it is not said whether the utilization counts recomputation",
                           "Hardware FLOP include activations computed again, model FLOP do not; laws leave them out.",
                           "BLOOM's 50% counts them; OPT-175B's 4.30e23 is 8ND.", run_hfu};
const LintDef kMarginNotSupported = {
    "margin-not-supported", "a margin narrower than its facts allow",
    "Without a measured utilization, hardware x time is known to a factor of about 1.7.",
    "Guidelines C(2025) 5045, point 123, ask for 30%.", run_margin};
const LintDef kWordsForTokens = {"words-for-tokens", "words are given where tokens are due",
                                 "6ND counts tokens; a word of English is about 4/3 of one, of other languages more.",
                                 "PaLM's 585e9 in the database are words; 780e9 tokens were trained on.", run_words};
const LintDef kScopeNotGiven = {"scope-not-given", "a statement for a law names pre-training only",
                                "The cumulative account of Article 51(2) counts fine-tuning, reinforcement, non-public "
                                "generated data and merged weights.",
                                "Guidelines C(2025) 5045, points 119 to 121.", run_scope};

}  // namespace floptally::lint
