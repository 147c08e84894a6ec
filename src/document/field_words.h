// What others call the keys of our files: "tp" is `tensor`, "hidden_size" is `width`. Only for help texts: a key is
// read by its own name alone.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace floptally {

// Our key for `word` among `known`, empty where none is meant. Letter case, '-' and '_' are forgiven.
std::string_view key_for(std::string_view word, std::span<const std::string_view> known);

// "here that is 'tensor'", with a value where the word implies one ("zero: 3" for fsdp); empty where key_for() is.
std::string word_help(std::string_view word, std::span<const std::string_view> known);

}  // namespace floptally
