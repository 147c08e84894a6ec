#include "audit/report_parts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "book/ledger.h"
#include "document/document.h"
#include "quantity/print.h"

namespace floptally {
namespace {

std::string json_number(const Figure& f) {
  std::string out = "{\"value\": " + shortest(f.value);
  if (!f.exact.empty()) out += ", \"exact\": \"" + f.exact + "\"";
  if (f.p5) out += ", \"p5\": " + shortest(*f.p5) + ", \"p50\": " + shortest(*f.p50) + ", \"p95\": " + shortest(*f.p95);
  return out + "}";
}

}  // namespace

Figure ranged(Evaluations& worlds, const Traced& value) {
  Figure f = figure(value);
  if (value.trace() && value.trace()->node(value.id()).uncertain) {
    const Percentiles p = worlds.percentiles(value);
    f.p5 = p.p5;
    f.p50 = p.p50;
    f.p95 = p.p95;
  }
  return f;
}

Table inputs_table(const Trace& trace) {
  Table table{"inputs",
              "Inputs",
              {{"input", "Input"}, {"value", "Value", true}, {"mark", "Mark"}, {"source", "Source"}},
              {},
              {}};
  for (const Leaf& leaf : trace.leaves()) {
    Figure f = figure(leaf.distribution.best, leaf.dim);
    if (leaf.distribution.shape != Distribution::Shape::point) {
      f.p5 = leaf.distribution.quantile(0.05);
      f.p50 = leaf.distribution.quantile(0.5);
      f.p95 = leaf.distribution.quantile(0.95);
    }
    std::string source = leaf.source;
    if (source.empty() && leaf.place) source = leaf.place.source->name + ":" + std::to_string(locate(leaf.place).line);
    table.rows.push_back({leaf.name, f, std::string(to_text(leaf.mark)), source});
  }
  return table;
}

namespace {

std::string shortest_of(double ratio) {
  char text[24];
  std::snprintf(text, sizeof text, "%.2g", ratio);
  return text;
}

double device_time_of(const Period& p) {
  if (p.device_seconds) return p.device_seconds->amount.best;
  return p.devices && p.seconds ? p.devices->amount.best * p.seconds->amount.best : 0;
}

double counted_joules(const Period& p, const Catalogue& catalogue) {
  if (!p.device || !p.device->watts) return 0;
  const auto ratio = [&](const char* quantity) {
    const Overhead* row = catalogue.overhead(quantity, *p.device);
    return row ? row->value : 1.0;
  };
  return device_time_of(p) * *p.device->watts * ratio("server-power-ratio") * ratio("load-fraction") * ratio("pue");
}

}  // namespace

Diagnostics odd_bills(const AuditRun& run, const Catalogue& catalogue) {
  constexpr double kFar = 2;  // servers, load and cooling together differ by less from case to case
  Diagnostics out;
  for (const Period& p : run.hardware) {
    const double counted = counted_joules(p, catalogue), time = device_time_of(p);
    if (p.joules && counted > 0 && std::fabs(std::log(p.joules->amount.best / counted)) > std::log(kFar))
      out.push_back(warning("methods-disagree",
                            "the stated energy is " + shortest_of(p.joules->amount.best / counted) +
                                " times what the devices take in that time",
                            p.joules->place,
                            "kWh for MWh, one device or node for all of them, a year for the run; or the time is not "
                            "that of the whole run"));
    if (!p.usd || !(time > 0) || !p.device) continue;
    const std::optional<UsualPrice> usual = catalogue.usual_price(*p.device, PriceKind::on_demand);
    const double each = p.usd->amount.best / time * 3600;
    if (!usual || (each < kFar * usual->high && each * kFar > usual->low)) continue;
    out.push_back(warning("methods-disagree",
                          "the stated cost is " + quantity_text(each / 3600, dim::kUsdPerDeviceSecond) + " of " +
                              p.device->name + ", " + shortest_of(each / usual->usd) + " times the usual price",
                          p.usd->place, "the cost may hold more than this run, or be that of buying the hardware"));
  }
  return out;
}

Table energy_table(const AuditRun& run, const Catalogue& catalogue) {
  Table table{"energy", "Energy", {{"what", "What"}, {"value", "Value", true}, {"how", "How"}}, {}, {}};
  double stated = 0, counted = 0;
  for (const Period& p : run.hardware) {
    if (p.joules) stated += p.joules->amount.best;
    counted += counted_joules(p, catalogue);
  }
  if (stated > 0)
    table.rows.push_back({std::string("stated"), figure(stated, dim::kJoule), std::string("by the source")});
  if (counted > 0)
    table.rows.push_back({std::string("counted"), figure(counted, dim::kJoule),
                          std::string("device-time x TDP x server ratio x load x PUE (data/hardware/overheads.csv)")});
  return table;
}

Table wall_clock_table(const PublishedRuns& runs) {
  Table table{"wall_clock",
              "Reported utilization against the whole time",
              {{"run", "Run"},
               {"reported", "Reported", true},
               {"implied", "Implied", true},
               {"kept", "Kept", true},
               {"note", "Note"}},
              {},
              "Implied: published compute / (device-time x dense peak). Kept: implied over reported. A ratio within 2% "
              "of 1 means that the utilization was worked out from the compute."};
  for (const AuditRun& run : runs.runs()) {
    if (!run.published || run.hardware.size() != 1 || !run.fault.empty() || !run.hardware.front().utilization) continue;
    const Period& p = run.hardware.front();
    const std::optional<double> time = device_seconds(run), peak = peak_of(p);
    if (!time || !peak) continue;
    const double own = run.published->amount.best - (run.base_flop ? run.base_flop->amount.best : 0);
    if (own <= 0) continue;  // the base alone is more than the whole: the facts are of different things
    const double implied = own / (*time * *peak), reported = p.utilization->amount.best;
    char text[3][16];
    std::snprintf(text[0], sizeof text[0], "%.3f", reported);
    std::snprintf(text[1], sizeof text[1], "%.3f", implied);
    std::snprintf(text[2], sizeof text[2], "%.2f", implied / reported);
    const bool circular = std::fabs(std::log(implied / reported)) < 0.02;
    table.rows.push_back({run.name, std::string(text[0]), std::string(text[1]), std::string(text[2]),
                          std::string(p.hardware_flop ? "of hardware FLOP"
                                      : circular      ? "derived: no second opinion"
                                                      : "")});
  }
  return table;
}

Chart compute_by_date(const PublishedRuns& published, const AuditRun* run, double flop, const Laws& laws) {
  Chart chart;
  chart.form = Chart::Form::scatter;
  chart.key = "compute_by_date";
  chart.title = "Published training compute by date";
  chart.x_title = "year";
  chart.y_title = "FLOP";
  chart.log_y = true;
  chart.y_dim = dim::kFlop;
  double last = 2012;
  for (const PublishedRuns::Listed& each : published.list()) {
    if (!each.flop || !each.date.known()) continue;
    const double y = *each.flop;
    chart.marks.push_back({each.date.decimal_year(), y, y, y,
                           std::string(each.title) + ": " + quantity_text(y, dim::kFlop), std::string(each.domain)});
    last = std::max(last, each.date.decimal_year());
  }
  std::vector<double> drawn;
  for (const ThresholdRule& rule : laws.rules) {
    if (rule.status == "vetoed" || rule.status == "revoked" || rule.base_share > 0 ||
        std::find(drawn.begin(), drawn.end(), rule.flop) != drawn.end())
      continue;
    drawn.push_back(rule.flop);
    for (double x = 2022; x <= last + 1; x += 0.1)
      chart.marks.push_back(
          {x, rule.flop, rule.flop, rule.flop, rule.law, count_text(rule.flop, 1) + " FLOP: " + rule.law});
  }
  if (run && run->date.known())
    chart.marks.push_back({run->date.decimal_year(), flop, flop / 1.6, flop * 1.6, "audited", "audited run"});
  return chart;
}

Chart quantile_dots(Evaluations& worlds, const Traced& flop) {
  Chart chart;
  chart.form = Chart::Form::dots;
  chart.key = "quantiles";
  chart.title = "Training compute: each dot is one of 50 equally likely values";
  chart.x_title = "FLOP";
  chart.log_x = true;
  chart.x_dim = dim::kFlop;
  std::vector<double> all = worlds.values(flop);
  constexpr std::size_t kEnough = 1u << 13;
  if (all.size() > kEnough) all.resize(kEnough);
  std::sort(all.begin(), all.end());
  constexpr int kDots = 50;
  for (int i = 0; i < kDots; ++i) {
    const double v = all[static_cast<std::size_t>((i + 0.5) / kDots * static_cast<double>(all.size()))];
    chart.marks.push_back({v, 1, v, v, {}, {}});
  }
  return chart;
}

std::string json_lists(const Methods& methods, const std::vector<Assessment>& standings, Evaluations& worlds) {
  std::string out = "\"methods\": [";
  for (std::size_t i = 0; i < methods.methods.size(); ++i) {
    const CountingMethod& m = methods.methods[i];
    out += (i ? ", " : "") + std::string("{\"name\": ") + json_quote(m.name) +
           ", \"flop_training\": " + json_number(ranged(worlds, m.flop)) + ", \"independent_of\": [";
    for (std::size_t k = 0; k < m.independent_of.size(); ++k) out += (k ? ", " : "") + json_quote(m.independent_of[k]);
    out += "]}";
  }
  out += "], \"thresholds\": [";
  bool first = true;
  for (const Assessment& a : standings) {
    if (a.standing == Standing::not_applicable) continue;
    static constexpr const char* kWords[] = {"not-applicable", "below", "near", "above"};
    out += (first ? "" : ", ") + std::string("{\"law\": ") + json_quote(a.rule->id) +
           ", \"flop\": " + shortest(a.threshold) + ", \"counted\": " + json_number(ranged(worlds, a.flop)) +
           ", \"probability\": " + shortest(a.probability) + ", \"standing\": \"" +
           kWords[static_cast<std::size_t>(a.standing)] + "\", \"in_force\": " + (a.in_force ? "true" : "false") +
           ", \"date\": " + json_quote(a.rule->in_force.to_string()) + "}";
    first = false;
  }
  return out + "]";
}

}  // namespace floptally
