package tensor

import (
	"math"
	"testing"
)

// Known answers of Philox4x32-10 from the Random123 distribution (kat_vectors).
func TestPhiloxKnownAnswers(t *testing.T) {
	cases := []struct {
		c    [4]uint32
		k    [2]uint32
		want [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, [2]uint32{0xffffffff, 0xffffffff},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	}
	for _, c := range cases {
		if got := philox(c.c, c.k); got != c.want {
			t.Errorf("philox(%x, %x) = %x, want %x", c.c, c.k, got, c.want)
		}
	}
}

func TestRandDependsOnPathAlone(t *testing.T) {
	a, b := NewRand(1, 2, 3), NewRand(1, 2, 3)
	other := NewRand(1, 3, 2)
	same := 0
	for range 100 {
		x := a.Uint32()
		if y := b.Uint32(); x != y {
			t.Fatalf("equal paths differ: %x, %x", x, y)
		}
		if x == other.Uint32() {
			same++
		}
	}
	if same > 2 {
		t.Errorf("paths 2,3 and 3,2 share %d of 100 numbers", same)
	}
}

func TestRandMoments(t *testing.T) {
	const n = 200_000
	r := NewRand(7)
	var mean, square, cut, counts [3]float64
	for range n {
		u, z := r.Float64(), r.Norm()
		if u < 0 || u >= 1 {
			t.Fatalf("Float64 gave %v", u)
		}
		x := r.TruncNorm(0.02, -0.02, 0.02)
		if math.Abs(x) > 0.02 {
			t.Fatalf("TruncNorm gave %v outside its bounds", x)
		}
		mean[0] += u / n
		mean[1] += z / n
		square[1] += z * z / n
		cut[0] += x * x / n
		counts[r.IntN(3)]++
	}
	// A normal cut at one deviation keeps a deviation of 0.5396 of the original.
	for _, c := range []struct {
		what           string
		got, want, tol float64
	}{
		{"uniform mean", mean[0], 0.5, 0.004}, {"normal mean", mean[1], 0, 0.012},
		{"normal variance", square[1], 1, 0.02}, {"cut deviation", math.Sqrt(cut[0]), 0.02 * 0.5396, 0.0001},
		{"IntN share", counts[1] / n, 1.0 / 3, 0.006},
	} {
		if math.Abs(c.got-c.want) > c.tol {
			t.Errorf("%s: %v, want %v within %v", c.what, c.got, c.want, c.tol)
		}
	}
}

// No bits give an infinite normal number, and the bounds hold.
func TestTruncNormAtTheEnds(t *testing.T) {
	const last = 1<<53 - 1
	inf := math.Inf(1)
	for _, bits := range []uint64{0, 1, last - 1, last} {
		if x := truncNorm(bits, 1, -inf, inf); math.Abs(x) < 8 || math.Abs(x) > 9 {
			t.Errorf("bits %#x give %v, want about ±8.2", bits, x)
		}
		if x := truncNorm(bits, 1, -2, 3); x < -2 || x > 3 {
			t.Errorf("bits %#x give %v outside [-2, 3]", bits, x)
		}
	}
}

func TestPermIsAPermutation(t *testing.T) {
	seen := make([]bool, 1000)
	for _, i := range NewRand(3).Perm(len(seen)) {
		if seen[i] {
			t.Fatalf("%d stands twice", i)
		}
		seen[i] = true
	}
}
