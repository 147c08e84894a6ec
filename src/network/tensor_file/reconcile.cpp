#include "network/tensor_file/reconcile.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "network/ops.h"
#include "network/stored_size.h"

namespace floptally {
namespace {

constexpr std::size_t kDeepestPath = 16;
constexpr std::size_t kNamed = 8;  // names shown in a note
constexpr const char* kStoredAgain = " (a tied weight, stored again)";

std::vector<std::string_view> parts_of(std::string_view name) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t dot = std::min(name.find('.', begin), name.size());
    if (dot > begin) parts.push_back(name.substr(begin, dot - begin));
    begin = dot + 1;
  }
  return parts;
}

bool is_number(std::string_view part) {
  return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// GGUF's tensor names (gguf-py's constants.py) as checkpoints name the modules.
constexpr std::pair<std::string_view, std::string_view> kGgufModules[] = {
    {"token_embd", "embed_tokens"},
    {"output_norm", "norm"},
    {"output", "lm_head"},
    {"attn_norm", "layers.input_layernorm"},
    {"attn_q", "layers.self_attn.q_proj"},
    {"attn_k", "layers.self_attn.k_proj"},
    {"attn_v", "layers.self_attn.v_proj"},
    {"attn_output", "layers.self_attn.o_proj"},
    {"attn_qkv", "layers.self_attn.qkv_proj"},
    {"attn_q_norm", "layers.self_attn.q_norm"},
    {"attn_k_norm", "layers.self_attn.k_norm"},
    {"ffn_norm", "layers.post_attention_layernorm"},
    {"ffn_gate", "layers.mlp.gate_proj"},
    {"ffn_up", "layers.mlp.up_proj"},
    {"ffn_down", "layers.mlp.down_proj"},
    {"ffn_gate_inp", "layers.mlp.gate"},
    {"exp_probs_b", "layers.mlp.routing"},
    {"ffn_gate_exps", "layers.mlp.experts.gate_proj"},
    {"ffn_up_exps", "layers.mlp.experts.up_proj"},
    {"ffn_down_exps", "layers.mlp.experts.down_proj"},
};

Dtype dtype_of(const TensorType& type) {
  return find_dtype(type.name == "e4m3"   ? "fp8_e4m3"
                    : type.name == "e5m2" ? "fp8_e5m2"
                                          : type.name)
      .value_or(Dtype::unspecified);
}

std::string without_copy_mark(std::string_view name) { return std::string(name.substr(0, name.find('#'))); }

// Parameters of every op by its path of block names.
struct Described {
  Integer parameters;
  std::vector<std::uint32_t> ops;
  bool layered = false;  // in a layer, whose tensors have its number in their names
};
using Description = std::map<std::string, Described>;

// `tied`: the ops that use another's weight, which a file may hold a second time.
void describe(const Network& network, std::uint32_t block, const std::string& path, Integer multiple, bool layered,
              Description& out, Description& tied) {
  for (const Item& item : network.blocks[block].items) {
    if (item.is_block) {
      const Block& child = network.blocks[item.index];
      std::string below = path;
      const std::string name = without_copy_mark(child.name);  // outlives the views of its parts
      for (const std::string_view part : parts_of(name))
        if (!is_number(part)) below += (below.empty() ? "" : ".") + std::string(part);
      describe(network, item.index, below, multiple * Integer(child.repeat), layered || child.kind == BlockKind::layer,
               out, tied);
      continue;
    }
    const Op& op = network.ops[item.index];
    Cost<Integer> cost;
    cost_of(op, {}, cost);
    if (cost.parameters == Integer(0)) continue;
    Described& described =
        (op.has(op_flags::tied) ? tied : out)[path + (path.empty() ? "" : ".") + without_copy_mark(op.name)];
    described.parameters += multiple * cost.parameters;
    described.ops.push_back(item.index);
    described.layered = layered;
  }
}

struct Held {
  Integer parameters;
  Dtype dtype = Dtype::unspecified;
  bool mixed = false;
  bool packed = false;
  bool numbered = false;  // its tensors' names have a number: of a layer
  std::string example;
};

// The described path that `path` stands for: itself, or what is left when leading wrappers ("model", "transformer") go.
const Description::value_type* find_described(const Description& described, std::string path) {
  for (;;) {
    const auto found = described.find(path);
    if (found != described.end()) return &*found;
    const std::size_t dot = path.find('.');
    if (dot == std::string::npos) return nullptr;
    path.erase(0, dot + 1);
  }
}

std::string some_of(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kNamed); ++i) out += (i > 0 ? "; " : "") + names[i];
  return names.size() > kNamed ? out + "; and " + std::to_string(names.size() - kNamed) + " more" : out;
}

