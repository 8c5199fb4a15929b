package tensor

import (
	"fmt"
	"testing"
)

// Attention forward and backward at the sizes of a small and a base ViT. GFLOP/s count the products alone.
func BenchmarkAttention(b *testing.B) {
	dev := CPU()
	for _, s := range []struct{ b, n, h, d int }{{128, 65, 3, 64}, {4, 197, 12, 64}} {
		qkv, bias := randomized(dev, 1, s.b, s.n, 3*s.h*s.d), randomized(dev, 2, s.h, s.n, s.n)
		dqkv, dbias := New(dev, s.b, s.n, 3*s.h*s.d), New(dev, s.h, s.n, s.n)
		args := AttentionArgs{QKV: qkv, Bias: bias, Heads: s.h, Scale: 0.125}
		args = Attention(args)
		name := fmt.Sprintf("dev=cpu/cpu=%s/b=%d/n=%d/h=%d/d=%d", dev.Name()[4:], s.b, s.n, s.h, s.d)
		flops := 4 * float64(s.b*s.h*s.n*s.n*s.d)
		b.Run("pass=forward/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Attention(args)
			}
			b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
		b.Run("pass=backward/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				AttentionGrad(AttentionGradArgs{
					DQKV: Grad{To: dqkv}, DBias: Grad{To: dbias}, DOut: args.Out, Out: args.Out, LSE: args.LSE,
					QKV: qkv, Bias: bias, Heads: s.h, Scale: 0.125,
				})
			}
			b.ReportMetric(2.5*flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

// Linear as a block uses it, forward and backward, at the sizes of a small ViT; the plain product stands beside.
func BenchmarkLinear(b *testing.B) {
	dev := CPU()
	const samples, m, k, n = 64, 64 * 65, 192, 768
	x, w, bias, residual := randomized(dev, 1, m, k), randomized(dev, 2, n, k), randomized(dev, 3, n), randomized(dev, 4, m, n)
	gamma, keep := randomized(dev, 5, n), Full(dev, 1.1, samples)
	dx, dw, db, dg := New(dev, m, k), New(dev, n, k), New(dev, n), New(dev, n)
	for _, c := range []struct {
		name string
		args LinearArgs
	}{
		{"plain", LinearArgs{X: x, W: w}},
		{"bias", LinearArgs{X: x, W: w, Bias: bias}},
		{"gelu", LinearArgs{X: x, W: w, Bias: bias, GELU: true}},
		{"residual", LinearArgs{X: x, W: w, Bias: bias, Residual: residual, Gamma: gamma, Keep: keep}},
	} {
		args := Linear(c.args)
		name := fmt.Sprintf("dev=cpu/cpu=%s/m=%d/n=%d/k=%d/with=%s", dev.Name()[4:], m, n, k, c.name)
		b.Run("pass=forward/"+name, func(b *testing.B) {
			for b.Loop() {
				Linear(args)
			}
			b.ReportMetric(2*m*n*k*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
		grad := LinearGradArgs{
			DX: Grad{To: dx}, DW: Grad{To: dw}, DY: residual, X: x, W: w,
			Bias: args.Bias, Pre: args.Pre, Gamma: args.Gamma, Keep: args.Keep,
		}
		if args.Bias != nil {
			grad.DBias.To = db
		}
		if args.Gamma != nil {
			grad.DGamma.To = dg
		}
		b.Run("pass=backward/"+name, func(b *testing.B) {
			for b.Loop() {
				LinearGrad(grad)
			}
			b.ReportMetric(4*m*n*k*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

// BenchmarkSmall is operations with next to nothing to compute: what is left is the cost of the checks, the bracket and the result's memory.
func BenchmarkSmall(b *testing.B) {
	dev := CPU()
	x, w := randomized(dev, 1, 1, 16), randomized(dev, 2, 1, 16)
	for name, op := range map[string]func(){
		"op=addScaled": func() { AddScaled(x, w, 0) }, // makes no tensor
		"op=affine":    func() { Affine(x, 1, 0).Release() },
		"op=linear":    func() { Linear(LinearArgs{X: x, W: w}).Y.Release() },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				op()
			}
		})
	}
}
