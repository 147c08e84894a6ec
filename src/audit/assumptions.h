// Assumptions: what an audit believes where a run says nothing, fitted on published runs (tools/fit-audit.py): the
// prior of utilization, how far published compute lies from each method's count, the causes of disagreement, Epoch AI's
// words.
#pragma once

#include <string>
#include <vector>

#include "audit/account.h"
#include "book/trace.h"
#include "floptally/diagnostic.h"

namespace floptally {

struct Cause {
  std::string code, side, needs, explanation, source;
  double factor = 1, spread = 0.1, weight = 1;
};

struct ConfidenceWord {
  std::string word;
  double factor = 1;
  std::string source;
};

struct Assumptions {
  // Coefficients of ln(utilization).
  double intercept = 0, per_ln_flop = 0, per_year = 0, tpu = 0, not_language = 0, fitted_on = 0;
  double sigma = 0.5, sigma_checked = 0.5, sigma_table = 0.5;  // facts as found, checked ones, a database's rows
  // Coefficients of ln(active / all parameters) of mixtures of experts.
  double share_intercept = 0, share_per_ln_parameters = 0, share_sigma = 0.5;
  double dense_limit = 1e12;  // parameters above which no dense model has been published
  double tokens_per_word = 4.0 / 3, tokens_per_word_low = 1.2, tokens_per_word_high = 2;
  double article_language = 0.3, article_other = 0.4;
  // Published over counted, by quantile (0 to 1, rising), for counts from `from` FLOP on.
  struct Quantile {
    double at = 0, ratio = 1;
  };
  struct Residual {
    std::string method;  // "operations", "operations-checked", "hardware-stated"
    double from = 0;
    std::vector<Quantile> quantiles;
  };
  std::vector<Residual> residuals;
  std::vector<Cause> causes;
  std::vector<ConfidenceWord> words;

  // The tables audit/utilization.csv, residuals.csv, causes.csv, confidence.csv, active_share.csv, words.csv, known by
  // the end of their names; those missing come from the binary. Errors: the CSV reader's, bad-number.
  static Result<Assumptions> read(const std::vector<const Source*>& tables);
  static const Assumptions& embedded();

  // The distribution of the residual of a count of that size: its quantile table at even probabilities, best guess 1.
  [[nodiscard]] Distribution residual(std::string_view method, double flop) const;
  // Counts from here on have residuals of their own.
  [[nodiscard]] double large_run() const;
  // Active over all parameters of a mixture of experts of that size, and its 90% range.
  [[nodiscard]] Distribution active_share(double parameters) const;
  // Median utilization of a run of `flop` on `device`, and its 90% range.
  [[nodiscard]] Distribution utilization(double flop, const AuditRun& run, const Device* device) const;
};

}  // namespace floptally
