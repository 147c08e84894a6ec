// Lints over formulas and equations: their dimensions, their arithmetic, the layers and bytes they count.
#include "audit/lint/defs.h"
#include "audit/lint/helpers.h"

namespace floptally::lint {
namespace {

Symbols symbols_of(const Node& node) {
  Symbols symbols;
  for (const Node each : node) {
    const Result<Evaluated> read = evaluate(each.text(), {}, each.span());
    if (read.ok()) symbols[std::string(each.key())] = *read;
  }
  return symbols;
}

void run_dimensions(const Node& root, const LintFacts&, Diagnostics& findings) {
  for (const Node each : root.find("formulas")) {
    const Symbols symbols = symbols_of(each.find("symbols"));
    const Node formula = each.find("formula"), measures = each.find("measures");
    const Result<Evaluated> left = evaluate(formula.text(), symbols, formula.span());
    if (!left.ok()) {
      if (left.problems().front().code == "mixed-dimensions")
        find(findings, "dimension-mismatch", "'" + text_of(each.find("name")) + "': " + left.problems().front().message,
             formula, "only like quantities can be added");
      continue;
    }
    const Result<Evaluated> right = evaluate(measures.text(), symbols, measures.span());
    if (!right.ok() || left->units == right->units) continue;
    find(findings, "dimension-mismatch",
         "'" + text_of(each.find("name")) + "': " + text_of(formula) + " measures " + units_text(left->units) +
             ", not " + units_text(right->units),
         formula, text_of(each.find("note")));
  }
}

void run_equations(const Node& root, const LintFacts&, Diagnostics& findings) {
  for (const Node each : root.find("equations")) {
    const std::string_view text = each.text();
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    const Result<Evaluated> left = evaluate(text.substr(0, equals), {}, each.span()),
                            right = evaluate(text.substr(equals + 1), {}, each.span());
    if (!left.ok() || !right.ok()) continue;
    if (left->units != right->units) {
      find(findings, "dimension-mismatch",
           "'" + text_of(each) + "': the left side measures " + units_text(left->units) + ", the right " +
               units_text(right->units),
           each);
      continue;
    }
    if (!left->has_value || !right->has_value) continue;
    std::string_view printed = text.substr(equals + 1);
    while (printed.starts_with(' ')) printed.remove_prefix(1);
    const double half = half_unit(printed, right->value);
    if (std::fabs(left->value - right->value) <= half * 1.000001 + 1e-12 * std::fabs(left->value)) continue;
    const double should = right->value != 0 ? left->value / right->value : 0;
    find(findings, "arithmetic-slip",
         "'" + text_of(each) + "': the left side is " + digits(should, 6) + " times the right", each,
         "in base units " + digits(left->value, 7) + " against " + digits(right->value, 7));
  }
}

// A convolution counted as if every output saw the whole input, strided: 2 H^2 W^2 C D / S^2 instead of 2 H' W' D C
// K^2.
void run_convolutions(const Node& root, const LintFacts&, Diagnostics& findings) {
  for (const Node each : root.find("convolutions")) {
    const double h = value_of(each.find("height")), w = value_of(each.find("width")),
                 c = value_of(each.find("channels")), d = value_of(each.find("filters"));
    const double k = value_of(each.find("kernel")), s = value_of(each.find("stride")),
                 p = value_of(each.find("padding")), stated = value_of(each.find("flop"));
    if (std::isnan(h + w + c + d + k + s + p + stated) || s <= 0) continue;
    const double out_h = std::floor((h - k + 2 * p) / s) + 1, out_w = std::floor((w - k + 2 * p) / s) + 1;
    const double right = 2 * out_h * out_w * d * c * k * k;
    if (std::fabs(stated / right - 1) < 0.02) continue;
    const bool dense = std::fabs(stated / (2 * h * h * w * w * c * d / (s * s)) - 1) < 0.02 ||
                       std::fabs(stated / (2 * h * w * c * out_h * out_w * d) - 1) < 0.02;
    find(findings, dense ? "conv-as-dense" : "wrong-figure",
         std::string(dense ? "the convolution is counted as fully connected: " : "the convolution's FLOP are wrong: ") +
             text_of(each.find("flop")) + " instead of " + digits(right, 6),
         each.find("flop"),
         "2 x output height x output width x filters x channels x kernel^2; a factor of " + digits(stated / right, 5));
  }
}

void run_counters(const Node& root, const LintFacts&, Diagnostics& findings) {
  static constexpr std::string_view kCountsMacs[] = {"fvcore", "ptflops", "pthflops", "thop", "torchinfo"};
  for (const Node each : root.find("counters")) {
    const std::string_view tool = each.find("tool").text();
    const bool macs = std::find(std::begin(kCountsMacs), std::end(kCountsMacs), tool) != std::end(kCountsMacs);
    if (macs && each.find("unit").text() == "FLOP")
      find(findings, "mac-for-flop", std::string(tool) + " counts multiply-adds; its figure is given as FLOP",
           each.find("unit"), "one multiply-add is 2 FLOP: multiply by 2");
  }
}

void run_memory(const Node& root, const LintFacts&, Diagnostics& findings) {
  for (const Node each : root.find("memory")) {
    const double weights = value_of(each.find("weights")), optimizer = value_of(each.find("optimizer")),
                 gradients = value_of(each.find("gradients"));
    if (std::isnan(weights + optimizer + gradients)) continue;
    const bool adam = each.find("states").text() == "adam" || !each.find("states");
    if (each.find("precision").text() == "mixed" && adam && weights == 2 && optimizer < 12 &&
        value_of(each.find("master")) != 4)
      find(findings, "master-weights",
           "mixed precision with Adam at " + digits(weights + optimizer + gradients) +
               " bytes a parameter leaves the fp32 master weights out",
           each.find("optimizer"),
           "16 bytes with half-precision gradients, 18 with single: count the master once, as weights or as optimizer "
           "state");
    if (value_of(each.find("master")) == 4 && optimizer >= 12)
      find(findings, "master-weights",
           "the fp32 master weights are counted twice: as weights and within the optimizer's " + digits(optimizer) +
               " bytes",
           each.find("master"), "count them once");
    if (gradients < 2)
      find(findings, "int8-gradients", "gradients of " + digits(gradients) + " byte a parameter: nobody trains so",
           each.find("gradients"), "gradients are kept in 2 or 4 bytes");
  }
}

void run_bits(const Node& root, const LintFacts&, Diagnostics& findings) {
  struct Format {
    std::string_view name;
    std::size_t exponent, significand;
    int bias;
  };
  static constexpr Format kFormats[] = {
      {"fp32", 8, 23, 127}, {"fp16", 5, 10, 15}, {"bf16", 8, 7, 127}, {"tf32", 8, 10, 127}};
  for (const Node each : root.find("bits")) {
    const std::string_view name = each.find("format").text();
    const auto* format =
        std::find_if(std::begin(kFormats), std::end(kFormats), [&](const Format& f) { return f.name == name; });
    if (format == std::end(kFormats)) continue;
    const Node significand = each.find("significand"), exponent = each.find("exponent"), bias = each.find("bias");
    if (significand && significand.text().size() != format->significand)
      find(findings, "bits-width",
           std::string(name) + " has " + std::to_string(format->significand) + " bits of significand; " +
               std::to_string(significand.text().size()) + " are written",
           significand);
    if (exponent && exponent.text().size() != format->exponent)
      find(findings, "bits-width",
           std::string(name) + " has " + std::to_string(format->exponent) + " bits of exponent; " +
               std::to_string(exponent.text().size()) + " are written",
           exponent);
    if (bias && value_of(bias) != format->bias)
      find(findings, "wrong-bias",
           std::string(name) + " has an exponent bias of " + std::to_string(format->bias) + ", not " + text_of(bias),
           bias, "with the wrong bias the value is off by 2^" + digits(format->bias - value_of(bias)));
  }
}

void run_sharding(const Node& root, const LintFacts&, Diagnostics& findings) {
  for (const Node each : root.find("sharding")) {
    const Node gradients = each.find("gradients");
    if (!gradients) continue;  // nothing is said of them
    const auto divides_gradients = [&](std::string_view word) {
      for (const Node axis : gradients) {
        if (axis.text() == word) return true;
      }
      return false;
    };
    for (const Node axis : each.find("weights")) {
      if (!divides_gradients(axis.text()))
        find(findings, "sharding-differs",
             "gradients are not divided by " + text_of(axis) + " although their weights are", gradients,
             "a rank keeps gradients of the weights it keeps");
    }
  }
}

void run_bytes(const Node& root, const LintFacts&, Diagnostics& findings) {
  for (const Node each : root.find("sizes")) {
    const double exact = value_of(each.find("bytes")), printed = value_of(each.find("printed"));
    if (std::isnan(exact + printed) || printed == 0) continue;
    const double half = half_unit(each.find("printed").text(), printed);
    if (std::fabs(exact - printed) <= half) continue;
    static constexpr std::pair<double, const char*> kSteps[] = {
        {1.024, "KB for KiB"}, {1.048576, "MB for MiB"}, {1.073741824, "GB for GiB"}, {1.099511627776, "TB for TiB"}};
    for (const auto& [factor, words] : kSteps) {
      if (std::fabs(exact / (printed * factor) - 1) < half / printed + 1e-9 ||
          std::fabs(exact * factor / printed - 1) < half / printed + 1e-9) {
        find(findings, "gb-for-gib",
             text_of(each.find("printed")) + " is written for " + digits(exact, 8) + " bytes: " + words,
             each.find("printed"), "GB is 10^9 bytes, GiB 2^30");
        break;
      }
    }
  }
}

}  // namespace

const LintDef kDimensionMismatch = {
    "dimension-mismatch", "a formula does not measure what it is said to measure",
    "Units multiply as numbers do. A product whose units are not those of the quantity it stands for has a wrong "
    "factor, whatever its value.",
    "152334H 2024: the position table as V x l_seq instead of l_seq x D. Lecture: 'FLOP-seconds, which is "
    "FLOP/second'. Guidelines C(2025) 5045, footnote 13: parameters compared with a context length.",
    run_dimensions};
const LintDef kArithmeticSlip = {
    "arithmetic-slip", "an equation does not hold",
    "Both sides, in base units, differ by more than the rounding of the printed figure. PF-days are 8.64e19 FLOP; a "
    "month is 730.5 hours, a year 8,766.",
    "Epoch AI on iGPT-L: 8.91e21 FLOP 'is 89.1 PF-days'; it is 103.1. Lecture: 1.571 x 2 = 3.141.", run_equations};
const LintDef kConvAsDense = {"conv-as-dense", "a convolution is counted as fully connected",
                              "A convolution's output sees a window of the input, not all of it: 2 H' W' D C K^2 FLOP "
                              "forward. Counted as dense it is hundreds of times too large.",
                              "Sevilla et al. 2022, worked example CNN-LSTM: 1.024e12 FLOP a frame for the convolution "
                              "instead of 1.6e8; the published total 7.86e18 is 696 times the right one.",
                              run_convolutions};
const LintDef kMacForFlop = {"mac-for-flop", "multiply-adds are given as FLOP",
                             "Peaks count a multiply-add as 2 FLOP; several profilers count it as 1. Dividing one by "
                             "the other halves the utilization.",
                             "fvcore: ResNet-50 4.09 'GFLOPs' are multiply-adds: 8.18e9 FLOP.", run_counters};
const LintDef kMasterWeights = {
    "master-weights", "fp32 master weights are missing, or counted twice",
    "Mixed precision keeps a single-precision copy of the weights: 4 bytes a parameter, counted once, as weights or as "
    "optimizer state.",
    "Lecture: AdamW 8 bytes, 2 + 8 + 2 = 12 bytes a parameter; with the master copy 16 or 18.", run_memory};
const LintDef kInt8Gradients = {"int8-gradients", "gradients of one byte",
                                "Weights may be stored in 8 bits; gradients are not.",
                                "Lecture: gradients 'in the same type as the weights', 1 byte for int8.", nullptr};
const LintDef kBitsWidth = {
    "bits-width", "a bit pattern has too many or too few bits", "The fields of a number format have fixed widths.",
    "Lecture: the significand of pi in fp32 written with 24 bits under a heading of 23.", run_bits};
const LintDef kWrongBias = {"wrong-bias", "an exponent is read with another format's bias",
                            "The bias belongs to the width of the exponent: 15 for 5 bits, 127 for 8.",
                            "Lecture: fp16's exponent 10000 read as 2^(128-127); it is 2^(16-15).", nullptr};
const LintDef kShardingDiffers = {
    "sharding-differs", "gradients are divided by fewer axes than their weights",
    "Gradients live where their weights live.",
    "Transformer Math 101: G/PP beside W/(PP x TP); EleutherAI cookbook: gradients never divided by TP x PP.",
    run_sharding};
const LintDef kGbForGib = {"gb-for-gib", "GB is written for GiB",
                           "They differ by 7%; TB and TiB by 10%. A model that fits 80 GiB may not fit 80 GB.",
                           "ZeRO's tables use GB = 10^9, the EleutherAI calculators GiB under the same name.",
                           run_bytes};

}  // namespace floptally::lint
