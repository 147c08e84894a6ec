// Reading the catalogue's tables: every cell is checked, and all mistakes of a table are reported at once.
#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <map>
#include <mutex>

#include "base/csv.h"
#include "base/embedded.h"
#include "base/split.h"
#include "hardware/catalogue.h"
#include "hardware/catalogue_rest.h"

namespace floptally {
namespace {

constexpr std::string_view kDateMark = "# catalogue-date: ";

// One table, row by row, with typed cells; mistakes are collected.
class TableReader {
 public:
  TableReader(const Source& source, std::initializer_list<std::string_view> needed, Diagnostics& problems)
      : problems_(problems) {
    Result<Csv> read = Csv::read(source);
    if (!read) {
      const Diagnostics found = read.take_problems();
      problems_.insert(problems_.end(), found.begin(), found.end());
      return;
    }
    csv_ = std::move(*read);
    for (const std::string_view column : needed) {
      if (csv_.find(column)) continue;
      problems_.push_back(
          error("missing-column", "the table lacks a column '" + std::string(column) + "'", {&source, 0, 0}));
      return;
    }
    rows_ = csv_.rows();
  }

  [[nodiscard]] std::size_t rows() const { return rows_; }
  // Rows are visited in order, so that lines are counted once.
  void select(std::size_t row) {
    row_ = row;
    const Span span = csv_.row_span(row);
    line_ += std::count(span.source->text.begin() + counted_,
                        span.source->text.begin() + static_cast<std::ptrdiff_t>(span.begin), '\n');
    counted_ = static_cast<std::ptrdiff_t>(span.begin);
  }
  [[nodiscard]] std::string text(std::string_view column) { return std::string(at(column)); }
  [[nodiscard]] std::int64_t line() const { return line_; }
  [[nodiscard]] Span span(std::string_view column) const {
    const std::optional<std::size_t> index = csv_.find(column);
    return index ? csv_.span(row_, *index) : csv_.row_span(row_);
  }

  // An empty cell is "not known". Errors: bad-number (not a number, negative or not finite).
  std::optional<double> number(std::string_view column) {
    const std::string_view cell = at(column);
    if (cell.empty()) return std::nullopt;
    double value = 0;
    const auto [end, code] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (code != std::errc() || end != cell.data() + cell.size() || !(value >= 0) || value > 1e30) {
      problems_.push_back(
          error("bad-number", "'" + std::string(cell) + "' is not a number of at least 0", span(column)));
      return std::nullopt;
    }
    return value;
  }
  std::int64_t count(std::string_view column) {
    const double value = number(column).value_or(0);
    return value < 1e9 ? static_cast<std::int64_t>(value) : 0;
  }
  // Errors: bad-date.
  Date date(std::string_view column) {
    const std::string_view cell = at(column);
    if (cell.empty()) return {};
    const std::optional<Date> date = Date::parse(cell);
    if (!date)
      problems_.push_back(
          error("bad-date", "'" + std::string(cell) + "' is not a date such as 2024-07-30", span(column)));
    return date.value_or(Date{});
  }
  void refuse(std::string code, std::string message, std::string_view column, std::string help = {}) {
    problems_.push_back(error(std::move(code), std::move(message), span(column), std::move(help)));
  }

 private:
  // Columns are asked for in about the order in which they stand: the search begins behind the last one.
  std::string_view at(std::string_view column) {
    for (std::size_t tried = 0; tried < csv_.columns(); ++tried) {
      last_ = last_ + 1 < csv_.columns() ? last_ + 1 : 0;
      if (csv_.header(last_) == column) return csv_.cell(row_, last_);
    }
    return {};
  }

  Csv csv_;
  Diagnostics& problems_;
  std::size_t last_ = 0;
  std::size_t rows_ = 0;
  std::size_t row_ = 0;
  std::ptrdiff_t counted_ = 0;
  std::int64_t line_ = 1;
};

Device read_device(TableReader& table) {
  Device d;
  d.name = table.text("name");
  d.vendor = table.text("vendor");
  d.kind = table.text("kind");
  d.release = table.date("release");
  for (std::size_t i = 0; i < kArithmetics; ++i) d.peak[i] = table.number(kArithmeticNames[i]);
  d.vector_fp32 = table.number("vector_fp32");
  d.memory_bytes = table.number("memory_bytes");
  d.memory_bytes_per_second = table.number("memory_bytes_per_s");
  d.scale_up = {table.text("scale_up"), table.number("scale_up_bytes_per_s"), table.count("scale_up_domain")};
  d.scale_out = {table.text("scale_out"), table.number("scale_out_bytes_per_s"), 0};
  d.watts = table.number("tdp_w");
  d.per_node = table.count("devices_per_node");
  const std::string aliases = table.text("aliases");
  for (const std::string_view alias : split(aliases, ';')) d.aliases.emplace_back(alias);
  d.source = table.text("source");
  d.source_date = table.date("source_date");
  d.note = table.text("note");
  d.row = table.line();
  return d;
}

}  // namespace

// The steps of Catalogue::read, one a table.
class CatalogueReader {
 public:
  explicit CatalogueReader(const std::vector<const Source*>& tables) : given_(tables) {}

