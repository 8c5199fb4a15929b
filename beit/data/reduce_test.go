package data

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Blocks are averaged to the bytes of Pillow 9.4's Image.reduce, also those that the edge cuts.
func TestReducedIsPillows(t *testing.T) {
	m := NewRGB(10, 7)
	for i := range m.Pix {
		x, y, c := i/3%10, i/30, i%3
		m.Pix[i] = uint8(x*37 + y*91 + c*53 + x*y*7)
	}
	for n, want := range map[int]*RGB{
		2: {5, 4, []uint8{
			66, 119, 172, 147, 136, 125, 100, 153, 142, 117, 106, 159, 134, 123, 112,
			127, 116, 105, 108, 161, 150, 153, 142, 131, 134, 123, 112, 115, 104, 157,
			124, 177, 102, 133, 122, 111, 142, 131, 120, 151, 140, 129, 96, 149, 138,
			74, 127, 180, 104, 157, 82, 134, 187, 112, 164, 89, 142, 194, 119, 44,
		}},
		4: {3, 2, []uint8{112, 133, 138, 126, 131, 136, 124, 113, 134, 115, 147, 114, 147, 136, 125, 128, 139, 106}},
		8: {2, 1, []uint8{124, 136, 129, 126, 124, 122}},
	} {
		if diff := cmp.Diff(want, reduced(m, n)); diff != "" {
			t.Errorf("reduced by %d (-want +got):\n%s", n, diff)
		}
	}
}

// A flat image stays what it is, so no rounding drifts.
func TestReducedKeepsFlatImages(t *testing.T) {
	for _, v := range []uint8{0, 1, 127, 254, 255} {
		m := NewRGB(19, 13)
		for i := range m.Pix {
			m.Pix[i] = v
		}
		for _, n := range []int{2, 4, 8} {
			for i, got := range reduced(m, n).Pix {
				if got != v {
					t.Fatalf("%d reduced by %d: %d at %d", v, n, got, i)
				}
			}
		}
	}
}

func TestReduction(t *testing.T) {
	for _, c := range []struct{ w, h, short, want int }{
		{4000, 3000, 0, 1}, {4000, 3000, 100, 8}, {4000, 3000, 375, 8}, {4000, 3000, 376, 4}, {4000, 3000, 1500, 2}, {4000, 3000, 1501, 1},
		{3000, 4000, 375, 8}, {10, 10, 20, 1}, {1, 1, 1, 1},
	} {
		if got := reduction(c.w, c.h, c.short); got != c.want {
			t.Errorf("%dx%d with at least %d: by %d, want %d", c.w, c.h, c.short, got, c.want)
		}
	}
}
