package resample

import (
	"bytes"
	"testing"
)

// fill makes bytes that depend on the seed alone.
func fill(b []uint8, seed uint32) {
	for i := range b {
		seed = seed*1664525 + 1013904223
		b[i] = uint8(seed >> 24)
	}
}

// weightsOf makes weights as filters have them: between -0.2 and 1, now and then larger so that sums overflow 8 bits on both sides.
func weightsOf(n int, seed uint32) []int32 {
	w := make([]int32, n)
	for i := range w {
		seed = seed*1664525 + 1013904223
		w[i] = int32(seed>>8)%(6<<18) - 1<<18
	}
	return w
}

// guarded returns n bytes with 64 bytes of guard on both sides, and a check of those.
func guarded(t *testing.T, n int) (b []uint8, check func()) {
	all := bytes.Repeat([]byte{0xa5}, n+128)
	return all[64 : 64+n : 64+n], func() {
		t.Helper()
		for i, v := range all {
			if (i < 64 || i >= 64+n) && v != 0xa5 {
				t.Fatalf("byte %d beside %d written", i-64, n)
			}
		}
	}
}

func TestRow(t *testing.T) {
	for n := 1; n < 40; n++ {
		for taps := 1; taps < 12; taps++ {
			width := taps + n/2
			src := make([]uint8, 3*width)
			fill(src, uint32(n*taps))
			from := make([]int32, n)
			for i := range from {
				from[i] = int32(i * (width - taps) / max(n-1, 1))
			}
			if n%3 == 0 {
				from[0], from[n-1] = from[n-1], from[0]
			}
			weights := weightsOf(n*taps, uint32(n))
			want := make([]uint8, 3*n)
			rowGeneric(want, src, from, weights, taps)
			got, check := guarded(t, 3*n)
			Row(got, src, from, weights)
			check()
			if !bytes.Equal(got, want) {
				t.Fatalf("%d pixels, %d taps: %v, want %v", n, taps, got, want)
			}
		}
	}
}

func TestColumn(t *testing.T) {
	for n := 1; n < 140; n++ {
		for taps := 1; taps < 9; taps++ {
			src := make([]uint8, n*taps)
			fill(src, uint32(n*taps))
			weights := weightsOf(taps, uint32(n))
			want := make([]uint8, n)
			columnGeneric(want, src, weights, 0)
			for i, v := range want { // the loop of the doc comment
				sum := int32(half)
				for k, w := range weights {
					sum += w * int32(src[n*k+i])
				}
				if v != clip(sum>>Precision) {
					t.Fatalf("%d values, %d taps: value %d is %d", n, taps, i, v)
				}
			}
			got, check := guarded(t, n)
			Column(got, src, weights)
			check()
			if !bytes.Equal(got, want) {
				t.Fatalf("%d values, %d taps: %v, want %v", n, taps, got, want)
			}
		}
	}
}

func TestWrongLengthsPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"weights":        func() { Row(make([]uint8, 6), make([]uint8, 30), []int32{0, 1}, make([]int32, 3)) },
		"no weights":     func() { Row(make([]uint8, 6), make([]uint8, 30), []int32{0, 1}, nil) },
		"beyond the end": func() { Row(make([]uint8, 3), make([]uint8, 30), []int32{9}, make([]int32, 2)) },
		"before the row": func() { Row(make([]uint8, 3), make([]uint8, 30), []int32{-1}, make([]int32, 2)) },
		"short rows":     func() { Column(make([]uint8, 10), make([]uint8, 19), make([]int32, 2)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func FuzzLoops(f *testing.F) {
	f.Add([]byte("some bytes to resample, more than a vector of thirty-two holds"), uint8(3), uint32(7))
	f.Fuzz(func(t *testing.T, src []byte, taps uint8, seed uint32) {
		k := 1 + int(taps)%16
		weights := weightsOf(k, seed)
		if n := len(src) / k; n > 0 {
			got, want := make([]uint8, n), make([]uint8, n)
			Column(got, src, weights)
			columnGeneric(want, src, weights, 0)
			if !bytes.Equal(got, want) {
				t.Errorf("Column: %v, want %v", got, want)
			}
		}
		if n := len(src)/3 - k + 1; n > 0 {
			from := make([]int32, n)
			for i := range from {
				from[i] = int32(i)
			}
			weights := weightsOf(n*k, seed)
			got, want := make([]uint8, 3*n), make([]uint8, 3*n)
			Row(got, src, from, weights)
			rowGeneric(want, src, from, weights, k)
			if !bytes.Equal(got, want) {
				t.Errorf("Row: %v, want %v", got, want)
			}
		}
	})
}

func BenchmarkRow(b *testing.B) {
	const n, taps, width = 224, 8, 370
	src, dst, from := make([]uint8, 3*width), make([]uint8, 3*n), make([]int32, n)
	for i := range from {
		from[i] = int32(i * (width - taps) / n)
	}
	for b.Loop() {
		Row(dst, src, from, weightsRow)
	}
}

var weightsRow = weightsOf(224*8, 1)

func BenchmarkColumn(b *testing.B) {
	dst, src := make([]uint8, 672), make([]uint8, 8*672)
	for b.Loop() {
		Column(dst, src, weightsRow[:8])
	}
}
