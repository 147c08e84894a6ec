// NameTable: which of many names was met first where, for headers of 100,000 names. An open hash table over views.
//
// Always holds: name i is the i-th that was added; the views must outlive the table.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace floptally {

class NameTable {
 public:
  static constexpr std::uint32_t kNone = 0xffffffffu;

  explicit NameTable(std::size_t expected = 0) {
    std::size_t slots = 16;
    while (slots * 2 < expected * 3) slots *= 2;
    slots_.resize(slots);
    names_.reserve(expected);
  }

  [[nodiscard]] std::uint32_t find(std::string_view name) const { return slots_[slot_of(name, hash_of(name))].index; }
  // False if the name was there.
  bool add(std::string_view name) {
    if ((names_.size() + 1) * 3 > slots_.size() * 2) grow();
    const std::uint32_t hash = hash_of(name);
    Slot& slot = slots_[slot_of(name, hash)];
    if (slot.index != kNone) return false;
    slot = {hash, static_cast<std::uint32_t>(names_.size())};
    names_.push_back(name);
    return true;
  }
  [[nodiscard]] std::string_view name(std::uint32_t index) const { return names_[index]; }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(names_.size()); }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t index = kNone;
  };

  // Multiply and fold, eight bytes at a time.
  static std::uint32_t hash_of(std::string_view name) {
    std::uint64_t hash = 0x9e3779b97f4a7c15ull ^ name.size();
    const char* at = name.data();
    std::size_t left = name.size();
    for (; left > 0; at += left < 8 ? left : 8, left -= left < 8 ? left : 8) {
      std::uint64_t part = 0;
      std::memcpy(&part, at, left < 8 ? left : 8);
      hash = (hash ^ part) * 0xff51afd7ed558ccdull;
      hash ^= hash >> 32;
    }
    return static_cast<std::uint32_t>((hash * 0xc4ceb9fe1a85ec53ull) >> 32);
  }
  [[nodiscard]] std::size_t slot_of(std::string_view name, std::uint32_t hash) const {
    for (std::size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1))
      if (slots_[i].index == kNone || (slots_[i].hash == hash && names_[slots_[i].index] == name)) return i;
  }
  void grow() {
    std::vector<Slot> old = std::move(slots_);
    slots_.assign(old.size() * 2, Slot{});
    for (const Slot& slot : old) {
      if (slot.index == kNone) continue;
      std::size_t i = slot.hash & (slots_.size() - 1);
      while (slots_[i].index != kNone) i = (i + 1) & (slots_.size() - 1);
      slots_[i] = slot;
    }
  }

  std::vector<Slot> slots_;
  std::vector<std::string_view> names_;
};

}  // namespace floptally
