// Detection: regions, boxes that survive, and what else depends on data.
#include <algorithm>

#include "network/formats/onnx/eval.h"

namespace floptally::onnx {
namespace {

bool non_max_suppression(Eval& e) {
  Dims dims;
  dims.push(e.new_size(0, 0));
  dims.push(3);
  e.shape(0, kInt64, dims);
  return true;
}

bool roi_align(Eval& e) {
  const Type x = e.in(0), rois = e.in(1);
  if (!x.ranked() || x.rank != 4 || !rois.ranked() || rois.rank == 0) {
    e.unranked(0, x.elem);
    return true;
  }
  Integers pooled;
  e.integers("pooled_shape", pooled);
  Dims dims;
  dims.push(rois.dims[0]);
  dims.push(x.dims[1]);
  for (std::uint32_t i = 0; i < 2; ++i)
    dims.push(e.rule().choice == 1 ? (i < pooled.n ? pooled.v[i] : kUnknown)
                                   : e.integer(i == 0 ? "output_height" : "output_width", 1));
  e.shape(0, x.elem, dims);
  e.elementwise(8);
  return true;
}

bool multinomial(Eval& e) {
  const Type x = e.in(0);
  Dims dims;
  dims.push(x.ranked() && x.rank == 2 ? x.dims[0] : kUnknown);
  dims.push(e.integer("sample_size", 1));
  e.shape(0, static_cast<std::uint8_t>(e.integer("dtype", kInt32) & 0x3f), dims);
  return true;
}

// DFT and STFT: complex pairs in the last axis. Their FLOP are no matrix product and depend on the kernel.
bool dft(Eval& e) {
  const Type x = e.in(0);
  if (!x.ranked() || x.rank < 2) {
    e.unranked(0, x.elem);
    return true;
  }
  std::int64_t length = 0;
  std::int64_t axis_value = e.integer("axis", 1);
  if (e.has(2)) Eval::scalar(e.in(2), axis_value);
  int axis = 0;
  if (!e.to_axis(axis_value, x.rank, axis)) return false;
  Dims dims;
  for (int i = 0; i < x.rank; ++i) dims.push(x.dims[i]);
  if (e.has(1)) dims.v[axis] = Eval::scalar(e.in(1), length) ? length : kUnknown;
  const bool one_sided = e.integer("onesided", 0) != 0, back = one_sided && e.integer("inverse", 0) != 0;
  if (back && !e.has(1) && dims.v[axis] > 0) dims.v[axis] = 2 * (dims.v[axis] - 1);  // real numbers come back
  if (one_sided && !back && dims.v[axis] >= 0) dims.v[axis] = dims.v[axis] / 2 + 1;
  dims.v[x.rank - 1] = back ? 1 : 2;
  e.shape(0, x.elem, dims);
  e.unknown("DFT");
  return true;
}

bool stft(Eval& e) {
  const Type x = e.in(0);
  std::int64_t step = 0, length = kUnknown;
  if (e.has(3))
    Eval::scalar(e.in(3), length);
  else if (e.in(2).ranked() && e.in(2).rank == 1)
    length = e.in(2).dims[0];
  Dims dims;
  const bool known =
      Eval::scalar(e.in(1), step) && step > 0 && length > 0 && x.ranked() && x.rank >= 2 && x.dims[1] >= length;
  dims.push(x.ranked() && x.rank > 0 ? x.dims[0] : kUnknown);
  dims.push(known ? (x.dims[1] - length) / step + 1 : kUnknown);
  dims.push(length <= 0 ? kUnknown : e.integer("onesided", 1) != 0 ? length / 2 + 1 : length);
  dims.push(2);
  e.shape(0, x.elem, dims);
  e.unknown("STFT");
  return true;
}

}  // namespace

const Rule kDetectionRules[] = {
    {"NonMaxSuppression", non_max_suppression, 28, 0, 0},
    {"RoiAlign", roi_align, 6, 1},
    {"MaxRoiPool", roi_align, 2, 1, kAll, 0, 1},
    {"Multinomial", multinomial, 0, 0, 0},
    {"DFT", dft, 6, 1},
    {"STFT", stft, 14, 1},
    {"", nullptr},
};

}  // namespace floptally::onnx
