package beit

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// tinyDALLE is an encoder of random weights.
func tinyDALLE(t *testing.T) (*DALLE, *nn.Set) {
	t.Helper()
	set := nn.NewSet()
	m := NewDALLE(set.Scope(), DALLEConfig{Hidden: 16, Blocks: 1, Codes: 100})
	set.Build(tensor.CPU(), 3, nn.Inference)
	t.Cleanup(set.Release)
	return m, set
}

// The published encoder has as many parameters as its file, and codes of an image of 112 take 26.1·10⁹ multiplications.
func TestPublishedDALLE(t *testing.T) {
	set := nn.NewSet()
	NewDALLE(set.Scope(), PublishedDALLE)
	if n := set.Count(); n != 53_786_240 {
		t.Errorf("%d parameters, want 53786240", n)
	}
	got, err := InferDALLE(declared(set))
	if err != nil || got != PublishedDALLE || got.Check() != nil {
		t.Errorf("its shapes imply %+v, error %v", got, err)
	}
	if n := PublishedDALLE.FLOPs(112) / 2; math.Abs(n/26.1e9-1) > 2e-3 {
		t.Errorf("%g multiplications", n)
	}
}

// Codes are the largest logits, row by row of the grid, however many images there are, and a tape gets nothing of it.
func TestDALLECodes(t *testing.T) {
	m, _ := tinyDALLE(t)
	const images, height, width = 2*dalleImages + 3, 16, 24
	pixels := make([]float32, images*3*height*width)
	r := tensor.NewRand(7)
	colour := 0.0
	for i := range pixels {
		if i%(height*width) == 0 {
			colour = r.Float64()
		}
		pixels[i] = float32(0.9*colour + 0.1*r.Float64())
	}
	tape := autograd.NewTape(tensor.CPU())
	c := nn.Context{Tape: tape}
	x := tape.Own(tensor.FromSlice(tensor.CPU(), pixels, images, 3, height, width))
	found := m.Codes(c, x)
	defer found.Release()
	logits := m.Logits(c, m.MapPixels(x)).Value().Float32s()
	const cells = height / 8 * width / 8
	want := make([]int32, images*cells)
	for at := range want {
		image, cell := at/cells, at%cells
		best := float32(math.Inf(-1))
		for code := range m.Config.Codes {
			if v := logits[(image*m.Config.Codes+code)*cells+cell]; v > best {
				best, want[at] = v, int32(code)
			}
		}
	}
	if d := cmp.Diff(want, found.Ints()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	seen := map[int32]bool{}
	for _, code := range want {
		seen[code] = true
	}
	if len(seen) < 5 {
		t.Errorf("random weights give %d codes only: the test says little", len(seen))
	}
	tape.Reset()
}

func TestDALLEErrors(t *testing.T) {
	m, _ := tinyDALLE(t)
	tape := autograd.NewTape(tensor.CPU())
	for _, shape := range [][]int{{1, 3, 12, 16}, {1, 3, 16, 20}, {1, 1, 16, 16}, {3, 16, 16}} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, "beit: DALLE: Codes: images of shape "+fmt.Sprint(tensor.Shape(shape))) {
					t.Errorf("%v: %s", shape, text)
				}
			}()
			m.Codes(nn.Context{Tape: tape}, tape.Own(tensor.New(tensor.CPU(), shape...)))
		}()
	}
	for _, c := range []struct {
		config DALLEConfig
		want   string
	}{
		{DALLEConfig{6, 2, 8}, "hidden = 6: must be a multiple of 4 up to 16384"},
		{DALLEConfig{1 << 20, 2, 8}, "hidden = 1048576"},
		{DALLEConfig{8, 0, 8}, "blocks = 0: must be in 1 … 256"},
		{DALLEConfig{8, 2, 0}, "codes = 0"},
	} {
		if err := c.config.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.config, err, c.want)
		}
	}
	for _, shapes := range []map[string][]int{nil, {"blocks.input.w": {4}}, {"blocks.input.w": {4, 3, 7, 7}}} {
		if _, err := InferDALLE(shapes); err == nil || !strings.Contains(err.Error(), "not DALL-E's encoder: ") {
			t.Errorf("%v: error %v", shapes, err)
		}
	}
}
