#include "numerics/quantize_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>

#include "base/file.h"
#include "base/json_quote.h"
#include "base/parallel.h"

namespace floptally::numerics {
namespace {

constexpr std::size_t kWave = 64;              // chunks in flight between two ordered merges
constexpr std::uint64_t kCopy = 1u << 20;      // bytes a copied piece
constexpr std::uint64_t kMaxProbe = 1u << 20;  // inputs of a matrix that is still probed
constexpr std::size_t kRandomVectors = 4;

std::optional<Stored> stored_of(const TensorEntry& tensor) {
  if (tensor.type == nullptr) return std::nullopt;
  const std::string_view name = tensor.type->name;
  if (name == "fp32") return Stored::fp32;
  if (name == "fp16") return Stored::fp16;
  if (name == "bf16") return Stored::bf16;
  if (name == "fp64") return Stored::fp64;
  return std::nullopt;
}

bool any_match(const std::vector<std::string>& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& p) { return matches_glob(p, name); });
}

std::uint64_t count_of(const TensorEntry& tensor) { return static_cast<std::uint64_t>(tensor.elements().to_int64()); }

// Inputs of a matrix: what one row holds. 0 where the tensor is none.
std::uint64_t columns_of(const TensorEntry& tensor) {
  if (tensor.shape.size() < 2 || count_of(tensor) == 0) return 0;
  return count_of(tensor) / static_cast<std::uint64_t>(tensor.shape[0]);
}

// Which tensors are quantized, and why the others are not.
std::vector<TensorReport> select(const TensorFile& file, const QuantizeOptions& options) {
  const auto is_matrix = [](const TensorEntry& t) { return t.shape.size() >= 2 && stored_of(t).has_value(); };
  const bool matrices = std::any_of(file.tensors.begin(), file.tensors.end(), is_matrix);
  std::vector<TensorReport> reports;
  for (const TensorEntry& tensor : file.tensors) {
    TensorReport report;
    report.tensor = &tensor;
    if (tensor.type == nullptr)
      report.reason = "its shard is not here";
    else if (!stored_of(tensor))
      report.reason = "its type is " + std::string(tensor.type->name);
    else if (any_match(options.keep, tensor.name))
      report.reason = "--keep";
    else if (!options.only.empty() && !any_match(options.only, tensor.name))
      report.reason = "not in --only";
    else if (options.only.empty() && matrices && tensor.shape.size() < 2)
      report.reason = "not a matrix";
    else
      report.reason = unfit(options.scheme, tensor.shape);
    report.quantized = report.reason.empty();
    report.bytes_after = tensor.bytes;
    reports.push_back(std::move(report));
  }
  return reports;
}

std::uint64_t bytes_of(const std::vector<Part>& parts) {
  std::uint64_t sum = 0;
  for (const Part& part : parts) sum += part.bytes;
  return sum;
}

void add_up(QuantizeReport& report) {
  for (const TensorReport& tensor : report.tensors) {
    report.bytes_before += tensor.tensor->bytes;
    report.bytes_after += tensor.bytes_after;
    if (!tensor.quantized) continue;
    report.weights += count_of(*tensor.tensor);
    report.weight_bytes += tensor.bytes_after;
    report.total.merge(tensor.measure);
  }
}

// Where one tensor's parts go.
struct Target {
  const OutputFile* file = nullptr;
  std::vector<std::uint64_t> offsets;  // of each part
};

class Job {
 public:
  Job(const TensorFile& file, const QuantizeOptions& options)
      : file_(file),
        options_(options),
        threads_(threads_for(kWave, static_cast<unsigned>(std::min<std::size_t>(options.threads, kWave)))),
        scratch_(threads_) {}

  Result<bool> open() {
    for (const std::string& path : file_.files) {
      Result<InputFile> input = InputFile::open(path);
      if (!input.ok()) return input.take_problems();
      inputs_.push_back(*std::move(input));
    }
    return true;
  }

  // Range, non-finite values and the scheme's own passes. Afterwards report.quantized says whether it stays in.
  Result<std::unique_ptr<Encoder>> analyze(TensorReport& report);
  Result<bool> encode(const Encoder& encoder, TensorReport& report, const Target& target, QuantizeReport& all);
  Result<bool> copy(const TensorEntry& tensor, const OutputFile& out, std::uint64_t offset);

