package main

/*
#include <stdint.h>

// Twelve independent sums hide the latency of a fused multiply-add (4 or 5 cycles, 2 a cycle at most).
// All products are of zeros: nothing depends on what the registers held.

#if defined(__x86_64__)
__attribute__((target("avx2,fma")))
static void fma256(int64_t n) {
	__asm__ volatile(
		"vpxor %%xmm0, %%xmm0, %%xmm0\n"
		"1:\n"
		"vfmadd231ps %%ymm0, %%ymm0, %%ymm2\n vfmadd231ps %%ymm0, %%ymm0, %%ymm3\n"
		"vfmadd231ps %%ymm0, %%ymm0, %%ymm4\n vfmadd231ps %%ymm0, %%ymm0, %%ymm5\n"
		"vfmadd231ps %%ymm0, %%ymm0, %%ymm6\n vfmadd231ps %%ymm0, %%ymm0, %%ymm7\n"
		"vfmadd231ps %%ymm0, %%ymm0, %%ymm8\n vfmadd231ps %%ymm0, %%ymm0, %%ymm9\n"
		"vfmadd231ps %%ymm0, %%ymm0, %%ymm10\n vfmadd231ps %%ymm0, %%ymm0, %%ymm11\n"
		"vfmadd231ps %%ymm0, %%ymm0, %%ymm12\n vfmadd231ps %%ymm0, %%ymm0, %%ymm13\n"
		"dec %0\n jnz 1b\n vzeroupper\n"
		: "+r"(n) : : "xmm0", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "cc");
}

__attribute__((target("avx512f")))
static void fma512(int64_t n) {
	__asm__ volatile(
		"vpxor %%xmm0, %%xmm0, %%xmm0\n"
		"1:\n"
		"vfmadd231ps %%zmm0, %%zmm0, %%zmm2\n vfmadd231ps %%zmm0, %%zmm0, %%zmm3\n"
		"vfmadd231ps %%zmm0, %%zmm0, %%zmm4\n vfmadd231ps %%zmm0, %%zmm0, %%zmm5\n"
		"vfmadd231ps %%zmm0, %%zmm0, %%zmm6\n vfmadd231ps %%zmm0, %%zmm0, %%zmm7\n"
		"vfmadd231ps %%zmm0, %%zmm0, %%zmm8\n vfmadd231ps %%zmm0, %%zmm0, %%zmm9\n"
		"vfmadd231ps %%zmm0, %%zmm0, %%zmm10\n vfmadd231ps %%zmm0, %%zmm0, %%zmm11\n"
		"vfmadd231ps %%zmm0, %%zmm0, %%zmm12\n vfmadd231ps %%zmm0, %%zmm0, %%zmm13\n"
		"dec %0\n jnz 1b\n vzeroupper\n"
		: "+r"(n) : : "xmm0", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "cc");
}

// fmas runs n rounds of 12 multiply-adds of vectors that are width float32 wide; 0 says that the processor has none.
static int fmas(int width, int64_t n) {
	__builtin_cpu_init();
	if (width == 16 && __builtin_cpu_supports("avx512f")) { fma512(n); return 1; }
	if (width == 8 && __builtin_cpu_supports("fma")) { fma256(n); return 1; }
	return 0;
}
#else
static int fmas(int width, int64_t n) { return 0; }
#endif
*/
import "C"

import (
	"strings"
	"time"
)

// peak is what one core can do at most with the vectors of a CPU level, in GFLOP/s: the best of several measurements of
// multiply-adds that wait for nothing. It is 0 where it cannot be measured.
func peak(level string) (best float64) {
	width := 8
	if strings.Contains(level, "avx512") {
		width = 16
	}
	const rounds, perRound = 5_000_000, 12
	for range 5 {
		start := time.Now()
		if C.fmas(C.int(width), rounds) == 0 {
			return 0
		}
		flops := 2 * float64(width) * perRound * rounds
		best = max(best, flops/time.Since(start).Seconds()/1e9)
	}
	return best
}
