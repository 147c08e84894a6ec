// FLOPTALLY_CLONES: compiles a function for wider vectors too and picks by processor at run time. The project is built
// without contraction into fused multiply-adds, so every version rounds alike and answers do not depend on the machine.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define FLOPTALLY_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define FLOPTALLY_CLONES
#endif
