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
const peakSums = 12

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

// peakGeneric keeps four sums going.
func peakGeneric(n int) {
	x := float32(n)
	a, b, c, d := x, x+1, x+2, x+3
	for range n {
		a = a*x + x
		b = b*x + x
		c = c*x + x
		d = d*x + x
	}
	runtime.KeepAlive(a + b + c + d)
}
