// Lints over what is said twice: in prose and in a formula, in a text and in its code, in a limit and in the values it
// limits.
#include "audit/lint/defs.h"
#include "audit/lint/helpers.h"

namespace floptally::lint {
namespace {

// A number, a list (its length), or a map of counts (their product).
double axis_size(const Node& node, std::string& words) {
  if (node.is_sequence()) {
    words = std::to_string(node.size()) + " values";
    return static_cast<double>(node.size());
  }
  if (!node.is_mapping()) {
    words = text_of(node);
    return value_of(node);
  }
  double product = 1;
  for (const Node each : node) {
    std::string inside;
    product *= axis_size(each, inside);
    words += (words.empty() ? "" : " x ") + inside + " " + std::string(each.key());
  }
  return product;
}

void run_axes(const Node& root, const LintFacts&, Diagnostics& findings) {
  for (const Node axis : root.find("axes")) {
    std::string stated_words, used_words;
    const double stated = axis_size(axis.find("stated"), stated_words), used = axis_size(axis.find("used"), used_words);
    if (std::isnan(stated) || std::isnan(used) || stated == used) continue;
    find(findings, "axis-product",
         "'" + text_of(axis.find("of")) + "': the text says " + stated_words +
             (axis.find("stated").is_mapping() ? " = " + digits(stated, 6) : "") + ", the formula uses " + used_words,
         axis.find("used"),
         std::string(used < stated ? "under" : "over") + "-counts by a factor of " +
             digits(used < stated ? stated / used : used / stated, 4));
  }
}

void run_conventions(const Node& root, const LintFacts&, Diagnostics& findings) {
  for (const Node each : root.find("conventions")) {
    if (each.find("stated").text() == each.find("used").text()) continue;
    find(findings, "convention-mismatch",
         "'" + text_of(each.find("of")) + "': the text means " + text_of(each.find("quantity")) + " " +
             text_of(each.find("stated")) + ", the formula takes them " + text_of(each.find("used")),
         each.find("used"),
         text_of(each.find("note")).empty() ? "say which convention a figure follows, and use one"
                                            : text_of(each.find("note")));
  }
}

void run_limits(const Node& root, const LintFacts&, Diagnostics& findings) {
  for (const Node each : root.find("limits")) {
    const double limit = value_of(each.find("limit"));
    Node last;
    for (const Node value : each.find("values")) {
      if (value_of(value) <= limit) last = value;
    }
    if (!last || std::isnan(limit) || last.key() == each.find("stated_last").text()) continue;
    find(findings, "limit-not-reached",
         "'" + text_of(each.find("of")) + "': a limit of " + text_of(each.find("limit")) + " admits " +
             std::string(last.key()) + " (" + digits(value_of(last), 5) + "), not only up to " +
             text_of(each.find("stated_last")),
         each.find("stated_last"), "the reason given does not explain the choice");
  }
}

void run_not_modelled(const Node& root, const LintFacts&, Diagnostics& findings) {
  const Node counts = root.find("counts");
  if (!counts) return;
  static constexpr std::pair<const char*, const char*> kUsual[] = {
      {"evaluation", "forward passes of evaluation"},
      {"failed runs", "runs that were stopped or diverged"},
      {"unplotted trials", "trials that no figure shows"},
      {"padding", "padding and wasted tokens"}};
  std::string silent;
  for (const auto& [key, words] : kUsual) {
    bool said = false;
    for (const char* list : {"includes", "excludes"}) {
      for (const Node each : counts.find(list)) said = said || each.text() == key;
    }
    if (!said) silent += (silent.empty() ? "" : ", ") + std::string(words);
  }
  if (!silent.empty())
    find(findings, "not-modelled", "the account does not say whether it counts " + silent, counts,
         "list them under `includes` or `excludes`: an exclusion that is stated is no mistake");
}

void run_names(const Node& root, const LintFacts&, Diagnostics& findings) {
  for (const Node each : root.find("names")) {
    if (each.find("text").text() == each.find("code").text()) continue;
    find(findings, "name-differs",
         "the text says '" + text_of(each.find("text")) + "', the code '" + text_of(each.find("code")) + "'",
         each.find("code"), "what is called by two names may be two things");
  }
}

}  // namespace

const LintDef kAxisProduct = {
    "axis-product", "the axes told in prose do not multiply to the factor used",
    "The number of runs is the product of the axes. Where prose and formula disagree, one of them describes other "
    "experiments.",
    "152334H 2024: alignment 3 x 4 in the text and 4 in the code; weight decay 4(2+4) printed and 4 used; 9,600 trials "
    "in the text and 28,800 in the code; 10 widths against 11; 11 against 12.",
    run_axes};
const LintDef kConventionMismatch = {
    "convention-mismatch", "a quantity is taken by another convention than the one stated",
    "Parameters with or without embeddings, tokens or words, attention in full or halved: a formula fitted for one "
    "convention is wrong for the other.",
    "152334H 2024: '20x tokens of non-embedding P' in the text, P with both embeddings in the code; M/6P divides a "
    "count with attention and without input embedding by one with both embeddings.",
    run_conventions};
const LintDef kLimitNotReached = {"limit-not-reached", "a limit is given as the reason for a choice it does not force",
                                  "The values admitted by the stated limit go on beyond the one that was chosen.",
                                  "152334H 2024: 'C4 is below 200B tokens so they could not go higher': H=64 needs "
                                  "139B and fits; only H=96 does not.",
                                  run_limits};
const LintDef kNotModelled = {
    "not-modelled", "usual parts of a bill are neither counted nor excluded",
    "Evaluation, stopped runs, trials that no figure shows and padding cost compute. Leaving them out is fine when it "
    "is said.",
    "152334H 2024: no evaluation, no runs stopped at NaN, no terminating learning rates, no padding.",
    run_not_modelled};
const LintDef kNameDiffers = {"name-differs", "text and code call the same thing by two names",
                              "A reader cannot check a formula that goes by another name in the script.",
                              "152334H 2024: compute_optimal in the text, compute_optim in the script.", run_names};

}  // namespace floptally::lint
