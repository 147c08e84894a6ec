#include "hardware/catalogue.h"

#include <algorithm>
#include <span>

#include "base/embedded.h"
#include "base/nearest.h"

namespace floptally {
namespace {

constexpr std::string_view kMakers[] = {"nvidia",   "amd",    "google",    "intel",     "huawei",
                                        "amazon",   "aws",    "baidu",     "tesla",     "geforce",
                                        "instinct", "habana", "cambricon", "microsoft", "groq"};

// The name without a maker's word at its front; itself where there is none.
std::string_view without_maker(std::string_view folded) {
  for (const std::string_view maker : kMakers) {
    if (folded.size() > maker.size() && folded.starts_with(maker)) return folded.substr(maker.size());
  }
  return folded;
}

std::string listed(const std::vector<const Device*>& devices) {
  std::string text;
  for (const Device* device : devices) text += (text.empty() ? "" : ", ") + device->name;
  return text;
}

}  // namespace

std::string folded_name(std::string_view name) {
  std::string folded;
  for (const char c : name) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) folded += c;
    if (c >= 'A' && c <= 'Z') folded += static_cast<char>(c - 'A' + 'a');
  }
  return folded;
}

std::optional<Arithmetic> arithmetic_named(std::string_view text) {
  static constexpr std::pair<std::string_view, Arithmetic> kOther[] = {
      {"float64", Arithmetic::fp64}, {"double", Arithmetic::fp64}, {"float32", Arithmetic::fp32},
      {"float", Arithmetic::fp32},   {"single", Arithmetic::fp32}, {"tensorfloat32", Arithmetic::tf32},
      {"float16", Arithmetic::fp16}, {"half", Arithmetic::fp16},   {"bfloat16", Arithmetic::bf16},
      {"float8", Arithmetic::fp8},   {"e4m3", Arithmetic::fp8},    {"e5m2", Arithmetic::fp8},
      {"mxfp8", Arithmetic::fp8},    {"mxfp6", Arithmetic::fp6},   {"mxfp4", Arithmetic::fp4},
      {"float4", Arithmetic::fp4},   {"e2m1", Arithmetic::fp4}};
  const std::string folded = folded_name(text);
  for (std::size_t i = 0; i < kArithmetics; ++i) {
    if (folded == kArithmeticNames[i]) return static_cast<Arithmetic>(i);
  }
  for (const auto& [name, arithmetic] : kOther) {
    if (folded == name) return arithmetic;
  }
  return std::nullopt;
}

std::string Device::with_article() const {
  constexpr std::string_view vowels = "AEIOUaeiou";
  constexpr std::string_view spelt_like_vowels = "AEFHILMNORSX";  // "an H", "an M", "an R" where letters are spelt
  const bool spelt = name.size() > 1 && (name[1] < 'a' || name[1] > 'z');
  const bool vowel = !name.empty() && (spelt ? spelt_like_vowels : vowels).find(name[0]) != std::string_view::npos;
  return (vowel ? "an " : "a ") + name;
}

std::optional<Arithmetic> Device::training_arithmetic() const {
  if (peak_of(Arithmetic::bf16)) return Arithmetic::bf16;
  const std::optional<double> half = peak_of(Arithmetic::fp16), single = peak_of(Arithmetic::fp32);
  if (half && (!single || *half >= 4 * *single)) return Arithmetic::fp16;
  if (peak_of(Arithmetic::tf32)) return Arithmetic::tf32;
  return single ? std::optional(Arithmetic::fp32) : std::nullopt;
}

std::vector<const Device*> Catalogue::matches(std::string_view name) const {
  const std::string folded = folded_name(name);
  std::vector<const Device*> found;
  const auto add = [&](const std::vector<std::size_t>& indices) {
    for (const std::size_t i : indices) {
      if (std::find(found.begin(), found.end(), &devices_[i]) == found.end()) found.push_back(&devices_[i]);
    }
  };
  for (const std::string_view key : {std::string_view(folded), without_maker(folded)}) {
    if (key.empty() || !found.empty()) continue;
    if (const auto exact = names_.find(key); exact != names_.end()) {
      add(exact->second);
      continue;
    }
    for (auto it = names_.lower_bound(key); it != names_.end() && std::string_view(it->first).starts_with(key); ++it) {
      add(it->second);
    }
  }
  std::sort(found.begin(), found.end());  // in the catalogue's order
  return found;
}

