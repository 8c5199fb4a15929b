package tensor

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A result that would overwrite what is still to be read is refused.
func TestSharedMemoryPanics(t *testing.T) {
	dev := CPU()
	x, y := randomized(dev, 1, 4, 4), randomized(dev, 2, 4, 4)
	v := randomized(dev, 3, 4)
	all := randomized(dev, 4, 12)
	index := FromInts(dev, []int32{0, 1}, 2)
	part := func(lo, hi int) *Tensor { return all.Slice(0, lo, hi) }
	state := Zeros(dev, 3)
	qkv := randomized(dev, 5, 1, 4, 12)
	lse := New(dev, 1, 1, 4)
	image, other, kernel := x.Reshape(1, 1, 4, 4), y.Reshape(1, 1, 4, 4), randomized(dev, 6, 1, 1, 1, 1)
	for op, fs := range map[string][]func(){
		"BinaryInto": {func() { BinaryInto(x, BinaryAdd, x.T(), y) }, func() { BinaryInto(part(0, 8), BinaryAdd, y.Reshape(-1).Slice(0, 0, 8), part(1, 9)) }},
		"Lerp":       {func() { Lerp(part(0, 8), part(4, 12), 0.5) }},
		"AddScaled":  {func() { AddScaled(part(0, 8), part(4, 12), 1) }},
		"CopyInto":   {func() { CopyInto(x, x.T()) }, func() { CopyInto(part(1, 9), part(0, 8)) }},
		"MatMulInto": {func() { MatMulInto(x, x, y, false, Highest) }, func() { MatMulInto(x, y, x.T(), true, Highest) }},
		"Linear":     {func() { Linear(LinearArgs{Y: x, X: x, W: y}) }, func() { Linear(LinearArgs{Y: y, Residual: x, X: y, W: y, Gamma: v}) }},
		"LinearGrad": {func() { LinearGrad(LinearGradArgs{DX: Grad{To: x}, DY: x, X: y, W: y}) }},
		"Attention": {func() {
			Attention(AttentionArgs{Out: qkv.Reshape(-1).Slice(0, 0, 16).Reshape(1, 4, 4), QKV: qkv, Heads: 1})
		}},
		"AttentionGrad": {func() {
			out := New(dev, 1, 4, 4)
			AttentionGrad(AttentionGradArgs{DQKV: Grad{To: qkv}, DOut: out, Out: out, LSE: lse, QKV: qkv, Heads: 1})
		}},
		"Conv2D":              {func() { Conv2D(Conv2DArgs{Y: image, X: image, W: kernel}) }, func() { Conv2D(Conv2DArgs{Y: image, X: other, W: image.Slice(3, 0, 1).Slice(2, 0, 1)}) }},
		"ConvTranspose2D":     {func() { ConvTranspose2D(Conv2DArgs{Y: image, X: image, W: kernel}) }},
		"Conv2DGrad":          {func() { Conv2DGrad(Conv2DGradArgs{DX: Grad{To: image}, DY: image, X: other, W: kernel}) }},
		"ConvTranspose2DGrad": {func() { ConvTranspose2DGrad(Conv2DGradArgs{DX: Grad{To: image}, DY: other, X: image, W: kernel}) }},
		"LayerNorm":           {func() { LayerNorm(LayerNormArgs{Y: x, X: x, W: v, B: v}) }},
		"LayerNormGrad":       {func() { LayerNormGrad(LayerNormGradArgs{DX: Grad{To: x}, DY: x, X: y, W: v, Mean: v, Rstd: v}) }},
		"CrossEntropy": {
			func() { CrossEntropy(CrossEntropyArgs{Logits: x, Soft: y, LSE: x.Slice(0, 3, 4).Reshape(4)}) },
			func() {
				CrossEntropy(CrossEntropyArgs{Logits: x, Soft: y, Loss: y.Slice(0, 3, 4).Reshape(4).Slice(0, 0, 1)})
			},
		},
		"ScatterAddRows": {func() { ScatterAddRows(x, x.Slice(0, 2, 4), index) }},
		"CodeStats":      {func() { CodeStats(v, x, FromInts(dev, []int32{0, 1, 2, 3}, 4), x) }},
		"CodebookEMA":    {func() { CodebookEMA(x, v, x, 0.5) }},
		"AdamW":          {func() { AdamW(part(0, 4), part(3, 7), part(8, 12), v, state, AdamWHyper{Step: 1}) }, func() { AdamW(v, y.Reshape(-1).Slice(0, 0, 4), part(0, 4), part(0, 4), state, AdamWHyper{Step: 1}) }},
		"SGD":            {func() { SGD(v, part(0, 4), part(3, 7), state, SGDHyper{Step: 1}) }},
	} {
		for i, f := range fs {
			got := recovered(f)
			if want := "tensor: " + op + ": "; !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "the result shares memory with an input") {
				t.Errorf("%s, case %d: %s", op, i, got)
			}
		}
	}
}

