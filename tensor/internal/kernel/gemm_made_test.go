package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// made returns a function for GemmArgs.AFrom or BFrom that copies from a matrix.
func made(x []float32, rowStep, colStep int) func(dst []float32, ld, row, col, rows, cols int) {
	return func(dst []float32, ld, row, col, rows, cols int) {
		for r := range rows {
			for c := range cols {
				dst[r*ld+c] = x[(row+r)*rowStep+(col+c)*colStep]
			}
		}
	}
}

// Operands that functions make give the bytes of those in memory, at every precision.
func TestMadeOperands(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(21, 22))
		for _, c := range []gemmCase{
			{m: 1, n: 1, k: 1}, {m: 3, n: 17, k: 5, gapC: 2}, {m: 30, n: 131, k: 70, accumulate: true}, {m: 115, n: 300, k: 521}, {m: 2, n: 900, k: 1030},
			{m: 5, n: 3, k: 0},
		} {
			for _, p := range []Precision{Highest, High, Medium} {
				g := c.args(r)
				g.Precision = p
				want, _ := withC(g)
				s.MatMul(want)
				for _, which := range []string{"A", "B", "AB"} {
					m := g
					if which != "B" {
						m.A, m.AFrom = nil, made(g.A, g.ARow, g.ACol)
					}
					if which != "A" {
						m.B, m.BFrom = nil, made(g.B, g.BRow, g.BCol)
					}
					got, whole := withC(m)
					s.MatMul(got)
					if !slices.Equal(got.C, want.C) {
						t.Errorf("%s %v precision %d: other bytes with %s made", s.Level, c, p, which)
					}
					checkGuards(t, c, g, whole)
				}
			}
		}
	})
}
