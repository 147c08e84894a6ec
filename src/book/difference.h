// Difference: what changed between two answers, and how the change of a total splits among the changes.
//
// Each line of the account tree (a leaf, by its path) is a product of factors: runs x FLOP a run x device time a FLOP x
// price. The logarithmic mean Divisia index (Ang, Energy Policy 33, 2005, eq. 5-8) gives factor k of line i the part
// L(b_i, a_i) ln(b_ik / a_ik), L(b, a) = (b - a) / ln(b / a): the parts add up exactly, whatever the order of the
// changes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "floptally/book.h"

namespace floptally {

struct Change {
  enum class Kind { added, removed, changed };
  Kind kind = Kind::changed;
  std::string path;
  double before = 0, after = 0;
  std::vector<std::pair<std::string, double>> parts;  // factor -> its part of after - before
};

struct Difference {
  std::string key;
  Dim dim;
  double before = 0, after = 0;
  std::vector<Change> changes;                          // lines that differ, largest effect first
  std::vector<std::pair<std::string, double>> factors;  // summed over lines, largest first
  bool known_spread = false;  // both answers have worlds: low..high is the 90% range of after - before
  double low = 0, high = 0;
};

Difference difference(const Book& before, const Book& after, const std::string& key);

// Inputs that were stated differently: name, words before and after (empty where it was absent).
struct InputChange {
  std::string name, before, after;
};
std::vector<InputChange> input_changes(const Book& before, const Book& after);

}  // namespace floptally
