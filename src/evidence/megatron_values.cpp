// Values of Megatron-LM arguments: names as the command line, a YAML file or a log spell them; list expressions.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "evidence/megatron_arguments.h"

namespace floptally {
namespace {

// A number written as text ("1e-4", "32"); nothing for other text.
std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

// The grammar: sum = product {"+" product}; product = factor {"*" number}; factor = "(" sum ")" | "[" numbers "]".
class ListParser {
 public:
  ListParser(std::string_view text, std::size_t most) : text_(text), most_(most) {}
  std::vector<std::int64_t> sum(int depth) {
    std::vector<std::int64_t> out = product(depth);
    while (take('+')) append(out, product(depth));
    return out;
  }

 private:
  std::vector<std::int64_t> product(int depth) {
    std::vector<std::int64_t> out = factor(depth);
    while (take('*')) {
      const std::vector<std::int64_t> unit = out;
      const std::int64_t times = number().value_or(1);
      if (times == 0) out.clear();
      for (std::int64_t i = 1; i < times && out.size() < most_ && !unit.empty(); ++i) append(out, unit);
    }
    return out;
  }
  std::vector<std::int64_t> factor(int depth) {
    std::vector<std::int64_t> out;
    if (depth < 32 && take('(')) {
      out = sum(depth + 1);
      take(')');
    } else if (take('[')) {
      while (const auto value = number()) {
        if (out.size() < most_) out.push_back(*value);
        take(',');
      }
      take(']');
    }
    return out;
  }
  std::optional<std::int64_t> number() {
    blanks();
    std::int64_t value = 0;
    const auto [end, status] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (status != std::errc{}) return std::nullopt;
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }
  void blanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void append(std::vector<std::int64_t>& to, const std::vector<std::int64_t>& more) const {
    for (const std::int64_t value : more)
      if (to.size() < most_) to.push_back(value);
  }

  std::string_view text_;
  std::size_t most_, at_ = 0;
};

}  // namespace

std::string megatron_name(std::string_view key) {
  while (!key.empty() && key.front() == '-') key.remove_prefix(1);
  std::string out(key);
  for (char& c : out)
    if (c == '_') c = '-';
  return out;
}

MegatronArguments::MegatronArguments(Node node) {
  values_.reserve(node.size());
  for (const Node entry : node) values_.emplace_back(megatron_name(entry.key()), entry);
  std::stable_sort(values_.begin(), values_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
}

Node MegatronArguments::find(std::string_view key) const {
  const auto at = std::lower_bound(values_.begin(), values_.end(), key,
                                   [](const auto& entry, std::string_view k) { return entry.first < k; });
  return at != values_.end() && at->first == key ? at->second : Node{};
}

bool MegatronArguments::flag(std::string_view key) const {
  const Node n = find(key);
  if (!n || n.is_null()) return false;
  if (const auto value = n.as_bool()) return *value;
  const std::string_view text = n.text();
  return text != "False" && text != "false" && text != "0" && text != "no";
}

std::int64_t MegatronArguments::count(std::string_view key, std::int64_t otherwise) const {
  const Node n = find(key);
  if (!n) return otherwise;
  constexpr std::int64_t kMost = 1'000'000'000'000;  // far above any size; products of two sizes still fit
  if (const auto value = n.as_integer())
    return value->fits_int64() ? std::clamp(value->to_int64(), -kMost, kMost) : kMost;
  const auto value = number_in(n.text());
  return value && *value == std::floor(*value) && std::fabs(*value) <= 1e12 ? static_cast<std::int64_t>(*value)
                                                                            : otherwise;
}

double MegatronArguments::number(std::string_view key, double otherwise) const {
  const Node n = find(key);
  if (!n) return otherwise;
  if (const auto value = n.as_double()) return *value;
  return number_in(n.text()).value_or(otherwise);
}

std::string MegatronArguments::words(std::string_view key) const {
  const Node n = find(key);
  std::string out = " ";
  if (n.is_sequence()) {
    for (const Node entry : n) out += std::string(entry.text()) + " ";
    return out;
  }
  for (const char c : n.text()) out += c == '\'' || c == '"' || c == '\t' ? ' ' : c;
  return out + " ";
}

std::vector<std::int64_t> megatron_list(std::string_view expression, std::size_t most) {
  if (expression.find('[') == std::string_view::npos)  // a list already: " 0 1 1 "
    return ListParser("[" + std::string(expression) + "]", most).sum(0);
  return ListParser(expression, most).sum(0);
}

}  // namespace floptally
