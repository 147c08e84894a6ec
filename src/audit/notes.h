// Notes: what the free text beside a published run says of it, read by rule: mixtures of experts and how much of them
// is active, tokens seen in training, the unit that data were counted in.
//
// A rule reads only what is said outright next to a number; where it finds nothing it says nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace floptally {

// "a mixture of experts", "MoE", "sparsely activated".
bool speaks_of_experts(std::string_view text);

// "36B parameters active", "activates 96.6 billion parameters": the first such number below `total`.
std::optional<double> active_parameters_in(std::string_view text, double total);

// "trained for 5.1 trillion tokens": the first such number.
std::optional<double> tokens_seen_in(std::string_view text);

enum class DataUnit : std::uint8_t { unsaid, tokens, words, examples };

// What the data are counted in: tokens where the text speaks of tokens, else words, else pairs, images, sequences ...
DataUnit data_unit_in(std::string_view text);

}  // namespace floptally
