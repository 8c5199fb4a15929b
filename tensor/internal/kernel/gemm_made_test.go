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

// A matrix in pairs of bfloat16 gives the bytes of the matrix at precision Medium.
func TestMadePairs(t *testing.T) {
	forMedium(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(23, 24))
		for _, c := range []gemmCase{
			{m: 1, n: 1, k: 2}, {m: 3, n: 17, k: 6, gapB: 3}, {m: 30, n: 131, k: 70, accumulate: true}, {m: 115, n: 300, k: 522, gapB: 1}, {m: 2, n: 900, k: 1030},
		} {
			g := c.args(r)
			g.Precision = Medium
			want, _ := withC(g)
			s.MatMul(want)
			pairs := slices.Repeat([]float32{guard}, c.k/2*c.n+64)
			s.PackPairs(pairs[:c.k/2*c.n], g.B, g.BRow, c.n, c.k/2)
			for i, v := range pairs[c.k/2*c.n:] {
				if v != guard {
					t.Fatalf("%v: wrote word %d behind the pairs", c, i)
				}
			}
			g.B, g.BPairs = nil, made(pairs, c.n, 1)
			got, whole := withC(g)
			s.MatMul(got)
			if !slices.Equal(got.C, want.C) {
				t.Errorf("%s %v: other bytes than without pairs", s.Level, c)
			}
			checkGuards(t, c, g, whole)
		}
	})
}

// CopyRows copies what lies between others, at all widths.
func TestCopyRows(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(25, 26))
		for width := 1; width <= 40; width++ {
			for _, rows := range []int{0, 1, 2, 7, 33} {
				stride := width + r.IntN(5)
				src, dst := make([]float32, max(0, rows-1)*stride+width), slices.Repeat([]float32{guard}, rows*width+64)
				for i := range src {
					src[i] = r.Float32()
				}
				s.CopyRows(dst[:rows*width], width, src, stride, rows)
				for i, v := range dst {
					want := guard
					if i < rows*width {
						want = src[i/width*stride+i%width]
					}
					if v != want {
						t.Fatalf("width %d, %d rows: element %d is %v, want %v", width, rows, i, v, want)
					}
				}
			}
		}
	})
}

// Transpose writes each element to its place, and nothing between the rows.
func TestTranspose(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		for rows := range 20 {
			for _, cols := range []int{0, 1, 7, 8, 9, 25, 64} {
				stride, ld := cols+3, rows+2
				src, dst := make([]float32, rows*stride), slices.Repeat([]float32{guard}, cols*ld+64)
				for i := range src {
					src[i] = float32(i)
				}
				s.Transpose(dst, ld, src, stride, rows, cols)
				for i, v := range dst {
					want := guard
					if c, r := i/ld, i%ld; c < cols && r < rows {
						want = src[r*stride+c]
					}
					if v != want {
						t.Fatalf("%s, %d x %d: element %d is %v, want %v", s.Level, rows, cols, i, v, want)
					}
				}
			}
		}
	})
}
