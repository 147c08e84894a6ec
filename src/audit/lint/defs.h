// Every lint, by name; src/audit/lint/lint.cpp lists them in order.
#pragma once

#include <algorithm>
#include <optional>

#include "audit/lint/lint.h"

namespace floptally::lint {

extern const LintDef kTotalNotSum, kCountedTwice, kMisplacedUncertainty, kTruncatedFigure,
    kWrongFigure;  // table_lints.cpp
extern const LintDef kAxisProduct, kConventionMismatch, kLimitNotReached, kNotModelled,
    kNameDiffers;  // statement_lints.cpp
extern const LintDef kDimensionMismatch, kArithmeticSlip, kConvAsDense, kMacForFlop, kMasterWeights, kInt8Gradients,
    kBitsWidth, kWrongBias, kShardingDiffers, kGbForGib;  // formula_lints.cpp
extern const LintDef kPeakSparse, kPeakPerBoard, kPeakOfOtherFormat, kAboveCeiling, kMfuOrHfu, kMarginNotSupported,
    kWordsForTokens, kScopeNotGiven;  // run_lints.cpp

}  // namespace floptally::lint
