#include "network/formats/stablehlo/count.h"

#include <algorithm>
#include <unordered_set>

#include "network/formats/graph/names.h"

namespace floptally::stablehlo {
namespace {

using graph::Flow;
using graph::FlowId;
using graph::FlowValue;
using graph::Kind;
using graph::kNothing;
using graph::Sizes;
using graph::Work;

constexpr std::int64_t kMostOperations = 2'000'000;
constexpr int kMostCalls = 64;

std::int64_t times(std::int64_t a, std::int64_t b) {
  std::int64_t r = 0;
  return a < 0 || b < 0 || __builtin_mul_overflow(a, b, &r) ? -1 : r;
}

// "[0, 2]" after `key` as numbers.
std::vector<std::int64_t> numbers(std::string_view text, std::size_t at) {
  std::vector<std::int64_t> list;
  const std::size_t open = text.find('[', at),
                    close = text.find(']', open == std::string_view::npos ? text.size() : open);
  if (open == std::string_view::npos || close == std::string_view::npos) return list;
  std::int64_t value = -1;
  for (std::size_t i = open + 1; i <= close; ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9' && value < 1'000'000'000)
      value = (value < 0 ? 0 : value) * 10 + (c - '0');
    else if (value >= 0)
      list.push_back(std::exchange(value, -1));
  }
  return list;
}

std::int64_t number_after(std::string_view text, std::string_view key, std::int64_t otherwise) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return otherwise;
  std::int64_t value = 0;
  bool any = false;
  for (std::size_t i = at + key.size(); i < text.size() && value < (std::int64_t{1} << 50); ++i) {
    if (text[i] >= '0' && text[i] <= '9')
      value = value * 10 + (text[i] - '0'), any = true;
    else if (any || (text[i] != ' ' && text[i] != '='))
      break;
  }
  return any ? value : otherwise;
}

struct Group {
  std::string_view names;  // separated by spaces
  int flop;                // for each element written; -1: the same numbers elsewhere
};

// clang-format off
constexpr Group kGroups[] = {
    {"transpose reshape convert broadcast_in_dim copy slice dynamic_slice optimization_barrier bitcast_convert "
     "get_tuple_element tuple real broadcast", -1},
    {"iota concatenate pad reverse gather scatter dynamic_update_slice select sort compare and or not xor "
     "shift_left shift_right_logical shift_right_arithmetic rng rng_bit_generator is_finite create_token after_all "
     "partition_id replica_id dynamic_iota dynamic_pad dynamic_gather select_and_scatter map imag complex "
     "all_reduce all_gather reduce_scatter all_to_all collective_permute popcnt clz get_dimension_size", 0},
    {"add subtract multiply divide maximum minimum negate abs sqrt rsqrt clamp floor ceil sign remainder reduce "
     "reduce_window power round_nearest_even round_nearest_afz reduce_precision cbrt", 1},
    {"exponential exponential_minus_one log log_plus_one logistic tanh sine cosine tan atan2 erf erfc erf_inv", 4},
    {"batch_norm_inference batch_norm_training", 5},
};
// clang-format on

const std::map<std::string_view, int>& table() {
  static const std::map<std::string_view, int> rows = [] {
    std::map<std::string_view, int> t;
    graph::each_name(kGroups, [&](std::string_view name, const Group& group) { t.emplace(name, group.flop); });
    return t;
  }();
  return rows;
}

using Scope = std::map<std::string_view, std::vector<FlowId>>;

class Counter {
 public:
  Counter(const Source& source, const Module& module, Flow& flow, Diagnostics& notes)
      : source_(source), module_(module), flow_(flow), notes_(notes) {}