// What lies beside or between the elements of an input may be written, and an input as a whole where an operation works element by element.
func TestSharedMemoryThatIsApart(t *testing.T) {
	dev := CPU()
	all := FromSlice(dev, iota32(12), 3, 4)
	row := func(i int) *Tensor { return all.Slice(0, i, i+1) }
	AddScaled(row(0), row(1), 2)
	BinaryInto(row(1), BinaryMul, row(1), row(1))
	CopyInto(row(2), row(0))
	outer := all.Slice(0, 0, 2).Reshape(2, 2, 2).Slice(1, 0, 1) // both rows' first halves
	CopyInto(all.Slice(0, 0, 1).Slice(1, 2, 4), outer.Slice(0, 1, 2).Reshape(1, 2))
	want := []float32{8, 11, 16, 25, 16, 25, 36, 49, 8, 11, 14, 17}
	if diff := cmp.Diff(want, all.Float32s()); diff != "" {
		t.Error(diff)
	}
	same := FromSlice(dev, iota32(4), 4)
	Lerp(same, same, 0.25)
	if diff := cmp.Diff(iota32(4), same.Float32s()); diff != "" {
		t.Error(diff)
	}
	x := FromSlice(dev, iota32(4), 2, 2)
	AddScaled(x, x.T(), 1) // the view is copied first
	if diff := cmp.Diff([]float32{0, 3, 3, 6}, x.Float32s()); diff != "" {
		t.Error(diff)
	}
}

// reaches agrees with a look at each element.
func TestReaches(t *testing.T) {
	r := NewRand(8)
	hits := 0
	for range 3000 {
		shape, strides := make(Shape, r.IntN(4)), []int{}
		for i := range shape {
			shape[i] = 1 + r.IntN(4)
			strides = append(strides, r.IntN(9))
		}
		offset, lo := r.IntN(20), r.IntN(40)
		hi := lo + 1 + r.IntN(6)
		want := false
		for i := range shape.Size() {
			at := offset
			for axis := len(shape) - 1; axis >= 0; axis-- {
				at += i % shape[axis] * strides[axis]
				i /= shape[axis]
			}
			want = want || lo <= at && at < hi
		}
		if want {
			hits++
		}
		if got := reaches(shape, strides, offset, lo, hi); got != want {
			t.Fatalf("shape %v strides %v offset %d, [%d %d): %t, want %t", shape, strides, offset, lo, hi, got, want)
		}
	}
	if hits < 300 || hits > 2700 {
		t.Errorf("%d of 3000 views reach the range", hits)
	}
}

// A batch of no samples has no factors of stochastic depth.
func TestKeepOfNoSamples(t *testing.T) {
	dev := CPU()
	none, w, keep := Zeros(dev, 0, 5, 3), randomized(dev, 1, 3, 3), Zeros(dev, 0)
	y := Linear(LinearArgs{X: none, W: w, Residual: none, Keep: keep}).Y
	if !y.Shape().Equal(Shape{0, 5, 3}) {
		t.Errorf("shape %v", y.Shape())
	}
	dw := Full(dev, float32(math.NaN()), 3, 3)
	LinearGrad(LinearGradArgs{DW: Grad{To: dw}, DY: y, X: none, W: w, Keep: keep})
	if diff := cmp.Diff(make([]float32, 9), dw.Float32s()); diff != "" {
		t.Error(diff)
	}
	if got := recovered(func() { Linear(LinearArgs{X: w, W: w, Residual: w, Keep: keep}) }); !strings.Contains(got, "want one factor for each sample") {
		t.Error(got)
	}
}
