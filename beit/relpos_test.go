package beit_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/beit"
)

func TestRelPosOffsets(t *testing.T) {
	for _, c := range []struct {
		from, to int
		q        float64 // for 224 pixels in patches of 16, resized to 384, 512 and 256, by the authors' code
	}{{14, 24, 1.090307}, {14, 32, 1.134918}, {14, 16, 1.023493}} {
		at := beit.RelPosOffsets(c.from, c.to)
		if q := at[c.from+1] - 1; len(at) != 2*c.from-1 || math.Abs(q-c.q) > 1e-6 || at[c.from-1] != 0 || !slices.IsSorted(at) {
			t.Errorf("from %d to %d: ratio %.6f, want %.6f; %v", c.from, c.to, q, c.q, at)
		}
	}
}

// TestResizeRelPosKeepsCubics: a spline runs through cubic polynomials, wherever its knots are.
func TestResizeRelPosKeepsCubics(t *testing.T) {
	const from, to, heads = 5, 8, 2
	f := func(y, x float64, h int) float64 { return 0.1*y*y*y - 0.02*x*x*x + 0.3*x*y + float64(h)*(x-1) }
	at := beit.RelPosOffsets(from, to)
	var table []float32
	for _, y := range at {
		for _, x := range at {
			for h := range heads {
				table = append(table, float32(f(y, x, h)))
			}
		}
	}
	table = append(table, 7, 8, 9, 10, 11, 12)
	got := beit.ResizeRelPos(table, heads, [2]int{from, from}, [2]int{to, to})
	i := 0
	for y := 1 - to; y < to; y++ {
		for x := 1 - to; x < to; x++ {
			for h := range heads {
				// what lies beyond the old table has the value at its border
				cy, cx := math.Max(at[0], math.Min(float64(y), -at[0])), math.Max(at[0], math.Min(float64(x), -at[0]))
				if want := f(cy, cx, h); math.Abs(float64(got[i])-want) > 1e-4 {
					t.Fatalf("offset (%d, %d), head %d: %g, want %g", y, x, h, got[i], want)
				}
				i++
			}
		}
	}
	if !slices.Equal(got[i:], []float32{7, 8, 9, 10, 11, 12}) {
		t.Errorf("the last rows are %v", got[i:])
	}
	if !slices.Equal(beit.ResizeRelPos(table, heads, [2]int{from, from}, [2]int{from, from}), table) {
		t.Error("the same window changes the table")
	}
}
