#include "evidence/columns.h"

#include <string_view>

#include "base/split.h"
#include "training/table.h"

namespace floptally {
namespace {

// A column that rows are read by, and other words for it: lower case without blanks and punctuation.
struct Column {
  std::string_view name, others;
};

constexpr Column kColumns[] = {
    {"id", ""},
    {"src", ""},
    {"source", ""},
    {"model", "modelname|network"},
    {"arch", ""},
    {"family", ""},
    {"task", ""},
    {"params", "parameters|nparams|numparameters"},
    {"layers", "numlayers|numhiddenlayers"},
    {"n_layers", ""},
    {"hidden", "hiddensize|width|dmodel"},
    {"heads", "numheads|nheads|numattentionheads|attentionheads"},
    {"kv_heads", "numkeyvalueheads|numkvheads|nkvheads|keyvalueheads"},
    {"head_dim", "headsize"},
    {"ffn", "intermediatesize|ffnhiddensize|ffndim"},
    {"gated_ffn", ""},
    {"moe_ffn", ""},
    {"vocab", "vocabsize|vocabulary"},
    {"tied", "tiedembeddings|tiewordembeddings"},
    {"experts", "numexperts|nexperts"},
    {"topk", "expertspertoken|numexpertspertok"},
    {"seq_len", "sequence|seq|sequencelength|seqlength|maxseqlen|maxseqlength"},
    {"seq_len_max", "cutofflen|blocksize|maxlength|contextlen"},
    {"context_length", ""},
    {"gpu", "device|gputype|gpumodel|gpuname|accelerator|hardware"},
    {"n_gpus", "gpus|devices|numgpus|numdevices|ndevices|worldsize|gpucount|devicecount|numberofgpus"},
    {"gpus_per_node", "devicespernode|node"},
    {"tp", "tensor|tensorparallel|tensorparallelsize|tpsize|tensormodelparallelsize"},
    {"pp", "pipeline|pipelineparallel|pipelineparallelsize|ppsize|pipelinemodelparallelsize"},
    {"vp", "chunks|virtualstages"},
    {"cp", "contextparallel|contextparallelsize|cpsize"},
    {"ep", "expert|expertparallel|expertparallelsize|epsize|expertmodelparallelsize"},
    {"etp", "experttensor|experttensorparallelsize"},
    {"dp", "data|dataparallel|dataparallelsize|dpsize"},
    {"sp", "sequenceparallel"},
    {"zero", "zerostage|deepspeedstage"},
    {"stages", ""},
    {"rank", ""},
    {"micro_batch", "mbs|microbatchsize|perdevicebatchsize|perdevicetrainbatchsize"},
    {"batch_per_gpu", "batchperdevice|batchsizepergpu"},
    {"global_batch", "gbs|globalbatchsize|trainbatchsize"},
    {"global_batch_tokens", ""},
    {"grad_accum", "gradientaccumulation|gradientaccumulationsteps|gradaccumsteps|accumulationsteps"},
    {"precision", "dtype"},
    {"recompute",
     "recomputation|activationrecompute|gradientcheckpointing|activationcheckpointing|checkpointing|remat"},
    {"framework", ""},
    {"attention", ""},
    {"adapter", ""},
    {"lora_rank", "lorar"},
    {"lora_targets", "loratargetmodules|targetmodules|loratarget"},
    {"loss", ""},
    {"method", ""},
    {"train_type", ""},
    {"quantization", ""},
    {"optimizer", "optim"},
    {"sharding", ""},
    {"strategy", ""},
    {"cpu_offload", ""},
    {"arguments", ""},
    {"notes", "note"},
    {"oom", "outofmemory"},
    {"iter_time_s", ""},
    {"tokens_per_s_per_gpu", ""},
    {"trainable_params", ""},
    {"quantity", ""},
    {"mib", ""}};

// Which of a run's memories a column holds, before its unit: "max memory allocated (MiB)", "vram_gb".
constexpr Column kMemories[] = {
    {"mem_alloc",
     "memalloc|memallocated|allocated|peakallocated|maxallocated|maxmemoryallocated|peakmemoryallocated|"
     "maxmemalloc|peakmemalloc|allocatedmemory|memoryallocated|peakallocatedmemory"},
    {"mem_reserved",
     "memreserved|reserved|peakreserved|maxreserved|maxmemoryreserved|peakmemoryreserved|"
     "maxmemreserved|peakmemreserved|reservedmemory|memoryreserved|peakreservedmemory"},
    {"peak_mem",
     "peakmem|peakmemory|memory|mem|maxmemory|maxmem|vram|gpumemory|gpumem|peakvram|maxvram|vramused|"
     "vramusage|peakgpumemory|peakgpumem|maxgpumemory|memoryused|memused|memoryusage|memusage|"
     "peakmemoryusage|gpumemoryused|gpumemoryusage"}};

constexpr std::string_view kUnits[] = {"_gib", "_gb", "_mib", "_mb", "_bytes"};

bool drop_end(std::string& word, std::string_view end) {
  if (word.size() <= end.size() || !word.ends_with(end)) return false;
  word.resize(word.size() - end.size());
  return true;
}

// The name of a memory's column, such as mem_alloc_mib; empty where it is none.
std::string memory_column(std::string word) {
  const auto drop_place = [&] {
    return drop_end(word, "pergpu") || drop_end(word, "perdevice") || drop_end(word, "perrank");
  };
  drop_place();
  std::string_view unit;
  for (const std::string_view each : kUnits) {
    if (!unit.empty() || !drop_end(word, each.substr(1))) continue;
    unit = each;
    drop_place();
  }
  for (const Column& memory : kMemories) {
    for (const std::string_view other : split(memory.others, '|'))
      if (word == other) return std::string(memory.name) + std::string(unit);
  }
  return {};
}

// The column that the header means; empty: none.
std::string meant_by(std::string_view header) {
  std::string word;  // "peak memory (GB)" is peak_mem_gb
  for (const char c : folded(header))
    if (c != '(' && c != ')' && c != '[' && c != ']' && c != '/') word += c;
  for (const Column& column : kColumns) {
    if (word == folded(column.name)) return std::string(column.name);
    for (const std::string_view other : split(column.others, '|'))
      if (word == other) return std::string(column.name);
  }
  return memory_column(word);
}

}  // namespace

std::vector<std::string> name_columns(Csv& csv) {
  std::vector<std::string> unread;
  for (std::size_t i = 0; i < csv.columns(); ++i) {
    const std::string column = meant_by(csv.header(i));
    if (column.empty() || (column != csv.header(i) && csv.find(column)))
      unread.emplace_back(csv.header(i));
    else if (column != csv.header(i))
      csv.rename(i, column);
  }
  return unread;
}

}  // namespace floptally
