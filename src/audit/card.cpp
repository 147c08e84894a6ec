#include "audit/card.h"

#include <algorithm>
#include <cmath>

#include "audit/methods.h"

namespace floptally {
namespace {

double quantile(const std::vector<double>& sorted, double at) {
  const double position = at * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const double share = position - static_cast<double>(below);
  return below + 1 < sorted.size() ? (1 - share) * sorted[below] + share * sorted[below + 1] : sorted[below];
}

// At Weibull's positions k/(n+1): a new value lies below it with probability `at`.
double predictive_quantile(const std::vector<double>& sorted, double at) {
  const double n = static_cast<double>(sorted.size());
  return quantile(sorted, std::clamp((at * (n + 1) - 1) / (n - 1), 0.0, 1.0));
}

double share_within(const Card& card, double factor) {
  const auto inside = std::count_if(card.rows.begin(), card.rows.end(),
                                    [&](const CardRow& r) { return r.ratio <= factor && r.ratio >= 1 / factor; });
  return static_cast<double>(inside) / static_cast<double>(card.rows.size());
}

void finish(Card& card) {
  if (card.rows.empty()) return;
  std::sort(card.rows.begin(), card.rows.end(), [](const CardRow& a, const CardRow& b) { return a.ratio < b.ratio; });
  card.within_1_5 = share_within(card, 1.5);
  card.within_2 = share_within(card, 2);
  card.within_3 = share_within(card, 3);
  for (const double factor : {1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0}) {
    if (card.factor > 0 || share_within(card, factor) < 0.8) continue;
    card.factor = factor;
    card.inside =
        static_cast<std::size_t>(std::lround(share_within(card, factor) * static_cast<double>(card.rows.size())));
  }
  std::vector<double> ratios;
  for (const CardRow& row : card.rows) ratios.push_back(row.ratio);
  card.median_ratio = quantile(ratios, 0.5);
}

// Rows whose ratio lies in the 5% to 95% range of the other rows' ratios.
std::size_t held_out(const std::vector<double>& ratios) {
  std::size_t held = 0;
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    std::vector<double> others = ratios;  // sorted, as the card is
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    if (others.size() > 2 && ratios[i] >= predictive_quantile(others, 0.05) &&
        ratios[i] <= predictive_quantile(others, 0.95))
      ++held;
  }
  return held;
}

// The same within classes of size, as the residuals are fitted.
double leave_one_out(const Card& card, double large) {
  std::vector<double> below, above;
  for (const CardRow& row : card.rows)
    (row.run->published->amount.best / row.ratio >= large ? above : below).push_back(row.ratio);
  const std::size_t held = held_out(below) + held_out(above);
  return card.rows.empty() ? 0 : static_cast<double>(held) / static_cast<double>(card.rows.size());
}

}  // namespace

Card operations_card(const PublishedRuns& runs, const Assumptions& assumptions) {
  Card card;
  card.method = "operations";
  for (const AuditRun& run : runs.runs()) {
    if (run.domain != "language" || !run.published || !run.fault.empty()) continue;
    const std::optional<double> counted = operations_flop(run);
    if (counted) card.rows.push_back({&run, run.published->amount.best / *counted});
  }
  finish(card);
  card.coverage_90 = leave_one_out(card, assumptions.large_run());
  return card;
}

Card hardware_card(const PublishedRuns& runs, const Assumptions& assumptions, bool stated) {
  Card card;
  card.method = stated ? "hardware, utilization stated" : "hardware, utilization assumed";
  std::size_t held = 0;
  for (const AuditRun& run : runs.runs()) {
    if (!run.published || !run.fault.empty() || run.hardware.size() != 1) continue;
    const Period& period = run.hardware.front();
    const std::optional<double> time = device_seconds(run), peak = peak_of(period);
    if (!time || !peak || (stated && (!period.utilization || period.derived || period.hardware_flop))) continue;
    const double own = run.published->amount.best - (run.base_flop ? run.base_flop->amount.best : 0);
    if (own <= 0) continue;
    const Distribution prior = assumptions.utilization(own, run, period.device);
    const double utilization = stated ? period.utilization->amount.best : prior.best;
    const double ratio = own / (*time * *peak * utilization);
    card.rows.push_back({&run, ratio});
    if (ratio * prior.best >= prior.low && ratio * prior.best <= prior.high) ++held;
  }
  finish(card);
  card.coverage_90 = stated              ? leave_one_out(card, 0)
                     : card.rows.empty() ? 0
                                         : static_cast<double>(held) / static_cast<double>(card.rows.size());
  return card;
}

StatedUtilization stated_utilization(const PublishedRuns& runs) {
  std::vector<double> values;
  for (const AuditRun& run : runs.runs()) {
    for (const Period& period : run.hardware) {
      if (period.utilization) values.push_back(period.utilization->amount.best);
    }
  }
  StatedUtilization out;
  if (values.empty()) return out;
  std::sort(values.begin(), values.end());
  const double n = static_cast<double>(values.size());
  double ln = 0, square = 0;
  for (const double v : values) {
    out.mean += v / n;
    ln += std::log(v) / n;
  }
  for (const double v : values) square += (std::log(v) - ln) * (std::log(v) - ln) / n;
  out.rows = values.size();
  out.median = quantile(values, 0.5);
  out.geometric_mean = std::exp(ln);
  out.sigma = std::sqrt(square);
  return out;
}

}  // namespace floptally
