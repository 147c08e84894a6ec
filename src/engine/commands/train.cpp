// floptally train RUN: one training run: compute, memory per device, whether it fits.
#include <algorithm>

#include "base/file.h"
#include "base/json_quote.h"
#include "base/split.h"
#include "document/document.h"
#include "engine/facts.h"
#include "engine/format_memory.h"
#include "engine/override.h"
#include "engine/train_answer.h"
#include "network/format.h"
#include "network/ops.h"
#include "network/shipped.h"
#include "network/spec.h"
#include "quantity/quantity_text.h"

namespace floptally {
namespace {

Result<Network> read_network(const RunFile& file, std::int64_t sequence, const std::string& path, Sources& sources) {
  Inputs inputs;
  inputs.sequence = sequence;
  const Node& model = file.model;
  if (model.is_scalar()) return load_model(std::string(model.text()), inputs, sources, path);
  if (is_spec(model)) return build_spec(model, inputs, sources, path);
  return error("run-model", "this model is neither a name, a file nor a spec", model.span(),
               "model: llama-3.1-8b, {from: config.json}, {kind: decoder, ...} or {parameters: 8e9}");
}

Result<Network> read_model(const RunFile& file, std::int64_t sequence, const std::string& path, Sources& sources) {
  Result<Network> network = read_network(file, sequence, path, sources);
  if (!network || !file.packing) return network;
  const Result<bool> packed = pack(*network, *file.packing);
  if (!packed) return packed.problems();
  return network;
}

// "batch=1,2,4"
std::vector<TrainAxis> axes_of(const Request& request, Diagnostics& problems) {
  std::vector<std::string> words;
  const auto take = [&](std::string_view text) {  // "batch=1,2 sequence=4k" are two
    for (const std::string_view word : split(text, ' '))
      if (!word.empty()) words.emplace_back(word);
  };
  for (const std::string& text : request.words("over")) take(text);
  for (std::size_t i = 1; i < request.inputs.size(); ++i) take(request.inputs[i]);
  std::vector<TrainAxis> axes;
  for (const std::string& word : words) {
    TrainAxis axis;
    const std::size_t equals = word.find('=');
    axis.name = word.substr(0, equals);
    if (axis.name == "micro_batch") axis.name = "batch";
    if (axis.name == "seq" || axis.name == "seq_len") axis.name = "sequence";
    const std::size_t before = problems.size();
    std::string_view rest =
        equals == std::string::npos ? std::string_view{} : std::string_view(word).substr(equals + 1);
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      const std::string_view one = rest.substr(0, comma);
      const NumberText value = read_number(one, Suffix::length);  // 2k: 2048, as in the file
      if (value.length == one.size() && value.exact && Integer(0) < *value.exact &&
          *value.exact < Integer(std::int64_t{1} << 40))
        axis.values.push_back(value.exact->to_int64());
      else
        problems.push_back(error("bad-option", "--over expects sizes, found '" + std::string(one) + "'"));
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
    if (problems.size() > before) continue;
    if ((axis.name != "batch" && axis.name != "sequence") || axis.values.empty() || axis.values.size() > 64) {
      problems.push_back(
          error("bad-option", "--over expects batch=1,2,4 (micro-batches) or sequence=2k,4k, found '" + word + "'"));
    } else if (const auto same =
                   std::find_if(axes.begin(), axes.end(), [&](const TrainAxis& a) { return a.name == axis.name; });
               same != axes.end()) {
      problems.push_back(error("bad-option", "--over " + axis.name + " is there twice", {},
                               "one list: --over " + axis.name + "=1,2,4"));
    } else {
      axes.push_back(std::move(axis));
    }
  }
  return axes;
}

// A device that has no unit for the run's number format.
void check_format(const RunFile& file, Diagnostics& problems) {
  if (file.device == nullptr) return;
  const auto format = arithmetic_named(file.run.precision.arithmetic);
  if (!format || file.device->peak_of(*format)) return;
  std::string has;
  for (std::size_t i = 0; i < kArithmetics; ++i) {
    if (file.device->peak[i]) has += (has.empty() ? "" : ", ") + std::string(kArithmeticNames[i]);
  }
  problems.push_back(error("device-format",
                           file.device->name + " has no unit for " + file.run.precision.arithmetic + ", which '" +
                               file.run.precision.name + "' multiplies in",
                           file.precision_at, "it has " + has));
}

// Formats of a served model that neither the number formats nor the quantized ones know.
void check_serving(const RunFile& file, Diagnostics& problems) {
  if (!file.serving) return;
  const RunFile::Serving& s = *file.serving;
  if (!s.cache_scheme.empty() && !cache_scheme(s.cache_scheme).ok())
    problems.push_back(error("unknown-number-format", "keys and values in '" + s.cache_scheme + "' are not known",
                             s.cache_at, "bf16, fp16, fp8, int8, int4, q8_0, q4_0 ... (`floptally quantize --cache`)"));
  if (!s.weights_scheme.empty() && !weights_scheme(s.weights_scheme).ok())
    problems.push_back(error("unknown-number-format", "weights in '" + s.weights_scheme + "' are not known",
                             s.weights_at,
                             "bf16, fp8, int8, int4, nf4, mxfp4, q8_0, q4_k ...; GPTQ and AWQ in groups of 128 are "
                             "nearest to int4 (`floptally quantize --compare all` lists more)"));
}

// Images and other samples go through a device all at once unless the file says otherwise; sequences one by one.
void settle_micro_batch(RunFile& file, const Network* network) {
  if (file.micro_batch_given) return;
  Layout& l = file.run.layout;
  if (network != nullptr && network->unit != "token" && l.pipeline == 1 && file.root.find("train").find("batch"))
    l.micro_batch = std::max<std::int64_t>(1, file.run.batch / std::max<std::int64_t>(1, l.data));
  file.assumed.push_back({"layout.micro_batch", std::to_string(l.micro_batch)});
}

// Megatron-LM refuses to train experts under tensor parallelism without sequence parallelism (moe_layer.py).
void settle_experts(RunFile& file, const Divisors& divisors) {
  Layout& l = file.run.layout;
  const bool stated = static_cast<bool>(file.root.find("layout").find("sequence_parallel"));
  if (stated || l.sequence_parallel || l.tensor == 1 || divisors.experts == 0 || file.run.framework.name != "megatron")
    return;
  l.sequence_parallel = true;
  file.assumed.push_back({"layout.sequence_parallel", "true"});
}

// The rules that the layout breaks, each at its key where the file has it.
Diagnostics broken_rules(const RunFile& file, const Divisors& divisors) {
  Diagnostics problems =
      check_layout({file.run.layout, divisors, file.devices, file.run.framework.shards_pipelines}, file.layout_at);
  for (Diagnostic& problem : problems)
    for (const LayoutRule& rule : layout_rules())
      if (const Node key = file.root.find("layout").find(rule.key);
          rule.code == problem.code && key && !problem.labels.empty())
        problem.labels.front().span = key.span();
  return problems;
}

// A model's own file or folder: a config.json, a graph, stored tensors; no file of ours.
bool is_model_file(const std::string& path, Context& context) {
  const std::string_view name = path;
  if (path == "-" || !path_exists(path) || name.ends_with(".yaml") || name.ends_with(".yml")) return false;
  if (is_directory(path)) return true;
  if (!name.ends_with(".json")) {
    const Result<const FormatDef*> format = surest_format(path);
    return format.ok() && *format != nullptr;
  }
  const Result<const Source*> source = context.sources.read(path);
  if (!source.ok()) return false;
  const Result<Document> document = read_document(**source);
  if (!document.ok()) return false;
  const Node root = document->root();
  return !root.find("run") && (root.find("model_type") || root.find("architectures"));
}

// A RUN file; or a shipped model's name or a model's file: then a run of that model on one device, everything else
// assumed.
Result<const Source*> read_or_name(const std::string& path, Context& context) {
  if (path != "-" && !path_exists(path) && is_shipped_model(path))
    return &context.sources.add(path, "run: 1\nmodel: " + path + "\n");
  if (is_model_file(path, context)) {  // taken from the folder of the run, which is its own
    const std::string name = path.substr(path.find_last_of('/') + 1);  // all of it where there is no '/'
    return &context.sources.add(path, "{\"run\": 1, \"model\": " + json_quote(name.empty() ? "." : name) + "}\n");
  }
  return context.sources.read(path);
}

// Exporters for inference fold batch norms into the convolutions before them; training keeps what both take in.
void note_folded(const RunFile& file, const Network& network, Book& book) {
  const Node from = file.model.is_mapping() ? file.model.find("from") : file.model;
  if (!from.text().ends_with(".onnx")) return;
  std::size_t convolutions = 0, norms = 0;
  for (const Op& op : network.ops) {
    convolutions += op.def == &operators::k_convolution ? 1 : 0;
    norms +=
        op.def == &operators::k_batch_norm || op.def == &operators::k_group_norm || op.def == &operators::k_layer_norm
            ? 1
            : 0;
  }
  if (convolutions < 2 || norms > 0) return;
  book.notes.push_back(
      note("folded-norms",
           "the graph has convolutions and no norms: if it was exported for inference they were folded "
           "away, and training keeps more than this",
           from.span(), "torch.onnx.export(..., training=TrainingMode.TRAINING) leaves them there"));
}

void note_binary(const RunFile& file, Book& book) {
  for (const RunFile::Assumed& each : file.binary)
    book.notes.push_back(
        note("binary-suffix", each.name + ": " + each.value + " (k of a length or a batch is 1,024, M 1,048,576)"));
}

void note_assumptions(const RunFile& file, Book& book) {
  for (const RunFile::Assumed& a : file.assumed)
    book.notes.push_back(note("assumed", a.name + ": " + a.value + " (not given)"));
}

Result<Book> run(const Request& request, Context& context) {
  Diagnostics problems;
  const std::vector<TrainAxis> axes = axes_of(request, problems);
  if (!problems.empty()) return problems;
  const std::string& path = request.inputs.front();
  const Result<const Source*> source = read_or_name(path, context);
  if (!source) return source.problems();
  Result<Document> plain = read_document(**source);
  if (!plain) return plain.problems();
  const Result<Document> document = with_overrides(std::move(*plain), request, context);
  if (!document) return document.problems();
  const auto catalogue = catalogue_of(request, context);
  if (!catalogue) return catalogue.problems();
  Result<RunFile> read = read_run(document->root(), **catalogue);
  if (!read) return read.take_problems();
  RunFile& file = *read;
  const bool bare = !file.model || (file.model.is_mapping() && !is_spec(file.model) && file.parameters > 0);
  std::optional<Network> network;
  if (!bare) {
    Result<Network> loaded = read_model(file, file.run.sequence, path, context.sources);
    if (!loaded) return loaded.take_problems();
    network.emplace(*std::move(loaded));
    settle_micro_batch(file, &*network);
    settle_experts(file, divisors_of(*network, file.run));
  }
  const bool trains = file.model && !serves_only(file);  // else assumptions of a training that nobody asked for
  if (request.has("strict") && trains) {
    for (const RunFile::Assumed& a : file.assumed)
      problems.push_back(error("assumed-input", "'" + a.name + "' is assumed to be " + a.value + ", not given",
                               document->root().span(), "state it in the file, or drop --strict"));
    if (!problems.empty()) return problems;
  }
  if (network) {
    const Divisors divisors = divisors_of(*network, file.run);
    problems = broken_rules(file, divisors);
  }
  check_format(file, problems);
  check_serving(file, problems);
  if (!problems.empty()) return problems;
  TrainQuestion question{file, network ? &*network : nullptr, axes,
                         [&](std::int64_t sequence) { return read_model(file, sequence, path, context.sources); }};
  Result<Book> book = train_answer(question);
  if (book.ok()) note_binary(file, *book);
  if (book.ok() && network && trains) note_folded(file, *network, *book);
  if (book.ok() && trains) note_assumptions(file, *book);
  return book;
}

}  // namespace

namespace commands {
extern const CommandDef k_train;
const CommandDef k_train = {
    {"train",
     "one training run: compute, memory per device and rank over the step, and whether it fits",
     "RUN",
     1,
     4,
     {{"over", "AXIS=SIZES", "a map of the memory over batch=1,2,4 (micro-batch) or sequence=2k,4k,8k", true}},
     {"floptally train examples/runs/llama-8b.yaml",
      "floptally train examples/runs/llama-8b.yaml --over batch=1,2,4 --over sequence=4k,8k",
      "floptally train examples/runs/llama-8b.yaml -o timeline.svg",
      "floptally train llama-3-8b --set hardware.device=A100-SXM-80GB --set adapter.rank=16"}},
    run};
}  // namespace commands

}  // namespace floptally
