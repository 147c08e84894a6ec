#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "book/sift.cpp"
#include "book/sift.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace floptally {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

void sift(const double* values, std::size_t count, Brackets* brackets, double* const* out, std::size_t* found) {
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t kept[Brackets::kCount] = {};
  std::uint64_t below[Brackets::kCount] = {};
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto v = hn::LoadU(d, values + i);
    for (std::size_t k = 0; k < Brackets::kCount; ++k) {
      const auto less = hn::Lt(v, hn::Set(d, brackets->low[k]));
      const auto inside = hn::AndNot(less, hn::Le(v, hn::Set(d, brackets->high[k])));
      below[k] += hn::CountTrue(d, less);
      kept[k] += hn::CompressStore(v, inside, d, out[k] + kept[k]);
    }
  }
  for (; i < count; ++i) {
    for (std::size_t k = 0; k < Brackets::kCount; ++k) {
      below[k] += values[i] < brackets->low[k] ? 1 : 0;
      if (values[i] >= brackets->low[k] && values[i] <= brackets->high[k]) out[k][kept[k]++] = values[i];
    }
  }
  for (std::size_t k = 0; k < Brackets::kCount; ++k) {
    brackets->below[k] += below[k];
    found[k] = kept[k];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace floptally
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace floptally {
HWY_EXPORT(sift);
void sift(const double* values, std::size_t count, Brackets& brackets, double* const* out, std::size_t* found) {
  HWY_DYNAMIC_DISPATCH(sift)(values, count, &brackets, out, found);
}
}  // namespace floptally
#endif