  Result<bool> run() {
    const auto found = module_.functions.find("@main");
    const Function& main = found != module_.functions.end() ? found->second : *module_.order.front();
    Scope scope;
    bool labelled = false;
    for (const Argument& a : main.arguments) labelled = labelled || is_parameter(a.label);
    std::unordered_set<std::string_view> guessed;
    if (!labelled) guess(main, guessed);
    for (const Argument& a : main.arguments) {
      const FlowId id = make(a.type, std::string(a.name));
      FlowValue& v = flow_.value(id);
      v.weight = labelled ? is_parameter(a.label) : guessed.count(a.name) != 0;
      v.trained = v.weight && graph::is_float(a.type.dtype);
      v.path = std::string(a.label.empty() ? a.name : a.label);
      scope[a.name] = {id};
    }
    if (!labelled && !guessed.empty())
      notes_.push_back(
          note("assumed-parameters",
               guessed.size() == 1
                   ? "1 argument of @main is taken for learned: it is the right side of a product, or a vector"
                   : std::to_string(guessed.size()) +
                         " arguments of @main are taken for learned: they are right sides of products, or vectors",
               Span{&source_, main.offset, main.offset + 1},
               "lower with params as a named argument, or keep debug info: as_text(debug_info=True)"));
    if (!block(main.body, scope, 1, 0)) return std::move(problems_);
    for (FlowId id : returned_) flow_.output(id);
    return true;
  }

 private:
  static bool is_parameter(std::string_view label) {
    return label.find("param") != std::string_view::npos || label.find("kernel") != std::string_view::npos ||
           label.find("weight") != std::string_view::npos;
  }

  void guess(const Function& main, std::unordered_set<std::string_view>& out) const {
    std::unordered_set<std::string_view> arguments;
    for (const Argument& a : main.arguments)
      if (graph::is_float(a.type.dtype)) arguments.insert(a.name);
    for (const Argument& a : main.arguments)
      if (a.type.dims.size() == 1 && graph::is_float(a.type.dtype)) out.insert(a.name);
    right_sides(main.body, arguments, {}, out);
  }

  // The arguments that stand on the right of a product, on one device too (`aliases`: what it calls them).
  static void right_sides(const std::vector<Operation>& body, const std::unordered_set<std::string_view>& arguments,
                          std::map<std::string_view, std::string_view> aliases,
                          std::unordered_set<std::string_view>& out) {
    constexpr std::string_view kViews[] = {"stablehlo.transpose", "stablehlo.reshape",     "stablehlo.convert",
                                           "stablehlo.copy",      "stablehlo.custom_call", "sdy.sharding_constraint"};
    for (const Operation& op : body) {
      if (op.operands.size() == 1 && op.results.size() == 1 &&
          std::find(std::begin(kViews), std::end(kViews), op.op) != std::end(kViews)) {
        const auto alias = aliases.find(op.operands[0]);
        aliases[op.results[0]] = alias == aliases.end() ? op.operands[0] : alias->second;
      }
      const bool product =
          op.op == "stablehlo.dot_general" || op.op == "stablehlo.dot" || op.op == "stablehlo.convolution";
      if (product && op.operands.size() > 1) {
        const auto alias = aliases.find(op.operands[1]);  // a batch of matrices behind a view is an activation
        const bool through = alias != aliases.end() && op.text.find("batching_dim") == std::string_view::npos;
        const std::string_view right = through ? alias->second : op.operands[1];
        if (arguments.count(right) != 0) out.insert(right);
      }
      if (op.op != "sdy.manual_computation" || op.regions.empty()) continue;
      std::map<std::string_view, std::string_view> inner;
      for (std::size_t i = 0; i < op.body_arguments.size() && i < op.operands.size(); ++i) {
        const auto alias = aliases.find(op.operands[i]);
        inner[op.body_arguments[i].name] = alias == aliases.end() ? op.operands[i] : alias->second;
      }
      right_sides(op.regions[0], arguments, inner, out);
    }
  }

  FlowId make(const TensorType& type, const std::string& name) {
    const FlowId id = flow_.id(name + "@" + std::to_string(++made_));
    FlowValue& v = flow_.value(id);
    v.dims = type.dims;
    v.dtype = type.dtype;
    v.ranked = type.tensor;
    return id;
  }

