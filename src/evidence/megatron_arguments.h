// A Megatron-LM arguments object (megatron/training/arguments.py), read by name with the defaults that its code has.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "document/document.h"

namespace floptally {

class MegatronArguments {
 public:
  explicit MegatronArguments(Node node);
  // Keys are found with '-' or '_' and with or without leading dashes; numbers and truth values may be quoted.
  [[nodiscard]] bool flag(std::string_view key) const;
  [[nodiscard]] std::int64_t count(std::string_view key, std::int64_t otherwise) const;
  [[nodiscard]] double number(std::string_view key, double otherwise) const;
  [[nodiscard]] std::string_view text(std::string_view key) const { return find(key).text(); }
  // The words of a value, a list or a text such as "[layernorm moe_act]", with a blank before, between and after.
  [[nodiscard]] std::string words(std::string_view key) const;
  [[nodiscard]] bool has(std::string_view key) const { return find(key) && !find(key).is_null(); }
  [[nodiscard]] Node find(std::string_view key) const;
  // Every argument, sorted by its name.
  [[nodiscard]] const std::vector<std::pair<std::string, Node>>& all() const { return values_; }

 private:
  std::vector<std::pair<std::string, Node>> values_;
};

// The numbers of a list expression such as "([0]*3+[1]*11)" or "[1,1,0]*4"; at most `most`, fewer where it ends early.
std::vector<std::int64_t> megatron_list(std::string_view expression, std::size_t most);

// How an argument's name is compared: without leading dashes, '_' as '-'.
std::string megatron_name(std::string_view key);

}  // namespace floptally
