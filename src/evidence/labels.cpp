#include "evidence/labels.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/letters.h"
#include "training/table.h"

namespace floptally {
namespace {

// The label in lower case, without blanks around it.
std::string plain(std::string_view label) {
  std::string out = lower(label);
  while (!out.empty() && (out.back() == ' ' || out.back() == '\t')) out.pop_back();
  return out.substr(std::min(out.size(), out.find_first_not_of(" \t")));
}

bool one_of(std::string_view label, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), label) != words.end();
}

bool says_no(std::string_view label) {
  return one_of(label, {"", "none", "no", "n", "0", "0.0", "off", "false", "n/a", "na", "-", "--", "disabled", "null",
                        "without", "w/o", "\xe2\x9c\x97", "\xe2\x9c\x98"});  // and crosses
}

// The whole number that begins at `at`; 0 where none does.
std::int64_t number_at(std::string_view text, std::size_t at) {
  std::int64_t value = 0;
  if (at < text.size()) std::from_chars(text.data() + at, text.data() + text.size(), value);
  return value;
}

// The first whole number that begins at `at` or later; 0 where none does.
std::int64_t number_from(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] < '0' || text[at] > '9')) ++at;
  return number_at(text, at);
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

std::string packed_label(std::string_view label_text) {
  const std::string label = plain(label_text);
  for (const std::string_view other : {"nvfp4", "mxfp4", "gptq", "awq", "hqq", "aqlm", "eetq"})  // not bitsandbytes'
    if (contains(label, other)) return {};
  const bool four = contains(label, "nf4") || contains(label, "4bit") || contains(label, "4-bit") ||
                    contains(label, "4 bit") || contains(label, "bnb.fp4") || has_word(label, "int4");
  if (!four) return {};
  return contains(label, "dq") || contains(label, "double") ? "nf4-dq" : "nf4";
}

std::string precision_label(std::string_view label_text, bool autocast) {
  std::string label = plain(label_text);
  if (!packed_label(label).empty()) return {};
  if (label == "o1") return "fp16-autocast";  // of NVIDIA's Apex
  if (label == "o2") return "fp16-mixed";
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
                     has_word(label, "f32") || has_word(label, "full") || has_word(label, "single"));
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

bool offloads_inputs(std::string_view label) {
  const std::string text = plain(label);
  return contains(text, "offload:decoder_layer_input") || contains(text, "unsloth");
}

namespace {

// "yes" in all its spellings; layers, blocks: whole ones.
bool says_full(std::string_view label) {
  static constexpr std::string_view kYes[] = {
      "1",      "1.0",       "yes",       "y",           "on",         "true",      "all",          "enabled",
      "with",   "gc",        "ac",        "ckpt",        "remat",      "uniform",   "block",        "layer",
      "layers", "per layer", "per-layer", "every layer", "each layer", "per block", "\xe2\x9c\x93", "\xe2\x9c\x94"};
  if (std::find(std::begin(kYes), std::end(kYes), label) != std::end(kYes)) return true;
  const std::string_view first = label.substr(0, label.find_first_of(" (,;"));
  return first == "full" || first == "true" || first == "yes" || label.substr(0, 4) == "full" ||
         contains(label, "checkpoint");
}

// "full/uniform/2/" (method, layers of a group or of a stage), "block 4", "every 2", "full".
Recompute full_recompute(std::string_view label) {
  Recompute recompute;
  recompute.mode = Recompute::Mode::full;
  const auto after = [&](std::string_view word) {
    const std::size_t at = label.find(word);
    return at == std::string_view::npos ? 0 : number_from(label, at + word.size());
  };
  if (const std::int64_t layers = after("block"); layers > 0)
    recompute.layers = layers;
  else if (const std::int64_t group = after("uniform"); group > 0)
    recompute.group = group;
  else if (const std::int64_t every = after("every"); every > 0)
    recompute.every = every;
  return recompute;
}

}  // namespace

