// int8 quantization against the machine's own copy bandwidth, measured in the same run on the same number of elements.
// "copy" moves the tensor once (read and write); a quantization reads it twice (range, then codes) and writes a byte
// each.
#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>

#include "numerics/kernels.h"

namespace {

using floptally::numerics::Stored;

constexpr std::size_t kElements = std::size_t{1} << 26;  // 256 MiB of fp32: far beyond the caches

// On huge pages where the system gives them, as NumPy asks for its arrays.
struct Release {
  void operator()(char* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<char[], Release>;
Memory memory() {
  constexpr std::size_t kHugePage = std::size_t{1} << 21;
  Memory out(static_cast<char*>(std::aligned_alloc(kHugePage, kElements * 4)));
  madvise(out.get(), kElements * 4, MADV_HUGEPAGE);
  return out;
}
// Normal-looking weights in each format; the bits of fp16 and bf16 are made from the same fp32 values.
Memory weights_of(Stored type) {
  Memory in = memory();
  std::mt19937 random(1);
  for (std::size_t i = 0; i < kElements; ++i) {
    float value = 0;
    for (int k = 0; k < 3; ++k) value += static_cast<float>(random() >> 8) * 0x1p-24f - 0.5f;
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, 4);
    if (type == Stored::fp32) {
      std::memcpy(in.get() + 4 * i, &bits, 4);
    } else {
      const auto half = static_cast<_Float16>(value);
      auto narrow = static_cast<std::uint16_t>(bits >> 16);
      if (type == Stored::fp16) std::memcpy(&narrow, &half, 2);
      std::memcpy(in.get() + 2 * i, &narrow, 2);
    }
  }
  return in;
}

struct Buffers {
  char* in;
  char* out;
};
Buffers weights(Stored type) {
  static const Memory out = [] {
    Memory zeros = memory();
    std::memset(zeros.get(), 0, kElements * 4);
    return zeros;
  }();
  static Memory in[3];
  Memory& mine = in[type == Stored::fp32 ? 0 : type == Stored::fp16 ? 1 : 2];
  if (mine == nullptr) mine = weights_of(type);
  return {mine.get(), out.get()};
}

void account(benchmark::State& state, double bytes_an_element) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(kElements));
  state.SetBytesProcessed(static_cast<std::int64_t>(static_cast<double>(state.iterations()) * bytes_an_element *
                                                    static_cast<double>(kElements)));
}

void copy(benchmark::State& state, Stored type) {
  const Buffers b = weights(type);
  const std::size_t size = floptally::numerics::size_of(type);
  for (auto _ : state) {
    std::memcpy(b.out, b.in, kElements * size);
    benchmark::ClobberMemory();
  }
  account(state, 2.0 * static_cast<double>(size));
}

void absmax(benchmark::State& state, Stored type) {
  const Buffers b = weights(type);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        floptally::numerics::absmax_int8(type, b.in, kElements, reinterpret_cast<std::int8_t*>(b.out)));
  account(state, 2.0 * static_cast<double>(floptally::numerics::size_of(type)) + 1);
}

void zero_point(benchmark::State& state, Stored type) {
  const Buffers b = weights(type);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        floptally::numerics::zero_point_int8(type, b.in, kElements, reinterpret_cast<std::int8_t*>(b.out)));
  account(state, 2.0 * static_cast<double>(floptally::numerics::size_of(type)) + 1);
}

BENCHMARK_CAPTURE(copy, fp32, Stored::fp32);
BENCHMARK_CAPTURE(absmax, fp32, Stored::fp32);
BENCHMARK_CAPTURE(zero_point, fp32, Stored::fp32);
BENCHMARK_CAPTURE(copy, fp16, Stored::fp16);
BENCHMARK_CAPTURE(absmax, fp16, Stored::fp16);
BENCHMARK_CAPTURE(zero_point, fp16, Stored::fp16);
BENCHMARK_CAPTURE(copy, bf16, Stored::bf16);
BENCHMARK_CAPTURE(absmax, bf16, Stored::bf16);
BENCHMARK_CAPTURE(zero_point, bf16, Stored::bf16);

}  // namespace

BENCHMARK_MAIN();
