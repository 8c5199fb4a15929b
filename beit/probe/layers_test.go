package probe

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// shades are images of 16 pixels in four classes of brightness.
type shades struct{ n, first int }

func (s shades) Len() int          { return s.n }
func (s shades) Name(i int) string { return fmt.Sprint(s.first + i) }
func (s shades) Label(i int) int   { return i % 4 }
func (s shades) Classes() []string { return []string{"a", "b", "c", "d"} }
func (s shades) Sample(i int) (data.Sample, error) {
	m, r := data.NewRGB(16, 16), tensor.NewRand(uint64(s.first+i))
	for at := range m.Pix {
		m.Pix[at] = uint8(60*(i%4) + r.IntN(60))
	}
	return data.Sample{Image: m, Label: s.Label(i)}, nil
}

// byBlock has two blocks: the output of the first is constant, that of the second is the brightness.
type byBlock struct{}

func (byBlock) AllBlocks(c nn.Context, images *autograd.Var) []*autograd.Var {
	b := images.Shape()[0]
	mean := autograd.Mean(autograd.Reshape(images, b, 3*16*16), 1) // [B]
	tokens := autograd.Expand(autograd.Reshape(mean, b, 1, 1), b, 3, 2)
	basis := c.Tape.Own(tensor.FromSlice(images.Value().Device(), []float32{1, -2}, 2))
	shift := c.Tape.Own(tensor.FromSlice(images.Value().Device(), []float32{0, 1}, 2))
	curve := autograd.Add(autograd.Mul(tokens, basis), shift)
	return []*autograd.Var{autograd.Affine(tokens, 0, 1), autograd.Mul(curve, curve)}
}

func TestLayers(t *testing.T) {
	cfg := LayersConfig{Epochs: 30, Batch: 40, LR: 0.05, Decay: 1e-4}
	for _, sgd := range []bool{false, true} {
		cfg.SGD = sgd
		if sgd {
			cfg.LR = 0.5
		}
		last := 0
		cfg.Progress = func(epoch, _, _ int) { last = epoch }
		scores, err := Layers(t.Context(), tensor.CPU(), shades{400, 0}, shades{120, 5000}, byBlock{}, Input{16, data.Inception}, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if len(scores) != 2 || scores[0].Top1 != 0.25 || scores[1].Top1 < 0.9 || last != 30 {
			t.Errorf("SGD %v: %+v after %d epochs, want a quarter and nearly all", sgd, scores, last)
		}
	}
}

func TestLayersOfRealNetwork(t *testing.T) {
	set := nn.NewSet()
	v := beit.ViTConfig{ImageSize: 16, PatchSize: 4, Channels: 3, Width: 16, Depth: 3, Heads: 2, MLPRatio: 2, QKVBias: true, RelPos: beit.RelPosBlock, MeanPool: true}
	m := beit.NewViT(set.Scope(), v)
	set.Build(tensor.CPU(), 1, nn.Inference)
	cfg := LayersConfig{Epochs: 2, Batch: 20, LR: 1e-3}
	var first []Score
	for range 2 {
		scores, err := Layers(t.Context(), tensor.CPU(), shades{60, 0}, shades{20, 99}, m, Input{16, data.ImageNet}, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = scores
		}
		if len(scores) != 3 || !cmp.Equal(first, scores) {
			t.Errorf("%+v, then %+v", first, scores)
		}
	}
}

// gaps are shades with one unreadable image.
type gaps struct{ shades }

func (g gaps) Sample(i int) (data.Sample, error) {
	if i == 3 {
		return data.Sample{}, errors.New("torn")
	}
	return g.shades.Sample(i)
}

func TestLayersNamesWhatItLeavesOut(t *testing.T) {
	var names []string
	cfg := LayersConfig{Epochs: 3, Batch: 20, LR: 1e-3, Skipped: func(s data.Skipped) { names = append(names, s.Name) }}
	if _, err := Layers(t.Context(), tensor.CPU(), gaps{shades{60, 0}}, gaps{shades{20, 99}}, byBlock{}, Input{16, data.ImageNet}, cfg); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"3", "102"}, names); d != "" {
		t.Error(d)
	}
}

