package beit

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Tokens of some patches are those that the residual stream of all has in their places, in the order that is asked for.
func TestResidualOf(t *testing.T) {
	set := nn.NewSet()
	v := NewViT(set.Scope(), ViTConfig{ImageSize: 12, PatchSize: 4, Channels: 3, Width: 8, Depth: 1, Heads: 2, MLPRatio: 2, QKVBias: true, AbsPos: true})
	set.Build(tensor.CPU(), 3, nn.Inference)
	defer set.Release()
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	pixels := make([]float32, 2*3*12*12)
	for i := range pixels {
		pixels[i] = float32(math.Sin(float64(i)))
	}
	c, images := nn.Context{Tape: tape}, tape.Own(tensor.FromSlice(tensor.CPU(), pixels, 2, 3, 12, 12))
	all, some := v.Residual(c, images).Value().Float32s(), []int32{7, 0, 3, 2, 8, 1}
	got := v.ResidualOf(c, images, some)
	if !got.Shape().Equal(tensor.Shape{2, 4, 8}) {
		t.Fatalf("shape %v", got.Shape())
	}
	values := got.Value().Float32s()
	for image := range 2 {
		for token := range 4 {
			from := 0 // the class token
			if token > 0 {
				from = int(some[image*3+token-1]) + 1
			}
			want := all[(image*10+from)*8:][:8]
			for i, x := range values[(image*4+token)*8:][:8] {
				if math.Abs(float64(x-want[i])) > 1e-6 {
					t.Fatalf("image %d, token %d, element %d: %g, want %g", image, token, i, x, want[i])
				}
			}
		}
	}
	for want, patches := range map[string][]int32{"5 patches of images [2 3 12 12], of 9": {1, 2, 3, 4, 5}, "0 patches of": nil} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, want) {
					t.Errorf("%v: panic %q, want %q", patches, text, want)
				}
			}()
			v.ResidualOf(c, images, patches)
		}()
	}
}

// The two orders differ by which half tells the row.
func TestSinCosPositions(t *testing.T) {
	column, row := SinCosPositions(16, 3, ColumnFirst), SinCosPositions(16, 3, RowFirst)
	for p := range 10 {
		a, b := column[p*16:][:16], row[p*16:][:16]
		if !slices.Equal(a[:8], b[8:]) || !slices.Equal(a[8:], b[:8]) || p > 0 && (p-1)%3 != (p-1)/3 && slices.Equal(a, b) {
			t.Errorf("token %d: %v and %v", p, a, b)
		}
	}
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, "width 6 is no multiple of 4") {
			t.Errorf("panic %q", text)
		}
	}()
	SinCosPositions(6, 3, RowFirst)
}
