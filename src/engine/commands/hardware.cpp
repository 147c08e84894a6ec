// floptally hardware [NAME]: the catalogue of accelerators, with sources and ages.
#include <algorithm>
#include <cstdio>

#include "book/ledger.h"
#include "engine/facts.h"
#include "quantity/print.h"

namespace floptally {
namespace {

constexpr double kHour = 3600;

Value figure_or_empty(std::optional<double> value, Dim dim) { return value ? Value(figure(*value, dim)) : Value(); }

// "14 months": how long before the catalogue's own date a fact was stated.
std::string age(const Date& from, const Date& at) {
  if (!from.known() || !at.known()) return "unknown";
  const double days = static_cast<double>(at.days() - from.days());
  char text[32];
  if (days < 45) {
    std::snprintf(text, sizeof text, "%.0f days", std::max(days, 0.0));
  } else if (days < 700) {
    std::snprintf(text, sizeof text, "%.0f months", days / 30.4375);
  } else {
    std::snprintf(text, sizeof text, "%.1f years", days / 365.25);
  }
  return text;
}

Table device_list(const Catalogue& catalogue, const std::vector<const Device*>& devices) {
  Table table{"devices",
              "Accelerators (dense peaks of one device)",
              {{"device", "Device"},
               {"released", "Released"},
               {"format", "Format"},
               {"peak", "Peak", true},
               {"memory", "Memory", true},
               {"bandwidth", "Bandwidth", true},
               {"power", "Power", true},
               {"price", "On demand", true},
               {"price_age", "Price age", true}},
              {},
              "On demand: the median over providers of their latest prices. The peak is that of the format training is "
              "counted against. Ages are counted from the catalogue's date, " +
                  catalogue.date().to_string() + ". `floptally hardware NAME` shows one device with its sources."};
  for (const Device* d : devices) {
    const std::optional<Arithmetic> format = d->training_arithmetic();
    const std::optional<UsualPrice> price = catalogue.usual_price(*d, PriceKind::on_demand);
    table.rows.push_back({d->name, d->release.to_string(), format ? Value(std::string(name_of(*format))) : Value(),
                          figure_or_empty(format ? d->peak_of(*format) : std::nullopt, dim::kFlopPerSecond),
                          figure_or_empty(d->memory_bytes, dim::kByte),
                          figure_or_empty(d->memory_bytes_per_second, dim::kByteMoved / dim::kSecond),
                          figure_or_empty(d->watts, dim::kWatt),
                          price ? Value(figure(price->usd / kHour, dim::kUsdPerDeviceSecond)) : Value(),
                          price ? Value(age(price->last, catalogue.date())) : Value()});
  }
  return table;
}

Table peaks(const Device& d) {
  Table table{"peaks",
              "Dense peak and best measured matmul",
              {{"format", "Format"}, {"peak", "Peak", true}, {"measured", "Measured", true}, {"share", "Share", true}},
              {},
              {}};
  for (std::size_t i = 0; i < kArithmetics; ++i) {
    if (!d.peak[i]) continue;
    Value share;
    if (d.ceiling[i]) {
      char text[16];
      std::snprintf(text, sizeof text, "%.1f%%", 100 * *d.ceiling[i] / *d.peak[i]);
      share = std::string(text);
    }
    table.rows.push_back({std::string(kArithmeticNames[i]), figure(*d.peak[i], dim::kFlopPerSecond),
                          figure_or_empty(d.ceiling[i], dim::kFlopPerSecond), share});
  }
  return table;
}

Table facts(const Device& d, const Catalogue& catalogue) {
  Table table{"facts", "What is known of it", {{"fact", "Fact"}, {"value", "Value"}}, {}, {}};
  const auto add = [&](const char* name, Value value) { table.rows.push_back({std::string(name), std::move(value)}); };
  const auto link = [&](const char* name, const Link& l) {
    if (l.kind.empty() && !l.bytes_per_second) return;
    std::string text = l.kind;
    if (l.bytes_per_second)
      text +=
          (text.empty() ? "" : ", ") + quantity_text(*l.bytes_per_second, dim::kByteMoved / dim::kSecond) + " each way";
    if (l.domain > 0) text += ", among " + std::to_string(l.domain) + " devices";
    add(name, text);
  };
  add("vendor", d.vendor);
  add("released", d.release.to_string());
  if (d.memory_bytes) add("memory", figure(*d.memory_bytes, dim::kByte));
  if (d.memory_bytes_per_second)
    add("memory bandwidth", figure(*d.memory_bytes_per_second, dim::kByteMoved / dim::kSecond));
  link("scale-up", d.scale_up);
  link("scale-out", d.scale_out);
  if (d.watts) add("power", figure(*d.watts, dim::kWatt));
  if (d.per_node > 0) add("devices per node", std::to_string(d.per_node));
  if (const Overhead* power = catalogue.overhead("server-power-ratio", d))
    add("server power over device power", shortest(power->value) + " (" + power->source + ")");
  std::string names;
  for (const std::string& alias : d.aliases) names += (names.empty() ? "" : ", ") + alias;
  if (!names.empty()) add("also called", names);
  if (!d.note.empty()) add("note", d.note);
  add("source", d.source + " (" + d.source_date.to_string() + ", " + age(d.source_date, catalogue.date()) +
                    " before the catalogue)");
  add("row", "data/hardware/devices.csv:" + std::to_string(d.row));
  return table;
}

Table prices(const Device& d, const Catalogue& catalogue) {
  Table table{"prices",
              "Prices, latest first",
              {{"date", "Date"},
               {"age", "Age", true},
               {"kind", "Kind"},
               {"usd", "Price", true},
               {"provider", "Provider"},
               {"covers", "Covers"},
               {"source", "Source"}},
              {},
              {}};
  std::vector<const Price*> all = catalogue.prices_of(d);
  std::stable_sort(all.begin(), all.end(), [](const Price* a, const Price* b) { return a->date > b->date; });
  // The same offer read twice is one.
  const auto last = std::unique(all.begin(), all.end(), [](const Price* a, const Price* b) {
    return a->date == b->date && a->kind == b->kind && a->usd == b->usd && a->provider == b->provider &&
           a->region == b->region;
  });
  all.erase(last, all.end());
  constexpr std::size_t kShown = 20;
  for (std::size_t i = 0; i < std::min(all.size(), kShown); ++i) {
    const Price& p = *all[i];
    const bool purchase = p.kind == PriceKind::purchase;
    table.rows.push_back(
        {p.date.to_string(), age(p.date, catalogue.date()),
         std::string(kPriceKindNames[static_cast<std::size_t>(p.kind)]),
         figure(purchase ? p.usd : p.usd / kHour, purchase ? dim::kUsd / dim::kDevice : dim::kUsdPerDeviceSecond),
         p.provider + (p.region.empty() ? "" : " " + p.region), p.covers, p.source});
  }
  if (all.size() > kShown)
    table.note = std::to_string(all.size() - kShown) + " older prices are in data/hardware/prices.csv";
  if (const std::optional<UsualPrice> usual = catalogue.usual_price(d, PriceKind::on_demand)) {
    const Dim dim = dim::kUsdPerDeviceSecond;
    table.note =
        (table.note.empty() ? "" : table.note + ". ") +
        "Usual price on demand: " + quantity_text(usual->usd / kHour, dim) + ", 90% " +
        quantity_text(usual->low / kHour, dim) + " to " + quantity_text(usual->high / kHour, dim) +
        (usual->providers == 1 ? " (one provider" : " (median of " + std::to_string(usual->providers) + " providers") +
        "; the range is how far providers lie apart).";
  }
  return table;
}

Result<Book> run(const Request& request, Context& context) {
  Result<std::shared_ptr<const Catalogue>> found = catalogue_of(request, context);
  if (!found) return found.take_problems();
  const Catalogue& catalogue = **found;
  Book book;
  book.command = "hardware";
  std::vector<const Device*> chosen;
  if (request.inputs.empty()) {
    for (const Device& d : catalogue.devices()) chosen.push_back(&d);
  } else {
    chosen = catalogue.matches(request.inputs.front());
    if (chosen.empty()) return catalogue.find(request.inputs.front()).take_problems();
  }
  if (chosen.size() == 1) {
    const Device& d = *chosen.front();
    book.title = d.name;
    const std::optional<Arithmetic> format = d.training_arithmetic();
    if (format) {
      book.summary.push_back(d.name + " (" + d.vendor + ", " + d.release.to_string() +
                             "): " + quantity_text(*d.peak_of(*format), dim::kFlopPerSecond) + " dense " +
                             std::string(name_of(*format)) +
                             (d.memory_bytes ? ", " + quantity_text(*d.memory_bytes, dim::kByte) : ""));
    }
    book.tables = {peaks(d), facts(d, catalogue), prices(d, catalogue)};
    if (book.tables.back().rows.empty()) book.tables.pop_back();
    return book;
  }
  book.title = "Hardware catalogue of " + catalogue.date().to_string();
  if (!request.inputs.empty())
    book.summary.push_back("'" + request.inputs.front() + "' may be any of " + std::to_string(chosen.size()) +
                           " devices");
  book.tables = {device_list(catalogue, chosen)};
  return book;
}

}  // namespace

namespace commands {
extern const CommandDef k_hardware;
const CommandDef k_hardware = {{"hardware",
                                "the catalogue of accelerators, with sources and ages",
                                "[NAME]",
                                0,
                                1,
                                {},
                                {"floptally hardware", "floptally hardware H100-SXM", "floptally hardware a100"}},
                               run,
                               false};
}  // namespace commands

}  // namespace floptally
