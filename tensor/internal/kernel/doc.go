// Package kernel holds the CPU kernels: functions on slices, one table of them
// (Set) per CPU level. It knows no tensors.
//
//	c, err := kernel.Choose() // the fastest level of this machine, or what BEIT_CPU names
//	if err != nil {
//		return err
//	}
//	set := c.Set
//	set.Vec.Add(dst, a, b)
//	set.MatMul(kernel.GemmArgs{M: m, N: n, K: k, A: a, ARow: k, ACol: 1, B: b, BRow: n, BCol: 1, C: c, CRow: n})
//
// The levels are generic everywhere, avx2, avx512, avx512bf16 and amx on amd64, neon on arm64.
// Each assembly function has a generic Go twin that defines what it
// computes. Tests compare the two under guard bands at every length. The
// assembly is written by the generators in _asm, run by go generate, and left out
// by the build tag purego.
//
// Choose first compares a level with generic on small problems (Set.SelfTest) and skips one that
// differs. A processor, emulator or compiler may be wrong where the tests never ran.
//
// Sums are split by sizes alone, so results have the same bits on any number of
// threads. They may differ between levels in the last places.
//
// Slices that do not fit their sizes panic; only Choose, which reads the
// environment, returns an error. Everything may be called by several goroutines at
// once on slices that they do not write to at the same time. Large matmuls and
// lookups share the goroutines of package pool.
package kernel
