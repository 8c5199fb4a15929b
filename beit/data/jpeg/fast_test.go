package jpeg

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

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

func randomBytes(r *rand.Rand, n int) []uint8 {
	b := make([]uint8, n)
	for i := range b {
		b[i] = uint8(r.Uint32())
		if r.IntN(4) == 0 {
			b[i] = uint8(-(r.IntN(2))) // 0 or 255
		}
	}
	return b
}

// randomBlock has a few coefficients as they are in files, or all of them at any value.
func randomBlock(r *rand.Rand) (b, step [64]int16) {
	for i := range b {
		step[i] = int16(1 + r.IntN(40))
		if r.IntN(8) == 0 {
			b[i] = int16(r.IntN(200) - 100)
		}
	}
	if r.IntN(4) == 0 {
		for i := range b {
			b[i], step[i] = int16(r.Uint32()), int16(r.Uint32())
		}
	}
	return b, step
}

// Each loop equals its Go twin. Where there is no assembly the two are the same.
func TestInverseDCTLikeGeneric(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, f := range []struct {
		side          int
		fast, generic func(dst []uint8, stride int, b, step *[64]int16)
	}{{8, idct, idctGeneric}, {4, idct4, idct4Generic}, {2, idct2, idct2Generic}} {
		for i := range 3000 {
			b, step := randomBlock(r)
			stride := f.side + i%9
			n := (f.side-1)*stride + f.side
			got, check := guarded(t, n)
			want := bytes.Clone(got)
			f.generic(want, stride, &b, &step)
			f.fast(got, stride, &b, &step)
			check()
			if !bytes.Equal(got, want) {
				t.Fatalf("side %d, block %v, steps %v, stride %d: %v, want %v", f.side, b, step, stride, got, want)
			}
		}
	}
}

func TestRowsLikeGeneric(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for n := 1; n < 150; n++ {
		a, b, c := randomBytes(r, n+2), randomBytes(r, n+2), randomBytes(r, n+2)
		for _, f := range []struct {
			name          string
			size          int
			fast, generic func(dst []uint8)
		}{
			{"double", 2 * n, func(dst []uint8) { double(dst, a) }, func(dst []uint8) { doubleGeneric(dst, a) }},
			{"doubleMixed", 2 * n, func(dst []uint8) { doubleMixed(dst, a, b) }, func(dst []uint8) { doubleMixedGeneric(dst, a, b) }},
			{"ycc", 3 * n, func(dst []uint8) { yccRow(dst, a[:n], b[:n], c[:n]) }, func(dst []uint8) { yccGeneric(dst, a[:n], b[:n], c[:n]) }},
		} {
			got, check := guarded(t, f.size)
			want := make([]uint8, f.size)
			f.generic(want)
			f.fast(got)
			check()
			if !bytes.Equal(got, want) {
				t.Fatalf("%s of %d: %v, want %v", f.name, n, got, want)
			}
		}
	}
}

// TestEveryColour converts all 2^24 values of YCbCr, of which only rounding could go wrong.
func TestEveryColour(t *testing.T) {
	var luma, cb, cr [256]uint8
	var got, want [3 * 256]uint8
	for i := range luma {
		luma[i] = uint8(i)
	}
	for b := range 256 {
		for r := range 256 {
			for i := range cb {
				cb[i], cr[i] = uint8(b), uint8(r)
			}
			yccRow(got[:], luma[:], cb[:], cr[:])
			yccGeneric(want[:], luma[:], cb[:], cr[:])
			if got != want {
				t.Fatalf("Cb %d, Cr %d: %v, want %v", b, r, got, want)
			}
		}
	}
}
