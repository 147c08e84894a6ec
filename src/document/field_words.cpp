#include "document/field_words.h"

#include <algorithm>

namespace floptally {
namespace {

struct FieldWord {
  std::string_view word, key, value = {};  // lower case, no '-' or '_'
};

constexpr FieldWord kWords[] = {
    {"accelerator", "device"},
    {"accelerators", "devices"},
    {"activationcheckpointing", "recompute"},
    {"activeparams", "active_parameters"},
    {"batchsize", "batch"},
    {"budget", "limits"},
    {"checkpointing", "recompute"},
    {"chip", "device"},
    {"chiphours", "device_hours"},
    {"chips", "devices"},
    {"contextlength", "sequence"},
    {"contextparallel", "context"},
    {"contextparallelsize", "context"},
    {"cp", "context"},
    {"dataparallel", "data"},
    {"dff", "ffn"},
    {"dmodel", "width"},
    {"dp", "data"},
    {"dtype", "precision"},
    {"ep", "expert"},
    {"etp", "expert_tensor"},
    {"expertparallel", "expert"},
    {"expertparallelsize", "expert"},
    {"ffhidden", "ffn"},
    {"ffnhiddensize", "ffn"},
    {"fsdp", "zero", "3"},
    {"gbs", "batch"},
    {"globalbatchsize", "batch"},
    {"gpu", "device"},
    {"gpuhours", "device_hours"},
    {"gpus", "devices"},
    {"gradientcheckpointing", "recompute"},
    {"hiddendim", "width"},
    {"hiddensize", "width"},
    {"intermediatesize", "ffn"},
    {"iterations", "steps"},
    {"kvheads", "kv_heads"},
    {"lora", "adapter"},
    {"maxseqlen", "sequence"},
    {"mbs", "micro_batch"},
    {"microbatchsize", "micro_batch"},
    {"nheads", "heads"},
    {"nkvheads", "kv_heads"},
    {"nlayer", "layers"},
    {"nlayers", "layers"},
    {"numattentionheads", "heads"},
    {"numdevices", "devices"},
    {"numgpus", "devices"},
    {"numheads", "heads"},
    {"numhiddenlayers", "layers"},
    {"numkeyvalueheads", "kv_heads"},
    {"numlayers", "layers"},
    {"numnodes", "nodes"},
    {"parallel", "layout"},
    {"parallelism", "layout"},
    {"params", "parameters"},
    {"peft", "adapter"},
    {"pipelineparallel", "pipeline"},
    {"pipelineparallelsize", "pipeline"},
    {"pp", "pipeline"},
    {"qlora", "adapter"},
    {"recomputation", "recompute"},
    {"seq", "sequence"},
    {"seqlen", "sequence"},
    {"seqlength", "sequence"},
    {"sequencelength", "sequence"},
    {"sequenceparallel", "sequence_parallel"},
    {"sp", "sequence_parallel"},
    {"tensorparallel", "tensor"},
    {"tensorparallelsize", "tensor"},
    {"tp", "tensor"},
    {"trainingtokens", "tokens"},
    {"virtualpipeline", "chunks"},
    {"vocabsize", "vocab"},
    {"vpp", "chunks"},
    {"worldsize", "devices"},
    {"zerostage", "zero"},
};

const FieldWord* find_word(std::string_view word, std::span<const std::string_view> known) {
  std::string plain;
  for (const char c : word)
    if (c != '-' && c != '_' && c != ' ') plain += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  for (const FieldWord& entry : kWords)
    if (entry.word == plain && std::find(known.begin(), known.end(), entry.key) != known.end()) return &entry;
  return nullptr;
}

}  // namespace

std::string_view key_for(std::string_view word, std::span<const std::string_view> known) {
  const FieldWord* entry = find_word(word, known);
  return entry == nullptr ? std::string_view{} : entry->key;
}

std::string word_help(std::string_view word, std::span<const std::string_view> known) {
  const FieldWord* entry = find_word(word, known);
  if (entry == nullptr) return {};
  return "here that is '" + std::string(entry->key) +
         (entry->value.empty() ? "'" : ": " + std::string(entry->value) + "'");
}

}  // namespace floptally
