// Names: which value a name stands for, in which graph. An open hash table of value ids; the names stay in the file.
#pragma once

#include "network/formats/onnx/model.h"

namespace floptally::onnx {

class Names {
 public:
  // The value called `name` in `scope`, or kNoValue.
  [[nodiscard]] ValueId find(const Model& model, std::string_view name, std::uint32_t scope) const {
    if (slots_.empty()) return kNoValue;
    const std::uint32_t hash = hash_of(name, scope);
    for (std::size_t i = hash & mask_;; i = (i + 1) & mask_) {
      if (slots_[i].id == kNoValue) return kNoValue;
      if (slots_[i].hash == hash && same(model, slots_[i].id, name, scope)) return slots_[i].id;
    }
  }

  // The same, made if there is none.
  ValueId intern(Model& model, std::string_view name, std::uint32_t scope) {
    if ((count_ + 1) * 4 > slots_.size() * 3) grow();
    const std::uint32_t hash = hash_of(name, scope);
    std::size_t i = hash & mask_;
    for (; slots_[i].id != kNoValue; i = (i + 1) & mask_)
      if (slots_[i].hash == hash && same(model, slots_[i].id, name, scope)) return slots_[i].id;
    const auto id = static_cast<ValueId>(model.values.size());
    Value value;
    value.name = name;
    value.scope = scope;
    model.values.push_back(value);
    slots_[i] = {hash, id};
    ++count_;
    return id;
  }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    ValueId id = kNoValue;
  };
  static bool same(const Model& model, ValueId id, std::string_view name, std::uint32_t scope) {
    return model.values[id].scope == scope && model.values[id].name == name;
  }
  // Multiply and fold, eight bytes at a time; an attacker who collides it makes the reader slow, so the walk over a
  // full bucket is bounded by the table's load only. The seed is fixed: the same file reads the same everywhere.
  static std::uint32_t hash_of(std::string_view name, std::uint32_t scope) {
    std::uint64_t hash = 0x9e3779b97f4a7c15ull * (scope + 1) ^ name.size();
    const char* at = name.data();
    std::size_t left = name.size();
    while (left > 0) {
      std::uint64_t part = 0;
      const std::size_t n = left < 8 ? left : 8;
      std::memcpy(&part, at, n);
      hash = (hash ^ part) * 0xff51afd7ed558ccdull;
      hash ^= hash >> 32;
      at += n;
      left -= n;
    }
    hash *= 0xc4ceb9fe1a85ec53ull;
    return static_cast<std::uint32_t>(hash >> 32);
  }
  void grow() {
    std::vector<Slot> old = std::move(slots_);
    slots_.assign(old.empty() ? 64 : old.size() * 2, Slot{});
    mask_ = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.id == kNoValue) continue;
      std::size_t i = slot.hash & mask_;
      while (slots_[i].id != kNoValue) i = (i + 1) & mask_;
      slots_[i] = slot;
    }
  }

  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
  std::size_t count_ = 0;
};

}  // namespace floptally::onnx
