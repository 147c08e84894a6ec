#include "network/formats/onnx/eval.h"

#include <algorithm>
#include <new>

#include "network/formats/wire/protobuf.h"

namespace floptally::onnx {

using wire::Message;
using wire::WireError;

std::int64_t size_times(std::int64_t a, std::int64_t b) {
  if (a == 0 || b == 0) return 0;
  if (a == 1) return b;
  if (b == 1) return a;
  std::int64_t product = 0;
  if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &product)) return kUnknown;
  return product;
}

std::int64_t size_plus(std::int64_t a, std::int64_t b) {
  if (a == 0) return b;
  if (b == 0) return a;
  std::int64_t sum = 0;
  if (a < 0 || b < 0 || __builtin_add_overflow(a, b, &sum)) return kUnknown;
  return sum;
}

namespace {

const Type kNothing{};
thread_local Type scratch_output;  // where a rule writes an output that the node does not have

void read_attribute(const Model& model, std::string_view bytes, Attribute& a) {
  WireError ignored;
  a.name = a.reference = a.s = {};
  a.bytes = bytes;
  a.i = 0;
  a.f = 0;
  a.given = false;
  Message field(bytes, model.file.data(), ignored);
  while (field.next()) {
    if (field.text(1))
      a.name = field.bytes;
    else if (field.text(21))
      a.reference = field.bytes;
    else if (field.is(2, 5))
      a.f = field.number32(), a.given = true;
    else if (field.varint(3))
      a.i = field.integer(), a.given = true;
    else if (field.text(4) || field.text(5) || field.text(6))
      a.s = field.bytes, a.given = true;
    else if (field.number == 7 || field.number == 8)
      a.given = true;
  }
}

}  // namespace

bool find_attribute(const Model& model, std::string_view node, std::string_view name, const Frame* frame,
                    Attribute& out) {
  WireError ignored;
  Message field(node, model.file.data(), ignored);
  while (field.next()) {
    if (!field.text(5)) continue;
    read_attribute(model, field.bytes, out);
    if (out.name != name) continue;
    if (out.reference.empty()) return true;
    if (frame == nullptr) return false;
    const std::string_view wanted = out.reference;
    if (find_attribute(model, {frame->call->bytes, frame->call->size}, wanted, frame->parent, out)) return true;
    Message inner(frame->function->bytes, model.file.data(), ignored);  // else the function's own default
    while (inner.next()) {
      if (!inner.text(11)) continue;
      read_attribute(model, inner.bytes, out);
      if (out.name == wanted) return true;
    }
    return false;
  }
  return false;
}

Eval::Eval(Evaluator& owner, Graph& graph, const Node& node, const Frame* frame)
    : owner_(owner),
      graph_(graph),
      node_(node),
      frame_(frame),
      rule_(node.rule < kLocalFunction ? &rule_at(node.rule) : nullptr) {
  for (int i = 0; i < node.outputs; ++i) {
    const ValueId id = owner.model_.operands[node.operands + node.inputs + static_cast<unsigned>(i)];
    if (id == kNoValue) continue;
    Value& v = owner.model_.values[id];
    v.type = Type{};
    owner.release(id);
    useful_ = useful_ || (v.flags & kUseful) != 0;
  }
}

bool Eval::has(int i) const { return input_id(i) != kNoValue; }

ValueId Eval::input_id(int i) const {
  return i < node_.inputs ? owner_.model_.operands[node_.operands + static_cast<unsigned>(i)] : kNoValue;
}

ValueId Eval::output_id(int i) const {
  return i < node_.outputs ? owner_.model_.operands[node_.operands + node_.inputs + static_cast<unsigned>(i)]
                           : kNoValue;
}

const Type& Eval::in(int i) const {
  const ValueId id = input_id(i);
  return id == kNoValue ? kNothing : owner_.model_.values[id].type;
}