 private:
  Result<bool> measure_range(TensorReport& report);
  [[nodiscard]] Result<const TensorEntry*> activations_of(const TensorReport& report) const;
  [[nodiscard]] Result<Probe> probe_of(TensorReport& report) const;

  // One a thread, kept from chunk to chunk: a fresh allocation of this size would be fresh pages each time.
  struct Scratch {
    std::vector<std::byte> raw;
    std::vector<float> values;
    Encoded1 encoded;
  };

  // Runs body(i, i's place in the wave, the thread's scratch) for i in [0, count), then merge(i) in order, wave by
  // wave. The first problem (by index) stops it.
  template <class Body, class Merge>
  Result<bool> in_order(std::size_t count, Body&& body, Merge&& merge) {
    for (std::size_t begin = 0; begin < count; begin += kWave) {
      const std::size_t end = std::min(count, begin + kWave);
      std::vector<std::optional<Diagnostics>> problems(end - begin);
      parallel_for(end - begin, std::min(threads_, threads_for(end - begin, threads_)),
                   [&](std::size_t slot, unsigned worker) {
                     Result<bool> done = body(begin + slot, slot, scratch_[worker]);
                     if (!done.ok()) problems[slot] = done.take_problems();
                   });
      for (std::optional<Diagnostics>& problem : problems)
        if (problem) return *std::move(problem);
      for (std::size_t i = begin; i < end; ++i) merge(i, i - begin);
    }
    return true;
  }

  Result<bool> read(const TensorEntry& tensor, const Chunk& chunk, std::vector<std::byte>& raw) const {
    const std::uint64_t width = size_of(*stored_of(tensor));
    raw.resize(chunk.size() * width);
    return inputs_[tensor.file].read_at(tensor.offset + chunk.begin * width, raw.data(), raw.size());
  }

  // A chunk's values, into scratch.values.
  Result<bool> values(const TensorReport& report, const Chunk& chunk, Scratch& scratch) const {
    Result<bool> got = read(*report.tensor, chunk, scratch.raw);
    if (!got.ok()) return got;
    std::vector<float>& out = scratch.values;
    out.resize(chunk.size());
    widen(*stored_of(*report.tensor), scratch.raw.data(), chunk.size(), out.data());
    if (report.range.nans + report.range.infinities > 0)
      for (float& v : out)
        if (!std::isfinite(v))
          v = std::isnan(v) ? 0.0f : static_cast<float>(v < 0 ? report.range.low : report.range.high);
    return true;
  }

  const TensorFile& file_;
  const QuantizeOptions& options_;
  std::vector<InputFile> inputs_;
  unsigned threads_;
  std::vector<Scratch> scratch_;
};

Result<bool> Job::measure_range(TensorReport& report) {
  const TensorEntry& tensor = *report.tensor;
  const std::uint64_t count = count_of(tensor);
  const std::size_t chunks = static_cast<std::size_t>((count + kChunk - 1) / kChunk);
  std::vector<Range> ranges(kWave);
  std::uint64_t finite = 0;
  const auto part = [&](std::size_t i) { return Chunk{i * kChunk, std::min<std::uint64_t>(count, (i + 1) * kChunk)}; };
  return in_order(
      chunks,
      [&](std::size_t i, std::size_t slot, Scratch& scratch) -> Result<bool> {
        std::vector<std::byte>& raw = scratch.raw;
        Result<bool> got = read(tensor, part(i), raw);
        if (got.ok()) ranges[slot] = range_of(*stored_of(tensor), raw.data(), part(i).size());
        return got;
      },
      [&](std::size_t i, std::size_t slot) {
        const std::uint64_t here = part(i).size() - ranges[slot].nans - ranges[slot].infinities;
        report.range = merge(report.range, finite, ranges[slot], here);
        finite += here;
      });
}

