#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace floptally {

unsigned threads_for(std::size_t count, unsigned wanted) {
  constexpr unsigned kMost = 1024;
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  const unsigned limit = wanted == 0 ? cores : std::min(wanted, kMost);
  return static_cast<unsigned>(std::clamp<std::size_t>(count, 1, limit));
}

void run_loop(std::size_t count, unsigned threads, LoopBody body, void* context) {
  std::atomic<std::size_t> next{0};
  const auto work = [&](unsigned worker) {
    for (std::size_t i = next++; i < count; i = next++) body(context, i, worker);
  };
  std::vector<std::thread> others;
  others.reserve(threads - 1);
  for (unsigned worker = 1; worker < threads; ++worker) {
    try {
      others.emplace_back(work, worker);
    } catch (const std::system_error&) {
      break;  // no more threads to be had: those that run do the work
    }
  }
  work(0);
  for (std::thread& other : others) other.join();
}

}  // namespace floptally
