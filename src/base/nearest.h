// nearest(): "did you mean": the known word a mistyped one stands for.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace floptally {

// Optimal-string-alignment distance (insert, delete, replace, swap neighbours each cost 1); letter case, '-', '_' and '
// ' are forgiven. Stops counting past `limit` and returns limit + 1.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit = 64);

// The candidate closest to `word`, or empty if none is near (more than a third of the letters differ). Ties go to the
// earlier candidate. A candidate that starts with the whole word counts as near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);
std::string_view nearest(std::string_view word, const std::vector<std::string>& candidates);

// The `count` nearest candidates, best first, near or not.
std::vector<std::string_view> nearest_few(std::string_view word, std::span<const std::string_view> candidates,
                                          std::size_t count);

// "did you mean 'x'?" or, when nothing is near and there are few, "known here: a, b, c"; may be empty.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace floptally
