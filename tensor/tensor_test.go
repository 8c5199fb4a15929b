package tensor

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func iota32(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(i)
	}
	return out
}

func TestViews(t *testing.T) {
	dev := CPU()
	x := FromSlice(dev, iota32(24), 2, 3, 4)
	cases := []struct {
		name  string
		view  *Tensor
		shape Shape
		want  []float32
	}{
		{"T", x.Slice(0, 0, 1).Reshape(3, 4).T(), Shape{4, 3}, []float32{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}},
		{"Slice", x.Slice(2, 1, 3), Shape{2, 3, 2}, []float32{1, 2, 5, 6, 9, 10, 13, 14, 17, 18, 21, 22}},
		{"Slice of Slice", x.Slice(1, 1, 3).Slice(-1, 3, 4), Shape{2, 2, 1}, []float32{7, 11, 19, 23}},
		{"Permute", x.Permute(2, 0, 1).Slice(0, 0, 1), Shape{1, 2, 3}, []float32{0, 4, 8, 12, 16, 20}},
		{"Reshape", x.Reshape(-1, 12).Slice(1, 10, 12), Shape{2, 2}, []float32{10, 11, 22, 23}},
		{"Expand", x.Slice(0, 1, 2).Slice(2, 0, 1).Expand(2, 3, 2), Shape{2, 3, 2}, []float32{12, 12, 16, 16, 20, 20, 12, 12, 16, 16, 20, 20}},
		{"empty", x.Slice(1, 2, 2), Shape{2, 0, 4}, []float32{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.shape, c.view.Shape()); diff != "" {
				t.Fatal(diff)
			}
			if diff := cmp.Diff(c.want, c.view.Float32s()); diff != "" {
				t.Error(diff)
			}
			if !c.view.SameStorage(x) {
				t.Error("a view must not copy")
			}
		})
	}
}

// recovered runs f and returns the text of its panic.
func recovered(f func()) (text string) {
	defer func() {
		if err, ok := recover().(error); ok {
			text = err.Error()
		}
	}()
	f()
	return "no panic"
}

