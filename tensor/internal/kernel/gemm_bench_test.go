package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gobeit/gobeit/tensor/internal/pool"
)

// BenchmarkGemm measures the products of a ViT-B at 8 images of 197 tokens and of the
// small 32-pixel model at 128 images of 65: y = x·Wᵀ, dx = dy·W, dW = dyᵀ·x.
func BenchmarkGemm(b *testing.B) {
	type linear struct{ m, n, k int }
	layers := []linear{
		{1576, 2304, 768}, {1576, 768, 768}, {1576, 3072, 768}, {1576, 768, 3072},
		{8320, 576, 192}, {8320, 192, 192}, {8320, 768, 192}, {8320, 192, 768},
	}
	for _, s := range benchSets() {
		for _, threads := range []int{1, 2} {
			for _, l := range layers {
				benchmarkGemm(b, s, "y", threads, l.m, l.n, l.k, false, true)
				benchmarkGemm(b, s, "dx", threads, l.m, l.k, l.n, false, false)
				benchmarkGemm(b, s, "dw", threads, l.n, l.k, l.m, true, false)
			}
		}
	}
}

// benchSet is a level at a precision that it supports; at Highest, it would equal the level below.
type benchSet struct {
	*Set
	precision Precision
}

func (s benchSet) name() string {
	return fmt.Sprintf("cpu=%s/precision=%s", s.Level, []string{"highest", "high", "medium"}[s.precision])
}

func benchSets() []benchSet {
	var sets []benchSet
	for _, s := range Levels() {
		if !s.Supports(Medium) {
			sets = append(sets, benchSet{s, Highest})
			continue
		}
		for _, p := range []Precision{High, Medium} {
			if s.Supports(p) {
				sets = append(sets, benchSet{s, p})
			}
		}
	}
	return sets
}

func benchmarkGemm(b *testing.B, s benchSet, op string, threads, m, n, k int, byColA, byColB bool) {
	b.Run(fmt.Sprintf("%s/op=%s/threads=%d/m=%d/n=%d/k=%d", s.name(), op, threads, m, n, k), func(b *testing.B) {
		defer pool.SetThreads(pool.Threads())
		pool.SetThreads(threads)
		g := gemmCase{m: m, n: n, k: k, byColA: byColA, byColB: byColB}.args(rand.New(rand.NewPCG(1, 1)))
		g.Precision = s.precision
		b.ReportAllocs()
		for b.Loop() {
			s.MatMul(g)
		}
		reportFLOPs(b, 2*float64(m)*float64(n)*float64(k))
	})
}

// BenchmarkGemmHead measures the products of one attention head, read in place from the
// rows of qkv (3 x 12 heads of 64): scores = q·kᵀ, out = p·v, dv = pᵀ·dout.
func BenchmarkGemmHead(b *testing.B) {
	const d, stride = 64, 3 * 768
	for _, s := range benchSets() {
		for _, n := range []int{65, 197} {
			r := rand.New(rand.NewPCG(1, 1))
			qkv, square := newOperand(r, n, stride, 0, false).data, newOperand(r, n, n, 0, false).data
			c := make([]float32, n*stride)
			for _, op := range []struct {
				name string
				g    GemmArgs
			}{
				{"qk", GemmArgs{M: n, N: n, K: d, A: qkv, ARow: stride, ACol: 1, B: qkv[768:], BRow: 1, BCol: stride, CRow: n}},
				{"pv", GemmArgs{M: n, N: d, K: n, A: square, ARow: n, ACol: 1, B: qkv, BRow: stride, BCol: 1, CRow: 768}},
				{"ptdo", GemmArgs{M: n, N: d, K: n, A: square, ARow: 1, ACol: n, B: qkv, BRow: stride, BCol: 1, CRow: 768}},
			} {
				b.Run(fmt.Sprintf("%s/op=%s/n=%d", s.name(), op.name, n), func(b *testing.B) {
					op.g.C, op.g.Serial, op.g.Precision = c, true, s.precision
					b.ReportAllocs()
					for b.Loop() {
						s.MatMul(op.g)
					}
					reportFLOPs(b, 2*float64(n)*float64(n)*d)
				})
			}
		}
	}
}

func reportFLOPs(b *testing.B, each float64) {
	b.ReportMetric(each*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
