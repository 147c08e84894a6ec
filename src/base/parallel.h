// Loops over independent pieces of work, on every core. What the pieces compute must not depend on who computes them.
#pragma once

#include <cstddef>
#include <type_traits>

namespace floptally {

// The number of threads that a loop over `count` pieces would use when at most `wanted` are asked for (0: one a core).
unsigned threads_for(std::size_t count, unsigned wanted = 0);

using LoopBody = void (*)(void* context, std::size_t index, unsigned worker);
void run_loop(std::size_t count, unsigned threads, LoopBody body, void* context);

// body(index, worker) for every index in [0, count), each once, in no order, on `threads` threads (see threads_for);
// worker < threads names the thread, so that each can have its own scratch. Returns when all are done. The body must
// not throw.
template <class Body>
void parallel_for(std::size_t count, unsigned threads, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  run_loop(
      count, threads,
      [](void* context, std::size_t index, unsigned worker) { (*static_cast<Plain*>(context))(index, worker); }, &body);
}

}  // namespace floptally