  Result<Catalogue> read() {
    Catalogue catalogue;
    catalogue.rest_ = std::make_shared<CatalogueRest>();
    const Source& list = table("hardware/devices.csv");
    catalogue.rest_->own_devices = &list != &embedded_table("hardware/devices.csv");
    devices(list, catalogue);
    ceilings(table("hardware/ceilings.csv"), catalogue);
    // Tables of the user's are read now, so that all their mistakes are told at once.
    for (const Source* source : given_) {
      const std::string_view name = source->name;
      if (name.ends_with("hardware/prices.csv"))
        std::call_once(catalogue.rest_->prices_once, [&] { prices(*source, catalogue); });
      if (name.ends_with("hardware/overheads.csv"))
        std::call_once(catalogue.rest_->overheads_once, [&] { overheads(*source, catalogue); });
      if (name.find("carbon/") != name.npos)
        std::call_once(catalogue.rest_->carbon_once, [&] { all_carbon(catalogue); });
    }
    if (!problems_.empty()) return problems_;
    if (!catalogue.date_.known()) {  // a table without the mark is as old as its youngest row
      for (const Device& d : catalogue.devices_) catalogue.date_ = std::max(catalogue.date_, d.source_date);
      for (const Price& p : catalogue.prices()) catalogue.date_ = std::max(catalogue.date_, p.date);
    }
    return catalogue;
  }

  // The tables of the binary: tested to be readable.
  void prices(const Catalogue& catalogue) { prices(embedded_table("hardware/prices.csv"), catalogue); }
  void overheads(const Catalogue& catalogue) { overheads(embedded_table("hardware/overheads.csv"), catalogue); }
  void all_carbon(const Catalogue& catalogue) {
    for (const char* name : {"carbon/countries.csv", "carbon/regions.csv", "carbon/sources.csv"})
      carbon(table(name), catalogue);
  }

 private:
  // The user's table of that name, else the embedded one.
  const Source& table(std::string_view path) {
    for (const Source* source : given_) {
      if (std::string_view(source->name).ends_with(path)) return *source;
    }
    return embedded_table(path);
  }
  // Embedded tables live as long as the program: diagnostics may point into them.
  static const Source& embedded_table(std::string_view path) {
    static std::mutex mutex;
    static std::map<std::string, Source, std::less<>> known;
    const std::lock_guard lock(mutex);
    const auto found = known.find(path);
    if (found != known.end()) return found->second;
    Source source{"data/" + std::string(path), std::string(embedded_file(path).value_or("")), false};
    return known.emplace(std::string(path), std::move(source)).first->second;
  }
  // The embedded prices and ceilings may speak of devices that the user's own table does not have.
  [[nodiscard]] static bool foreign(const Source& source, const Catalogue& catalogue) {
    return source.name.starts_with("data/") && catalogue.rest_->own_devices;
  }

  std::size_t device_named(TableReader& reader, std::string_view column, const Catalogue& catalogue) const {
    const auto owner = catalogue.names_.find(folded_name(reader.text(column)));
    if (owner != catalogue.names_.end()) return owner->second.front();
    if (foreign_) return catalogue.devices_.size();
    reader.refuse("unknown-device", "no device '" + reader.text(column) + "' in devices.csv", column);
    return catalogue.devices_.size();
  }

  void devices(const Source& source, Catalogue& catalogue) {
    const std::size_t mark = source.text.find(kDateMark);
    if (mark != std::string::npos)
      catalogue.date_ = Date::parse(std::string_view(source.text).substr(mark + kDateMark.size(), 10)).value_or(Date{});
    TableReader reader(source, {"name", "vendor", "kind", "release", "memory_bytes", "source", "source_date"},
                       problems_);
    for (std::size_t row = 0; row < reader.rows(); ++row) {
      reader.select(row);
      Device device = read_device(reader);
      if (device.name.empty()) reader.refuse("bad-name", "a device needs a name", "name");
      if (device.source.empty()) reader.refuse("missing-source", "every row names its source", "source");
      const std::size_t index = catalogue.devices_.size();
      std::vector<std::string> names = device.aliases;
      names.insert(names.begin(), device.name);
      for (const std::string& name : names) {
        std::vector<std::size_t>& owners = catalogue.names_[folded_name(name)];
        if (!owners.empty() && owners.back() == index) continue;  // an alias that folds to the name
        if (!owners.empty()) {
          reader.refuse("duplicate-name",
                        "'" + name + "' is already a name of " + catalogue.devices_[owners.front()].name, "name");
        }
        owners.push_back(index);
      }
      catalogue.devices_.push_back(std::move(device));
    }
  }

