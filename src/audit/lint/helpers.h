// What the lints share: numbers out of nodes, findings, figures as printed.
#pragma once

#include <cmath>
#include <cstdio>
#include <string>

#include "audit/lint/expression.h"
#include "audit/lint/lint.h"

namespace floptally::lint {

inline std::string text_of(const Node& node) { return std::string(node.text()); }

// The value of a scalar that is a number or an expression; NaN (and no finding) where it is none: the reader has said
// so.
inline double value_of(const Node& node, const Symbols& symbols = {}) {
  if (!node || !node.is_scalar()) return std::nan("");
  const Result<Evaluated> read = evaluate(node.text(), symbols, node.span());
  return read.ok() && read->has_value ? read->value : std::nan("");
}

inline void find(Diagnostics& findings, const char* code, std::string message, const Node& at, std::string help = {}) {
  findings.push_back(warning(code, std::move(message), at.span(), std::move(help)));
}

inline std::string digits(double value, int count = 4) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*g", count, value);
  std::string out(text);
  if (const std::size_t e = out.find("e+"); e != std::string::npos) out.erase(e + 1, 1);
  return out;
}

// Half a unit of the last figure that a number was printed with: "12.9M" is 0.05e6, "888" is 0.5, "3.7e20" is 0.05e20.
inline double half_unit(std::string_view printed, double value) {
  int after_point = 0, seen = 0;
  bool point = false;
  for (const char c : printed) {
    if (c == '.')
      point = true;
    else if (c >= '0' && c <= '9') {
      ++seen;
      if (point) ++after_point;
    } else if (c != ',' && c != '_' && c != '$' && c != '~' && c != ' ' && c != '-') {
      break;
    }
  }
  if (seen == 0 || value == 0) return 0;
  // The mantissa as printed scales to the value by a power of ten (or a suffix).
  double mantissa = 0;
  std::string clean;
  for (const char c : printed) {
    if ((c >= '0' && c <= '9') || c == '.')
      clean += c;
    else if (c != ',' && c != '_' && c != '$' && c != '~' && c != ' ') {
      if (!clean.empty()) break;
    }
  }
  std::sscanf(clean.c_str(), "%lf", &mantissa);
  const double scale = mantissa != 0 ? value / mantissa : 1;
  return 0.5 * std::fabs(scale) * std::pow(10.0, -after_point);
}

}  // namespace floptally::lint
