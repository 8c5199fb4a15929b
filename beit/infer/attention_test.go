package infer_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

func openAttention(t *testing.T, path string) infer.Attentive {
	t.Helper()
	m, err := infer.OpenAttention(path, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// Every kind of run has attention, of every block, and its rows are distributions.
func TestAttentionOfRuns(t *testing.T) {
	for _, run := range []string{runs.tokenizer, runs.backbone, runs.classifier} {
		t.Run(filepath.Base(run), func(t *testing.T) {
			m := openAttention(t, run)
			if m.Blocks() != 2 || m.Grid() != 4 {
				t.Fatalf("%d blocks, a grid of %d", m.Blocks(), m.Grid())
			}
			var maps []*infer.Attention
			for block := range m.Blocks() + 1 {
				a, err := m.Attention(drawing(3), block)
				if err != nil {
					t.Fatal(err)
				}
				if a.Heads != 2 || a.Rows != 4 || a.Cols != 4 || len(a.Weights) != 2*17*17 {
					t.Fatalf("block %d: %d heads, %d x %d, %d weights", block, a.Heads, a.Rows, a.Cols, len(a.Weights))
				}
				for i := 0; i < len(a.Weights); i += 17 {
					sum := 0.0
					for _, w := range a.Weights[i : i+17] {
						sum += float64(w)
					}
					if math.Abs(sum-1) > 1e-5 {
						t.Fatalf("block %d: a row sums to %g", block, sum)
					}
				}
				maps = append(maps, a)
			}
			if !cmp.Equal(maps[0], maps[2]) || maps[1].Block != 1 || maps[2].Block != 2 || cmp.Equal(maps[1].Weights, maps[2].Weights) {
				t.Error("block 0 is not the last one, or both blocks are the same")
			}
			for _, block := range []int{-1, 3} {
				if _, err := m.Attention(drawing(3), block); err == nil || !strings.Contains(err.Error(), "the network has blocks 1 to 2") {
					t.Errorf("block %d: error %v", block, err)
				}
			}
			if _, err := m.Attention(nil, 1); err == nil || !strings.Contains(err.Error(), "the image is nil") {
				t.Errorf("no image: error %v", err)
			}
			m.Close()
			if _, err := m.Attention(drawing(3), 1); err == nil || !strings.Contains(err.Error(), infer.ErrClosed.Error()) {
				t.Errorf("closed: error %v", err)
			}
		})
	}
}

// The weights are those of the network on the image as the features see it.
func TestAttentionAsInNetwork(t *testing.T) {
	enc := openEncoder(t, infer.Options{})
	got, err := enc.Attention(drawing(2), 1)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := enc.Seen(drawing(2))
	if err != nil {
		t.Fatal(err)
	}
	if seen.W != 16 || seen.H != 16 {
		t.Fatalf("sees %d x %d", seen.W, seen.H)
	}
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	pixels := make([]float32, 3*16*16) // normalised here, without this package
	for i, v := range seen.Pix {
		pixels[i%3*256+i/3] = (float32(v)/255 - beit.ImageNetMean[i%3]) / beit.ImageNetStd[i%3]
	}
	images := tape.Own(tensor.FromSlice(tensor.CPU(), pixels, 1, 3, 16, 16))
	attender := rawEncoder(t, runs.backbone).(*model.Encoder).Encoder.(beit.Attender)
	want := attender.AttentionMaps(nn.Context{Tape: tape}, images, 1).Value().Float32s()
	for i, w := range want {
		if math.Abs(float64(w-got.Weights[i])) > 1e-6 {
			t.Fatalf("weight %d is %g, want %g", i, got.Weights[i], w)
		}
	}
}

// A map has the weights of the keys that are patches; the mean is over heads.
func TestAttentionMap(t *testing.T) {
	a := &infer.Attention{Heads: 2, Rows: 1, Cols: 2, Weights: []float32{
		0, 1, 2 /**/, 3, 4, 5 /**/, 6, 7, 8,
		10, 11, 12 /**/, 13, 14, 15 /**/, 16, 17, 18,
	}}
	for _, c := range []struct {
		name      string
		got, want []float32
	}{
		{"class token, head 0", a.Map(0, infer.ClassToken), []float32{1, 2}},
		{"patch (0, 1), head 1", a.Map(1, a.Query(0, 1)), []float32{17, 18}},
		{"patch (0, 0), mean", a.Mean(a.Query(0, 0)), []float32{9, 10}},
	} {
		if d := cmp.Diff(c.want, c.got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a patch outside the grid has a query")
		}
	}()
	a.Query(1, 0)
}

func TestKeepMass(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		name    string
		weights []float32
		part    float64
		want    []bool
	}{
		{"the largest are enough", []float32{0.1, 0.5, 0.1, 0.2, 0.1}, 0.6, []bool{no, yes, no, yes, no}},
		{"one holds exactly the part", []float32{0.25, 0.5, 0.25}, 0.5, []bool{no, yes, no}},
		{"not normalised", []float32{1, 5, 1, 2, 1}, 0.6, []bool{no, yes, no, yes, no}},
		{"equal ones: the later", []float32{1, 1, 1, 1}, 0.5, []bool{no, no, yes, yes}},
		{"all but zeros", []float32{0, 1, 0, 2}, 1, []bool{no, yes, no, yes}},
		{"none", []float32{1, 2}, 0, []bool{no, no}},
		{"nothing", nil, 0.6, []bool{}},
	} {
		if d := cmp.Diff(c.want, infer.KeepMass(c.weights, c.part)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}
