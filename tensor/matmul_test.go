package tensor

import (
	"fmt"
	"math"
	"testing"
)

// viewOf makes a tensor of the given shape that is some view: transposed, sliced out of a larger one, with repeated axes.
func viewOf(dev *Device, r *Rand, shape ...int) *Tensor {
	whole := make([]int, len(shape))
	order, inverse := r.Perm(len(shape)), make([]int, len(shape))
	if r.IntN(2) == 0 { // any order of axes, else the last two at most are exchanged
		for i := range order {
			order[i] = i
		}
		if last := len(shape) - 1; r.IntN(2) == 0 {
			order[last], order[last-1] = last-1, last
		}
	}
	for i, a := range order {
		inverse[a] = i
		whole[i] = shape[a] + r.IntN(2)*r.IntN(3)
		if shape[a] > 0 && r.IntN(6) == 0 {
			whole[i] = 1 // repeated below
		}
	}
	x := randomized(dev, r.Uint64(), whole...)
	for i, a := range order {
		if whole[i] > shape[a] {
			lo := r.IntN(whole[i] - shape[a] + 1)
			x = x.Slice(i, lo, lo+shape[a])
		}
	}
	return x.Permute(inverse...).Expand(shape...)
}

// TestMatMulOfViews compares products of random views, batches broadcast, with the definition.
func TestMatMulOfViews(t *testing.T) {
	dev := newDevice()
	dev.SetPoison(true)
	r := NewRand(21)
	for range 600 {
		m, k, n := r.IntN(6), r.IntN(6), r.IntN(6)
		var batch, as, bs []int
		for range r.IntN(4) {
			batch = append(batch, r.IntN(3)+1)
		}
		as, bs = append(as, batch...), append(bs, batch...)
		for i := range batch {
			switch r.IntN(4) {
			case 0:
				as[i] = 1
			case 1:
				bs[i] = 1
			}
		}
		as, bs = as[r.IntN(len(as)+1):], bs[r.IntN(len(bs)+1):]
		a, b := viewOf(dev, r, append(as, m, k)...), viewOf(dev, r, append(bs, k, n)...)
		lead, _ := Broadcast(a.shape[:len(as)], b.shape[:len(bs)])
		full := append(lead, m, n)
		old := randomized(dev, r.Uint64(), full...)
		add := r.IntN(2) == 0
		dst := old.Clone()
		MatMulInto(dst, a, b, add, Highest)
		name := fmt.Sprintf("%v %v x %v %v", a.shape, a.strides, b.shape, b.strides)
		x := a.Expand(append(lead[:len(lead):len(lead)], m, k)...).Float32s()
		y := b.Expand(append(lead[:len(lead):len(lead)], k, n)...).Float32s()
		got, was := dst.Float32s(), old.Float32s()
		for i := range got {
			at, row, col := i/(m*n), i/n%m, i%n
			want := 0.0
			if add {
				want = float64(was[i])
			}
			for l := range k {
				want += float64(x[(at*m+row)*k+l]) * float64(y[(at*k+l)*n+col])
			}
			if !(math.Abs(float64(got[i])-want) < 1e-5) {
				t.Fatalf("%s, add %t: element %d is %v, want %v", name, add, i, got[i], want)
			}
		}
	}
}
