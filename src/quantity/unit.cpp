#include "quantity/unit.h"

#include <array>
#include <cctype>
#include <vector>

#include "base/nearest.h"

namespace floptally {
namespace {

enum class Prefixes { none, si, binary };  // binary: SI and Ki, Mi, Gi ...

struct UnitName {
  std::string_view name;
  Dim dim;
  double scale;
  Prefixes prefixes;
};

constexpr double kHour = 3600;
constexpr double kDay = 86400;
// Years and months as they are used for prices of time: 365.25 days and a twelfth of it (8,766 h and 730.5 h).
constexpr double kYear = 365.25 * kDay;

constexpr UnitName kNames[] = {
    {"FLOP", dim::kFlop, 1, Prefixes::si},
    {"flop", dim::kFlop, 1, Prefixes::si},
    {"MAC", dim::kFlop, 2, Prefixes::si},
    {"MACs", dim::kFlop, 2, Prefixes::si},
    {"FMA", dim::kFlop, 2, Prefixes::si},
    {"B", dim::kByte, 1, Prefixes::binary},
    {"byte", dim::kByte, 1, Prefixes::none},
    {"bytes", dim::kByte, 1, Prefixes::none},
    {"bit", dim::kByte, 0.125, Prefixes::si},
    {"bits", dim::kByte, 0.125, Prefixes::si},
    {"s", dim::kSecond, 1, Prefixes::si},
    {"sec", dim::kSecond, 1, Prefixes::none},
    {"second", dim::kSecond, 1, Prefixes::none},
    {"seconds", dim::kSecond, 1, Prefixes::none},
    {"min", dim::kSecond, 60, Prefixes::none},
    {"minute", dim::kSecond, 60, Prefixes::none},
    {"minutes", dim::kSecond, 60, Prefixes::none},
    {"h", dim::kSecond, kHour, Prefixes::none},
    {"hr", dim::kSecond, kHour, Prefixes::none},
    {"hour", dim::kSecond, kHour, Prefixes::none},
    {"hours", dim::kSecond, kHour, Prefixes::none},
    {"d", dim::kSecond, kDay, Prefixes::none},
    {"day", dim::kSecond, kDay, Prefixes::none},
    {"days", dim::kSecond, kDay, Prefixes::none},
    {"week", dim::kSecond, 7 * kDay, Prefixes::none},
    {"weeks", dim::kSecond, 7 * kDay, Prefixes::none},
    {"month", dim::kSecond, kYear / 12, Prefixes::none},
    {"months", dim::kSecond, kYear / 12, Prefixes::none},
    {"year", dim::kSecond, kYear, Prefixes::none},
    {"years", dim::kSecond, kYear, Prefixes::none},
    {"USD", dim::kUsd, 1, Prefixes::none},
    {"usd", dim::kUsd, 1, Prefixes::none},
    {"$", dim::kUsd, 1, Prefixes::none},
    {"dollar", dim::kUsd, 1, Prefixes::none},
    {"dollars", dim::kUsd, 1, Prefixes::none},
    {"cent", dim::kUsd, 0.01, Prefixes::none},
    {"cents", dim::kUsd, 0.01, Prefixes::none},
    {"token", dim::kToken, 1, Prefixes::none},
    {"tokens", dim::kToken, 1, Prefixes::none},
    {"tok", dim::kToken, 1, Prefixes::none},
    {"sample", dim::kSample, 1, Prefixes::none},
    {"samples", dim::kSample, 1, Prefixes::none},
    {"sequence", dim::kSample, 1, Prefixes::none},
    {"sequences", dim::kSample, 1, Prefixes::none},
    {"image", dim::kSample, 1, Prefixes::none},
    {"images", dim::kSample, 1, Prefixes::none},
    {"example", dim::kSample, 1, Prefixes::none},
    {"examples", dim::kSample, 1, Prefixes::none},
    {"parameter", dim::kParameter, 1, Prefixes::none},
    {"parameters", dim::kParameter, 1, Prefixes::none},
    {"param", dim::kParameter, 1, Prefixes::none},
    {"params", dim::kParameter, 1, Prefixes::none},
    {"device", dim::kDevice, 1, Prefixes::none},
    {"devices", dim::kDevice, 1, Prefixes::none},
    {"GPU", dim::kDevice, 1, Prefixes::none},
    {"GPUs", dim::kDevice, 1, Prefixes::none},
    {"TPU", dim::kDevice, 1, Prefixes::none},
    {"TPUs", dim::kDevice, 1, Prefixes::none},
    {"NPU", dim::kDevice, 1, Prefixes::none},
    {"NPUs", dim::kDevice, 1, Prefixes::none},
    {"chip", dim::kDevice, 1, Prefixes::none},
    {"chips", dim::kDevice, 1, Prefixes::none},
    {"accelerator", dim::kDevice, 1, Prefixes::none},
    {"accelerators", dim::kDevice, 1, Prefixes::none},
    {"node", dim::kNode, 1, Prefixes::none},
    {"nodes", dim::kNode, 1, Prefixes::none},
    {"J", dim::kJoule, 1, Prefixes::si},
    {"W", dim::kWatt, 1, Prefixes::si},
    {"Wh", dim::kJoule, kHour, Prefixes::si},
    {"g", dim::kGram, 1, Prefixes::si},
    {"gCO2e", dim::kGram, 1, Prefixes::si},
    {"gCO2", dim::kGram, 1, Prefixes::si},
    {"gCO2eq", dim::kGram, 1, Prefixes::si},
    {"t", dim::kGram, 1e6, Prefixes::none},
    {"tCO2e", dim::kGram, 1e6, Prefixes::none},
    {"tCO2", dim::kGram, 1e6, Prefixes::none},
    {"tonne", dim::kGram, 1e6, Prefixes::none},
    {"tonnes", dim::kGram, 1e6, Prefixes::none},
    {"PF-day", dim::kFlop, 8.64e19, Prefixes::none},
    {"PFLOP-day", dim::kFlop, 8.64e19, Prefixes::none},
    {"PFLOP-days", dim::kFlop, 8.64e19, Prefixes::none},
    {"PF-days", dim::kFlop, 8.64e19, Prefixes::none},
    {"run", dim::kNone, 1, Prefixes::none},
    {"runs", dim::kNone, 1, Prefixes::none},
    {"step", dim::kNone, 1, Prefixes::none},
    {"steps", dim::kNone, 1, Prefixes::none},
};

struct Prefix {
  std::string_view name;
  double scale;
  bool binary;
};
constexpr Prefix kPrefixes[] = {
    {"Ki", 1024.0, true},
    {"Mi", 1048576.0, true},
    {"Gi", 1073741824.0, true},
    {"Ti", 1099511627776.0, true},
    {"Pi", 1125899906842624.0, true},
    {"k", 1e3, false},
    {"K", 1e3, false},
    {"M", 1e6, false},
    {"G", 1e9, false},
    {"T", 1e12, false},
    {"P", 1e15, false},
    {"E", 1e18, false},
    {"Z", 1e21, false},
    {"Y", 1e24, false},
    {"m", 1e-3, false},
    {"u", 1e-6, false},
    {"n", 1e-9, false},
};

const UnitName* find_name(std::string_view name) {
  for (const UnitName& each : kNames)
    if (each.name == name) return &each;
  return nullptr;
}

// One factor: a name, or a prefix and a name.
std::optional<Unit> factor(std::string_view text) {
  if (const UnitName* whole = find_name(text))
    return Unit{whole->dim, whole->scale, Integer::from_double(whole->scale)};
  for (const Prefix& prefix : kPrefixes) {
    if (!text.starts_with(prefix.name)) continue;
    const UnitName* rest = find_name(text.substr(prefix.name.size()));
    if (rest == nullptr || rest->prefixes == Prefixes::none) continue;
    if (prefix.binary && rest->prefixes != Prefixes::binary) continue;
    if (prefix.scale < 1 && rest->prefixes == Prefixes::binary) continue;
    const double scale = prefix.scale * rest->scale;
    return Unit{rest->dim, scale, Integer::from_double(scale)};
  }
  return std::nullopt;
}

Diagnostic unknown(std::string_view text, Span at) {
  const std::string word(text);
  if (word.ends_with("FLOPS") || word.ends_with("flops"))
    return error("flops-spelling", "'" + word + "' is ambiguous: FLOP is a count, FLOP/s a rate", at,
                 "write " + word.substr(0, word.size() - 5) + "FLOP/s for a rate, or " +
                     word.substr(0, word.size() - 5) + "FLOP for a count");
  std::vector<std::string_view> names;
  for (const UnitName& each : kNames) names.push_back(each.name);
  std::string help = "units are such as FLOP, TFLOP/s, GiB, GB/s, days, tokens, USD/device-hour, kWh, %";
  const auto near = nearest(text, names);
  if (!near.empty()) help = "did you mean '" + std::string(near) + "'? " + help;
  return error("unknown-unit", "unknown unit '" + word + "'", at, help);
}

Span part(Span at, std::string_view whole, std::string_view piece) {
  if (!at || at.end - at.begin != whole.size()) return at;
  at.begin += static_cast<std::uint64_t>(piece.data() - whole.data());
  at.end = at.begin + piece.size();
  return at;
}

}  // namespace

Result<Unit> parse_unit(std::string_view text, Span at) {
  Unit unit;
  if (text == "%") return Unit{dim::kNone, 0.01, std::nullopt, true};
  bool divide = false;
  std::size_t position = 0;
  while (position < text.size()) {
    // The longest name first: "PF-day" is one unit although '-' joins factors.
    std::size_t stop = text.find('/', position);
    if (stop == std::string_view::npos) stop = text.size();
    std::string_view word = text.substr(position, stop - position);
    std::optional<Unit> found;
    while (true) {
      while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
      while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
      found = factor(word);
      if (found) break;
      const std::size_t cut = word.find_last_of("-* ");
      if (cut == std::string_view::npos || cut == 0) break;
      word = word.substr(0, cut);
    }
    if (!found) {
      const std::size_t first = text.find_first_of("-*/ ", static_cast<std::size_t>(word.data() - text.data()));
      const std::size_t begin = static_cast<std::size_t>(word.data() - text.data());
      const std::string_view bad = text.substr(begin, first == std::string_view::npos ? first : first - begin);
      return unknown(bad.empty() ? text : bad, part(at, text, bad.empty() ? text : bad));
    }
    unit.dim = divide ? unit.dim / found->dim : unit.dim * found->dim;
    unit.scale = divide ? unit.scale / found->scale : unit.scale * found->scale;
    if (!unit.exact || !found->exact) {
      unit.exact.reset();
    } else if (divide) {
      if (*unit.exact % *found->exact == Integer(0))
        unit.exact = *unit.exact / *found->exact;
      else
        unit.exact.reset();
    } else {
      unit.exact = *unit.exact * *found->exact;
    }
    position = static_cast<std::size_t>(word.data() - text.data()) + word.size();
    while (position < text.size() && text[position] == ' ') ++position;
    if (position < text.size()) {
      // After a '/', '-' keeps dividing: USD/device-hour is USD/(device*hour).
      if (text[position] == '/') divide = true;
      ++position;
      if (position >= text.size()) return unknown(text, at);
    }
  }
  return unit;
}

std::string name_of(Dim dim) {
  if (dim.dimensionless()) return "a plain number";
  struct Base {
    std::int8_t exponent;
    const char* name;
  };
  const std::array<Base, 11> bases{{{dim.flop, "FLOP"},
                                    {dim.usd, "USD"},
                                    {dim.byte, "bytes"},
                                    {dim.token, "tokens"},
                                    {dim.sample, "samples"},
                                    {dim.parameter, "parameters"},
                                    {dim.joule, "J"},
                                    {dim.gram, "gCO2e"},
                                    {dim.node, "node"},
                                    {dim.device, "device"},
                                    {dim.second, "s"}}};
  std::string over;
  std::string under;
  int below = 0;
  for (const Base& base : bases) {
    if (base.exponent == 0) continue;
    std::string& side = base.exponent > 0 ? over : under;
    if (!side.empty()) side += '*';
    side += base.name;
    const int power = base.exponent > 0 ? base.exponent : -base.exponent;
    if (power > 1) side += '^' + std::to_string(power);
    if (base.exponent < 0) ++below;
  }
  if (under.empty()) return over;
  return (over.empty() ? "1" : over) + "/" + (below > 1 ? "(" + under + ")" : under);
}

}  // namespace floptally
