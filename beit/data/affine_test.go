package data

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAffine(t *testing.T) {
	m := noise(9, 7, 3)
	fill := [3]uint8{1, 2, 3}
	at := func(p *RGB, x, y int) [3]uint8 { return [3]uint8(p.row(y, x, x+1)) }
	t.Run("identity", func(t *testing.T) {
		if d := cmp.Diff(m, Affine(m, [6]float64{1, 0, 0, 0, 1, 0}, fill)); d != "" {
			t.Error(d)
		}
	})
	t.Run("whole pixels", func(t *testing.T) {
		got := Affine(m, [6]float64{1, 0, 2, 0, 1, -1}, fill)
		for y := range m.H {
			for x := range m.W {
				want := fill
				if x+2 < m.W && y-1 >= 0 {
					want = at(m, x+2, y-1)
				}
				if at(got, x, y) != want {
					t.Fatalf("pixel (%d, %d) is %v, want %v", x, y, at(got, x, y), want)
				}
			}
		}
	})
	t.Run("half a pixel", func(t *testing.T) { // between two pixels the kernel of a = -1 has the weights -1/8, 5/8, 5/8, -1/8
		got := Affine(m, [6]float64{1, 0, 0.5, 0, 1, 0}, fill)
		for c := range 3 {
			v := func(x int) float64 { return float64(at(m, x, 2)[c]) }
			want := uint8(min(max((-v(2)+5*v(3)+5*v(4)-v(5))/8, 0), 255))
			if got := at(got, 3, 2)[c]; got != want {
				t.Errorf("channel %d is %d, want %d", c, got, want)
			}
		}
	})
	t.Run("a quarter turn", func(t *testing.T) { // of a square, which must not be blurred
		s := noise(8, 8, 4)
		got := Rotate(s, 90, fill)
		for y := range 8 {
			for x := range 8 {
				if at(got, x, y) != at(s, 7-y, x) {
					t.Fatalf("pixel (%d, %d) is %v, want %v: against the clock", x, y, at(got, x, y), at(s, 7-y, x))
				}
			}
		}
	})
	t.Run("a turn by 30 degrees fills the corners", func(t *testing.T) {
		got := Rotate(noise(16, 16, 5), 30, fill)
		if at(got, 0, 0) != fill || at(got, 15, 15) != fill || at(got, 8, 8) == fill {
			t.Errorf("corners %v and %v, middle %v", at(got, 0, 0), at(got, 15, 15), at(got, 8, 8))
		}
	})
}