  FlowId operand(const Scope& scope, std::string_view name) const {
    const std::size_t hash = name.find('#');
    const auto at = scope.find(name.substr(0, hash));
    if (at == scope.end()) return kNothing;
    std::size_t index = 0;
    if (hash != std::string_view::npos)
      for (char c : name.substr(hash + 1))
        index = c >= '0' && c <= '9' && index < 100000 ? index * 10 + static_cast<std::size_t>(c - '0') : index;
    return index < at->second.size() ? at->second[index] : kNothing;
  }

  bool fail(std::string code, const std::string& what, std::uint64_t offset) {
    problems_.push_back(error(std::move(code), what, Span{&source_, offset, offset + 1}));
    return false;
  }

  // Runs a block; what it returns is left in returned_.
  bool block(const std::vector<Operation>& body, Scope& scope, std::int64_t count, int depth) {
    for (const Operation& op : body) {
      if (++work_ > kMostOperations)
        return fail("too-much-work", "calls unroll to more than 2,000,000 operations", op.offset);
      std::vector<FlowId> in, out;
      for (std::string_view name : op.operands) in.push_back(operand(scope, name));
      if (op.op == "return" || op.op == "func.return" || op.op == "stablehlo.return" || op.op == "sdy.return") {
        returned_ = in;
        return true;
      }
      if (op.op == "call" || op.op == "func.call") {
        if (!call(op, in, out, count, depth)) return false;
      } else if (op.op == "sdy.manual_computation" && !op.regions.empty()) {
        if (!on_devices(op, scope, in, out, count, depth)) return false;
      } else if (op.op == "stablehlo.while") {
        if (!loop(op, scope, out, count, depth)) return false;
      } else {
        for (const TensorType& type : op.types)
          out.push_back(make(type, std::string(op.results.empty() ? "%" : op.results[0])));
        apply(op, in, out, count);
      }
      if (!op.results.empty()) scope[op.results[0]] = out;
    }
    return true;
  }

  bool call(const Operation& op, const std::vector<FlowId>& in, std::vector<FlowId>& out, std::int64_t count,
            int depth) {
    const std::size_t at = op.text.find('@');
    const std::string_view name = at == std::string_view::npos
                                      ? std::string_view{}
                                      : op.text.substr(at, std::min(op.text.find('(', at), op.text.size()) - at);
    const auto function = module_.functions.find(name);
    if (function == module_.functions.end())
      return fail("undefined-value", "calls '" + std::string(name.substr(0, 80)) + "', which is not in the module",
                  op.offset);
    if (depth >= kMostCalls || std::find(calls_.begin(), calls_.end(), name) != calls_.end())
      return fail("graph-cycle", "function '" + std::string(name.substr(0, 80)) + "' calls itself", op.offset);
    Scope inner;
    for (std::size_t i = 0; i < function->second.arguments.size() && i < in.size(); ++i)
      if (in[i] != kNothing) inner[function->second.arguments[i].name] = {in[i]};
    calls_.push_back(name);
    const bool good = block(function->second.body, inner, count, depth + 1);
    calls_.pop_back();
    out = returned_;
    return good;
  }