Type& Eval::out(int i) {
  const ValueId id =
      i < node_.outputs ? owner_.model_.operands[node_.operands + node_.inputs + static_cast<unsigned>(i)] : kNoValue;
  if (id != kNoValue) return owner_.model_.values[id].type;
  scratch_output = Type{};
  return scratch_output;
}

bool Eval::useful_output(int i) const {
  const ValueId id =
      i < node_.outputs ? owner_.model_.operands[node_.operands + node_.inputs + static_cast<unsigned>(i)] : kNoValue;
  return id != kNoValue && (owner_.model_.values[id].flags & kUseful) != 0;
}

Model& Eval::model() { return owner_.model_; }
std::int64_t Eval::opset() const { return owner_.model_.opset(rule_ == nullptr ? std::string_view{} : rule_->domain); }

void Eval::read_attributes() {
  attributes_read_ = true;
  WireError ignored;  // the node's bytes were walked when the file was read
  Message field({node_.bytes, node_.size}, owner_.model_.file.data(), ignored);
  while (field.next()) {
    if (!field.text(5)) continue;
    if (attribute_count_ == kMaxAttributes) return;
    auto* a = new (attributes_ + static_cast<std::size_t>(attribute_count_) * sizeof(Attribute)) Attribute;
    read_attribute(owner_.model_, field.bytes, *a);
    if (!a->reference.empty() && !resolve(*a)) continue;
    ++attribute_count_;
  }
}

bool Eval::resolve(Attribute& a) {
  const std::string_view name = a.name;
  Attribute found;
  if (!find_attribute(owner_.model_, {node_.bytes, node_.size}, name, frame_, found)) return false;
  a = found;
  a.name = name;
  return true;
}

const Attribute* Eval::attribute(std::string_view name) {
  if (!attributes_read_) read_attributes();
  auto* list = reinterpret_cast<Attribute*>(attributes_);
  for (int i = 0; i < attribute_count_; ++i)
    if (list[i].name == name) return &list[i];
  return nullptr;
}

std::int64_t Eval::integer(std::string_view name, std::int64_t otherwise) {
  const Attribute* a = attribute(name);
  return a == nullptr ? otherwise : a->i;
}

double Eval::real(std::string_view name, double otherwise) {
  const Attribute* a = attribute(name);
  return a == nullptr ? otherwise : static_cast<double>(a->f);
}

std::string_view Eval::text(std::string_view name, std::string_view otherwise) {
  const Attribute* a = attribute(name);
  return a == nullptr ? otherwise : a->s;
}

void Eval::integers(std::string_view name, Integers& list) {
  list.n = 0;
  list.present = list.known = false;
  const Attribute* a = attribute(name);
  if (a == nullptr) return;
  list.present = list.known = true;
  WireError ignored;
  Message field(a->bytes, owner_.model_.file.data(), ignored);
  while (field.next())
    if (field.number == 8)
      wire::each_integer(field, [&](std::int64_t value) {
        if (list.n < kMaxData)
          list.v[list.n++] = element(value);
        else
          list.known = false;
      });
}

void Eval::floats(std::string_view name, double* values, std::uint32_t most, std::uint32_t& count) {
  count = 0;
  const Attribute* a = attribute(name);
  if (a == nullptr) return;
  WireError ignored;
  Message field(a->bytes, owner_.model_.file.data(), ignored);
  auto put = [&](std::uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    if (count < most) values[count] = static_cast<double>(value);
    ++count;
  };
  while (field.next()) {
    if (field.is(7, 5)) put(static_cast<std::uint32_t>(field.value));
    for (std::size_t i = 0; field.text(7) && i + 4 <= field.bytes.size(); i += 4) {
      std::uint32_t bits;
      std::memcpy(&bits, field.bytes.data() + i, 4);
      put(bits);
    }
  }
}