std::optional<Recompute> recompute_label(std::string_view label_text) {
  const std::string label = plain(label_text);
  Recompute recompute;
  // "none", "None None" (of granularity and method), "none (-r 0)", "no checkpointing", an empty list of modules.
  const std::string_view first = std::string_view(label).substr(0, label.find_first_of(" -_(,;"));
  if (says_no(label) || has_word(label.substr(0, 5), "none") || label == "[]" || first == "no" || first == "without")
    return recompute;
  if (offloads_inputs(label) || label == "qkv_proj_offloaded") {  // what is not moved is made again
    recompute.mode = Recompute::Mode::full;
    return recompute;
  }
  const bool selective = contains(label, "selective") || contains(label, "sac");
  const bool numbered = one_of(first, {"every", "block", "uniform"}) && number_from(label, 0) > 0;
  if (label.substr(0, 4) == "full" || (!selective && (numbered || says_full(label)))) return full_recompute(label);
  // torchtitan's selective_ac_option: every n-th layer whole.
  if (const std::int64_t nth = number_from(label, 0);
      selective && nth > 0 && recompute_modules(label) == 0 &&
      label.find_first_not_of("selctivasyr0123456789 _-=:()") == std::string::npos) {
    recompute.mode = Recompute::Mode::full;
    recompute.every = nth;
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
  const std::string label = plain(label_text), word = folded(label);
  Sharing out;
  if (says_no(label) ||
      one_of(word, {"noshard", "ddp", "zero0", "stage0", "dp", "single", "singlegpu", "singledevice", "1gpu"}))
    return out;
  const auto numbered = [&](char n) {
    return word == std::string(1, n) || word == std::string{n, '0'} || contains(word, std::string("zero") + n) ||
           contains(word, std::string("stage") + n) || word.substr(0, 2) == std::string{'z', n} ||
           contains(word, std::string("dsz") + n) || word == std::string("ds") + n;
  };
  const bool infinity = contains(word, "zeroinfinity");
  if (contains(word, "hsdp") || contains(word, "hybridshard")) {
    out.zero = numbered('2') ? Zero::gradients : Zero::weights;
    out.ranks = number_at(label, label.find('(') == std::string::npos ? label.size() : label.find('(') + 1);
    out.within_node = out.ranks == 0;
  } else if (one_of(word, {"shardgradop", "optimgrads"}) || numbered('2')) {
    out.zero = Zero::gradients;
  } else if (contains(word, "fsdp") || contains(word, "fullshard") || word == "optimgradsparams" || infinity ||
             word == "fullyshard" || numbered('3')) {
    out.zero = Zero::weights;
  } else if (numbered('1') || contains(word, "distributed") || contains(word, "distopt") || contains(word, "hybrid") ||
             one_of(word, {"optim", "optimizer", "optimizerstates", "os", "yes", "true"})) {
    out.zero = Zero::optimizer;
    for (const char mark : {'=', '('}) {  // "zero1=8", "hybrid (8)"
      if (const std::size_t at = label.find(mark); at != std::string::npos)
        out.ranks = std::max(out.ranks, number_at(label, label.find_first_not_of(' ', at + 1)));
    }
  } else {
    return std::nullopt;
  }
  out.offloaded = infinity || (contains(word, "offload") && !contains(word, "nooffload"));
  return out;
}

std::string task_reason(std::string_view task_text) {
  const std::string task = plain(task_text);
  const auto says = [&](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return contains(task, word); });
  };
  if (says({"dpo", "grpo", "ppo", "rlhf", "distill", "kto", "reinforce", "rloo"}) || has_word(task, "rl"))
    return "more than one model, or generation, beside training";
  if (says({"orpo", "simpo", "reward"}) || has_word(task, "rm") || has_word(task, "cpo"))
    return "pairs of sequences, or another head, in the place of a language model's step";
  if (!says({"train", "tuning", "tune"}) &&
      (says({"inference", "prefill", "decode", "generat", "serving", "evaluat"}) || has_word(task, "eval")))
    return "no step of training";
  if (says({"dora", "galore", "prompt", "p-tuning", "prefix", "bitfit", "loha", "lokr"}) || has_word(task, "lisa") ||
      has_word(task, "freeze") || has_word(task, "oft") || has_word(task, "ia3"))
    return "what it trains and keeps is not followed";
  return {};
}

std::vector<std::string> model_spellings(std::string_view model) {
  if (const std::size_t slash = model.rfind('/'); slash != std::string_view::npos) model.remove_prefix(slash + 1);
  std::string name = plain(model);
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
