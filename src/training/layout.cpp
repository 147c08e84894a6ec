#include "training/layout.h"

#include <algorithm>
#include <numeric>

namespace floptally {

std::string_view name_of(Schedule schedule) {
  static constexpr std::string_view kNames[kScheduleCount] = {"gpipe", "1f1b", "interleaved", "zb-h1",
                                                              "zb-h2", "zb-v", "dualpipe",    "dualpipe-v"};
  return kNames[static_cast<int>(schedule)];
}

std::int64_t Layout::model_chunks() const { return schedule == Schedule::dualpipe ? pipeline : pipeline * chunks; }

std::int64_t Layout::expert_data() const {
  return std::max<std::int64_t>(1, data * tensor * context / (expert * expert_tensor_of()));
}

std::int64_t micro_batches(const Layout& layout, std::int64_t batch) {
  const std::int64_t per_pass = layout.data * layout.micro_batch;
  return per_pass > 0 ? std::max<std::int64_t>(1, batch / per_pass) : 1;
}

namespace {

std::string text(std::int64_t n) { return std::to_string(n); }
bool divides(std::int64_t part, std::int64_t whole) { return whole == 0 || (part > 0 && whole % part == 0); }

// "1, 2, 4 or 8": the divisors of n that are at most `most`, the largest eight.
std::string divisors_text(std::int64_t n, std::int64_t most) {
  std::vector<std::int64_t> found;
  for (std::int64_t d = std::min(n, most); d >= 1 && found.size() < 8 && most - d < 1'000'000; --d) {
    if (n % d == 0) found.push_back(d);
  }
  std::string out;
  for (std::size_t i = found.size(); i-- > 0;) {
    out += text(found[i]);
    if (i > 1) out += ", ";
    if (i == 1) out += " or ";
  }
  return out;
}

std::string use_divisor(std::int64_t n, std::int64_t near) {
  return "use " + divisors_text(n, std::max<std::int64_t>(near * 4, 8));
}

// "[3, 4, 4, 3]": `layers` over `chunks`, those that lack one at the ends, where the embedding and the loss are.
std::string nearly_even(std::int64_t layers, std::int64_t chunks) {
  constexpr std::int64_t kMost = 64;
  if (chunks > layers || chunks > kMost) return "[...]";
  std::vector<std::int64_t> stages(static_cast<std::size_t>(chunks), (layers + chunks - 1) / chunks);
  const auto missing = static_cast<std::size_t>(chunks * stages.front() - layers);
  for (std::size_t i = 0; i < missing; ++i) --stages[i % 2 == 0 ? stages.size() - 1 - i / 2 : i / 2];
  std::string out;
  for (const std::int64_t n : stages) out += (out.empty() ? "[" : ", ") + text(n);
  return out + "]";
}

std::int64_t pipeline_chunks(const LayoutCase& c) { return c.layout.model_chunks(); }
std::int64_t stage_sum(const LayoutCase& c) {
  return std::accumulate(c.layout.stages.begin(), c.layout.stages.end(), std::int64_t{0});
}
bool two_directions(const LayoutCase& c) {
  return c.layout.schedule == Schedule::dualpipe || c.layout.schedule == Schedule::dualpipe_v ||
         c.layout.schedule == Schedule::zb_v;
}

const std::vector<LayoutRule> kRules = {
    {"layout-positive", "", "every degree of parallelism is at least 1", "definition",
     [](const LayoutCase& c) {
       const Layout& l = c.layout;
       return l.data > 0 && l.tensor > 0 && l.pipeline > 0 && l.chunks > 0 && l.context > 0 && l.expert > 0 &&
              l.micro_batch > 0 && l.expert_tensor >= 0 && l.shard >= 0;
     },
     [](const LayoutCase&) { return std::string("a degree of parallelism is zero or negative"); },
     [](const LayoutCase&) { return std::string("use 1 for a parallelism that is not used"); }},
    {"layout-devices", "data", "data * tensor * pipeline * context is the number of devices",
     "Megatron-LM parallel_state",
     [](const LayoutCase& c) { return c.devices == 0 || c.layout.devices() == c.devices; },
     [](const LayoutCase& c) {
       return "data " + text(c.layout.data) + " x tensor " + text(c.layout.tensor) + " x pipeline " +
              text(c.layout.pipeline) + " x context " + text(c.layout.context) + " = " + text(c.layout.devices()) +
              ", but there are " + text(c.devices) + " devices";
     },
     [](const LayoutCase& c) {
       const std::int64_t model = c.layout.tensor * c.layout.pipeline * c.layout.context;
       return c.devices % model == 0
                  ? "data: " + text(c.devices / model) + " would use them all"
                  : "tensor x pipeline x context (" + text(model) + ") must divide " + text(c.devices);
     }},
    {"layout-tensor-heads", "tensor", "tensor parallelism divides the attention heads",
     "Shoeybi et al. 1909.08053: heads are split whole",
     [](const LayoutCase& c) { return divides(c.layout.tensor, c.model.heads); },
     [](const LayoutCase& c) {
       return "tensor " + text(c.layout.tensor) + " does not divide " + text(c.model.heads) + " attention heads";
     },
     [](const LayoutCase& c) { return use_divisor(c.model.heads, c.layout.tensor); }},
    {"layout-tensor-kv-heads", "tensor",
     "tensor parallelism divides the key-value heads, or is a multiple of them (then they are copied)",
     "Megatron-LM: num_query_groups is a multiple or a divisor of the tensor size",
     [](const LayoutCase& c) {
       return c.model.kv_heads == 0 || c.model.kv_heads % c.layout.tensor == 0 ||
              c.layout.tensor % c.model.kv_heads == 0;
     },
     [](const LayoutCase& c) {
       return "tensor " + text(c.layout.tensor) + " and " + text(c.model.kv_heads) +
              " key-value heads do not divide each other";
     },
     [](const LayoutCase& c) { return use_divisor(c.model.kv_heads, c.layout.tensor); }},
    {"layout-tensor-ffn", "tensor", "tensor parallelism divides the feed-forward width", "Shoeybi et al. 1909.08053",
     [](const LayoutCase& c) { return divides(c.layout.tensor, c.model.ffn); },
     [](const LayoutCase& c) {
       return "tensor " + text(c.layout.tensor) + " does not divide the feed-forward width " + text(c.model.ffn);
     },
     [](const LayoutCase& c) { return use_divisor(c.model.ffn, c.layout.tensor); }},
    {"layout-pipeline-layers", "pipeline", "pipeline x chunks divides the layers, unless `stages` lists them",
     "Narayanan et al. 2104.04473",
     [](const LayoutCase& c) { return !c.layout.stages.empty() || divides(pipeline_chunks(c), c.model.layers); },
     [](const LayoutCase& c) {
       return text(pipeline_chunks(c)) + (c.layout.chunks > 1 ? " pipeline chunks do" : " pipeline stages do") +
              " not divide " + text(c.model.layers) + " layers";
     },
     [](const LayoutCase& c) {
       return use_divisor(c.model.layers, pipeline_chunks(c)) +
              ", or list the layers of each stage: `stages: " + nearly_even(c.model.layers, pipeline_chunks(c)) + "`";
     }},
    {"layout-stages", "stages", "`stages` lists pipeline x chunks numbers that add up to the layers", "definition",
     [](const LayoutCase& c) {
       return c.layout.stages.empty() || (static_cast<std::int64_t>(c.layout.stages.size()) == pipeline_chunks(c) &&
                                          (c.model.layers == 0 || stage_sum(c) == c.model.layers));
     },
     [](const LayoutCase& c) {
       return "`stages` lists " + text(static_cast<std::int64_t>(c.layout.stages.size())) + " numbers that add up to " +
              text(stage_sum(c)) + "; " + text(pipeline_chunks(c)) + " chunks and " + text(c.model.layers) +
              " layers are needed";
     },
     [](const LayoutCase&) { return std::string("one number of layers for each chunk, in model order"); }},
    {"layout-interleaved", "schedule",
     "the interleaved schedule needs a pipeline and more than one chunk; other schedules use one (V schedules two)",
     "Narayanan et al. 2104.04473, section 2.2; Qi et al. 2401.10241; DeepSeek-V3 2412.19437",
     [](const LayoutCase& c) {
       const Layout& l = c.layout;
       if (l.schedule == Schedule::interleaved) return l.pipeline > 1 && l.chunks > 1;
       if (two_directions(c)) return l.chunks == 2;
       return l.chunks == 1;
     },
     [](const LayoutCase& c) {
       return "schedule " + std::string(name_of(c.layout.schedule)) + " with pipeline " + text(c.layout.pipeline) +
              " and chunks " + text(c.layout.chunks);
     },
     [](const LayoutCase& c) {
       return std::string(two_directions(c)
                              ? "V schedules and DualPipe hold 2 chunks per rank"
                              : "schedule: interleaved needs chunks of 2 or more and pipeline of 2 or more");
     }},
    {"layout-interleaved-batch", "schedule",
     "the interleaved schedule needs micro-batches in whole groups of `pipeline`", "Megatron-LM schedules",
     [](const LayoutCase& c) {
       return c.layout.schedule != Schedule::interleaved || c.model.batch == 0 ||
              micro_batches(c.layout, c.model.batch) % c.layout.pipeline == 0;
     },
     [](const LayoutCase& c) {
       return text(micro_batches(c.layout, c.model.batch)) + " micro-batches are not a multiple of " +
              text(c.layout.pipeline) + " pipeline ranks";
     },
     [](const LayoutCase& c) {
       return "make batch a multiple of data x micro_batch x pipeline = " +
              text(c.layout.data * c.layout.micro_batch * c.layout.pipeline);
     }},
    {"layout-both-ways", "schedule",
     "DualPipe needs an even pipeline and an even number of micro-batches, it and DualPipeV two of them a rank",
     "deepseek-ai/DualPipe: num_chunks >= num_ranks * 2",
     [](const LayoutCase& c) {
       const Layout& l = c.layout;
       if (l.schedule != Schedule::dualpipe && l.schedule != Schedule::dualpipe_v) return true;
       const std::int64_t micro = c.model.batch == 0 ? 0 : micro_batches(l, c.model.batch);
       if (l.schedule == Schedule::dualpipe && (l.pipeline % 2 != 0 || micro % 2 != 0)) return false;
       return micro == 0 || micro >= 2 * l.pipeline;
     },
     [](const LayoutCase& c) {
       return "schedule " + std::string(name_of(c.layout.schedule)) + " with " +
              text(micro_batches(c.layout, c.model.batch)) + " micro-batches and pipeline " + text(c.layout.pipeline);
     },
     [](const LayoutCase& c) {
       const std::int64_t p = c.layout.pipeline;
       if (c.layout.schedule == Schedule::dualpipe && p % 2 != 0)
         return "use an even pipeline, such as " + text(p + 1) + ", or schedule: dualpipe-v";
       return "use a batch of at least " + text(2 * p * c.layout.data * c.layout.micro_batch) + " sequences (" +
              text(2 * p) + " micro-batches of " + text(c.layout.data * c.layout.micro_batch) + ")";
     }},
    {"layout-batch", "micro_batch", "data x micro_batch divides the batch", "definition",
     [](const LayoutCase& c) { return divides(c.layout.data * c.layout.micro_batch, c.model.batch); },
     [](const LayoutCase& c) {
       return "data " + text(c.layout.data) + " x micro_batch " + text(c.layout.micro_batch) +
              " does not divide the batch of " + text(c.model.batch);
     },
     [](const LayoutCase& c) {
       const std::int64_t unit = c.layout.data * c.layout.micro_batch;
       return unit > 0 ? "use a batch of " + text(std::max<std::int64_t>(1, (c.model.batch + unit - 1) / unit) * unit)
                       : std::string();
     }},
    {"layout-context", "context",
     "context parallelism divides the sequence (twice, for a ring that balances causal work)",
     "Megatron-LM: 2 x context divides the sequence",
     [](const LayoutCase& c) {
       return c.layout.context == 1 ||
              divides(c.layout.context * (c.layout.context_kind == ContextKind::ring ? 2 : 1), c.model.sequence);
     },
     [](const LayoutCase& c) {
       return "context " + text(c.layout.context) + " does not cut a sequence of " + text(c.model.sequence);
     },
     [](const LayoutCase& c) { return use_divisor(c.model.sequence, c.layout.context); }},
    {"layout-context-heads", "context", "all-to-all context parallelism divides the heads of a tensor rank",
     "Jacobs et al. 2309.14509 (Ulysses)",
     [](const LayoutCase& c) {
       return c.layout.context_kind != ContextKind::all_to_all || c.layout.context == 1 ||
              divides(c.layout.context * c.layout.tensor, c.model.heads);
     },
     [](const LayoutCase& c) {
       return "tensor " + text(c.layout.tensor) + " x context " + text(c.layout.context) + " does not divide " +
              text(c.model.heads) + " heads";
     },
     [](const LayoutCase&) { return std::string("use `context_kind: ring`, or a smaller context degree"); }},
    {"layout-sequence-parallel", "sequence_parallel", "sequence parallelism splits the sequence over the tensor ranks",
     "Korthikanti et al. 2205.05198",
     [](const LayoutCase& c) {
       return !c.layout.sequence_parallel || divides(c.layout.tensor * c.layout.context, c.model.sequence);
     },
     [](const LayoutCase& c) {
       return "tensor x context = " + text(c.layout.tensor * c.layout.context) + " does not divide a sequence of " +
              text(c.model.sequence);
     },
     [](const LayoutCase& c) { return use_divisor(c.model.sequence, c.layout.tensor * c.layout.context); }},
    {"layout-experts", "expert", "expert parallelism divides the experts", "Megatron-LM; Lepikhin et al. 2006.16668",
     [](const LayoutCase& c) {
       return c.layout.expert == 1 || (c.model.experts > 0 && c.model.experts % c.layout.expert == 0);
     },
     [](const LayoutCase& c) {
       return c.model.experts == 0
                  ? "expert " + text(c.layout.expert) + ", but the model has no experts"
                  : "expert " + text(c.layout.expert) + " does not divide " + text(c.model.experts) + " experts";
     },
     [](const LayoutCase& c) {
       return c.model.experts == 0 ? std::string("leave `expert` out") : use_divisor(c.model.experts, c.layout.expert);
     }},
    {"layout-expert-devices", "expert",
     "expert x expert_tensor divides the ranks of a pipeline stage (data x tensor x context)",
     "Megatron-LM: expert groups are built from the ranks of one stage",
     [](const LayoutCase& c) {
       return c.layout.expert == 1 || divides(c.layout.expert * c.layout.expert_tensor_of(),
                                              c.layout.data * c.layout.tensor * c.layout.context);
     },
     [](const LayoutCase& c) {
       return "expert " + text(c.layout.expert) + " x expert_tensor " + text(c.layout.expert_tensor_of()) +
              " does not divide the " + text(c.layout.data * c.layout.tensor * c.layout.context) + " ranks of a stage";
     },
     [](const LayoutCase& c) {
       const std::int64_t ranks = c.layout.data * c.layout.tensor * c.layout.context,
                          each = c.layout.expert_tensor_of();
       if (each > 1 && !divides(each, ranks)) return "expert_tensor " + text(each) + " must divide " + text(ranks);
       return use_divisor(ranks / std::max<std::int64_t>(1, each), c.layout.expert) +
              (each > 1 ? ", or expert_tensor: 1" : "");
     }},
    {"layout-zero-pipeline", "zero",
     "ZeRO 2 and 3 do not go with a pipeline, except in frameworks that keep a stage whole (FSDP2) or gather by layer "
     "(MaxText)",
     "DeepSpeed: gradients are needed whole until the last micro-batch; data/training/frameworks.csv, shards_pipelines",
     [](const LayoutCase& c) {
       return c.layout.pipeline == 1 || c.layout.zero < Zero::gradients || c.shards_pipelines;
     },
     [](const LayoutCase& c) {
       return "zero " + text(static_cast<int>(c.layout.zero)) + " with pipeline " + text(c.layout.pipeline);
     },
     [](const LayoutCase&) {
       return std::string("use zero: 1 with a pipeline; framework: fsdp or maxtext can do more");
     }},
    {"layout-shard", "shard", "the shard group of HSDP divides the data-parallel ranks, which share something (zero)",
     "PyTorch FSDP HYBRID_SHARD",
     [](const LayoutCase& c) {
       return c.layout.shard == 0 ||
              (c.layout.zero != Zero::none && divides(c.layout.shard, c.layout.data * c.layout.context));
     },
     [](const LayoutCase& c) {
       if (c.layout.zero == Zero::none) return "shard " + text(c.layout.shard) + ", but zero 0 shares nothing";
       return "shard " + text(c.layout.shard) + " does not divide " + text(c.layout.data * c.layout.context) +
              " data-parallel ranks";
     },
     [](const LayoutCase& c) {
       if (c.layout.zero == Zero::none) return std::string("zero: 3 is HSDP; or leave `shard` out");
       return use_divisor(c.layout.data * c.layout.context, c.layout.shard);
     }},
};

}  // namespace

const std::vector<LayoutRule>& layout_rules() { return kRules; }

bool is_legal(const LayoutCase& c) {
  return std::all_of(kRules.begin(), kRules.end(), [&c](const LayoutRule& rule) { return rule.holds(c); });
}

Diagnostics check_layout(const LayoutCase& c, Span at) {
  Diagnostics out;
  bool devices = true;
  for (const LayoutRule& rule : kRules) {
    if (rule.holds(c)) continue;
    if (rule.code == "layout-batch" && !devices) continue;                       // of replicas that there are not
    if (rule.code == "layout-expert-devices" && c.model.experts == 0) continue;  // layout-experts says it
    devices = devices && rule.code != "layout-devices";
    out.push_back(error(std::string(rule.code), rule.says(c), at, rule.help(c)));
    if (rule.code == "layout-positive") break;  // the others divide by these
  }
  return out;
}

}  // namespace floptally