bool Eval::tensor(std::string_view name, TensorHeader& header, const Data** data) {
  const Attribute* a = attribute(name);
  if (a == nullptr) return false;
  const char* reason = nullptr;
  if (read_tensor(owner_.model_, a->s, header, data, reason)) return true;
  return fail("onnx-malformed", reason);
}

std::uint32_t Eval::body(std::string_view name) {
  for (const Model::Body& body : owner_.model_.bodies_of(node_))
    if (body.attribute == name) return body.graph;
  return kNoValue;
}

void Eval::list(int i, std::string_view name, Integers& list) {
  if (!has(i)) {
    if (name.empty()) {
      list.n = 0;
      list.present = list.known = false;
    } else {
      integers(name, list);
    }
    return;
  }
  const Type& type = in(i);
  const Data* data = type.known();
  list.n = 0;
  list.present = true;
  list.known = data != nullptr && !data->real;
  if (list.known) {
    list.n = data->count;
    std::memcpy(list.v, data->integers(), data->count * sizeof(std::int64_t));
  } else if (type.ranked() && type.rank == 1 && type.dims[0] >= 0 && type.dims[0] <= kMaxData) {
    list.n = static_cast<std::uint32_t>(type.dims[0]);  // as many elements, none of them known
    std::fill(list.v, list.v + list.n, kDataUnknown);
  }
}

bool Eval::scalar(const Type& type, std::int64_t& value) {
  const Data* data = type.known();
  if (data == nullptr || data->count != 1) return false;
  if (data->real) {
    const double real = data->reals()[0];
    if (!(real > -9e18 && real < 9e18)) return false;
    value = static_cast<std::int64_t>(real);
    return true;
  }
  value = data->integers()[0];
  return is_known(value);
}

bool Eval::scalar(const Type& type, double& value) {
  const Data* data = type.known();
  if (data == nullptr || data->count != 1) return false;
  if (!data->real && !is_known(data->integers()[0])) return false;
  value = data->real ? data->reals()[0] : static_cast<double>(data->integers()[0]);
  return value == value;
}

void Eval::shape(int i, std::uint8_t elem, const Dims& dims) {
  Type& type = out(i);
  type.elem = elem;
  type.rank = static_cast<std::uint8_t>(dims.n);
  type.dims = owner_.model_.keep(dims.v, dims.n);
  type.flags = static_cast<std::uint16_t>(type.flags | kRanked);
}

void Eval::shape_like(int i, std::uint8_t elem, const Type& like) {
  Type& type = out(i);
  type.elem = elem;
  type.rank = like.rank;
  type.dims = like.has(kSequence) ? nullptr : like.dims;
  if (like.ranked()) type.flags = static_cast<std::uint16_t>(type.flags | kRanked);
}

void Eval::unranked(int i, std::uint8_t elem) {
  Type& type = out(i);
  const std::uint16_t kept = type.flags & (kGradient | kConstant);
  type = Type{};
  type.elem = elem;
  type.flags = kept;
}

Data* Eval::data(int i, std::uint32_t count, bool real) {
  Data* made = owner_.model_.new_data(count, real);
  out(i).data = made;
  return made;
}

bool Eval::broadcast(const Type& a, const Type& b, Dims& out) {
  out.n = std::max(a.rank, b.rank);
  for (int i = 0; i < out.n; ++i) {
    const int from_a = i - (out.n - a.rank), from_b = i - (out.n - b.rank);
    const std::int64_t x = from_a >= 0 ? a.dims[from_a] : 1, y = from_b >= 0 ? b.dims[from_b] : 1;
    if (x == 1)
      out.v[i] = y;
    else if (y == 1 || x == y)
      out.v[i] = x;
    else if (x < 0 && y < 0)
      out.v[i] = kUnknown;
    else if (x < 0 || y < 0)
      out.v[i] = std::max(x, y);  // the known one: the other is equal to it or 1
    else
      return fail("shape-mismatch", "sizes " + std::to_string(x) + " and " + std::to_string(y) + " do not broadcast");
  }
  return true;
}

