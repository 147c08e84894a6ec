#include "estimate/evidence_labels.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "training/table.h"

namespace floptally {
namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  while (!out.empty() && (out.back() == ' ' || out.back() == '\t')) out.pop_back();
  return out.substr(std::min(out.size(), out.find_first_not_of(" \t")));
}

bool one_of(std::string_view label, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), label) != words.end();
}

bool says_no(std::string_view label) {
  return one_of(label, {"", "none", "no", "0", "0.0", "off", "false", "n/a", "na", "-", "disabled", "null"});
}

// The whole number that begins at `at`; 0 where none does.
std::int64_t number_at(std::string_view text, std::size_t at) {
  std::int64_t value = 0;
  if (at < text.size()) std::from_chars(text.data() + at, text.data() + text.size(), value);
  return value;
}

// Whether `word` stands alone in the text: no letter or digit beside it, nor one of `joints`.
bool has_word(std::string_view text, std::string_view word, std::string_view joints = {}) {
  const auto solid = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || joints.find(c) != std::string_view::npos;
  };
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !solid(text[at - 1])) && (end == text.size() || !solid(text[end]))) return true;
  }
  return false;
}

}  // namespace

std::string precision_label(std::string_view label_text, bool autocast) {
  std::string label = lower(label_text);
  label.resize(std::min(label.size(), label.find("/mp=")));  // Composer: what FSDP gathers and reduces in
  const bool eight = contains(label, "fp8") || contains(label, "float8") || has_word(label, "e4m3");
  if (contains(label, "mxfp8") || contains(label, "fp8-mx") || contains(label, "fp8_mx") || contains(label, "fp8 mx"))
    return "mxfp8";
  if (contains(label, "fp4") || contains(label, "float4")) return "nvfp4";
  if (contains(label, "block") || contains(label, "subchannel") || has_word(label, "sc")) return "fp8-block";
  if (contains(label, "tensorwise") || has_word(label, "cs") || contains(label, "current") || has_word(label, "tw"))
    return "fp8-tensorwise";
  if (eight) return "fp8-delayed";
  const bool bf16 = contains(label, "bf16") || contains(label, "bfloat16");
  const bool fp16 = !bf16 && (contains(label, "fp16") || contains(label, "float16") || has_word(label, "half") ||
                              has_word(label, "16") || contains(label, "f16"));
  const bool fp32 = !bf16 && !fp16 &&
                    (contains(label, "fp32") || contains(label, "float32") || has_word(label, "32") ||
                     has_word(label, "full") || has_word(label, "single"));
  if (contains(label, "amp") || contains(label, "autocast") || (autocast && contains(label, "mixed")))
    return fp16 ? "fp16-autocast" : bf16 ? "bf16-autocast" : contains(label, "amp") ? "fp16-autocast" : "";
  if (contains(label, "tf32")) return "tf32";
  if (fp32) return "fp32";
  if (contains(label, "true") || contains(label, "pure")) return bf16 || fp16 ? "bf16-pure" : "";
  if (bf16) return "bf16-mixed";
  if (fp16) return "fp16-mixed";
  return {};
}

std::uint32_t recompute_modules(std::string_view words) {
  std::uint32_t modules = 0;
  const auto when = [&](bool said, Recompute::Module bit) { modules |= said ? std::uint32_t{bit} : 0; };
  when(contains(words, "core_attn") || contains(words, "core attention"), Recompute::core_attention);
  when(contains(words, "layernorm"), Recompute::norms);
  when(contains(words, "moe_act"), Recompute::expert_activations);
  when(contains(words, "mla_up"), Recompute::mla_up);
  when(contains(words, "shared_experts"), Recompute::shared_experts);
  when(has_word(words, "mlp", "_"), Recompute::mlp);
  when(has_word(words, "moe", "_"), Recompute::moe);
  return modules;
}

bool offloads_inputs(std::string_view label) { return contains(lower(label), "offload:decoder_layer_input"); }

