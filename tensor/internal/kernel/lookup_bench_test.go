package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gobeit/gobeit/tensor/internal/pool"
)

// BenchmarkNearestCode searches the codebook of a tokenizer for 32 and 64 images of 196 tokens.
func BenchmarkNearestCode(b *testing.B) {
	const k, d = 8192, 32
	for _, s := range Levels() {
		for _, threads := range []int{1, 2} {
			for _, m := range []int{6272, 12544} {
				b.Run(fmt.Sprintf("cpu=%s/threads=%d/m=%d/k=%d/d=%d", s.Level, threads, m, k, d), func(b *testing.B) {
					defer pool.SetThreads(pool.Threads())
					pool.SetThreads(threads)
					r := rand.New(rand.NewPCG(1, 1))
					z, codebook := normal(r, m*d), normal(r, k*d)
					codes := make([]int32, m)
					b.ReportAllocs()
					for b.Loop() {
						s.NearestCodes(codes, z, codebook, d)
					}
					seconds := b.Elapsed().Seconds() / float64(b.N)
					b.ReportMetric(2*float64(m)*k*d/seconds/1e9, "GFLOP/s")
					b.ReportMetric(float64(m)/seconds/1e6, "Mcodes/s")
				})
			}
		}
	}
}

func BenchmarkCodeStats(b *testing.B) {
	const m, k, d = 12544, 8192, 32
	s := Levels()[len(Levels())-1]
	r := rand.New(rand.NewPCG(1, 1))
	z, codes := normal(r, m*d), make([]int32, m)
	for i := range codes {
		codes[i] = int32(r.IntN(k))
	}
	counts, sums := make([]float32, k), make([]float32, k*d)
	for b.Loop() {
		s.CodeStats(counts, sums, codes, z, d)
	}
}