bool Eval::to_axis(std::int64_t axis, int rank, int& out) {
  if (axis < -rank || axis >= rank)
    return fail("shape-mismatch",
                "axis " + std::to_string(axis) + " of a tensor with " + std::to_string(rank) + " dimensions");
  out = static_cast<int>(axis < 0 ? axis + rank : axis);
  return true;
}

std::int64_t Eval::new_size(int output, int axis) {
  const ValueId id = node_.outputs > output
                         ? owner_.model_.operands[node_.operands + node_.inputs + static_cast<unsigned>(output)]
                         : kNoValue;
  if (id == kNoValue) return kUnknown;
  const std::string name = std::string(owner_.model_.values[id].name.substr(0, 200)) + "." + std::to_string(axis);
  return owner_.symbol(name, "dimension " + std::to_string(axis) + " of what " + describe() + " makes");
}

std::int64_t Eval::elements(const Type& type) {
  if (!type.ranked()) return kUnknown;
  std::int64_t n = 1;
  for (int i = 0; i < type.rank; ++i) n = size_times(n, type.dims[i] < 0 ? kUnknown : type.dims[i]);
  return n;
}

std::string_view Eval::op_name() const {
  WireError ignored;
  Message field({node_.bytes, node_.size}, owner_.model_.file.data(), ignored);
  while (field.next())
    if (field.text(4)) return field.bytes;
  return {};
}

std::string_view Eval::node_name() const {
  WireError ignored;
  Message field({node_.bytes, node_.size}, owner_.model_.file.data(), ignored);
  std::string_view output;
  while (field.next()) {
    if (field.text(3) && !field.bytes.empty()) return field.bytes;
    if (field.text(2) && output.empty()) output = field.bytes;
  }
  return output;
}

std::string Eval::describe() const {
  std::string text(op_name().substr(0, 60));
  text += " node '";
  for (char c : node_name().substr(0, 100)) text += static_cast<unsigned char>(c) >= 32 ? c : '?';
  return text + "' (byte " + std::to_string(owner_.model_.offset(node_.bytes)) + ")";
}

bool Eval::fail(std::string code, const std::string& message, std::string help) {
  if (owner_.mute == nullptr || owner_.problems_.empty())
    owner_.problems_.push_back(
        error(std::move(code), describe() + ": " + message, owner_.model_.at(node_.bytes), std::move(help)));
  return false;
}

graph::Step Eval::step(graph::Kind kind) const {
  graph::Step s;
  s.kind = kind;
  s.op = op_name();
  s.name = node_name();
  s.times = owner_.times;
  return s;
}

Dtype dtype_of(std::uint8_t elem) {
  switch (elem) {
    case kFloat:
      return Dtype::float32;
    case kFloat16:
      return Dtype::float16;
    case kDouble:
      return Dtype::float64;
    case kBfloat16:
      return Dtype::bfloat16;
    case kUint8:
      return Dtype::uint8;
    case kInt8:
      return Dtype::int8;
    case kInt32:
      return Dtype::int32;
    case kInt64:
      return Dtype::int64;
    case 17:
    case 18:
      return Dtype::float8_e4m3;
    case 19:
    case 20:
      return Dtype::float8_e5m2;
    case 21:
    case 22:
      return Dtype::int4;
    case 23:
      return Dtype::float4_e2m1;
    default:
      return Dtype::unspecified;
  }
}