Result<std::unique_ptr<Encoder>> Job::analyze(TensorReport& report) {
  const TensorEntry& tensor = *report.tensor;
  Result<bool> done = measure_range(report);
  if (!done.ok()) return done.take_problems();
  if (report.range.nans + report.range.infinities > 0 && options_.non_finite != NonFinite::zero) {
    const std::string what = tensor.quoted() + " holds " + std::to_string(report.range.nans) + " NaN and " +
                             std::to_string(report.range.infinities) + " infinite values";
    if (options_.non_finite == NonFinite::refuse)
      return error("non-finite-weights", what, {},
                   "--non-finite keep leaves such tensors as they are, --non-finite zero replaces "
                   "NaN by 0 and infinity by the largest finite value");
    report.quantized = false;
    report.reason = "it holds NaN or infinity";
    return std::unique_ptr<Encoder>();
  }
  // A double beyond fp32 would become infinite on the way in.
  if (report.range.magnitude() > 3.4028234663852886e38) {
    report.quantized = false;
    report.reason = "it holds values beyond fp32";
    return std::unique_ptr<Encoder>();
  }
  Result<const TensorEntry*> given = activations_of(report);
  if (!given.ok()) return given.take_problems();
  std::optional<std::vector<std::uint32_t>> outliers;
  if (*given != nullptr && options_.scheme.method == Method::llm_int8) {
    auto found = options_.activations->outliers(**given, options_.scheme.outlier_threshold);
    if (!found.ok()) return found.take_problems();
    outliers = *std::move(found);
  }
  auto encoder = std::make_unique<Encoder>(options_.scheme, std::vector(tensor.shape.begin(), tensor.shape.end()),
                                           *stored_of(tensor), report.range, outliers ? &*outliers : nullptr);
  if (std::string why = encoder->impossible(); !why.empty()) {
    report.quantized = false;
    report.reason = std::move(why);
    return std::unique_ptr<Encoder>();
  }
  while (encoder->wants_pass()) {
    std::vector<Gathered> gathered(kWave);
    done = in_order(
        encoder->chunks().size(),
        [&](std::size_t i, std::size_t slot, Scratch& scratch) -> Result<bool> {
          Result<bool> got = values(report, encoder->chunks()[i], scratch);
          if (got.ok()) gathered[slot] = encoder->gather(encoder->chunks()[i], scratch.values);
          return got;
        },
        [&](std::size_t, std::size_t slot) { encoder->merge(gathered[slot]); });
    if (!done.ok()) return done.take_problems();
    encoder->end_pass();
  }
  report.outliers = encoder->outlier_columns().size();
  return encoder;
}

Result<const TensorEntry*> Job::activations_of(const TensorReport& report) const {
  const std::uint64_t columns = columns_of(*report.tensor);
  if (options_.activations == nullptr || columns == 0) return static_cast<const TensorEntry*>(nullptr);
  return options_.activations->find(report.tensor->name, columns);
}

// What the matrix is multiplied with: the user's vectors, else random ones.
Result<Probe> Job::probe_of(TensorReport& report) const {
  const std::uint64_t columns = columns_of(*report.tensor);
  if (options_.probes == 0 || columns == 0 || columns > kMaxProbe) return Probe{};
  Result<const TensorEntry*> given = activations_of(report);
  if (!given.ok()) return given.take_problems();
  const bool all = options_.probes == QuantizeOptions::kAllVectors;
  if (*given == nullptr) return random_probe(report.tensor->name, columns, all ? kRandomVectors : options_.probes);
  report.given_activations = true;
  return options_.activations->probe(**given, all ? 0 : options_.probes);
}

