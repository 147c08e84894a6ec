// The words of other programs for what a RUN file says, with the key each belongs to.
#pragma once

#include <string_view>

namespace floptally {

struct RunWord {
  std::string_view words;  // separated by '|', lower case, without '-', '_' and blanks
  std::string_view path;   // where the value belongs
  std::string_view value;  // what stands there where the word is a flag that is on; empty: as written
};

inline constexpr RunWord kRunWords[] = {
    {"basemodel|modelname|modelnameorpath|modelpath|pretrainedmodelnameorpath|modelid|hfmodel|network", "model", {}},
    {"traintokens|totaltokens|trainingtokens|numtokens|maxtokens|ntokens", "train.tokens", {}},
    {"maxsteps|trainsteps|numsteps|trainiters|maxiters|iterations|totalsteps|trainingsteps|numtrainsteps",
     "train.steps",
     {}},
    {"numepochs|numtrainepochs", "train.epochs", {}},
    {"globalbatch|globalbatchsize|gbs|trainbatchsize|totalbatchsize|batchsize", "train.batch", {}},
    {"seq|seqlen|seqlength|sequencelen|sequencelength|maxseqlen|maxseqlength|contextlength|contextsize|contextwindow|"
     "blocksize|cutofflen|modelmaxlength|maxlength|maxsequencelength",
     "train.sequence",
     {}},
    {"gpu|accelerator|chip|gputype|gpumodel|gpuname|devicename|devicetype", "hardware.device", {}},
    {"gpus|ngpus|numgpus|numdevices|ndevices|gpucount|devicecount|worldsize|numprocesses|ranks|chips|accelerators",
     "hardware.devices",
     {}},
    {"numnodes|nnodes|numberofnodes", "hardware.nodes", {}},
    {"gpuspernode|nprocpernode|devicespernode|ntaskspernode", "hardware.node", {}},
    {"tp|tpsize|tpdegree|tensorparallel|tensorparallelsize|tensorparalleldegree|tensormodelparallelsize",
     "layout.tensor",
     {}},
    {"pp|ppsize|ppdegree|pipelineparallel|pipelineparallelsize|pipelineparalleldegree|pipelinemodelparallelsize",
     "layout.pipeline",
     {}},
    {"vp|vpp|virtualpipeline|virtualpipelineparallelsize|virtualpipelinemodelparallelsize|interleaving",
     "layout.chunks",
     {}},
    {"cp|cpsize|contextparallel|contextparallelsize|contextparalleldegree", "layout.context", {}},
    {"ep|epsize|expertparallel|expertparallelsize|expertparalleldegree|expertmodelparallelsize", "layout.expert", {}},
    {"etp|experttensorparallel|experttensorparallelsize|experttensorparalleldegree", "layout.expert_tensor", {}},
    {"dp|dpsize|dataparallel|dataparallelsize|dataparalleldegree", "layout.data", {}},
    {"dpshard|dataparallelsharddegree|hsdpshard|fsdpsize", "layout.shard", {}},
    {"sp|sequenceparallelism", "layout.sequence_parallel", {}},
    {"zerostage|zero|zerooptimizationstage|deepspeedstage|stage|shardingstrategy|fsdpshardingstrategy|sharding",
     "layout.zero",
     {}},
    {"fsdp|fsdp2|usefsdp|fullshard", "layout.zero", "3"},
    {"usedistributedoptimizer|distributedoptimizer|usezero1", "layout.zero", "1"},
    {"ppschedule|pipelineschedule|pipelineparallelschedule", "layout.schedule", {}},
    {"mbs|microbatchsize|perdevicetrainbatchsize|perdevicebatchsize|trainmicrobatchsizepergpu|localbatchsize|"
     "batchsizeperdevice|batchsizepergpu|devicebatchsize",
     "layout.micro_batch",
     {}},
    {"gradientaccumulationsteps|gradientaccumulation|gradaccum|gradaccumsteps|accumulategradbatches|"
     "accumulationsteps",
     "accumulate",
     {}},
    {"dtype|torchdtype|mixedprecision|mixedprecisionparam|amp", "precision", {}},
    {"bf16|usebf16|bfloat16", "precision", "bf16-mixed"},
    {"fp16|usefp16|float16", "precision", "fp16-mixed"},
    {"fp8|usefp8", "precision", "fp8-delayed"},
    {"optim|optimizername|optimizertype|optimname", "optimizer", {}},
    {"gradientcheckpointing|activationcheckpointing|activationcheckpoint|activationrecompute|recomputegranularity|"
     "recomputeactivations|checkpointactivations|recomputation|usegradientcheckpointing|remat|rematpolicy|ac|"
     "acmode|checkpointing",
     "recompute",
     {}},
    {"cpuoffload|offloadoptimizer|optimizercpuoffload|offloadoptimizerdevice", "offload.optimizer", {}},
    {"offloadparam|offloadparams|fsdpoffloadparams|offloadparamdevice", "offload.weights", {}},
    {"activationoffloading|offloadactivations|cpuoffloading", "offload.activations", {}},
    {"lora|qlora|peft|finetuningtype|peftmethod|usepeft|uselora", "adapter", {}},
    {"r|lorar|lorarank|loradim", "adapter.rank", {}},
    {"loradropout", "adapter.dropout", {}},
    {"targetmodules|loratargetmodules|loratarget|loramodules", "adapter.targets", {}},
    {"loratargetlinear", "adapter.targets", "[query, key, value, output, mlp]"},
    {"loadin4bit|use4bit", "adapter.base", "nf4"},
    {"loadin8bit", "adapter.base", "int8"},
    {"bnb4bitusedoublequant|usedoublequant|usenesteddquant", "adapter.base", "nf4-dq"},
    {"attnimplementation|attentionbackend|attnimpl", "attention", {}},
    {"flashattention|flashattention2|useflashattn|useflashattention|flashattn", "attention", "fused"},
    {"torchcompile|usetorchcompile", "compile", {}},
    {"attentiondropout|hiddendropout|residdropout|attndropout", "dropout", {}},
    {"backend|trainer|library|distributedbackend", "framework", {}},
};

// Within `inference`, where "batch_size" and "dtype" are other things.
inline constexpr RunWord kServingWords[] = {
    {"batchsize|bs|concurrency|maxnumseqs|sequences|requests", "inference.batch", {}},
    {"seq|seqlen|seqlength|sequence|sequencelength|contextlength|contextlen|maxmodellen|maxseqlen|tokens|length|ctx",
     "inference.context",
     {}},
    {"dtype|precision|quantization|quant|weightdtype|weightformat|format", "inference.weights", {}},
    {"kvcachedtype|kvdtype|kvcache|cachedtype|cacheformat|kv", "inference.cache", {}},
};

}  // namespace floptally