// Images smaller than the usual padding are padded by less.
func TestInputOfFewPixels(t *testing.T) {
	for size := 1; size < 7; size++ {
		p, x := Input{size, data.ImageNet}.train(), make([]float32, 3*size*size)
		p.Apply(data.Tensors{{Float32: x}}, data.Sample{Image: data.NewRGB(16, 16), Label: -1}, tensor.NewRand(1))
		if x[0] == 0 {
			t.Errorf("%d pixels: nothing written", size)
		}
	}
}

func TestBeforeNorm(t *testing.T) {
	set := nn.NewSet()
	v := beit.ViTConfig{ImageSize: 8, PatchSize: 4, Channels: 3, Width: 8, Depth: 2, Heads: 2, MLPRatio: 2, QKVBias: true, MeanPool: true}
	m := beit.NewViT(set.Scope(), v)
	set.Build(tensor.CPU(), 1, nn.Inference)
	images := tensor.FromSlice(tensor.CPU(), make([]float32, 2*3*8*8), 2, 3, 8, 8)
	images.Fill(0.7)
	got := BeforeNorm(m, data.Inception, PoolCLS, PoolMean).Run(images)
	tape := autograd.NewTape(tensor.CPU())
	view := tape.Own(tensor.Full(tensor.CPU(), 0.4, 2, 3, 8, 8)) // 2·0.7 - 1
	class, mean := beit.Pool(m.AllBlocks(nn.Context{Tape: tape}, view)[1])
	for k, want := range []*autograd.Var{class, mean} {
		w := want.Value().Float32s()
		for i, g := range got[k].Float32s() {
			if math.Abs(float64(g-w[i])) > 1e-5 {
				t.Fatalf("kind %d, value %d is %g, want %g", k, i, g, w[i])
			}
		}
	}
}

func TestJoin(t *testing.T) {
	a := Features{Name: "cls", Dim: 2, X: []float32{1, 2, 3, 4}, Labels: []int32{0, 1}, Classes: 2}
	b := Features{Name: "mean", Dim: 1, X: []float32{5, 6}, Labels: []int32{0, 1}, Classes: 2}
	want := Features{Name: "cls+mean", Dim: 3, X: []float32{1, 2, 5, 3, 4, 6}, Labels: []int32{0, 1}, Classes: 2}
	if d := cmp.Diff(want, Join(a, b)); d != "" {
		t.Error(d)
	}
}

func TestKNNsAgreeWithKNN(t *testing.T) {
	train, val := clouds(300, 8, 5, 1.5, 1), clouds(100, 8, 5, 1.5, 2)
	ks := []int{50, 1, 10}
	all, err := KNNs(t.Context(), tensor.CPU(), train, val, ks, 0.07)
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range ks {
		one, err := KNN(t.Context(), tensor.CPU(), train, val, k, 0.07)
		if err != nil {
			t.Fatal(err)
		}
		if one != all[i] {
			t.Errorf("k = %d: %+v alone, %+v among others", k, one, all[i])
		}
	}
}

// With one neighbour top-5 is top-1.
func TestTop5OfFewNeighbours(t *testing.T) {
	train, val := clouds(300, 8, 10, 3, 1), clouds(200, 8, 10, 3, 2)
	scores, err := KNNs(t.Context(), tensor.CPU(), train, val, []int{1, 3, 50}, 0.07)
	if err != nil {
		t.Fatal(err)
	}
	if one, three := scores[0], scores[1]; one.Top1 == 1 || one.Top5 != one.Top1 || three.Top5 <= three.Top1 || scores[2].Top5 <= three.Top5 {
		t.Errorf("%+v", scores)
	}
}

func TestPlainFeatures(t *testing.T) { // unlike standardised ones, clouds of very different scales are hard
	train, val := clouds(1000, 24, 10, 0.3, 1), clouds(300, 24, 10, 0.3, 2)
	cfg := LinearConfig{Epochs: 3, Batch: 100, LRs: []float64{2e-3}, Seeds: 1, Norm: NormStandardize}
	standard, err := Linear(t.Context(), tensor.CPU(), train, val, cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Norm = NormNone
	plain, err := Linear(t.Context(), tensor.CPU(), train, val, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if plain.Top1 > standard.Top1-0.1 {
		t.Errorf("plain %.3f, standardised %.3f", plain.Top1, standard.Top1)
	}
}