  // A body that each device along the manual axes runs over its own part: counted as often as there are such devices.
  bool on_devices(const Operation& op, Scope& scope, const std::vector<FlowId>& in, std::vector<FlowId>& out,
                  std::int64_t count, int depth) {
    std::int64_t devices = 1;
    const std::size_t axes = op.text.find("manual_axes={");
    const std::string_view list =
        axes == std::string_view::npos ? std::string_view{} : op.text.substr(axes, op.text.find('}', axes) - axes);
    for (std::size_t at = list.find('"'); at != std::string_view::npos;) {
      const std::size_t close = list.find('"', at + 1);
      if (close == std::string_view::npos) break;
      const auto axis = module_.axes.find(list.substr(at + 1, close - at - 1));
      devices = times(devices, axis == module_.axes.end() ? -1 : axis->second);
      at = list.find('"', close + 1);
    }
    Scope inner = scope;
    for (std::size_t i = 0; i < op.body_arguments.size() && i < in.size(); ++i) {
      const FlowId part = make(op.body_arguments[i].type, std::string(op.body_arguments[i].name));
      if (in[i] != kNothing) movement(op, in[i], part);
      inner[op.body_arguments[i].name] = {part};
    }
    if (devices < 0) flow_.unknown(op.op, "devices", {}, {});
    if (!block(op.regions[0], inner, times(count, std::max<std::int64_t>(devices, 1)), depth + 1)) return false;
    const std::vector<FlowId> made = returned_;
    for (std::size_t i = 0; i < op.types.size(); ++i) {
      out.push_back(make(op.types[i], op.results.empty() ? "%" : std::string(op.results[0])));
      if (i < made.size() && made[i] != kNothing) movement(op, made[i], out.back());
    }
    return true;
  }

  void movement(const Operation& op, FlowId from, FlowId to) {
    Work& w = flow_.work(Kind::movement, op.op, op.op);
    w.inputs = {from};
    w.outputs = {to};
    w.view = true;
  }

  // "stablehlo.while(%iterArg = %c, %iterArg_0 = %1)": the operands come as name, value, name, value.
  bool loop(const Operation& op, Scope& scope, std::vector<FlowId>& out, std::int64_t count, int depth) {
    std::vector<std::string_view> names;
    std::vector<FlowId> carried;
    for (std::size_t i = 0; i + 1 < op.operands.size(); i += 2) {
      names.push_back(op.operands[i]);
      carried.push_back(operand(scope, op.operands[i + 1]));
    }
    if (op.regions.size() < 2) {
      for (const TensorType& type : op.types) out.push_back(make(type, "%while"));
      flow_.unknown("stablehlo.while", "while", carried, out);
      return true;
    }
    const std::int64_t trips = trip_count(op.regions[0], scope, names, carried);
    Scope inner = scope;  // what is carried needs a gradient as soon as one step gives it one
    for (std::size_t i = 0; i < names.size(); ++i)
      if (carried[i] != kNothing) {
        TensorType type;
        type.dims = flow_.value(carried[i]).dims;
        type.dtype = flow_.value(carried[i]).dtype;
        type.tensor = flow_.value(carried[i]).ranked;
        const FlowId copy = make(type, "%carried");
        Work& w = flow_.work(Kind::movement, "stablehlo.while", "while");
        w.inputs = {carried[i]};
        w.outputs = {copy};
        inner[names[i]] = {copy};
      }
    if (trips < 0) flow_.unknown("stablehlo.while", "while", {}, {});
    if (!block(op.regions[1], inner, times(count, trips < 0 ? 1 : trips), depth + 1)) return false;
    for (std::size_t i = 0; i < names.size() && i < returned_.size();
         ++i) {  // the next step reads what this one returns
      if (carried[i] == kNothing || returned_[i] == kNothing || inner[names[i]].empty()) continue;
      flow_.link(returned_[i], inner[names[i]][0]);
    }
    out = returned_;
    return true;
  }

