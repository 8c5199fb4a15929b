package kernel

import (
	"runtime"
	"time"
)

// gemmPeak measures how fast a core multiplies at most: run does n > 0 rounds in registers, of flops floating-point operations each.
type gemmPeak struct {
	run   func(n int)
	flops float64
}

// peakSums is how many multiply-adds a round of the assembly has; see _asm/gemm/peak.go.
const peakSums = 14

// Peak measures how many floating-point operations one core does in a second at most with the multiplications of MatMul at a precision.
// Nothing can be faster; what is slower waits for memory or does other things besides.
func (s *Set) Peak(precision Precision) float64 {
	p := s.Gemm.peak
	switch {
	case !s.Supports(precision):
	case s.Gemm.tiles == nil:
		p = s.Gemm.pairs.peak
	default:
		p = s.Gemm.tiles.peak
		if precision == High {
			p.flops /= 3 // so many multiplications of tiles make one of its own
		}
	}
	n, best := 1<<10, 0.0
	for measured := 0; measured < 5; {
		start := time.Now()
		p.run(n)
		took := time.Since(start)
		if took < 5*time.Millisecond {
			n *= 2
			continue
		}
		best = max(best, float64(n)*p.flops/took.Seconds())
		measured++
	}
	return best
}

// genericSums is how many multiply-adds a round of peakGeneric has.
const genericSums = 12

// peakGeneric keeps so many sums going that none waits for the one before.
func peakGeneric(n int) {
	x := float32(n)
	a, b, c, d, e, f := x, x+1, x+2, x+3, x+4, x+5
	g, h, i, j, k, l := x+6, x+7, x+8, x+9, x+10, x+11
	for range n {
		a, b, c, d, e, f = a*x+x, b*x+x, c*x+x, d*x+x, e*x+x, f*x+x
		g, h, i, j, k, l = g*x+x, h*x+x, i*x+x, j*x+x, k*x+x, l*x+x
	}
	runtime.KeepAlive(a + b + c + d + e + f + g + h + i + j + k + l)
}