void add_unexplained(Network& network, const std::vector<std::pair<std::string, Integer>>& parts) {
  const auto index = static_cast<std::uint32_t>(network.blocks.size());
  Block block;
  block.name = network.names.keep("unexplained");
  for (const auto& [name, parameters] : parts) {
    if (!parameters.fits_int64()) continue;
    block.items.push_back({static_cast<std::uint32_t>(network.ops.size()), false});
    network.ops.push_back(
        make_op(operators::k_parameter, network.names.keep(name), Component::other, parameters.to_int64(), 0));
    if (!network.edges.empty()) network.edges.emplace_back();
  }
  network.blocks.push_back(std::move(block));
  network.blocks[0].items.push_back({index, true});
}

void note_files(const TensorFile& file, Network& network) {
  const Integer bytes = file.bytes();
  network.stored_bytes = file.absent_files.empty() ? std::optional<Integer>(bytes) : std::nullopt;
  std::vector<std::size_t> counts(tensor_types().size(), 0);
  for (const TensorEntry& tensor : file.tensors)
    if (tensor.type != nullptr) ++counts[static_cast<std::size_t>(tensor.type - tensor_types().data())];
  std::map<std::string_view, std::size_t> types;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0) types[tensor_types()[i].name] = counts[i];
  std::string text;
  for (const auto& [type, count] : types)
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(type);
  if (!file.files.empty())
    network.notes.push_back(note(
        "tensor-files", std::to_string(file.files.size()) + (file.files.size() == 1 ? " file holds " : " files hold ") +
                            std::to_string(file.tensors.size()) + " tensors (" + text + ") of " + bytes.to_string() +
                            " bytes and " + file.parameters().to_string() + " numbers"));
  network.notes.insert(network.notes.end(), file.notes.begin(), file.notes.end());
}

}  // namespace

namespace {

// Frequencies of rotary positions: "rope_freqs.weight", or under a module of that name.
bool is_rope_table(std::string_view name) {
  constexpr std::string_view kTable = "rope_freqs";
  const std::size_t at = name.find(kTable);
  if (at == std::string_view::npos) return false;
  const std::vector<std::string_view> parts = parts_of(name);
  return parts.size() >= 2 && (parts[parts.size() - 2] == kTable || parts[0] == kTable);
}

void append_module_path(std::string_view name, TensorFile::Container container, std::string& path) {
  std::string_view last;  // of what the path is made of
  bool waiting = false;   // a part that goes into the path if another one follows it
  std::string_view held;
  std::size_t count = 0;
  path.clear();
  const auto put = [&](std::string_view part) {
    last = part;
    if (is_number(part)) return;
    if (!path.empty()) path += '.';
    path += part;
  };
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t dot = std::min(name.find('.', begin), name.size());
    if (dot > begin) {
      if (waiting) put(held);
      held = name.substr(begin, dot - begin);
      waiting = true;
      ++count;
    }
    begin = dot + 1;
  }
  if (count == 1) put(held);  // the tensor's own word goes, unless it is all there is
  if (held ==
      "e_score_correction_bias") {  // stored in the router's matrix or beside it; counted where tokens are routed
    for (const std::string_view router : {".gate", ".router", ".moe_statics"})
      if (path.ends_with(router)) path.resize(path.size() - router.size());
    path += ".routing";
  }
  if (container == TensorFile::Container::gguf && count > 0)
    for (const auto& [from, to] : kGgufModules)
      if (last == from) path = to;
}

}  // namespace

bool is_parameter(const TensorEntry& tensor) {
  const std::string_view name = tensor.name;
  const std::string_view last = name.substr(name.rfind('.') + 1);  // all of it where there is no dot
  if (last == "weight") return tensor.type != nullptr && tensor.type->name != "bool" && !is_rope_table(name);
  constexpr std::string_view kOther[] = {
      "num_batches_tracked", "running_mean",  "running_var",      "position_ids",   "inv_freq",
      "masked_bias",         "weight_scale",  "weight_scale_inv", "weight_scale_2", "input_scale",
      "weight_zero_point",   "scales",        "qzeros",           "g_idx",          "absmax",
      "quant_map",           "nested_absmax", "nested_quant_map", "k_scale",        "v_scale",
      "weight_shape",        "SCB",           "weight_format"};
  if (std::find(std::begin(kOther), std::end(kOther), last) != std::end(kOther)) return false;
  if (is_rope_table(name)) return false;
  // GPT-2's causal mask: a square stored beside the attention weights.
  const bool mask = last == "bias" && tensor.shape.size() == 4 && tensor.shape[0] == 1 && tensor.shape[1] == 1;
  return tensor.type != nullptr && tensor.type->name != "bool" && !mask;
}