Result<bool> Job::encode(const Encoder& encoder, TensorReport& report, const Target& target, QuantizeReport& all) {
  Result<Probe> chosen = probe_of(report);
  if (!chosen.ok()) return chosen.take_problems();
  const Probe& probe = *chosen;
  const bool probed = probe.vectors > 0;
  const auto magnitude = static_cast<float>(report.range.magnitude());
  struct Result1 {
    Measure measure;
    ProductPart products;
    Histogram before{}, after{};
  };
  std::vector<Result1> results(kWave);
  ProductSum sum;
  const auto one = [&](std::size_t i, std::size_t slot, Scratch& scratch) -> Result<bool> {
    const Chunk& chunk = encoder.chunks()[i];
    Result<bool> done = values(report, chunk, scratch);
    if (!done.ok()) return done;
    const std::vector<float>& x = scratch.values;
    Encoded1& encoded = scratch.encoded;
    encoder.encode(chunk, x, encoded);
    Result1& result = results[slot];
    result = {};
    measure(x, encoded.restored, result.measure);
    result.measure.saturated = encoded.saturated;
    count_into(x, magnitude, result.before);
    count_into(encoded.restored, magnitude, result.after);
    if (probed) result.products = products(probe, chunk.begin, x, encoded.restored);
    if (target.file == nullptr) return true;
    if (options_.dequantize) {
      const auto* bytes = reinterpret_cast<const std::byte*>(encoded.restored.data());
      return target.file->write_at(target.offsets[0] + 4 * chunk.begin, bytes, 4 * encoded.restored.size());
    }
    for (const Piece& piece : encoded.pieces) {
      done = target.file->write_at(target.offsets[piece.part] + piece.offset, piece.bytes.data(), piece.bytes.size());
      if (!done.ok()) return done;
    }
    return true;
  };
  Result<bool> done = in_order(encoder.chunks().size(), one, [&](std::size_t, std::size_t slot) {
    report.measure.merge(results[slot].measure);
    sum.add(std::move(results[slot].products));
    for (std::size_t b = 0; b < kBins; ++b) {
      all.before[b] += results[slot].before[b];
      all.after[b] += results[slot].after[b];
    }
  });
  if (!done.ok()) return done;
  sum.finish(report.measure);
  if (target.file != nullptr && !options_.dequantize)
    for (const Piece& piece : encoder.tensor_pieces())
      if (done = target.file->write_at(target.offsets[piece.part], piece.bytes.data(), piece.bytes.size()); !done.ok())
        return done;
  return true;
}

Result<bool> Job::copy(const TensorEntry& tensor, const OutputFile& out, std::uint64_t offset) {
  std::vector<std::byte> buffer(std::min<std::uint64_t>(kCopy, tensor.bytes));
  for (std::uint64_t at = 0; at < tensor.bytes; at += kCopy) {
    const std::uint64_t n = std::min<std::uint64_t>(kCopy, tensor.bytes - at);
    Result<bool> done = inputs_[tensor.file].read_at(tensor.offset + at, buffer.data(), n);
    if (done.ok()) done = out.write_at(offset + at, buffer.data(), n);
    if (!done.ok()) return done;
  }
  return true;
}

struct OutputPlan {
  std::string path;
  std::vector<std::size_t> tensors;  // indices into the report
};

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// One file, or one a shard of the input when `output` is a folder.
Result<std::vector<OutputPlan>> plan_outputs(const TensorFile& file, const std::string& output, std::size_t count) {
  std::vector<OutputPlan> plans;
  const bool folder = ends_with(output, "/") || is_directory(output);
  if (!folder) {
    plans.push_back({output, {}});
    for (std::size_t i = 0; i < count; ++i) plans[0].tensors.push_back(i);
  } else {
    for (const std::string& path : file.files) {
      const std::size_t slash = path.rfind('/');
      plans.push_back(
          {output + (ends_with(output, "/") ? "" : "/") + (slash == std::string::npos ? path : path.substr(slash + 1)),
           {}});
    }
    for (std::size_t i = 0; i < count; ++i)
      if (file.tensors[i].type != nullptr) plans[file.tensors[i].file].tensors.push_back(i);
  }
  for (const OutputPlan& plan : plans)
    for (const std::string& input : file.files)
      if (same_file(plan.path, input))
        return error("output-is-input", "the output '" + plan.path + "' is the input '" + input + "'", {},
                     "choose another name with -o");
  return plans;
}

class Writer {
 public:
  Writer(const TensorFile& file, const QuantizeOptions& options, QuantizeReport& report,
         std::vector<std::unique_ptr<Encoder>>& encoders, Job& job)
      : file_(file), options_(options), report_(report), encoders_(encoders), job_(job) {}

