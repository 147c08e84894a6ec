#include "engine/train_bill.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "book/leaf.h"
#include "quantity/print.h"
#include "quantity/quantity_text.h"

namespace floptally {
namespace {

constexpr double kHour = 3600, kDay = 24 * kHour;

// FLOP/s of one device over the whole time, as the file states it; nothing where it does not.
std::optional<Traced> stated_rate(Trace& trace, const TrainQuestion& q, const Node& hardware) {
  if (hardware.find("rate")) return run_input(trace, hardware, "rate", dim::kFlopPerSecond, 1, 0);
  const char* share = hardware.find("utilization") ? "utilization" : "mfu";  // over the whole time before good steps
  if (!hardware.find(share)) return std::nullopt;
  std::optional<Traced> peak;
  if (hardware.find("peak")) {
    peak = run_input(trace, hardware, "peak", dim::kFlopPerSecond, 1, 0);
  } else if (q.file.device != nullptr) {
    const Device& device = *q.file.device;
    const std::optional<Arithmetic> named = arithmetic_named(hardware.find("format").text());
    const std::optional<Arithmetic> format = named ? named : device.training_arithmetic();
    const std::optional<double> rate = format ? device.peak_of(*format) : std::nullopt;
    if (!rate) return std::nullopt;
    Leaf leaf;
    leaf.name = "dense " + std::string(kArithmeticNames[static_cast<std::size_t>(*format)]) + " peak of " + device.name;
    leaf.distribution = Distribution::point(*rate);
    leaf.dim = dim::kFlopPerSecond;
    leaf.mark = Mark::catalogue;
    leaf.source = "data/hardware/devices.csv:" + std::to_string(device.row) + ", " + device.source;
    peak = trace.leaf(std::move(leaf));
  }
  if (!peak) return std::nullopt;
  return *peak * run_input(trace, hardware, share, dim::kNone, 1, 0);
}

// One total against what the file says of it.
void check_total(const Node& said, bool expected, const Step& found, double scale, Book& book) {
  const Result<Amount> amount =
      parse_amount(said.text(), expected || said.key() == "flop" ? dim::kFlop : Dim{}, "", said.span(), true);
  if (!amount) {
    for (Diagnostic each : amount.problems()) {
      each.severity = Severity::warning;
      book.notes.push_back(std::move(each));
    }
    return;
  }
  constexpr double kRounding = 0.005;  // a bare number is met to its last figure
  const bool range = amount->form == Amount::Form::range || amount->form == Amount::Form::best_with_range;
  const double value = found.figure.value * scale;
  const double low = range ? amount->low : amount->best * (1 - kRounding);
  const double high = range ? amount->high : amount->best * (expected ? 1 + kRounding : 1);
  const std::string name = expected ? "expected" : "limit " + std::string(said.key());
  const bool met = value <= high && (!expected || value >= low);
  if (met) {
    book.summary.push_back(name + " " + std::string(said.text()) + ": " + (expected ? "met" : "kept"));
    return;
  }
  book.summary.push_back(name + " " + std::string(said.text()) + ": " + (expected ? "not met" : "passed"));
  book.notes.push_back(warning(expected ? "expect-not-met" : "limit-passed",
                               "'" + std::string(said.key()) + "' is " + count_text(value, 4) +
                                   (expected ? ", expected " : ", the limit is ") + std::string(said.text()),
                               said.span()));
  book.yes = false;
}

}  // namespace

Traced run_input(Trace& trace, const Node& record, std::string_view key, Dim dim, double scale, double otherwise) {
  const Node node = record.find(key);
  const Result<Amount> amount = node ? parse_amount(node.text(), node.span()) : Result<Amount>(Diagnostics{});
  if (!node || !amount.ok()) return trace.given(std::string(key), otherwise, dim);
  Amount scaled = *amount;
  const double by = amount->bare ? scale : 1;
  scaled.dim = dim;
  if (by != 1) {
    scaled.best *= by;
    scaled.low *= by;
    scaled.high *= by;
    for (double& v : scaled.values) v *= by;
    scaled.exact.reset();
  }
  return trace.leaf(leaf_of(std::string(key), scaled, node.span()));
}

void add_bill(Ledger& ledger, const TrainQuestion& q, const Traced& flop) {
  const Node hardware = q.file.root.find("hardware");
  if (!hardware.is_mapping()) return;  // of several stretches of time none is this run's
  Trace& trace = ledger.trace();
  const std::optional<Traced> rate = stated_rate(trace, q, hardware);
  if (!rate) return;
  const Traced work = trace.name("device time", trace.as(flop / *rate, dim::kDeviceSecond),
                                 "training compute / what one device achieves");
  ledger.headline("device_hours", "device-hours", work);
  const std::int64_t devices = q.file.devices > 0 ? q.file.devices : q.file.run.layout.devices();
  if (q.file.devices > 0 || q.file.layout_given) {
    const Traced ranks = trace.given("devices", Integer(devices), dim::kDevice);
    ledger.headline("training_seconds", "training time",
                    trace.name("training time", trace.as(work / ranks, dim::kSecond), "device time / devices"));
  }
  add_price(ledger, hardware, work);
}

void add_price(Ledger& ledger, const Node& hardware, const Traced& device_time) {
  if (!hardware.find("price") || !hardware.find("price").is_scalar()) return;
  Trace& trace = ledger.trace();
  const Traced price = run_input(trace, hardware, "price", dim::kUsdPerDeviceSecond, 1 / kHour, 0);
  ledger.headline("usd", "cost", trace.name("cost", trace.as(device_time * price, dim::kUsd), "device time x price"));
}

void check_totals(const TrainQuestion& q, Book& book) {
  constexpr struct {
    const char *key, *headline;
    double scale;
  } kTotals[] = {{"flop", "flop_training", 1},
                 {"usd", "usd", 1},
                 {"days", "training_seconds", 1 / kDay},
                 {"device_hours", "device_hours", 1 / kHour}};
  for (const bool expected : {true, false}) {
    const Node said = q.file.root.find(expected ? "expect" : "limits");
    if (!said.is_mapping()) continue;
    for (const Node each : said) {
      const auto* total =
          std::find_if(std::begin(kTotals), std::end(kTotals), [&](const auto& t) { return each.key() == t.key; });
      const Step* found = total == std::end(kTotals) ? nullptr : find_headline(book, total->headline);
      if (found != nullptr && each.is_scalar())
        check_total(each, expected, *found, total->scale, book);
      else if (!expected || total != std::end(kTotals))
        book.notes.push_back(warning(
            "cannot-check",
            "'" + std::string(each.key()) + "' cannot be checked: the run does not say enough to know it", each.span(),
            total == std::end(kTotals) ? "limits are flop, usd, days and device_hours"
                                       : "time and money need hardware: {devices, mfu or rate, price}"));
    }
  }
}

}  // namespace floptally