void Eval::record(graph::Step s, std::uint32_t weights) {
  Model& m = owner_.model_;
  for (int i = 0; i < inputs() && owner_.mute == nullptr; ++i) {
    const Type& type = in(i);
    if (i < 32 && (weights >> i & 1) == 0) continue;
    if (type.origin == 0) continue;
    Initializer& w = m.initializers[type.origin - 1];
    if (w.owned) continue;
    const bool setting = (m.values[w.value].flags & kSetting) != 0;
    w.owned = w.used = true;
    const bool quantized = w.elem == kInt8 || w.elem == kUint8 || w.elem == 21 || w.elem == 22 ||
                           (w.elem == kInt32 && (s.kind == graph::Kind::product || s.kind == graph::Kind::convolution));
    if (!w.trained && (setting || !quantized)) {
      graph::add_elements(s.buffers, w.elements);
      continue;
    }
    graph::add_elements(s.parameters, w.elements);
    if (!w.trained) graph::add_elements(s.frozen, w.elements);
    s.stored = dtype_of(w.elem);
    const std::size_t dot = w.name.rfind('.');  // "layer1.0.conv1.weight" belongs to the module layer1.0.conv1
    if (s.module.empty() && dot != std::string_view::npos && dot > 0) s.module = w.name.substr(0, dot);
  }
  owner_.record(s);
}

void Eval::elementwise(std::int64_t flop_per_element) {
  if (owner_.mute != nullptr) return;
  const Type& result = out(0);
  bool carries = false;
  for (int i = 0; i < inputs(); ++i) carries = carries || in(i).origin != 0;
  if (!carries && (flop_per_element == 0 || !is_float(result.elem) || result.data != nullptr)) return;
  graph::Step s = step(graph::Kind::elementwise);
  s.flop_per_element = flop_per_element;
  s.written = std::max<std::int64_t>(elements(result), 0);
  for (int i = 0; i < inputs(); ++i)
    if (in(i).origin == 0 && is_float(in(i).elem))
      graph::add_elements(s.read, std::max<std::int64_t>(elements(in(i)), 0));
  s.left_gradient = useful_ && result.has(kGradient);
  s.kept = s.left_gradient ? hold_for_backward() : 0;
  if (op_name() == "MaxPool") s.indices = s.written;
  record(s);
}

void Eval::product(graph::Kind kind, int left, int right, std::int64_t batch, std::int64_t rows, std::int64_t columns,
                   std::int64_t inner, std::uint32_t weights, std::int64_t kernel, bool transposed, std::int64_t kept) {
  graph::Step s = step(kind);
  s.kernel = kernel;
  s.transposed = transposed;
  const bool weight = right >= 0 && in(right).has(kWeight);
  s.right_weight = weight;
  s.left_gradient = left >= 0 && gradient(left);
  s.right_gradient = right >= 0 && gradient(right);
  if (batch < 0 || rows < 0 || columns < 0 || inner < 0) {
    s.kind = graph::Kind::unknown;
    owner_.note_unknown_size(describe());
    if (left >= 0) owner_.note_needed(in(left));
    if (right >= 0) owner_.note_needed(in(right));
  } else {
    s.batch = batch;
    s.rows = rows;
    s.columns = columns;
    s.inner = inner;
  }
  s.read = std::max<std::int64_t>(left >= 0 ? elements(in(left)) : 0, 0);
  if (!weight && right >= 0) graph::add_elements(s.read, std::max<std::int64_t>(elements(in(right)), 0));
  s.written = std::max<std::int64_t>(elements(out(0)), 0);
  s.kept = std::max<std::int64_t>(kept, 0);
  if (kept >= 0) return record(s, weights);
  const bool batched = kind == graph::Kind::attention;
  if (left >= 0 && s.right_gradient && (node_.role & graph::forgets_left) == 0) s.kept = hold_input(left, batched);
  if (right >= 0 && !weight && s.left_gradient) graph::add_elements(s.kept, hold_input(right, batched));
  if ((node_.role & graph::keeps_output) != 0 && (s.left_gradient || s.right_gradient))
    graph::add_elements(s.kept, hold_output());
  record(s, weights);
}

void Eval::unknown(std::string_view what) {
  owner_.note_unknown_operator(what);
  graph::Step s = step(graph::Kind::unknown);
  record(s);
}

}  // namespace floptally::onnx