  Result<bool> write(const std::vector<OutputPlan>& plans, const std::string& output) {
    std::vector<OutputFile> files;
    std::map<std::string, std::string> weight_map;
    for (const OutputPlan& plan : plans) {
      Result<OutputFile> done = one(plan, weight_map);
      if (!done.ok()) return done.take_problems();
      files.push_back(*std::move(done));
    }
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (Result<bool> done = files[i].commit(); !done.ok()) return done;
      report_.written.push_back(plans[i].path);
    }
    if (plans.size() > 1) {
      const std::string folder = output + (ends_with(output, "/") ? "" : "/");
      const std::string index = folder + "model.safetensors.index.json";
      Result<bool> done = write_file_atomically(index, safetensors_index(total_bytes_, weight_map));
      if (!done.ok()) return done;
      report_.written.push_back(index);
    }
    return true;
  }

 private:
  // What the file will hold; an error where its format has no word for one of them.
  Result<std::vector<OutputTensor>> outputs_of(const OutputPlan& plan, bool gguf) const {
    std::vector<OutputTensor> out;
    for (const std::size_t i : plan.tensors) {
      const TensorReport& report = report_.tensors[i];
      const TensorEntry& tensor = *report.tensor;
      const std::string name(tensor.name);
      const std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
      if (!report.quantized) {
        out.push_back({name, std::string(tensor.type->safetensors), tensor.type->gguf, shape, tensor.bytes, 0});
      } else if (options_.dequantize) {
        out.push_back({name, "F32", 0, shape, 4 * count_of(tensor), 0});
      } else {
        for (const Part& part : encoders_[i]->parts()) {
          const bool whole = options_.scheme.kind == Scheme::Kind::block || options_.scheme.kind == Scheme::Kind::cast;
          out.push_back({name + std::string(part.suffix), std::string(part.dtype), whole ? gguf_type() : -1,
                         gguf ? shape : part.shape, part.bytes, 0});
        }
      }
      if (gguf && out.back().gguf_type < 0)
        return error(
            "bad-option",
            "a GGUF file cannot hold '" + out.back().name + "' as " +
                (report.quantized ? options_.scheme.name : std::string(tensor.type->name)),
            {}, "GGUF takes the q formats, iq4_nl, mxfp4-gguf, fp16, bf16 and fp32; write the others to .safetensors");
      if (!gguf && out.back().dtype.empty())
        return error("bad-option",
                     "a safetensors file cannot hold " + tensor.quoted() + " as " + std::string(tensor.type->name));
    }
    return out;
  }

  Result<OutputFile> one(const OutputPlan& plan, std::map<std::string, std::string>& weight_map) {
    const bool gguf = ends_with(plan.path, ".gguf");
    Result<std::vector<OutputTensor>> outputs = outputs_of(plan, gguf);
    if (!outputs) return outputs.take_problems();
    std::vector<OutputTensor>& out = *outputs;
    const std::string key_values = gguf ? gguf_metadata() : std::string();
    const std::string header = gguf ? gguf_header(out, key_values, gguf_count_) : safetensors_header(out, metadata());
    std::map<std::string, std::uint64_t> offsets;
    std::uint64_t end = header.size();
    const std::size_t slash = plan.path.rfind('/');
    for (const OutputTensor& tensor : out) {
      if (!offsets.emplace(tensor.name, tensor.offset).second)
        return error("duplicate-key", "two output tensors would be called '" + tensor.name + "'", {},
                     "keep one of them with --keep");
      weight_map[tensor.name] = slash == std::string::npos ? plan.path : plan.path.substr(slash + 1);
      end = std::max(end, tensor.offset + tensor.bytes);
      total_bytes_ += tensor.bytes;
    }
    if (gguf) end = (end + 31) / 32 * 32;
    Result<OutputFile> file = OutputFile::create(plan.path, end);
    if (!file.ok()) return file;
    if (Result<bool> done = file->write_at(0, reinterpret_cast<const std::byte*>(header.data()), header.size());
        !done.ok())
      return done.take_problems();
    for (const std::size_t i : plan.tensors) {
      TensorReport& report = report_.tensors[i];
      const std::string name(report.tensor->name);
      Result<bool> done = true;
      if (!report.quantized) {
        done = job_.copy(*report.tensor, *file, offsets[name]);
      } else {
        Target target{&*file, {}};
        if (options_.dequantize)
          target.offsets.push_back(offsets[name]);
        else
          for (const Part& part : encoders_[i]->parts())
            target.offsets.push_back(offsets[name + std::string(part.suffix)]);
        done = job_.encode(*encoders_[i], report, target, report_);
        encoders_[i].reset();
      }
      if (!done.ok()) return done.take_problems();
    }
    return file;
  }

  [[nodiscard]] int gguf_type() const {
    const std::string& name = options_.scheme.name;
    const TensorType* type = find_tensor_type(name == "mxfp4-gguf" ? "mxfp4" : name);
    return type != nullptr ? type->gguf : -1;
  }

  std::vector<std::pair<std::string, std::string>> metadata() {
    std::vector<std::pair<std::string, std::string>> out = file_.text_metadata;
    if (options_.dequantize) {
      out.emplace_back("dequantized_from", options_.scheme.describe());
    } else {
      out.emplace_back("quantization", options_.scheme.describe());
      out.emplace_back("quantized_shapes", shapes_json(report_.tensors));
    }
    return out;
  }

  std::string gguf_metadata() {
    if (!file_.encoded_metadata.empty()) {
      gguf_count_ = file_.encoded_count;
      return file_.encoded_metadata;
    }
    gguf_count_ = 3;
    return gguf_text("general.architecture", "unknown") + gguf_number("general.quantization_version", 2) +
           gguf_text("general.description", options_.scheme.describe());
  }

  const TensorFile& file_;
  const QuantizeOptions& options_;
  QuantizeReport& report_;
  std::vector<std::unique_ptr<Encoder>>& encoders_;
  Job& job_;
  std::uint64_t gguf_count_ = 0;
  std::uint64_t total_bytes_ = 0;
};

}  // namespace