std::string module_path(std::string_view tensor_name, TensorFile::Container container) {
  std::string path;
  append_module_path(tensor_name, container, path);
  return path;
}

Network network_of_tensors(const TensorFile& file, const std::string& name) {
  NetworkBuilder builder;
  Network& network = builder.network();
  network.name = name;
  network.family = file.container == TensorFile::Container::gguf ? "gguf" : "safetensors";
  std::vector<std::string> open;
  std::size_t buffers = 0;
  Dtype common = Dtype::unspecified;
  bool first = true;
  for (const TensorEntry& tensor : file.tensors) {
    if (tensor.type == nullptr || !is_parameter(tensor)) {
      buffers += tensor.type != nullptr ? 1 : 0;
      continue;
    }
    std::vector<std::string_view> parts = parts_of(tensor.name);
    const std::string leaf(parts.empty() ? std::string_view(tensor.name) : parts.back());
    if (!parts.empty()) parts.pop_back();
    if (parts.size() > kDeepestPath) parts.resize(kDeepestPath);
    std::size_t same = 0;
    while (same < open.size() && same < parts.size() && open[same] == parts[same]) ++same;
    for (; open.size() > same; open.pop_back()) builder.leave();
    for (std::size_t i = same; i < parts.size(); ++i) {
      builder.enter(parts[i], 1, is_number(parts[i]) ? BlockKind::layer : BlockKind::module);
      open.emplace_back(parts[i]);
    }
    const Dtype dtype = dtype_of(*tensor.type);
    if (first) common = dtype;
    first = false;
    Op op = make_op(operators::k_parameter, leaf, Component::other, tensor.elements().to_int64(), 0);
    op.stored = dtype;
    builder.add(op);
  }
  for (; !open.empty(); open.pop_back()) builder.leave();
  builder.add(make_op(operators::k_unknown, "compute", Component::other));
  Network done = builder.finish();
  done.dtype = common;
  note_files(file, done);
  if (buffers > 0)
    done.notes.push_back(
        note("tensor-buffers",
             std::to_string(buffers) +
                 " tensors are not counted as parameters: statistics, tables, scales of quantized weights"));
  done.notes.push_back(note("compute-unknown",
                            "tensors alone do not say what is computed with them: FLOP are not known", {},
                            "put the model's config.json beside the file, or describe it in a spec"));
  return done;
}