func TestMistakesPanicNamingOpAndShapes(t *testing.T) {
	dev := CPU()
	a, b := New(dev, 32, 768), New(dev, 512, 768)
	ints := FromInts(dev, []int32{1, 2}, 2)
	gone := New(dev, 3)
	gone.Release()
	cases := []struct {
		f    func()
		want string
	}{
		{func() { MatMul(a, b) }, "tensor: MatMul: [32 768] x [512 768]: inner sizes differ"},
		{func() { Add(a, b) }, "tensor: Add: [32 768] x [512 768]: not broadcastable"},
		{func() { a.Reshape(5, -1) }, "tensor: Reshape: [32 768] x [5 -1]: sizes differ"},
		{func() { a.T().Reshape(-1) }, "tensor: Reshape: [768 32] x [-1]: the tensor is a view with gaps; make it Contiguous first"},
		{func() { a.Slice(0, 3, 40) }, "tensor: Slice: [32 768]: range 3:40 on axis 0"},
		{func() { a.Permute(0, 0) }, "tensor: Permute: [32 768] x [0 0]: want every axis once"},
		{func() { Unary(UnaryExp, ints) }, "tensor: Unary: [2]: dtype is int32, want float32"},
		{func() { New(dev, 2, -1) }, "tensor: New: [2 -1]: negative size"},
		{func() { FromSlice(dev, iota32(5), 2, 3) }, "tensor: FromSlice: [2 3]: 5 numbers given"},
		{func() { gone.Fill(1) }, "tensor: Fill: a tensor [3] made by New is used after its release"},
		{func() { a.T().Fill(1) }, "tensor: Fill: [768 32]: a view with gaps cannot be written; use CopyInto"},
		{func() { Linear(LinearArgs{X: a, W: New(dev, 4, 5)}) }, "tensor: Linear: [32 768] x [4 5]: inner sizes differ"},
		{func() { Linear(LinearArgs{X: a, W: New(dev, 4, 768), Pre: New(dev, 32, 4)}) }, "tensor: Linear: [32 768] x [4 768]: pre is what GELU is applied to"},
		{func() { a.Expand(2, 32, 767) }, "tensor: Expand: [32 768] x [2 32 767]: not broadcastable"},
		{func() { CopyInto(New(dev, 1).Expand(3), New(dev, 3)) }, "tensor: CopyInto: [3] x [3]: the destination is a view that repeats elements"},
		{func() { UnaryGrad(UnaryTanh, a, a, nil) }, "tensor: UnaryGrad: y is nil"},
		{func() { UnaryGrad(UnaryGELU, a, b, nil) }, "tensor: UnaryGrad: [32 768] x [512 768]: shapes differ"},
		{func() {
			LayerNormGrad(LayerNormGradArgs{DY: a, X: a, W: New(dev, 768), Mean: New(dev, 31), Rstd: New(dev, 32)})
		},
			"tensor: LayerNormGrad: [31] x [32]: mean has 31 elements, want 32"},
		{func() { LinearGrad(LinearGradArgs{DY: a, X: a, W: New(dev, 768, 768), Pre: b}) },
			"tensor: LinearGrad: [32 768] x [512 768]: what was saved has another shape than dy"},
		{func() { LinearGrad(LinearGradArgs{DY: a, X: a, W: New(dev, 768, 768), Pre: a, Gamma: New(dev, 768)}) },
			"tensor: LinearGrad: [32 768]: GELU excludes gamma and keep"},
		{func() { L2NormalizeGrad(a, a, New(dev, 5), 1e-12) }, "tensor: L2NormalizeGrad: [5] x [32]: norm has 5 elements, want 32"},
		{func() { CrossEntropyGrad(New(dev), CrossEntropyArgs{Logits: a, Soft: a, LSE: New(dev, 3)}) },
			"tensor: CrossEntropyGrad: [3] x [32]: lse has 3 elements, want 32"},
		{func() {
			AttentionGrad(AttentionGradArgs{DOut: New(dev, 2, 3, 4), Out: New(dev, 2, 3, 4), LSE: New(dev, 2, 1, 2), QKV: New(dev, 2, 3, 12), Heads: 1})
		}, "tensor: AttentionGrad: [2 1 2] x [6]: lse has 4 elements, want 6"},
		{func() { Add(a, New(NewDevice(dev.backend), 768)) }, "tensor: Add: tensors on two devices, "},
	}
	for _, c := range cases {
		if got := recovered(c.f); !strings.HasPrefix(got, c.want) {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestMemoryReturnsToThePool(t *testing.T) {
	dev := NewDevice(CPU().backend)
	x := New(dev, 1000)
	view := x.Slice(0, 10, 20)
	held := dev.MemStats()
	x.Retain()
	x.Release()
	if !view.Live() {
		t.Fatal("released while it had an owner")
	}
	x.Release()
	if view.Live() || x.Live() {
		t.Error("live after the last release")
	}
	y := New(dev, 990) // the same size class
	if got := dev.MemStats(); got != held {
		t.Errorf("%+v after reuse, want %+v", got, held)
	}
	y.Release()
	dev.Trim()
	if got := dev.MemStats(); got.Held != 0 || got.InUse != 0 || got.Peak != held.Peak {
		t.Errorf("%+v after Trim", got)
	}
}

func TestPoisonShowsReuse(t *testing.T) {
	dev := NewDevice(CPU().backend)
	dev.SetPoison(true)
	x := Full(dev, 1, 100)
	x.Release()
	if y := New(dev, 100).Float32s(); y[0] == y[0] || y[99] == y[99] {
		t.Errorf("released memory holds %v and %v, want NaN", y[0], y[99])
	}
}

func TestSizeClassWastesLittle(t *testing.T) {
	for bytes := 1; bytes < 1<<22; bytes = bytes*9/8 + 1 {
		class := sizeClass(bytes)
		if class < bytes || class > bytes+max(255, bytes/16) {
			t.Errorf("sizeClass(%d) = %d", bytes, class)
		}
	}
}

func TestString(t *testing.T) {
	dev := CPU()
	cases := []struct {
		x    *Tensor
		want string
	}{
		{FromSlice(dev, []float32{5, 11, 11, 25}, 2, 2), "[[ 5 11]\n [11 25]]"},
		{FromInts(dev, []int32{7}, 1), "[7]"},
		{Full(dev, 0.5), "0.5"},
		{FromSlice(dev, iota32(2000), 2000), "[   0    1    2 ... 1997 1998 1999]"},
		{New(dev, 0, 2), "[]"},
	}
	for _, c := range cases {
		if got := c.x.String(); got != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
	}
}

func TestSumToUndoesExpand(t *testing.T) {
	dev := CPU()
	x := FromSlice(dev, iota32(12), 2, 3, 2)
	for _, c := range []struct {
		to   Shape
		want []float32
	}{
		{Shape{2, 3, 2}, iota32(12)}, {Shape{2}, []float32{30, 36}}, {Shape{3, 1}, []float32{14, 22, 30}},
		{Shape{2, 1, 1}, []float32{15, 51}}, {Shape{}, []float32{66}},
	} {
		if diff := cmp.Diff(c.want, SumTo(x, c.to).Float32s()); diff != "" {
			t.Errorf("to %v: %s", c.to, diff)
		}
	}
	none := Full(dev, 1, 1, 2).Expand(3, 0, 2)
	if diff := cmp.Diff([]float32{0, 0}, SumTo(none, Shape{1, 2}).Float32s()); diff != "" {
		t.Error(diff)
	}
	if got := recovered(func() { SumTo(x, Shape{1, 2, 3, 2}) }); got != "tensor: SumTo: [2 3 2] x [1 2 3 2]: not broadcastable" {
		t.Error(got)
	}
}
