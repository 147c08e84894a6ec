#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "book/sift.cpp"
#include "book/sift.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace floptally {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

std::size_t sift(const double* values, std::size_t count, double low, double high, double* out, std::uint64_t* below) {
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto lower = hn::Set(d, low);
  const auto upper = hn::Set(d, high);
  std::size_t kept = 0;
  std::uint64_t under = 0;
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto v = hn::LoadU(d, values + i);
    const auto less = hn::Lt(v, lower);
    under += hn::CountTrue(d, less);
    const auto inside = hn::AndNot(less, hn::Le(v, upper));
    if (!hn::AllFalse(d, inside)) kept += hn::CompressStore(v, inside, d, out + kept);
  }
  for (; i < count; ++i) {
    under += values[i] < low ? 1 : 0;
    if (values[i] >= low && values[i] <= high) out[kept++] = values[i];
  }
  *below += under;
  return kept;
}

}  // namespace HWY_NAMESPACE
}  // namespace floptally
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace floptally {
HWY_EXPORT(sift);
std::size_t sift(const double* values, std::size_t count, double low, double high, double* out, std::uint64_t& below) {
  return HWY_DYNAMIC_DISPATCH(sift)(values, count, low, high, out, &below);
}
}  // namespace floptally
#endif
