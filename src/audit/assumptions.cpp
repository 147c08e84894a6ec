#include "audit/assumptions.h"

#include <algorithm>
#include <cmath>

#include "audit/fact_csv.h"

namespace floptally {
namespace {

constexpr double kFivePercent = 1.6448536269514722;  // the normal distribution's 95th percentile

using Terms = std::vector<std::pair<std::string_view, double*>>;

void read_terms(const Source& source, const Terms& terms, Diagnostics& problems) {
  FactCsv table(source, problems);
  for (std::size_t row = 0; row < table.rows(); ++row) {
    for (const auto& [name, value] : terms) {
      if (table.text(row, "term") == name) *value = table.number(row, "value").value_or(*value);
    }
  }
}

Terms utilization_terms(Assumptions& out) {
  return {{"intercept", &out.intercept},
          {"ln_flop", &out.per_ln_flop},
          {"year", &out.per_year},
          {"tpu", &out.tpu},
          {"not_language", &out.not_language},
          {"sigma", &out.sigma},
          {"sigma_checked", &out.sigma_checked},
          {"sigma_table", &out.sigma_table},
          {"rows", &out.fitted_on},
          {"article_language", &out.article_language},
          {"article_other", &out.article_other}};
}

void read_residuals(const Source& source, Assumptions& out, Diagnostics& problems) {
  FactCsv table(source, problems);
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const double at = table.number(row, "quantile").value_or(0), ratio = table.number(row, "ratio").value_or(1);
    const std::string method(table.text(row, "method"));
    const double from = table.number(row, "from").value_or(0);
    if (out.residuals.empty() || out.residuals.back().method != method || out.residuals.back().from < from ||
        out.residuals.back().from > from)
      out.residuals.push_back({method, from, {}});
    out.residuals.back().quantiles.push_back({at, ratio});
  }
}

void read_causes(const Source& source, Assumptions& out, Diagnostics& problems) {
  FactCsv table(source, problems);
  for (std::size_t row = 0; row < table.rows(); ++row) {
    Cause cause;
    cause.code = table.text(row, "code");
    cause.side = table.text(row, "side");
    cause.needs = table.text(row, "needs");
    cause.explanation = table.text(row, "explanation");
    cause.source = table.text(row, "source");
    cause.factor = table.number(row, "factor").value_or(1);
    cause.spread = table.number(row, "spread").value_or(0.1);
    cause.weight = table.number(row, "weight").value_or(1);
    out.causes.push_back(std::move(cause));
  }
}

double interpolate(const std::vector<Assumptions::Quantile>& table, double at) {
  for (std::size_t i = 1; i < table.size(); ++i) {
    if (at > table[i].at) continue;
    const double share = (at - table[i - 1].at) / std::max(table[i].at - table[i - 1].at, 1e-12);
    return std::exp((1 - share) * std::log(table[i - 1].ratio) + share * std::log(table[i].ratio));
  }
  return table.empty() ? 1 : table.back().ratio;
}

}  // namespace

Result<Assumptions> Assumptions::read(const std::vector<const Source*>& tables) {
  Assumptions out;
  Diagnostics problems;
  std::vector<Source> kept;
  kept.reserve(6);
  read_terms(table_or_embedded(tables, "audit/utilization.csv", kept), utilization_terms(out), problems);
  read_terms(table_or_embedded(tables, "audit/active_share.csv", kept),
             {{"intercept", &out.share_intercept},
              {"ln_parameters", &out.share_per_ln_parameters},
              {"sigma", &out.share_sigma},
              {"dense_limit", &out.dense_limit}},
             problems);
  read_terms(table_or_embedded(tables, "audit/words.csv", kept),
             {{"tokens_per_word", &out.tokens_per_word},
              {"low", &out.tokens_per_word_low},
              {"high", &out.tokens_per_word_high}},
             problems);
  read_residuals(table_or_embedded(tables, "audit/residuals.csv", kept), out, problems);
  read_causes(table_or_embedded(tables, "audit/causes.csv", kept), out, problems);
  FactCsv words(table_or_embedded(tables, "audit/confidence.csv", kept), problems);
  for (std::size_t row = 0; row < words.rows(); ++row) {
    out.words.push_back({std::string(words.text(row, "word")), words.number(row, "factor").value_or(1),
                         std::string(words.text(row, "source"))});
  }
  if (!problems.empty()) return problems;
  return out;
}

const Assumptions& Assumptions::embedded() {
  static const auto* const kRead = new Result<Assumptions>(Assumptions::read({}));
  static const auto* const kNone = new Assumptions();
  return *kRead ? **kRead : *kNone;
}

Distribution Assumptions::residual(std::string_view method, double flop) const {
  const Residual* found = nullptr;
  for (const Residual& each : residuals) {
    if (each.method == method && flop >= each.from && (!found || each.from > found->from)) found = &each;
  }
  if (!found || found->quantiles.size() < 2) return Distribution::point(1);
  const std::vector<Quantile>& quantiles = found->quantiles;
  // 201 even quantiles; the outermost rows of the table are single runs and are left at the 1st and 99th percentile.
  constexpr int kSteps = 200;
  std::vector<double> values;
  for (int i = 0; i <= kSteps; ++i)
    values.push_back(interpolate(quantiles, std::clamp(static_cast<double>(i) / kSteps, 0.01, 0.99)));
  Distribution result = Distribution::samples(std::move(values));
  result.best = 1;  // at the best guess the count stands as it is
  return result;
}

double Assumptions::large_run() const {
  double from = 0;
  for (const Residual& each : residuals) from = std::max(from, each.from);
  return from;
}

Distribution Assumptions::active_share(double parameters) const {
  const double ln = share_intercept + share_per_ln_parameters * std::log(parameters / 1e11);
  const auto share = [&](double sigmas) { return std::min(std::exp(ln + sigmas * share_sigma), 0.97); };
  return Distribution::range(share(0), share(-kFivePercent), share(kFivePercent), true);
}

Distribution Assumptions::utilization(double flop, const AuditRun& run, const Device* device) const {
  double ln = intercept;
  if (flop > 0) ln += per_ln_flop * std::log(flop / 1e23);
  if (run.date.known()) ln += per_year * (run.date.year - 2022);
  if (device && device->kind == "tpu") ln += tpu;
  if (run.domain != "language" && run.domain != "multimodal") ln += not_language;
  const double spread = kFivePercent * (run.checked ? sigma_checked : run.from_table ? sigma_table : sigma);
  return Distribution::range(std::exp(ln), std::exp(ln - spread), std::min(std::exp(ln + spread), 0.97), true);
}

}  // namespace floptally