  void ceilings(const Source& source, Catalogue& catalogue) {
    foreign_ = foreign(source, catalogue);
    TableReader reader(source, {"device", "format", "flop_per_s", "source"}, problems_);
    for (std::size_t row = 0; row < reader.rows(); ++row) {
      reader.select(row);
      const std::size_t device = device_named(reader, "device", catalogue);
      const std::optional<Arithmetic> format = arithmetic_named(reader.text("format"));
      const std::optional<double> rate = reader.number("flop_per_s");
      if (!format) reader.refuse("unknown-format", "'" + reader.text("format") + "' is no number format", "format");
      if (device == catalogue.devices_.size() || !format || !rate) continue;
      std::optional<double>& best = catalogue.devices_[device].ceiling[static_cast<std::size_t>(*format)];
      best = std::max(best.value_or(0), *rate);
    }
  }

  void prices(const Source& source, const Catalogue& catalogue) {
    foreign_ = foreign(source, catalogue);
    TableReader reader(source, {"device", "kind", "usd", "date", "source"}, problems_);
    for (std::size_t row = 0; row < reader.rows(); ++row) {
      reader.select(row);
      Price price;
      const std::size_t device = device_named(reader, "device", catalogue);
      if (device == catalogue.devices_.size()) continue;
      price.device = catalogue.devices_[device].name;
      const auto kind = std::find(kPriceKindNames.begin(), kPriceKindNames.end(), reader.text("kind"));
      if (kind == kPriceKindNames.end()) {
        reader.refuse("unknown-price-kind", "'" + reader.text("kind") + "' is no kind of price", "kind",
                      "one of on-demand, spot, reserved-1y, reserved-3y, purchase");
        continue;
      }
      price.kind = static_cast<PriceKind>(kind - kPriceKindNames.begin());
      price.usd = reader.number("usd").value_or(0);
      price.date = reader.date("date");
      price.provider = reader.text("provider");
      price.region = reader.text("region");
      price.covers = reader.text("covers");
      price.source = reader.text("source");
      price.note = reader.text("note");
      price.row = reader.line();
      if (price.usd <= 0) reader.refuse("bad-number", "a price is greater than 0", "usd");
      if (!price.date.known()) reader.refuse("bad-date", "a price needs a date", "date");
      catalogue.rest_->prices.push_back(std::move(price));
    }
  }

  void overheads(const Source& source, const Catalogue& catalogue) {
    TableReader reader(source, {"quantity", "applies_to", "value", "source"}, problems_);
    for (std::size_t row = 0; row < reader.rows(); ++row) {
      reader.select(row);
      Overhead overhead;
      overhead.quantity = reader.text("quantity");
      overhead.applies_to = reader.text("applies_to");
      overhead.value = reader.number("value").value_or(0);
      overhead.low = reader.number("low");
      overhead.high = reader.number("high");
      overhead.unit = reader.text("unit");
      overhead.source = reader.text("source");
      overhead.date = reader.date("date");
      overhead.note = reader.text("note");
      overhead.row = reader.line();
      catalogue.rest_->overheads.push_back(std::move(overhead));
    }
  }

  void carbon(const Source& source, const Catalogue& catalogue) {
    TableReader reader(source, {"kind", "key", "name", "grams_per_kwh", "source"}, problems_);
    for (std::size_t row = 0; row < reader.rows(); ++row) {
      reader.select(row);
      CarbonRow entry;
      entry.kind = reader.text("kind");
      entry.key = reader.text("key");
      entry.name = reader.text("name");
      entry.grams_per_kwh = reader.number("grams_per_kwh");
      entry.pue = reader.number("pue");
      entry.year = static_cast<int>(reader.count("year"));
      entry.source = reader.text("source");
      entry.row = reader.line();
      catalogue.rest_->carbon.push_back(std::move(entry));
    }
  }

  std::vector<const Source*> given_;
  bool foreign_ = false;  // the table being read is the embedded one beside the user's devices
  Diagnostics problems_;
};

const std::vector<Price>& Catalogue::prices() const {
  std::call_once(rest_->prices_once, [&] { CatalogueReader({}).prices(*this); });
  return rest_->prices;
}

const std::vector<Overhead>& Catalogue::overheads() const {
  std::call_once(rest_->overheads_once, [&] { CatalogueReader({}).overheads(*this); });
  return rest_->overheads;
}

const std::vector<CarbonRow>& Catalogue::carbon_rows() const {
  std::call_once(rest_->carbon_once, [&] { CatalogueReader({}).all_carbon(*this); });
  return rest_->carbon;
}

Result<Catalogue> Catalogue::read(const std::vector<const Source*>& tables) { return CatalogueReader(tables).read(); }

}  // namespace floptally
