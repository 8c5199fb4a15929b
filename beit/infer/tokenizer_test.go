package infer_test

import (
	"image"
	"math"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// The code of a patch is the one whose vector has the largest cosine with the patch's, and Cosine is that.
func TestCosines(t *testing.T) {
	tok := openTokenizer(t)
	book := tok.Codebook()
	if len(book) != tok.Vocabulary() || len(book) != 32 {
		t.Fatalf("%d code vectors of %d", len(book), tok.Vocabulary())
	}
	m, err := model.Open(runs.tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	raw, err := tokenizer.Build(tensor.CPU(), m)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Set.Release()
	codes, err := tok.EncodeBatch(drawings(3))
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range codes {
		rgb, err := data.FromImage(drawing(i), data.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		pixels := make([]float32, 3*16*16)
		m.Input.Pipeline().Apply(data.Tensors{{Float32: pixels}}, data.Sample{Image: rgb}, nil)
		tape := autograd.NewTape(tensor.CPU())
		z := raw.VQKD.Encode(nn.Context{Tape: tape}, tape.Own(tensor.FromSlice(tensor.CPU(), pixels, 1, 3, 16, 16))).Value().Float32s()
		for p, code := range got.Index {
			vector := z[p*len(book[0]) : (p+1)*len(book[0])]
			best, at := math.Inf(-1), 0
			for k, row := range book {
				if c := cosineOf(vector, row); c > best {
					best, at = c, k
				}
			}
			if int32(at) != code || math.Abs(best-float64(got.Cosine[p])) > 1e-6 {
				t.Errorf("image %d, patch %d: code %d at cosine %g, want %d at %g", i, p, code, got.Cosine[p], at, best)
			}
		}
		tape.Reset()
	}
}

func cosineOf(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

// The boxes of a grid's patches lie side by side in the central square of the image, and each has a pixel.
func TestPatchBox(t *testing.T) {
	tok := openTokenizer(t) // shows the whole height of a wide image
	if got, want := tok.PatchBox(80, 40, 1, 3), image.Rect(50, 10, 60, 20); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	for _, size := range []image.Point{{80, 40}, {31, 57}, {16, 16}, {3, 2}} {
		all := image.Rectangle{}
		for row := range tok.Grid() {
			for col := range tok.Grid() {
				box := tok.PatchBox(size.X, size.Y, row, col)
				if box.Empty() || !box.In(image.Rectangle{Max: size}) {
					t.Errorf("image of %v: patch (%d, %d) at %v", size, row, col, box)
				}
				if next := (col + 1) % tok.Grid(); next > 0 && min(size.X, size.Y) >= 16 && box.Max.X != tok.PatchBox(size.X, size.Y, row, next).Min.X {
					t.Errorf("image of %v: a gap or an overlap after patch (%d, %d)", size, row, col)
				}
				all = all.Union(box)
			}
		}
		if side := min(size.X, size.Y); all.Dx() < side-1 || all.Dy() < side-1 {
			t.Errorf("image of %v: all patches together cover %v", size, all)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a patch outside the grid has a box")
		}
	}()
	tok.PatchBox(80, 40, 4, 0)
}