  // cond { %k = compare LT, %iterArg, %limit } with a constant limit, from a constant start, in steps of one.
  std::int64_t trip_count(const std::vector<Operation>& condition, const Scope& scope,
                          const std::vector<std::string_view>& names, const std::vector<FlowId>& carried) const {
    std::map<std::string_view, std::int64_t> local;
    const auto constant = [&](std::string_view name) -> std::int64_t {
      const auto inside = local.find(name);
      if (inside != local.end()) return inside->second;
      for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == name) return constant_of(carried[i]);
      return constant_of(operand(scope, name));
    };
    for (const Operation& op : condition) {
      if (op.op == "stablehlo.constant" && !op.results.empty())
        local[op.results[0]] = number_after(op.text, "dense<", -1);
      if (op.op != "stablehlo.compare" || op.operands.size() < 2) continue;
      const std::int64_t from = constant(op.operands[0]), to = constant(op.operands[1]);
      if (from < 0 || to < 0) return -1;
      if (op.text.find("LT") != std::string_view::npos) return std::max<std::int64_t>(to - from, 0);
      if (op.text.find("LE") != std::string_view::npos) return std::max<std::int64_t>(to - from + 1, 0);
    }
    return -1;
  }

  std::int64_t constant_of(FlowId id) const {
    const auto at = constants_.find(id);
    return at == constants_.end() ? -1 : at->second;
  }

  void apply(const Operation& op, const std::vector<FlowId>& in, const std::vector<FlowId>& out, std::int64_t count);
  void dot(const Operation& op, const std::vector<FlowId>& in, const std::vector<FlowId>& out, std::int64_t count);
  void convolution(const Operation& op, const std::vector<FlowId>& in, const std::vector<FlowId>& out,
                   std::int64_t count);
  void constant(const Operation& op, const std::vector<FlowId>& out);

  const Source& source_;
  const Module& module_;
  Flow& flow_;
  Diagnostics& notes_;
  Diagnostics problems_;
  std::vector<FlowId> returned_;
  std::vector<std::string_view> calls_;
  std::map<FlowId, std::int64_t> constants_;
  std::int64_t work_ = 0;
  std::uint64_t made_ = 0;
};

void Counter::dot(const Operation& op, const std::vector<FlowId>& in, const std::vector<FlowId>& out,
                  std::int64_t count) {
  const FlowValue &a = flow_.value(in[0]), &b = flow_.value(in[1]);
  Sizes s;
  std::vector<std::int64_t> batch, inner;
  if (op.op == "stablehlo.dot") {
    inner = {a.rank() - 1};
  } else {
    for (std::string_view key : {"batching_dims", "lhs_batching_dimensions"})
      if (const std::size_t at = op.text.find(key); at != std::string_view::npos && batch.empty())
        batch = numbers(op.text, at);
    for (std::string_view key : {"contracting_dims", "lhs_contracting_dimensions"})
      if (const std::size_t at = op.text.find(key); at != std::string_view::npos && inner.empty())
        inner = numbers(op.text, at);
  }
  const auto has = [](const std::vector<std::int64_t>& list, int axis) {
    return std::find(list.begin(), list.end(), axis) != list.end();
  };
  for (int i = 0; i < a.rank(); ++i) {
    std::int64_t& size = has(batch, i) ? s.batch : has(inner, i) ? s.inner : s.rows;
    size = times(size, a.dim(i));
  }
  const std::int64_t right = b.elements(), shared = times(s.batch, s.inner);
  s.columns = right < 0 || shared < 0 ? -1 : shared == 0 ? 0 : right / shared;
  Work& w = flow_.product(b.weight || b.source != kNothing ? Kind::product : Kind::attention, op.op,
                          op.results.empty() ? op.op : op.results[0], in[0], in[1], s);
  w.outputs = out;
  w.step.times = count;
}

// dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]
void Counter::convolution(const Operation& op, const std::vector<FlowId>& in, const std::vector<FlowId>& out,
                          std::int64_t count) {
  const std::size_t at = op.text.find("dim_numbers"),
                    kernel_at = op.text.find("]x[", at == std::string_view::npos ? 0 : at);
  if (at == std::string_view::npos || kernel_at == std::string_view::npos || out.empty())
    return flow_.unknown(op.op, op.op, in, out);
  const FlowValue &kernel = flow_.value(in[1]), &made = flow_.value(out[0]), &image = flow_.value(in[0]);
  Sizes s;
  std::int64_t made_channels = -1, in_channels = -1;
  int axis = 0;
  for (std::size_t i = kernel_at + 3; i < op.text.size() && op.text[i] != ']'; ++i) {
    const char c = op.text[i];
    if (c == ' ' || c == ',') continue;
    if (c == 'i')
      in_channels = kernel.dim(axis);
    else if (c == 'o')
      made_channels = kernel.dim(axis);
    else
      s.kernel = times(s.kernel, kernel.dim(axis));
    ++axis;
  }
  s.batch = std::max<std::int64_t>(number_after(op.text, "feature_group_count", 1), 1);
  const std::int64_t batch_groups = std::max<std::int64_t>(number_after(op.text, "batch_group_count", 1), 1);
  s.columns = made_channels < 0 ? -1 : made_channels / s.batch;
  s.inner = times(in_channels, s.kernel);
  s.rows = made.elements() < 0 || made_channels <= 0 ? -1 : made.elements() / made_channels;
  if (batch_groups > 1) s.rows = times(s.rows, 1);
  (void)image;
  Work& w = flow_.product(Kind::convolution, op.op, op.results.empty() ? op.op : op.results[0], in[0], in[1], s);
  w.outputs = out;
  w.step.times = count;
}

// A constant with its own numbers (not one number everywhere) is held by the module: a weight that was closed over.
void Counter::constant(const Operation& op, const std::vector<FlowId>& out) {
  if (out.empty()) return;
  FlowValue& v = flow_.value(out[0]);
  if (v.rank() == 0) {
    if (op.text.find("dense<-") == std::string_view::npos && !graph::is_float(v.dtype))
      constants_[out[0]] = number_after(op.text, "dense<", -1);
    return;
  }
  const bool own = op.text.find("dense<\"") != std::string_view::npos ||
                   op.text.find("dense<[") != std::string_view::npos ||
                   op.text.find("dense_resource<") != std::string_view::npos;
  if (own && graph::is_float(v.dtype) && v.rank() >= 2) v.weight = v.trained = true;
}

void Counter::apply(const Operation& op, const std::vector<FlowId>& in, const std::vector<FlowId>& out,
                    std::int64_t count) {
  std::string_view name = op.op;
  if (name == "stablehlo.constant" || name == "arith.constant") return constant(op, out);
  const bool operands = in.size() >= 2 && in[0] != kNothing && in[1] != kNothing;
  if ((name == "stablehlo.dot_general" || name == "stablehlo.dot") && operands) return dot(op, in, out, count);
  if (name == "stablehlo.convolution" && operands) return convolution(op, in, out, count);
  if (name.substr(0, 6) == "chlo.")
    name.remove_prefix(5);
  else if (name.substr(0, 10) == "stablehlo.")
    name.remove_prefix(10);
  const std::string_view label = op.results.empty() ? op.op : op.results[0];
  if (name == "custom_call")
    if (op.text.find("@SPMDFullToShardShape") != std::string_view::npos)
      flow_.unknown("the other devices of @SPMDFullToShardShape", label, {}, {});  // what follows is one device's part
  if (name == "custom_call")
    for (std::string_view known : {"@Sharding", "@SPMDFullToShardShape", "@SPMDShardToFullShape", "@LayoutConstraint",
                                   "@annotate_device_placement"})
      if (op.text.find(known) != std::string_view::npos) name = "copy";
  if (name.substr(0, 4) == "sdy." && !out.empty()) name = "copy";  // constraints and collectives: the same numbers
  const auto row = table().find(name);
  if (row == table().end()) {
    if (name.substr(0, 3) == "sdy" || name.substr(0, 5) == "shape" || name.substr(0, 6) == "tensor") return;
    return flow_.unknown(op.op, label, in, out);
  }
  Work& w = flow_.work(row->second < 0 ? Kind::movement : Kind::elementwise, op.op, label);
  w.inputs = in;
  w.outputs = out;
  w.step.times = count;
  w.view = row->second < 0;
  w.step.flop_per_element = std::max(row->second, 0);
}

}  // namespace

Result<bool> count_module(const Source& source, const Module& module, Flow& flow, Diagnostics& notes) {
  return Counter(source, module, flow, notes).run();
}

}  // namespace floptally::stablehlo
