#include "numerics/activations.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "numerics/kernels.h"

namespace floptally::numerics {
namespace {

constexpr std::uint64_t kPiece = std::uint64_t{1} << 18;  // numbers read at once

std::optional<Stored> stored_of(const TensorEntry& entry) {
  if (entry.type == nullptr) return std::nullopt;
  if (entry.type->name == "fp32") return Stored::fp32;
  if (entry.type->name == "fp16") return Stored::fp16;
  if (entry.type->name == "bf16") return Stored::bf16;
  if (entry.type->name == "fp64") return Stored::fp64;
  return std::nullopt;
}

std::uint64_t width_of(const TensorEntry& entry) {
  return entry.shape.empty() ? 1 : static_cast<std::uint64_t>(entry.shape.back());
}

Diagnostic bad(const std::string& what) {
  return error(
      "bad-activations", what, {},
      "a tensor of activations is [vectors, inputs] of fp32, fp16 or bf16, called like its weight or 'default'");
}

}  // namespace

Result<Activations> Activations::open(const TensorFile& file) {
  Activations out;
  out.storage_ = file.storage;
  for (const TensorEntry& entry : file.tensors) {
    if (!stored_of(entry))
      return bad("the activations " + entry.quoted() + " are " +
                 (entry.type == nullptr ? std::string("not here") : std::string(entry.type->name)));
    out.entries_.push_back(entry);
  }
  for (const std::string& path : file.files) {
    Result<InputFile> input = InputFile::open(path);
    if (!input.ok()) return input.take_problems();
    out.files_.push_back(*std::move(input));
  }
  return out;
}

Result<const TensorEntry*> Activations::find(std::string_view weight, std::uint64_t columns) const {
  std::string_view module = weight;
  if (module.ends_with(".weight")) module.remove_suffix(std::string_view(".weight").size());
  const std::string input = std::string(module) + ".input";
  const TensorEntry* common = nullptr;
  for (const TensorEntry& entry : entries_) {
    if (entry.name == weight || entry.name == module || entry.name == input) {
      if (width_of(entry) != columns)
        return bad("the activations " + entry.quoted() + " hold vectors of " + std::to_string(width_of(entry)) + ", '" +
                   std::string(weight) + "' takes " + std::to_string(columns));
      return &entry;
    }
    if (entry.name == "default" && width_of(entry) == columns) common = &entry;
  }
  return common;
}

std::uint64_t Activations::rows(const TensorEntry& entry) {
  const std::uint64_t width = width_of(entry);
  return width == 0 ? 0 : static_cast<std::uint64_t>(entry.elements().to_int64()) / width;
}

template <class Body>
Result<bool> Activations::each(const TensorEntry& entry, std::uint64_t rows, Body&& body) const {
  const std::uint64_t width = width_of(entry);
  const std::uint64_t bytes = size_of(*stored_of(entry));
  const std::uint64_t step = std::max<std::uint64_t>(1, kPiece / std::max<std::uint64_t>(1, width));
  std::vector<std::byte> raw;
  std::vector<float> values;
  for (std::uint64_t row = 0; row < rows; row += step) {
    const std::uint64_t count = std::min(step, rows - row) * width;
    raw.resize(count * bytes);
    values.resize(count);
    Result<bool> got = files_[entry.file].read_at(entry.offset + row * width * bytes, raw.data(), raw.size());
    if (!got.ok()) return got;
    widen(*stored_of(entry), raw.data(), count, values.data());
    for (const float v : values)
      if (!std::isfinite(v)) return bad("the activations " + entry.quoted() + " hold NaN or infinity");
    body(row, values);
  }
  return true;
}

Result<Probe> Activations::probe(const TensorEntry& entry, std::size_t most) const {
  const std::uint64_t all = rows(entry);
  const std::uint64_t used = most == 0 ? all : std::min<std::uint64_t>(all, most);
  Probe probe{width_of(entry), static_cast<std::size_t>(used), {}};
  Result<bool> done = each(entry, used, [&](std::uint64_t, const std::vector<float>& values) {
    probe.values.insert(probe.values.end(), values.begin(), values.end());
  });
  if (!done.ok()) return done.take_problems();
  return probe;
}

Result<std::vector<std::uint32_t>> Activations::outliers(const TensorEntry& entry, double threshold) const {
  const std::uint64_t width = width_of(entry);
  std::vector<float> largest(width, 0.0f);
  Result<bool> done = each(entry, rows(entry), [&](std::uint64_t, const std::vector<float>& values) {
    for (std::size_t i = 0; i < values.size(); i += width)
      for (std::size_t c = 0; c < width; ++c) largest[c] = std::max(largest[c], std::fabs(values[i + c]));
  });
  if (!done.ok()) return done.take_problems();
  std::vector<std::uint32_t> out;
  for (std::size_t c = 0; c < width; ++c)
    if (static_cast<double>(largest[c]) >= threshold) out.push_back(static_cast<std::uint32_t>(c));
  return out;
}

}  // namespace floptally::numerics
