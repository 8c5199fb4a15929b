//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/gobeit/gobeit/tensor"
)

// variants is the choice of the shaders for precision Medium. It is made at the first use, by a self-test, because drivers have computed
// wrong results.
type variants struct {
	mu     sync.Mutex // taken before all locks of the backend
	tested bool
	use    *variant // nil: float32
	off    []string // what is not used, and why
}

// faster returns the variant for a precision, or nil for float32. selectVariant must have run.
func (b *backend) faster(p tensor.Precision) *variant {
	if p != tensor.Medium {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if v := b.medium.use; v != nil && v.refused == "" {
		return v
	}
	return nil
}

// selectVariant chooses a variant for a precision, once, if it has some.
func (b *backend) selectVariant(p tensor.Precision) {
	if p != tensor.Medium {
		return
	}
	v := &b.medium
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tested {
		return
	}
	var all []*variant
	if m := b.caps.coopmats(b.info.Subgroup); m != nil {
		all = append(all, m)
	}
	if b.caps.float16 {
		all = append(all, b.caps.float16s())
	}
	v.use, v.off = b.chooseVariant(all)
	v.tested = true
	for _, name := range switchedOff() {
		v.off = append(v.off, name+" is switched off by BEIT_VK_DISABLE_"+name)
	}
	if len(b.caps.matrices) > 0 && b.caps.coopmats(b.info.Subgroup) == nil {
		v.off = append(v.off, fmt.Sprintf("cooperative matrices are not used: workgroups of the device cannot hold products of any of %v", b.caps.matrices))
	}
}

// Supports reports whether a precision has a variant, which all matmuls share but those of attention. It tests the variants if nothing has yet.
func (b *backend) Supports(op string, p tensor.Precision) bool {
	b.selectVariant(p)
	return b.faster(p) != nil && !strings.HasPrefix(op, "Attention")
}

// FastPrecision is Medium on cooperative matrices, whose rate is several times that of float32. How fast ordinary 16-bit arithmetic is depends on
// the GPU, and packing takes time, so there it is Highest.
func (b *backend) FastPrecision() tensor.Precision {
	b.selectVariant(tensor.Medium)
	if v := b.faster(tensor.Medium); v != nil && v.matrix.M > 0 {
		return tensor.Medium
	}
	return tensor.Highest
}

// Variant names the variant of a precision.
func (b *backend) Variant(p tensor.Precision) string {
	b.selectVariant(p)
	switch v := b.faster(p); {
	case v == nil:
		return "float32"
	case v.matrix.M > 0:
		return "coopmat"
	}
	return "float16"
}

// chooseVariant takes the first that passes the self-test. off says what is wrong with those before.
func (b *backend) chooseVariant(all []*variant) (use *variant, off []string) {
	for _, v := range all {
		err := caught(func() error { return b.prove(v.name, func() error { return b.selfTest(v) }) })
		if err == nil {
			return v, off
		}
		if failed, ok := err.(*tensor.Error); ok && errors.Is(failed, ErrOutOfMemory) { // there may be room at the next try
			panic(failed)
		}
		off = append(off, fmt.Sprintf("%s: switched off by the self-test: %v", v.name, err))
	}
	return nil, off
}

// variants says on which variants the device runs, and which it leaves, and why.
func (b *backend) variants() []string {
	b.selectVariant(tensor.Medium)
	lines := []string{b.proofs.line(), "precision high and medium run as highest"}
	if v := b.faster(tensor.Medium); v != nil {
		lines = []string{
			b.proofs.line(),
			"precision medium multiplies in " + v.name + ", which passed the self-test",
			"precision high runs as highest, and so does attention at medium",
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	lines = append(lines, b.medium.off...)
	if v := b.medium.use; v != nil && v.refused != "" {
		lines = append(lines, v.name+": switched off: "+v.refused)
	}
	return append(lines, b.pipes.refusals()...)
}

// selfTest compares matmuls by v with float64 arithmetic, once for each tile and once with a bias. The sizes leave the last tile of each
// side and the last step of k incomplete.
func (b *backend) selfTest(v *variant) error {
	dev := tensor.NewDevice(b)
	defer dev.Trim()
	for i, t := range v.tiles {
		one := *v
		one.tiles = []tile{t}
		p := product{m: t.m + 5, n: t.n + 9, k: 2*halfStep + 5, faster: &one}
		err := b.tryProduct(dev, p, false)
		if i == 0 && err == nil {
			err = b.tryProduct(dev, p, true)
		}
		if err != nil {
			return fmt.Errorf("tiles of %d by %d: %w", t.m, t.n, err)
		}
	}
	return nil
}

// tryProduct multiplies one pair of matrices, of the sizes and by the variant or tiles of p, and looks at the result.
func (b *backend) tryProduct(dev *tensor.Device, p product, withBias bool) error {
	m, n, k := p.m, p.n, p.k
	x, w, bias := trialMatrix(1, m, k), trialMatrix(2, n, k), trialMatrix(3, 1, n)
	lost, infinite := m-1, m-3
	x[lost*k+k/2], x[infinite*k+k-1] = nan, -infinity
	xs, ws, bs, c := tensor.FromSlice(dev, x, m, k), tensor.FromSlice(dev, w, n, k), tensor.FromSlice(dev, bias, n),
		tensor.Full(dev, nan, m, n) // so that what is not written shows
	defer func() {
		for _, t := range []*tensor.Tensor{xs, ws, bs, c} {
			t.Release()
		}
	}()
	p.batch, p.c, p.a, p.b, p.aRow, p.aCol, p.bRow, p.bCol = 1, write(c), read(xs), read(ws), k, 1, 1, k
	if withBias {
		p.epilogue = &epilogue{bias: read(bs), perSample: 1}
	}
	if b.Begin("self-test", tensor.Highest) != nil {
		func() {
			defer b.End() // also where there is no room for what it packs
			b.multiply(p)
		}()
	}
	if err := b.Sync(context.Background()); err != nil {
		return err
	}
	// Two roundings to float16, and twice as much for sums that a GPU truncates.
	tolerance := 0x1p-9
	if p.faster == nil {
		tolerance = 0x1p-18
	} else if p.faster.refused != "" {
		return errors.New(p.faster.refused)
	}
	got := c.Float32s()
	for i := range m {
		for j := range n {
			g := float64(got[i*n+j])
			if i == lost || i == infinite {
				if !math.IsNaN(g) && !math.IsInf(g, 0) {
					return fmt.Errorf("row %d, which holds a NaN or an infinity, gives %g", i, g)
				}
				continue
			}
			want, size := 0.0, 0.0
			for q := range k {
				term := float64(x[i*k+q]) * float64(w[j*k+q])
				want, size = want+term, size+math.Abs(term)
			}
			if withBias {
				want, size = want+float64(bias[j]), size+math.Abs(float64(bias[j]))
			}
			if bound := tolerance * size; !(math.Abs(g-want) <= bound) {
				return fmt.Errorf("element (%d, %d) of %d by %d is %g, want %g within %.2g", i, j, m, n, g, want, bound)
			}
		}
	}
	return nil
}

// trialMatrix has numbers of both signs; magnitudes of its rows differ by far more than float16's range, and one row is 0.
func trialMatrix(stream uint64, rows, k int) []float32 {
	r := tensor.NewRand(1, tensor.HashString("vulkan self-test"), stream)
	x := make([]float32, rows*k)
	for i := range rows {
		size := float32(math.Ldexp(1, i%5*20-40))
		if i == 3 {
			size = 0
		}
		for j := range k {
			x[i*k+j] = size * float32(r.Uniform(-1, 1))
		}
	}
	return x
}

// Variants returns lines that say how a device of this package computes matmuls at each precision, and which variants of its shaders are
// not used, and why. It runs their self-test if that has not run yet.
func Variants(d *tensor.Device) []string {
	b, ok := d.Backend().(*backend)
	if !ok {
		return nil
	}
	return slices.Clone(b.variants())
}
