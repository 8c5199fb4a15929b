package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkVec reports elements and bytes (read and written) per second.
func BenchmarkVec(b *testing.B) {
	type work struct {
		op    string
		bytes int // moved per element
		run   func(v *VecFuncs, s [][]float32)
	}
	works := []work{
		{"add", 12, func(v *VecFuncs, s [][]float32) { v.Add(s[0], s[1], s[2]) }},
		{"affine", 8, func(v *VecFuncs, s [][]float32) { v.Affine(s[0], s[1], 1.5, 0.5) }},
		{"scaleresidual", 16, func(v *VecFuncs, s [][]float32) { v.ScaleResidual(s[0], s[1], s[2], s[3], 1) }},
		{"exp", 8, func(v *VecFuncs, s [][]float32) { v.Exp(s[0], s[1]) }},
		{"log", 8, func(v *VecFuncs, s [][]float32) { v.Log(s[0], s[1]) }},
		{"tanh", 8, func(v *VecFuncs, s [][]float32) { v.Tanh(s[0], s[1]) }},
		{"gelu", 8, func(v *VecFuncs, s [][]float32) { v.GELU(s[0], s[1]) }},
		{"gelugrad", 12, func(v *VecFuncs, s [][]float32) { v.GELUGrad(s[0], s[2], s[1]) }},
		{"quickgelu", 8, func(v *VecFuncs, s [][]float32) { v.QuickGELU(s[0], s[1]) }},
		{"sum", 4, func(v *VecFuncs, s [][]float32) { v.Sum(s[1]) }},
		{"sumsquares", 4, func(v *VecFuncs, s [][]float32) { v.SumSquares(s[1]) }},
		{"dot", 8, func(v *VecFuncs, s [][]float32) { v.Dot(s[1], s[2]) }},
		{"maxvalue", 4, func(v *VecFuncs, s [][]float32) { v.MaxValue(s[1]) }},
		{"expsum", 8, func(v *VecFuncs, s [][]float32) { v.ExpSum(s[0], s[1], 1) }},
		{"layernorm", 16, func(v *VecFuncs, s [][]float32) { v.LayerNorm(s[0], s[1], s[2], s[3], 1e-6) }},
		{"layernormgrad", 16, func(v *VecFuncs, s [][]float32) { v.LayerNormGrad(s[0], s[1], s[2], s[3], 0, 1, false) }},
		{"adamw", 28, func(v *VecFuncs, s [][]float32) { v.AdamW(s[0], s[1], s[2], s[3], adamStep) }},
	}
	for _, w := range works {
		for _, set := range Levels() {
			for _, n := range []int{768, 4096} {
				b.Run(fmt.Sprintf("op=%s/cpu=%s/n=%d", w.op, set.Level, n), func(b *testing.B) {
					r := rand.New(rand.NewPCG(1, 2))
					s := make([][]float32, 4)
					for j := range s {
						s[j] = make([]float32, n)
						for i := range s[j] {
							s[j][i] = 4*r.Float32() - 1
						}
					}
					for i := range s[3] {
						s[3][i] = r.Float32() // the second moment is never negative
					}
					b.SetBytes(int64(w.bytes * n))
					for b.Loop() {
						w.run(&set.Vec, s)
					}
					b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Melem/s")
				})
			}
		}
	}
}