namespace {

// What the tensors of a file hold.
struct Holdings {
  std::map<std::string, Held> held;     // by described path
  std::map<std::string, Held> unknown;  // by its own path where nothing describes it
  std::vector<std::string> named_only;  // by the index alone, and nothing describes it
  std::set<std::string> named;          // described paths that the index alone names
};

Holdings holdings_of(const TensorFile& file, const Description& described) {
  Holdings out;
  struct Match {
    const Description::value_type* described;
    Held* held = nullptr;
    bool named = false;
  };
  std::unordered_map<std::string, Match> matches;  // of each path
  std::vector<Dtype> types;
  for (const TensorType& type : tensor_types()) types.push_back(dtype_of(type));
  std::string path;
  for (const TensorEntry& tensor : file.tensors) {
    if (tensor.type != nullptr && !is_parameter(tensor)) continue;
    append_module_path(tensor.name, file.container, path);
    auto found = matches.find(path);
    if (found == matches.end()) found = matches.emplace(path, Match{find_described(described, path)}).first;
    const Description::value_type* match = found->second.described;
    if (tensor.type == nullptr) {
      if (match == nullptr)
        out.named_only.emplace_back(tensor.name);
      else if (!std::exchange(found->second.named, true))
        out.named.insert(match->first);
      continue;
    }
    if (found->second.held == nullptr)
      found->second.held = match != nullptr ? &out.held[match->first] : &out.unknown[path];
    Held& entry = *found->second.held;
    const Dtype dtype = types[static_cast<std::size_t>(tensor.type - tensor_types().data())];
    const bool vector =
        tensor.shape.size() < 2 && entry.parameters > Integer(0);  // biases and norms do not set the type
    if (entry.parameters == Integer(0))
      entry.dtype = dtype;
    else if (!vector && entry.dtype != dtype)
      entry.mixed = true;
    entry.packed = entry.packed || (!tensor.type->floating && tensor.type->gguf < 0) || tensor.type->name == "e2m1";
    entry.parameters += tensor.elements();
    if (entry.example.empty()) {
      entry.example = tensor.name;
      const std::vector<std::string_view> parts = parts_of(tensor.name);
      entry.numbered = std::any_of(parts.begin(), parts.end(), is_number);
    }
  }
  return out;
}

// What is described but not held, and held but not described, put together where it is the same under two names.
struct Leftovers {
  std::vector<std::pair<std::string, Integer>> absent, unexplained;
  std::vector<std::string> renamed;
  Integer gap = 0;  // of `unexplained`
};

using Parts = std::vector<std::pair<std::string, Integer>>;

Integer sum_of(const Parts& parts) {
  Integer sum = 0;
  for (const auto& [path, parameters] : parts) sum += parameters;
  return sum;
}

// Layers are cut into modules in other ways by other code (c_attn for q, k and v), so only their sums can be compared:
// what the tensors hold beyond the description is the gap.
void match_layers(Parts& absent, Parts& held, Leftovers& out) {
  const Integer described = sum_of(absent), found = sum_of(held);
  if (absent.empty() || held.empty()) {
    out.absent.insert(out.absent.end(), absent.begin(), absent.end());
    out.unexplained.insert(out.unexplained.end(), held.begin(), held.end());
    return;
  }
  for (const auto& [path, parameters] : held) out.renamed.push_back(path + " (" + parameters.to_string() + ")");
  if (described < found) out.unexplained.emplace_back("layers", found - described);
  if (found < described) out.absent.emplace_back("of the layers", described - found);
}

// Outside the layers one tensor is one module: the same size is the same thing.
void match_outside(const Parts& absent, Parts& held, Leftovers& out) {
  for (const auto& [path, parameters] : absent) {
    const auto same =
        std::find_if(held.begin(), held.end(), [&](const auto& part) { return part.second == parameters; });
    if (same == held.end()) {
      out.absent.emplace_back(path, parameters);
      continue;
    }
    out.renamed.push_back(same->first + " (" + parameters.to_string() + ")");
    held.erase(same);
  }
  out.unexplained.insert(out.unexplained.end(), held.begin(), held.end());
}

Leftovers leftovers_of(const TensorFile& file, const Description& described, const Description& tied,
                       const Holdings& holdings) {
  Parts absent_layers, absent_outside, held_layers, held_outside;
  for (const auto& [path, part] : described)
    if (holdings.held.find(path) == holdings.held.end() && holdings.named.find(path) == holdings.named.end())
      (part.layered ? absent_layers : absent_outside).emplace_back(path, part.parameters);
  bool packed = false;
  Leftovers out;
  for (const auto& [path, entry] : holdings.unknown) {
    packed = packed || entry.packed;
    if (entry.packed) continue;
    const Description::value_type* copy = find_described(tied, path);
    if (copy != nullptr && copy->second.parameters == entry.parameters)
      out.renamed.push_back(path + kStoredAgain);
    else
      (entry.numbered ? held_layers : held_outside).emplace_back(path, entry.parameters);
  }
  match_layers(absent_layers, held_layers, out);
  match_outside(absent_outside, held_outside, out);
  // What stands once for all layers here may lie in the first of them there (T5's table of relative positions).
  const auto layers = std::find_if(out.unexplained.begin(), out.unexplained.end(),
                                   [](const auto& part) { return part.first == "layers"; });
  if (layers != out.unexplained.end() && !out.absent.empty() && layers->second == sum_of(out.absent)) {
    out.unexplained.erase(layers);
    out.absent.clear();
  }
  // A copy of a tied weight has any name ("encoder.embed_tokens", "cls.predictions.decoder").
  std::erase_if(out.unexplained, [&](const auto& part) {
    const bool copy =
        std::any_of(tied.begin(), tied.end(), [&](const auto& each) { return each.second.parameters == part.second; });
    if (copy) out.renamed.push_back(part.first + kStoredAgain);
    return copy;
  });
  // Of packed weights the sizes are not known, of shards that are not here nothing is.
  if (packed || !file.absent_files.empty()) {
    out.absent.clear();
    if (!absent_layers.empty()) std::erase_if(out.unexplained, [](const auto& part) { return part.first == "layers"; });
  }
  out.gap = sum_of(out.unexplained);
  return out;
}

// Where an index is all there is, its declared size is what the description can be held to; not where quantized weights
// bring scales and tables of their own. False where the two differ.
bool note_declared_size(const TensorFile& file, Network& network) {
  if (!file.files.empty() || !file.declared_bytes) return true;
  const std::optional<Integer> bytes = stored_parameter_bytes(network);
  if (!bytes) return true;
  for (const TensorEntry& tensor : file.tensors)
    for (const std::string_view word : {"scale", "qzeros", "absmax", "g_idx", "packed"})
      if (tensor.name.find(word) != std::string_view::npos) return true;
  const std::string declared = "the index declares " + file.declared_bytes->to_string() + " bytes";
  const bool equal = *bytes == *file.declared_bytes;
  network.notes.push_back(equal ? note("tensors-agree", declared + ", as many as the description takes")
                                : warning("index-size", declared + ", the description takes " + bytes->to_string()));
  return equal;
}

void note_leftovers(const Leftovers& left, const Holdings& holdings, const Description& described, Network& network) {
  const auto listed = [](const Parts& parts) {
    std::vector<std::string> names;
    for (const auto& [path, count] : parts) names.push_back(path + " (" + count.to_string() + ")");
    return some_of(names);
  };
  if (!left.renamed.empty())
    network.notes.push_back(
        note("tensors-renamed", "tensors under other names than the description's: " + some_of(left.renamed)));
  if (!left.absent.empty())
    network.notes.push_back(warning("tensors-absent", "described, but no tensor holds it: " + listed(left.absent)));
  if (!holdings.named_only.empty()) {
    const bool all_named = std::all_of(described.begin(), described.end(), [&](const auto& part) {
      return holdings.held.count(part.first) > 0 || holdings.named.count(part.first) > 0;
    });
    network.notes.push_back(
        all_named
            ? warning("tensors-undescribed", "named by the index, but not described: " + some_of(holdings.named_only))
            : note("tensors-renamed", "named by the index under other names than the description's, sizes not known: " +
                                          some_of(holdings.named_only)));
  }
  if (!left.unexplained.empty())
    network.notes.push_back(warning(
        "tensors-undescribed", "held by tensors, but not described, booked as 'unexplained': " + left.gap.to_string() +
                                   " numbers: " + listed(left.unexplained)));
}

}  // namespace

