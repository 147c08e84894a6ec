#include <gtest/gtest.h>

#include <cmath>
#include <deque>

#include "audit/report.h"
#include "audit/sensitivity.h"
#include "base/embedded.h"
#include "document/document.h"

namespace floptally {
namespace {

const PublishedRuns& published() {
  static const Source kTable{"data/published/runs.csv", std::string(embedded_file("published/runs.csv").value_or("")),
                             false};
  static const Result<PublishedRuns> kRuns = PublishedRuns::read(kTable, Catalogue::embedded());
  EXPECT_TRUE(kRuns.ok());
  return *kRuns;
}

AuditRun run_of(const std::string& text) {
  static std::deque<Source> kept;
  static std::deque<Document> documents;
  kept.push_back(Source{"run.yaml", text, false});
  Result<Document> document = read_yaml(kept.back());
  EXPECT_TRUE(document.ok());
  documents.push_back(std::move(*document));
  Result<AuditRun> run = read_audit_run(documents.back(), Catalogue::embedded());
  EXPECT_TRUE(run.ok()) << to_text(run.problems());
  return *run;
}

struct Audited {
  Trace trace;
  Methods methods;
  Reconciled answer;
};
void audit(const AuditRun& run, Audited& out) {
  Result<Methods> methods = count_methods(run, Catalogue::embedded(), Assumptions::embedded(), out.trace);
  ASSERT_TRUE(methods.ok()) << to_text(methods.problems());
  out.methods = std::move(*methods);
  out.answer = reconcile(run, out.methods, Assumptions::embedded(), out.trace, 4096);
}

TEST(Published, AtLeast150RunsEachWithSource) {
  EXPECT_GE(published().runs().size(), 150U);
  EXPECT_LE(published().runs().front().date.year, 2013);
  for (const AuditRun& run : published().runs()) {
    EXPECT_FALSE(run.source.empty()) << run.name;
    EXPECT_TRUE(run.date.known()) << run.name;
  }
  for (const char* name : {"gpt-3", "deepseek-v3", "llama-3.1-405b", "palm-540b", "bloom", "opt-175b", "glm-130b",
                           "t5-11b", "mt-nlg", "alexnet", "GPT 3 175B"}) {
    EXPECT_TRUE(published().find(name).ok()) << name;
  }
  EXPECT_EQ(published().find("gpt-33").problems().front().code, "unknown-run");
}

// The acceptance of the method over the shipped language models.
TEST(Card, MethodsHoldTheirWord) {
  const Assumptions& assumptions = Assumptions::embedded();
  const Card operations = operations_card(published(), assumptions);
  EXPECT_GE(operations.rows.size(), 150U);
  EXPECT_GE(operations.within_1_5, 0.80);
  EXPECT_GE(operations.coverage_90, 0.85);
  EXPECT_LE(operations.coverage_90, 0.95);
  const Card stated = hardware_card(published(), assumptions, true);
  EXPECT_GE(stated.within_1_5, 0.80);
  EXPECT_GE(stated.coverage_90, 0.85);
  EXPECT_LE(stated.coverage_90, 0.97);
  const Card assumed = hardware_card(published(), assumptions, false);
  EXPECT_GE(assumed.coverage_90, 0.85);
  EXPECT_LE(assumed.coverage_90, 0.97);
  const StatedUtilization utilization = stated_utilization(published());
  EXPECT_NEAR(utilization.median, 0.38, 0.02);  // Epoch AI's larger snapshot: median 0.38, sd of ln 0.324
  EXPECT_NEAR(utilization.sigma, 0.324, 0.04);
}

TEST(Methods, GuidelineFiguresAreExact) {
  Audited a;
  audit(run_of("run: 1\nmodel: {parameters: 3.8e9}\ntrain: {tokens: 3.3e12}\n"), a);
  EXPECT_DOUBLE_EQ(a.answer.flop.value(), 7.524e22);
  Audited b;
  audit(run_of("run: 1\nhardware: {device_hours: 200_000, peak: 300 TFLOP/s, utilization: 50%}\n"), b);
  EXPECT_NEAR(b.answer.flop.value(), 1.08e23, 1e10);
  EXPECT_EQ(two_figures(1.6632e23), "1.7e23");  // rounded, not cut
  EXPECT_EQ(two_figures(7.524e22), "7.5e22");
}

TEST(Methods, ReinforcementCountsRolloutsScoringAndUpdates) {
  Audited a;
  audit(run_of("run: 1\nmodel: {parameters: 10e9}\ntrain: {tokens: 1e12}\n"
               "phases:\n- {name: rl, component: reinforcement, tokens: 1e9, generated: 2e9, scored: 3e9}\n"),
        a);
  double sum = 0;
  for (const CountedPart& c : a.methods.components) sum += c.flop.value();
  EXPECT_DOUBLE_EQ(sum, 6e10 * 1e12 + 6e10 * 1e9 + 2e10 * 2e9 + 2e10 * 3e9);
  Evaluations worlds(a.trace, 1024);
  const std::vector<Assessment> standings =
      assess(AuditRun{}, a.methods, a.answer.flop, Laws::embedded(), *Date::parse("2026-08-22"), a.trace, worlds);
  for (const Assessment& s : standings) {
    // Updates alone below the systemic line; generated data counts towards it; scoring counts nowhere but on the meter.
    if (s.rule->id == "eu-gpai") {
      EXPECT_NEAR(s.flop.value(), 6e10 * 1e12 + 6e10 * 1e9, 1e10);
    }
    if (s.rule->id == "eu-systemic") {
      EXPECT_NEAR(s.flop.value(), 6e10 * 1e12 + 6e10 * 1e9 + 4e19, 1e10);
    }
  }
}

TEST(Methods, AWorkedOutUtilizationIsNoSecondOpinion) {
  Audited a;
  audit(*published().find("gpt-3"), a);
  ASSERT_TRUE(a.methods.find("hardware"));
  EXPECT_TRUE(a.methods.find("hardware")->independent_of.empty());
  EXPECT_DOUBLE_EQ(a.answer.flop.value(), a.methods.find("operations")->flop.value());
  EXPECT_EQ(a.methods.findings.front().code, "not-independent");
}

TEST(Reconcile, IndependentMethodsNarrowEachOther) {
  Audited a;
  audit(run_of("run: 1\nmodel: {parameters: 405e9}\ntrain: {tokens: 15.6e12}\nhardware: {device: H100-SXM, "
               "device_hours: 30.84e6, mfu: 40%}\n"),
        a);
  const Worlds worlds(a.trace, 4096);
  const auto width = [&](const Traced& x) {
    const Percentiles p = worlds.percentiles({x.id()}).front();
    return std::log(p.p95 / p.p5);
  };
  EXPECT_LT(width(a.answer.flop), width(a.methods.find("operations")->flop));
  EXPECT_LT(width(a.answer.flop), width(a.methods.find("hardware")->flop));
}

TEST(Reconcile, RanksTotalForActiveParametersFirst) {
  AuditRun run;  // a mixture of experts counted with all of its parameters
  const std::vector<RankedCause> causes =
      rank_causes(run, Assumptions::embedded(), "operations", "hardware", 11.0, false);
  ASSERT_FALSE(causes.empty());
  EXPECT_EQ(causes.front().cause->code, "total-for-active");
  const std::vector<RankedCause> sparse =
      rank_causes(run, Assumptions::embedded(), "operations", "hardware", 0.5, false);
  ASSERT_FALSE(sparse.empty());
  EXPECT_TRUE(sparse[0].cause->code == "sparse-peak" || sparse[0].cause->code == "other-format-peak" ||
              sparse[0].cause->code == "mac-for-flop");
}

// Ishigami-like check on a product: ln y = ln a + 2 ln b, so b explains four fifths of the variance.
TEST(Sensitivity, SobolIndicesOfAProduct) {
  Trace trace;
  const auto leaf = [&](const char* name) {
    Leaf l;
    l.name = name;
    l.distribution = Distribution::range(1.0, 0.5, 2.0);
    return trace.leaf(l);
  };
  const Traced a = leaf("a"), b = leaf("b");
  const std::vector<Sensitivity> s = sobol_indices(trace, (a * b * b).id(), 8192);
  ASSERT_EQ(s.size(), 2U);
  EXPECT_EQ(s[0].input, "b");
  EXPECT_NEAR(s[0].first, 0.8, 0.03);
  EXPECT_NEAR(s[0].total, 0.8, 0.03);
  EXPECT_NEAR(s[1].first, 0.2, 0.03);
}

TEST(Law, RulesComeAndGo) {
  Audited a;
  audit(run_of("run: 1\nfacts: own\nmodel: {parameters: 1e12}\ntrain: {tokens: 40e12}\n"), a);  // 2.4e26
  Evaluations worlds(a.trace, 1024);
  const auto standing = [&](const char* id, const char* on) {
    for (const Assessment& s :
         assess(run_of("run: 1\n"), a.methods, a.answer.flop, Laws::embedded(), *Date::parse(on), a.trace, worlds)) {
      if (s.rule->id == id) return s;
    }
    return Assessment{};
  };
  EXPECT_TRUE(standing("us-eo14110", "2024-06-01").in_force);
  EXPECT_FALSE(standing("us-eo14110", "2025-06-01").in_force);
  EXPECT_FALSE(standing("ca-sb53", "2025-06-01").in_force);
  EXPECT_TRUE(standing("ca-sb53", "2026-06-01").in_force);
  EXPECT_FALSE(standing("ca-sb1047", "2026-06-01").in_force);
  EXPECT_EQ(standing("eu-systemic", "2026-06-01").standing, Standing::above);
  EXPECT_DOUBLE_EQ(standing("eu-systemic", "2026-06-01").probability, 1);
  EXPECT_EQ(standing("us-eo14110-biology", "2024-06-01").standing, Standing::not_applicable);
}

}  // namespace
}  // namespace floptally
