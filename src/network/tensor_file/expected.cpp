#include "network/tensor_file/expected.h"

#include <map>

#include "network/count.h"
#include "network/ops.h"

namespace floptally {
namespace {

constexpr std::size_t kMostTensors = std::size_t{1} << 20;

std::string_view plain(std::string_view name) {
  const std::size_t mark = name.find('#');  // "layers#2": a second run of layers
  return mark == std::string_view::npos ? name : name.substr(0, mark);
}

std::string joined(const std::string& path, std::string_view name) {
  if (path.empty() || name.empty()) return path + std::string(name);
  return path + "." + std::string(name);
}

class Lister {
 public:
  Lister(const Network& network, TensorFile& out) : network_(network), out_(out) { out.storage.push_back(storage_); }

  void block(std::uint32_t index, const std::string& path) {
    for (const Item& item : network_.blocks[index].items) {
      if (out_.tensors.size() > kMostTensors) return;
      if (!item.is_block) {
        op(network_.ops[item.index], path);
        continue;
      }
      const Block& child = network_.blocks[item.index];
      const std::string below = joined(path, plain(child.name));
      const bool numbered = child.repeat > 1 || child.kind == BlockKind::layer;
      for (std::int64_t copy = 0; copy < child.repeat && out_.tensors.size() <= kMostTensors; ++copy)
        block(item.index, numbered ? joined(below, std::to_string(next_[below]++)) : below);
    }
  }

  bool assumed = false;

 private:
  void op(const Op& op, const std::string& path) {
    Cost<Integer> cost;
    cost_of(op, {}, cost);
    if (op.has(op_flags::tied) || cost.parameters == Integer(0)) return;
    const std::string name = joined(path, plain(op.name));
    const std::int64_t* a = op.attributes;
    namespace ops = operators;
    if (op.def == &ops::k_linear) {
      matrix(op, name, {a[2], a[1]}, a[3] != 0 ? a[2] : 0);
    } else if (op.def == &ops::k_grouped_linear) {
      // "experts.up_proj" of 8 experts: "experts.0.up_proj" and so on.
      for (std::int64_t e = 0; e < a[4] && out_.tensors.size() <= kMostTensors; ++e)
        matrix(op, joined(joined(path, std::to_string(e)), plain(op.name)), {a[2], a[1]}, a[3] != 0 ? a[2] : 0);
    } else if (op.def == &ops::k_embedding || op.def == &ops::k_position_table) {
      matrix(op, name, {a[1], a[2]}, 0);
    } else if (op.def == &ops::k_convolution &&
               cost.parameters ==
                   Integer(a[1]) * Integer(a[0] / a[2]) * Integer(a[3]) + Integer(a[6]) * Integer(a[1])) {
      matrix(op, name, {a[1], a[0] / a[2], a[3]}, a[6] != 0 ? a[1] : 0);
    } else if (cost.parameters.fits_int64()) {
      add(op, name + ".weight", {cost.parameters.to_int64()});
    }
  }

  void matrix(const Op& op, const std::string& name, const std::vector<std::int64_t>& shape, std::int64_t bias) {
    add(op, name + ".weight", shape);
    if (bias > 0) add(op, name + ".bias", {bias});
  }

  void add(const Op& op, const std::string& name, const std::vector<std::int64_t>& shape) {
    Dtype dtype = op.stored != Dtype::unspecified ? op.stored : network_.dtype;
    if (dtype == Dtype::unspecified) {
      assumed = true;
      dtype = Dtype::bfloat16;
    }
    TensorEntry entry;
    entry.name = storage_->keep(name);
    entry.shape = storage_->keep(shape);
    entry.type = find_tensor_type(dtype == Dtype::float64   ? "fp64"
                                  : dtype == Dtype::float32 ? "fp32"
                                  : dtype == Dtype::float16 ? "fp16"
                                                            : "bf16");
    const Integer bytes = stored_bytes(entry.elements(), dtype);
    entry.bytes = bytes.fits_int64() ? static_cast<std::uint64_t>(bytes.to_int64()) : 0;
    out_.tensors.push_back(entry);
  }

  const Network& network_;
  TensorFile& out_;
  std::shared_ptr<TensorStorage> storage_ = std::make_shared<TensorStorage>();
  std::map<std::string, std::int64_t> next_;  // number of the next copy under a name
};

}  // namespace

Result<TensorFile> expected_tensors(const Network& network) {
  TensorFile out;
  out.files = {network.name};
  Lister lister(network, out);
  lister.block(0, {});
  if (out.tensors.size() > kMostTensors) return too_large();
  if (lister.assumed)
    out.notes.push_back(note("assumed", "weights are taken as stored in bf16: '" + network.name + "' does not say"));
  return out;
}

}  // namespace floptally