Result<const Device*> Catalogue::find(std::string_view name, Span at) const {
  const std::vector<const Device*> found = matches(name);
  if (found.size() == 1) return found.front();
  if (found.size() > 1) {
    return error("ambiguous-device",
                 "'" + std::string(name) + "' may be any of " + std::to_string(found.size()) + " devices", at,
                 "write one of " + listed(found));
  }
  std::vector<std::string_view> known;
  for (const Device& device : devices_) known.push_back(device.name);
  std::string help;
  for (const std::string_view near : nearest_few(name, known, 3))
    help += (help.empty() ? "" : ", ") + std::string(near);
  return error("unknown-device", "the catalogue has no device '" + std::string(name) + "'", at,
               "nearest names: " + help + "; `floptally hardware` lists all");
}

std::vector<const Price*> Catalogue::prices_of(const Device& device) const {
  std::vector<const Price*> found;
  for (const Price& price : prices()) {
    if (price.device == device.name) found.push_back(&price);
  }
  return found;
}

const Overhead* Catalogue::overhead(std::string_view quantity, std::string_view applies_to) const {
  const std::string folded = folded_name(applies_to);
  for (const Overhead& row : overheads()) {
    if (row.quantity == quantity && folded_name(row.applies_to) == folded) return &row;
  }
  return nullptr;
}

const Overhead* Catalogue::overhead(std::string_view quantity, const Device& device) const {
  for (const std::string_view who :
       {std::string_view(device.name), std::string_view(device.kind), std::string_view("any")}) {
    if (const Overhead* row = overhead(quantity, who)) return row;
  }
  return nullptr;
}

Result<const CarbonRow*> Catalogue::carbon(std::string_view name, Span at) const {
  const std::string folded = folded_name(name);
  std::vector<const CarbonRow*> by_key, by_tail, by_name;
  for (const CarbonRow& row : carbon_rows()) {
    const std::size_t slash = row.key.find('/');
    if (folded_name(row.key) == folded) by_key.push_back(&row);
    if (slash != std::string::npos && folded_name(std::string_view(row.key).substr(slash + 1)) == folded)
      by_tail.push_back(&row);
    if (folded_name(row.name) == folded) by_name.push_back(&row);
  }
  by_tail.insert(by_tail.end(), by_name.begin(), by_name.end());
  std::sort(by_tail.begin(), by_tail.end());
  by_tail.erase(std::unique(by_tail.begin(), by_tail.end()), by_tail.end());
  const std::vector<const CarbonRow*>& found = by_key.empty() ? by_tail : by_key;
  if (found.size() == 1 && !folded.empty()) return found.front();
  if (found.size() > 1) {
    std::string help;
    for (const CarbonRow* row : found) help += (help.empty() ? "" : ", ") + row->key;
    return error("ambiguous-region", "'" + std::string(name) + "' may be any of several grids", at,
                 "write one of " + help);
  }
  std::vector<std::string_view> known;
  for (const CarbonRow& row : carbon_rows()) {
    known.push_back(row.key);
    known.push_back(row.name);
  }
  std::string help;
  for (const std::string_view near : nearest_few(name, known, 3))
    help += (help.empty() ? "" : ", ") + std::string(near);
  return error("unknown-region", "no grid called '" + std::string(name) + "'", at, "nearest names: " + help);
}

const Catalogue& Catalogue::embedded() {
  static const Catalogue* const kCatalogue = [] {
    Result<Catalogue> read = Catalogue::read({});
    return new Catalogue(read ? std::move(*read) : Catalogue());
  }();
  return *kCatalogue;
}

}  // namespace floptally
