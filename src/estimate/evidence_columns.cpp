#include "estimate/evidence_columns.h"

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
    {"seq_len_max", ""},
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
    {"zero", "zerostage"},
    {"stages", ""},
    {"rank", ""},
    {"micro_batch", "mbs|microbatchsize|perdevicebatchsize|perdevicetrainbatchsize"},
    {"batch_per_gpu", "batchperdevice|batchsizepergpu"},
    {"global_batch", "gbs|globalbatchsize|trainbatchsize"},
    {"global_batch_tokens", ""},
    {"grad_accum", "gradientaccumulation|gradientaccumulationsteps|gradaccumsteps|accumulationsteps"},
    {"precision", "dtype"},
    {"recompute", "recomputation|activationrecompute"},
    {"framework", ""},
    {"attention", ""},
    {"adapter", ""},
    {"loss", ""},
    {"method", ""},
    {"train_type", ""},
    {"quantization", ""},
    {"optimizer", ""},
    {"sharding", ""},
    {"strategy", ""},
    {"cpu_offload", ""},
    {"arguments", ""},
    {"notes", "note"},
    {"oom", "outofmemory"},
    {"mem_alloc_gib", "allocatedgib|peakallocatedgib|maxallocatedgib|maxmemoryallocatedgib"},
    {"mem_reserved_gib", "reservedgib|peakreservedgib|maxreservedgib|maxmemoryreservedgib"},
    {"peak_mem_gib", "peakmemorygib|memorygib|memgib|maxmemorygib|vramgib"},
    {"peak_mem_gb", "peakmemorygb|memorygb|memgb|maxmemorygb|vramgb"},
    {"peak_mem", "peakmemory|memory|mem|maxmemory|vram|gpumemory"},
    {"iter_time_s", ""},
    {"tokens_per_s_per_gpu", ""},
    {"trainable_params", ""},
    {"quantity", ""},
    {"mib", ""}};

// The column that the header means; null: none.
const Column* meant_by(std::string_view header) {
  std::string word;  // "peak memory (GB)" is peak_mem_gb
  for (const char c : folded(header))
    if (c != '(' && c != ')' && c != '[' && c != ']') word += c;
  for (const Column& column : kColumns) {
    if (word == folded(column.name)) return &column;
    for (const std::string_view other : split(column.others, '|'))
      if (word == other) return &column;
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> name_columns(Csv& csv) {
  std::vector<std::string> unread;
  for (std::size_t i = 0; i < csv.columns(); ++i) {
    const Column* column = meant_by(csv.header(i));
    if (column == nullptr || (column->name != csv.header(i) && csv.find(column->name)))
      unread.emplace_back(csv.header(i));
    else if (column->name != csv.header(i))
      csv.rename(i, column->name);
  }
  return unread;
}

}  // namespace floptally