void reconcile(const TensorFile& file, Network& network) {
  Description described, tied;
  if (!network.blocks.empty()) describe(network, 0, "", Integer(1), false, described, tied);
  const Holdings holdings = holdings_of(file, described);
  note_files(file, network);
  Leftovers left = leftovers_of(file, described, tied, holdings);
  std::vector<std::string> differ;
  for (const auto& [path, part] : described) {
    const auto found = holdings.held.find(path);
    if (found == holdings.held.end()) continue;
    const Held& entry = found->second;
    if (!entry.mixed && entry.dtype != Dtype::unspecified && !entry.packed)
      for (const std::uint32_t op : part.ops) network.ops[op].stored = entry.dtype;
    if (entry.packed || entry.parameters == part.parameters || !file.absent_files.empty()) continue;
    differ.push_back(path + ": described " + part.parameters.to_string() + ", held " + entry.parameters.to_string());
    if (entry.parameters > part.parameters) {
      left.unexplained.insert(left.unexplained.begin(), {path, entry.parameters - part.parameters});
      left.gap += entry.parameters - part.parameters;
    }
  }
  note_leftovers(left, holdings, described, network);
  const bool sized = note_declared_size(file, network);
  if (!differ.empty())
    network.notes.push_back(warning("tensors-differ", "the description and the tensors differ: " + some_of(differ)));
  if (!left.unexplained.empty()) add_unexplained(network, left.unexplained);
  if (sized && differ.empty() && left.absent.empty() && holdings.named_only.empty() && left.unexplained.empty())
    network.notes.push_back(left.renamed.empty()
                                ? note("tensors-agree", "the description and the tensors agree, module by module")
                                : note("tensors-agree", "the description and the tensors agree in their sums"));
}

}  // namespace floptally
