/* attr.h - compiler attributes; the only place that knows about compilers. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_BASE_ATTR_H
#define CORE_BASE_ATTR_H

#define MUST_USE	  __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CLEANUP(fn)	  __attribute__((cleanup(fn)))
/* With inline: code that is to be specialised for constant arguments. */
#define ALWAYS_INLINE __attribute__((always_inline))
/* Have the line at p read into the cache; p need not be valid. */
#define PREFETCH(p) __builtin_prefetch(p)
#define COUNTOF(a)  (sizeof(a) / sizeof((a)[0]))

/* Compile a hot function for several vector widths, chosen at load time. Same bits in each, since
 * nothing is contracted or reassociated. Empty under sanitizers (they crash in the resolver). */
#if defined(STDP_SANITIZED) || !defined(__x86_64__) || defined(__clang__)
#define CLONES
#elif defined(STDP_CLONE)
/* One width for every processor: for tests/golden/compilers.sh, which compares them. */
#define CLONES __attribute__((target(STDP_CLONE)))
#else
#define CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#endif

/* Does it take a copy of values that stay the same to vectorise a loop that reads them under a
 * condition? gcc needs it; clang does without, and stumbles over it. */
#ifdef __clang__
#define COPY_SAME 0
#else
#define COPY_SAME 1
#endif

/* A function written with the intrinsics of AVX2 or AVX-512F, for where compilers see less than there
 * is; to be called if the processor HAS_ them, with the same bits as its plain twin. Not defined
 * elsewhere. */
#if !defined(STDP_SANITIZED) && defined(__x86_64__)
#include <immintrin.h>
#define AVX2	   __attribute__((target("avx2")))
#define AVX512	   __attribute__((target("avx512f")))
#define HAS_AVX2   __builtin_cpu_supports("avx2")
#define HAS_AVX512 __builtin_cpu_supports("avx512f")
#endif

#endif