bool matches_glob(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n]) && pattern[p] != '*') {
      ++p;
      ++n;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Result<QuantizeReport> plan_quantization(const TensorFile& file, const QuantizeOptions& options) {
  QuantizeReport report;
  report.notes = file.notes;
  report.tensors = select(file, options);
  for (TensorReport& tensor : report.tensors) {
    if (!tensor.quantized) continue;
    tensor.bytes_after = options.dequantize ? 4 * count_of(*tensor.tensor)
                                            : bytes_of(parts_of(options.scheme, tensor.tensor->shape, 0, "F32", 4));
  }
  add_up(report);
  return report;
}

Result<QuantizeReport> quantize_model(const TensorFile& file, const QuantizeOptions& options,
                                      const std::string& output) {
  if (!file.absent_files.empty())
    return error("shard-missing", "the shard " + file.absent_files[0] + " is not here", {},
                 "--dry-run needs headers only");
  QuantizeReport report;
  report.notes = file.notes;
  report.tensors = select(file, options);
  // Before the long work: what cannot be written is said at once.
  std::vector<OutputPlan> plans;
  std::optional<OutputFolder> folder;
  if (!output.empty()) {
    Result<std::vector<OutputPlan>> planned = plan_outputs(file, output, report.tensors.size());
    if (!planned.ok()) return planned.take_problems();
    plans = *std::move(planned);
    if (ends_with(output, "/")) {
      Result<OutputFolder> made = OutputFolder::create(output);
      if (!made.ok()) return made.take_problems();
      folder = *std::move(made);
    }
    for (const OutputPlan& plan : plans)
      if (Result<OutputFile> possible = OutputFile::create(plan.path, 0); !possible.ok())
        return possible.take_problems();
  }
  Job job(file, options);
  if (Result<bool> opened = job.open(); !opened.ok()) return opened.take_problems();
  std::vector<std::unique_ptr<Encoder>> encoders(report.tensors.size());
  for (std::size_t i = 0; i < report.tensors.size(); ++i) {
    TensorReport& tensor = report.tensors[i];
    if (!tensor.quantized) continue;
    Result<std::unique_ptr<Encoder>> encoder = job.analyze(tensor);
    if (!encoder.ok()) return encoder.take_problems();
    if (!tensor.quantized) continue;
    tensor.bytes_after = options.dequantize ? 4 * count_of(*tensor.tensor) : bytes_of((*encoder)->parts());
    if (output.empty()) {
      if (Result<bool> done = job.encode(**encoder, tensor, {}, report); !done.ok()) return done.take_problems();
    } else {
      encoders[i] = *std::move(encoder);
    }
  }
  if (!output.empty())
    if (Result<bool> done = Writer(file, options, report, encoders, job).write(plans, output); !done.ok())
      return done.take_problems();
  if (folder) folder->keep();
  add_up(report);
  return report;
}

}  // namespace floptally::numerics