std::optional<Recompute> recompute_label(std::string_view label_text) {
  const std::string label = lower(label_text);
  Recompute recompute;
  // "none", "None None" (of granularity and method), "none (-r 0)", an empty list of modules.
  if (says_no(label) || has_word(label.substr(0, 5), "none") || label == "[]") return recompute;
  if (offloads_inputs(label) || label == "qkv_proj_offloaded") {  // what is not moved is made again
    recompute.mode = Recompute::Mode::full;
    return recompute;
  }
  const bool selective = contains(label, "selective") || contains(label, "sac");
  const bool yes = one_of(label, {"1", "1.0", "yes", "on", "true", "all", "uniform", "block"});
  if (label.substr(0, 4) == "full" || (!selective && (yes || contains(label, "checkpoint")))) {
    recompute.mode = Recompute::Mode::full;
    const std::size_t method = label.find('/');  // "full/uniform/2/": method, layers of a group or of a stage
    const std::size_t number = method == std::string::npos ? method : label.find('/', method + 1);
    const std::int64_t layers = number == std::string::npos ? 0 : number_at(label, number + 1);
    if (layers > 0 && contains(label, "block")) recompute.layers = layers;
    if (layers > 0 && contains(label, "uniform")) recompute.group = layers;
    return recompute;
  }
  recompute.mode = Recompute::Mode::selective;
  recompute.modules = recompute_modules(label);
  if (has_word(label, "op") || has_word(label, "ops") || contains(label, "per-op"))
    recompute.modules |= Recompute::operators;
  if (recompute.modules == 0 && !selective) return std::nullopt;
  if (recompute.modules == 0 && !contains(label, "[]")) recompute.modules = Recompute::core_attention;
  return recompute;
}

std::optional<Sharing> sharing_label(std::string_view label_text) {
  const std::string label = lower(label_text), word = folded(label);
  Sharing out;
  if (says_no(label) || one_of(word, {"noshard", "ddp", "zero0", "stage0", "dp"})) return out;
  if (contains(word, "hsdp") || contains(word, "hybridshard")) {
    out.zero = Zero::weights;
    out.ranks = number_at(label, label.find('(') == std::string::npos ? label.size() : label.find('(') + 1);
    out.within_node = out.ranks == 0;
    return out;
  }
  const auto numbered = [&](char n) {
    return word == std::string(1, n) || word == std::string{n, '0'} || contains(word, std::string("zero") + n) ||
           contains(word, std::string("stage") + n);
  };
  if (one_of(word, {"shardgradop", "optimgrads"}) || numbered('2')) {
    out.zero = Zero::gradients;
  } else if (contains(word, "fsdp") || contains(word, "fullshard") || word == "optimgradsparams" || numbered('3')) {
    out.zero = Zero::weights;
  } else if (numbered('1') || contains(word, "distributed") || contains(word, "distopt") || contains(word, "hybrid") ||
             one_of(word, {"optim", "optimizer", "os", "yes", "true"})) {
    out.zero = Zero::optimizer;
    for (const char mark : {'=', '('}) {  // "zero1=8", "hybrid (8)"
      if (const std::size_t at = label.find(mark); at != std::string::npos)
        out.ranks = std::max(out.ranks, number_at(label, label.find_first_not_of(' ', at + 1)));
    }
  } else {
    return std::nullopt;
  }
  return out;
}

std::vector<std::string> model_spellings(std::string_view model) {
  if (const std::size_t slash = model.rfind('/'); slash != std::string_view::npos) model.remove_prefix(slash + 1);
  std::string name = lower(model);
  for (char& c : name)
    if (c == ' ' || c == '_') c = '-';
  std::vector<std::string> out{name};
  static constexpr std::string_view kAfter[] = {"-instruct", "-base",  "-chat", "-hf",  "-it",    "-v0.1",
                                                "-lora",     "-qlora", "-full", "-sft", "-model", "-pretrain"};
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view word : kAfter) {
      if (name.size() <= word.size() || name.substr(name.size() - word.size()) != word) continue;
      name.resize(name.size() - word.size());
      out.push_back(name);
      again = true;
    }
  }
  if (name.substr(0, 5) == "meta-") out.push_back(name.substr(5));
  return out;
}

std::pair<std::string, double> split_size(std::string_view model) {
  const std::size_t at = model.find_last_of("- ");
  if (at == std::string_view::npos || at + 2 >= model.size()) return {std::string(model), 0};
  const std::string_view last = model.substr(at + 1);
  double size = 0;
  const auto [end, status] = std::from_chars(last.data(), last.data() + last.size(), size);
  const double unit = last.back() == 'b' ? 1e9 : last.back() == 'm' ? 1e6 : 0;
  if (status != std::errc{} || end != last.data() + last.size() - 1 || unit == 0) return {std::string(model), 0};
  return {std::string(model.substr(0, at)), size * unit};
}

}  // namespace floptally
