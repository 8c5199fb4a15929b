package infer_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/npy"
	"github.com/gobeit/gobeit/tensor"
)

// referenceModel is an entry of models.json, which make.py writes beside it.
type referenceModel struct {
	File        string
	Size, Patch int
	Tensors     []referenceTensor
}

// referenceTensor says how the values of a tensor are drawn: offset + scale·u, u uniform in [-1/2, 1/2), by unit as rows of length 1.
type referenceTensor struct {
	name          string
	shape         []int
	offset, scale float64
	unit          bool
}

func (r *referenceTensor) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&r.name, &r.shape, &r.offset, &r.scale, &r.unit})
}

// TestReference compares attention weights, codes and their cosines with those that testdata/attention/make.py computed in float64, for files with
// published names: DINO, BEiT with a shared relative position bias, a tokenizer, and CLIP. BEIT_ATTENTION names a folder with larger networks.
func TestReference(t *testing.T) {
	dir := cmp.Or(os.Getenv("BEIT_ATTENTION"), filepath.Join("testdata", "attention"))
	want, err := npy.LoadZip(tensor.CPU(), filepath.Join(dir, "reference.npz"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "models.json"))
	if err != nil {
		t.Fatal(err)
	}
	var models []referenceModel
	if err := json.Unmarshal(text, &models); err != nil {
		t.Fatal(err)
	}
	if len(models) != 4 {
		t.Fatalf("%d models", len(models))
	}
	for _, ref := range models {
		t.Run(ref.File, func(t *testing.T) {
			m := openAttention(t, ref.write(t))
			img := ref.image(t, m)
			compared := 0
			for block := 1; block <= m.Blocks(); block++ {
				maps := want[fmt.Sprintf("%s/attention.%d", ref.File, block)]
				if maps == nil {
					continue
				}
				a, err := m.Attention(img, block)
				if err != nil {
					t.Fatal(err)
				}
				if s := maps.Shape(); a.Heads != s[0] || a.Rows*a.Cols+1 != s[1] {
					t.Fatalf("%d heads, %d x %d patches, want shape %v", a.Heads, a.Rows, a.Cols, s)
				}
				near(t, fmt.Sprintf("block %d", block), a.Weights, maps.Float32s())
				compared++
			}
			if compared < 2 {
				t.Errorf("%d blocks compared", compared)
			}
			if tok, ok := m.(*infer.Tokenizer); ok {
				codes, err := tok.Encode(img)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(codes.Index, want[ref.File+"/codes"].Ints()) {
					t.Errorf("codes %v, want %v", codes.Index, want[ref.File+"/codes"].Ints())
				}
				near(t, "cosines", codes.Cosine, want[ref.File+"/cosines"].Float32s())
			}
		})
	}
}

// near compares values.
func near(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	worst := 0.0
	for i, w := range want {
		worst = max(worst, math.Abs(float64(got[i])-float64(w)))
	}
	t.Logf("%s: largest difference %.2g", what, worst)
	if !(worst <= 1e-5) {
		t.Errorf("%s: largest difference %g", what, worst)
	}
}

// write writes the model's file.
func (r referenceModel) write(t *testing.T) (path string) {
	t.Helper()
	var list []state.Named
	for i, x := range r.Tensors {
		list = append(list, state.Named{Name: x.name, DType: state.F32, Shape: x.shape, Float32s: x.values(uint64(i + 1))})
	}
	path = filepath.Join(t.TempDir(), r.File)
	if err := state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteSafetensors(w, nil, list) }); err != nil {
		t.Fatal(err)
	}
	return path
}

// values draws the values of a tensor from a stream.
func (r referenceTensor) values(stream uint64) []float32 {
	n := 1
	for _, d := range r.shape {
		n *= d
	}
	v := make([]float64, n)
	for i := range v {
		v[i] = r.offset + r.scale*(float64(randomBits(stream, i))/(1<<24)-0.5)
	}
	if r.unit {
		for row := range slices.Chunk(v, r.shape[len(r.shape)-1]) {
			square := 0.0
			for _, x := range row {
				square += x * x
			}
			for i := range row {
				row[i] /= math.Sqrt(square)
			}
		}
	}
	out := make([]float32, n)
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

// randomBits is random number i of a stream, of 24 bits: splitmix64, as in make.py.
func randomBits(stream uint64, i int) uint64 {
	z := (stream<<32 + uint64(i)) * 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return (z ^ z>>31) >> 40
}

// image is an image of which the model sees exactly what make.py gave to the network: that itself, or that inside a frame.
func (r referenceModel) image(t *testing.T, m infer.Attentive) *data.RGB {
	t.Helper()
	inner := data.NewRGB(r.Size, r.Size)
	for i := range inner.Pix {
		y, x, c := i/3/r.Size, i/3%r.Size, i%3
		inner.Pix[i] = uint8(randomBits(0, i)>>17 + uint64(y*4+x*7*(c+1)))
	}
	for _, side := range []int{r.Size, r.Size * 8 / 7} {
		img, edge := data.NewRGB(side, side), int(math.RoundToEven(float64(side-r.Size)/2))
		for y := range r.Size {
			copy(img.Pix[3*((y+edge)*side+edge):], inner.Pix[3*y*r.Size:3*(y+1)*r.Size])
		}
		if seen, err := m.Seen(img); err != nil {
			t.Fatal(err)
		} else if slices.Equal(seen.Pix, inner.Pix) {
			return img
		}
	}
	t.Fatalf("%s does not see the image as it is", r.File)
	return nil
}
