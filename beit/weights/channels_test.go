package weights_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// squareViT is a small network of squares of three channels.
func squareViT() beit.ViTConfig {
	return beit.ViTConfig{
		ImageSize: 16, PatchSize: 4, Channels: 3, Width: 64, Depth: 1, Heads: 1, MLPRatio: 2, QKVBias: true, LayerScale: 0.1, AbsPos: true,
		RelPos: beit.RelPosBlock, MeanPool: true, Classes: 2,
	}
}

func built(t *testing.T, v beit.ViTConfig, seed uint64) *nn.Set {
	t.Helper()
	set := nn.NewSet()
	beit.NewViT(set.Scope(), v)
	set.Build(tensor.CPU(), seed, nn.Inference)
	t.Cleanup(set.Release)
	return set
}

// savedModel writes the values of a set as a model file, and opens it.
func savedModel(t *testing.T, set *nn.Set) *weights.Model {
	t.Helper()
	var l list
	for _, p := range set.Params() {
		l = append(l, nn.Named(p.Name, p.Value))
	}
	m, err := weights.Open(writeList(t, "x.safetensors", "", l))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// Weights of a patch embedding go to other channels by the rule of timm: summed for one, in turn and scaled by 3/n for several.
func TestOtherChannels(t *testing.T) {
	from := built(t, squareViT(), 1)
	m := savedModel(t, from)
	old := from.Lookup("patch_embed.proj.weight").Value.Float32s() // [64, 3, 4, 4]
	for _, channels := range []int{1, 2, 4, 7} {
		v := squareViT()
		v.Channels = channels
		set := built(t, v, 2)
		fit, err := m.Fit(set.Params(), weights.ToClassifier)
		if err != nil {
			t.Fatal(err)
		}
		if err := fit.Load(); err != nil {
			t.Fatal(err)
		}
		got := set.Lookup("patch_embed.proj.weight").Value.Float32s()
		for i, w := range got {
			out, c, k := i/(16*channels), i/16%channels, i%16
			at := func(c int) float64 { return float64(old[(out*3+c)*16+k]) }
			want := at(c%3) * 3 / float64(channels)
			if channels == 1 {
				want = at(0) + at(1) + at(2)
			}
			if math.Abs(float64(w)-want) > 1e-6 {
				t.Fatalf("%d channels: weight %d is %g, want %g", channels, i, w, want)
			}
		}
		if _, err := m.Fit(set.Params(), nil); err == nil {
			t.Errorf("%d channels: the file fits another network strictly", channels)
		}
		if in := segmenterEmbedding(t, m, v); !slices.Equal(in, got) {
			t.Errorf("%d channels: a segmenter gets other weights", channels)
		}
	}
}

// segmenterEmbedding is the patch embedding of a segmenter with backbone v that starts from m.
func segmenterEmbedding(t *testing.T, m *weights.Model, v beit.ViTConfig) []float32 {
	t.Helper()
	backbone, err := m.Backbone()
	if err != nil {
		t.Fatal(err)
	}
	v.Classes, v.MeanPool = 0, false
	set := nn.NewSet()
	beit.NewSegmenter(set.Scope(), beit.SegmenterConfig{ViT: v, Head: beit.HeadLinear, Classes: 2}, false)
	set.Build(tensor.CPU(), 2, nn.Training)
	defer set.Release()
	fit, err := backbone.Renamed("", "backbone.").Fit(set.Params(), weights.ToSegmenter)
	if err != nil {
		t.Fatal(err)
	}
	if err := fit.Load(); err != nil {
		t.Fatal(err)
	}
	return set.Lookup("backbone.patch_embed.proj.weight").Value.Float32s()
}

// A file of squares starts a network of oblong images: tables and positions are resized on both axes. Positions of as many patches in another grid too.
func TestOblongFit(t *testing.T) {
	from := built(t, squareViT(), 1)
	m := savedModel(t, from)
	for _, size := range [][2]int{{16, 32}, {8, 32}, {24, 12}} {
		v := squareViT()
		v.ImageSize, v.ImageWidth = size[0], size[1]
		rows, cols := v.GridSize()
		set := built(t, v, 2)
		fit, err := m.Fit(set.Params(), weights.ToClassifier)
		if err != nil {
			t.Fatal(err)
		}
		if err := fit.Load(); err != nil {
			t.Fatal(err)
		}
		const table = "blocks.0.attn.relative_position_bias_table"
		want := beit.ResizeRelPos(from.Lookup(table).Value.Float32s(), 1, [2]int{4, 4}, [2]int{rows, cols})
		if got := set.Lookup(table).Value.Float32s(); !slices.Equal(got, want) {
			t.Errorf("%v: another table", size)
		}
		var resized []string
		for _, r := range fit.Report.Resized {
			resized = append(resized, r.Name)
		}
		if !slices.Contains(resized, "pos_embed") || !slices.Contains(resized, table) {
			t.Errorf("%v: resized are %v", size, resized)
		}
		if slices.Equal(set.Lookup("pos_embed").Value.Float32s(), from.Lookup("pos_embed").Value.Float32s()) {
			t.Errorf("%v: positions are those of a square", size)
		}
	}
}
