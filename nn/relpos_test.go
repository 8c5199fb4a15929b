package nn_test

import (
	"testing"

	"github.com/gobeit/gobeit/nn"
)

// The numbers were worked out from the authors' definitions (microsoft/unilm, beit2), apart from this code.
func TestRelPosIndex(t *testing.T) {
	index := nn.RelPosIndex(14, 14)
	for _, c := range []struct {
		q, k int
		want int32
	}{{1, 1, 364}, {1, 2, 363}, {0, 5, 729}, {5, 0, 730}, {0, 0, 731}} {
		if got := index[c.q*197+c.k]; got != c.want {
			t.Errorf("I[%d,%d] = %d, want %d", c.q, c.k, got, c.want)
		}
	}
	for w, want := range map[int]int{14: 732, 16: 964, 24: 2212, 32: 3972} {
		if got := nn.RelPosRows(w, w); got != want {
			t.Errorf("window %d: %d rows, want %d", w, got, want)
		}
	}
}

// TestRelPosIndexWindow compares a window that is no square with the definition, one pair of patches at a time.
func TestRelPosIndexWindow(t *testing.T) {
	const rows, cols = 3, 5
	index, n := nn.RelPosIndex(rows, cols), 1+rows*cols
	seen := map[int32][2]int{}
	for q := 1; q < n; q++ {
		for k := 1; k < n; k++ {
			offset := [2]int{(q-1)/cols - (k-1)/cols, (q-1)%cols - (k-1)%cols}
			want := int32((offset[0]+rows-1)*(2*cols-1) + offset[1] + cols - 1)
			got := index[q*n+k]
			if got != want {
				t.Fatalf("I[%d,%d] = %d, want %d", q, k, got, want)
			}
			if old, ok := seen[got]; ok && old != offset {
				t.Fatalf("offsets %v and %v share row %d", old, offset, got)
			}
			seen[got] = offset
		}
	}
	if want := (2*rows - 1) * (2*cols - 1); len(seen) != want {
		t.Errorf("%d rows are used, want %d", len(seen), want)
	}
}
