// Highway's choice of vector target, without its shared library: libhwy 1.0 calibrates a timer whenever it is loaded,
// which costs a process five milliseconds, more than a whole answer takes. Only its headers are used; the functions
// that they leave to the library stand here.
#include <hwy/targets.h>

#include <cstdlib>

#if HWY_ARCH_X86 && (defined(__GNUC__) || defined(__clang__))
#include <cpuid.h>
#endif

namespace hwy {
namespace {

#if HWY_ARCH_X86 && (defined(__GNUC__) || defined(__clang__))
bool converts_halves() {  // clang 16 does not know "f16c" by name
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
#endif

}  // namespace

int64_t SupportedTargets() {
  int64_t targets = HWY_STATIC_TARGET;
#if HWY_ARCH_X86 && (defined(__GNUC__) || defined(__clang__))
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && converts_halves() &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  if (avx2) targets |= HWY_AVX2;
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd"))
    targets |= HWY_AVX3;
#endif
  return targets;
}

// What the headers' own assertions call, in debug builds alone.
void Abort(const char* /*file*/, int /*line*/, const char* /*format*/, ...) { std::abort(); }

ChosenTarget& GetChosenTarget() {
  static ChosenTarget chosen;
  return chosen;
}

}  // namespace hwy
