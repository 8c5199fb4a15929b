package probe

import (
	"context"
	"image"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// clouds returns m random rows around one centre for each class. The centres do not depend on the seed.
func clouds(m, dim, classes int, noise float64, seed uint64) Features {
	f := Features{Name: "clouds", Dim: dim, Classes: classes}
	for i := range m {
		label := i % classes
		centre, jitter := tensor.NewRand(1, uint64(label)), tensor.NewRand(seed, 2, uint64(i))
		for d := range dim {
			// Offset and scale differ by dimension: only standardised features are easy.
			x := centre.Norm() + noise*jitter.Norm()
			f.X = append(f.X, float32(x*math.Pow(10, float64(d%5-2))+float64(10*d)))
		}
		f.Labels = append(f.Labels, int32(label))
	}
	return f
}

func TestLinearSeparatesClouds(t *testing.T) {
	train, val := clouds(2000, 24, 10, 0.3, 1), clouds(500, 24, 10, 0.3, 2)
	r, err := Linear(t.Context(), tensor.CPU(), train, val, LinearDefaults)
	if err != nil {
		t.Fatal(err)
	}
	if r.Top1 < 0.98 || r.MacroAccuracy < 0.98 || r.Top5 < r.Top1 || len(r.Seeds) != 3 {
		t.Errorf("scores of an easy task: %+v", r)
	}
}

func TestLinearCannotReadNoise(t *testing.T) {
	train, val := clouds(1000, 24, 10, 1, 1), clouds(1000, 24, 10, 1, 2)
	shuffle := tensor.NewRand(3).Perm(train.Len())
	labels := append([]int32(nil), train.Labels...)
	for i, j := range shuffle {
		train.Labels[i] = labels[j]
	}
	r, err := Linear(t.Context(), tensor.CPU(), train, val, LinearConfig{Epochs: 5, Batch: 100, LRs: []float64{2e-3}, Seeds: 1, Norm: NormStandardize})
	if err != nil {
		t.Fatal(err)
	}
	if r.Top1 > 0.2 {
		t.Errorf("labels are random, yet %.3f are right", r.Top1)
	}
}

// An epoch with an incomplete last batch uses all images. Results do not depend on the number of threads.
func TestProbesAreDeterministic(t *testing.T) {
	train, val := clouds(777, 12, 5, 1.2, 1), clouds(333, 12, 5, 1.2, 2)
	run := func(threads int) (LinearResult, Score) {
		old := tensor.Threads()
		defer tensor.SetThreads(old)
		tensor.SetThreads(threads)
		cfg := LinearDefaults
		cfg.Epochs = 4
		l, err := Linear(t.Context(), tensor.CPU(), train, val, cfg)
		if err != nil {
			t.Fatal(err)
		}
		k, err := KNN(t.Context(), tensor.CPU(), train, val, 20, 0.07)
		if err != nil {
			t.Fatal(err)
		}
		return l, k
	}
	l1, k1 := run(1)
	l3, k3 := run(3)
	if diff := cmp.Diff(l1, l3) + cmp.Diff(k1, k3); diff != "" {
		t.Errorf("one thread and three differ:\n%s", diff)
	}
	if l1.Seeds[0] == l1.Seeds[1] && l1.Seeds[1] == l1.Seeds[2] {
		t.Errorf("three seeds gave one result: %+v", l1)
	}
}

func TestKNNFindsItself(t *testing.T) {
	f := clouds(1500, 16, 10, 3, 1)
	s, err := KNN(t.Context(), tensor.CPU(), f, f, 1, 0.07)
	if err != nil {
		t.Fatal(err)
	}
	if s.Top1 != 1 || s.MacroAccuracy != 1 {
		t.Errorf("nearest neighbour among the same images: %+v, want all right", s)
	}
}

// At a temperature at which exp(s/T) overflows, the most similar neighbour decides.
func TestKNNAtLowTemperature(t *testing.T) {
	f := clouds(300, 16, 10, 3, 1)
	s, err := KNN(t.Context(), tensor.CPU(), f, f, 20, 1e-9)
	if err != nil {
		t.Fatal(err)
	}
	if s.Top1 != 1 {
		t.Errorf("%+v, want all right", s)
	}
}

// The votes of a set larger than both blocks, against the plain sum in float64.
func TestKNNMatchesPlainSum(t *testing.T) {
	train, val := clouds(knnCols+500, 6, 4, 2, 1), clouds(40, 6, 4, 2, 2)
	x, y := unit(tensor.CPU(), train), unit(tensor.CPU(), val)
	tx, vy := x.Float32s(), y.Float32s()
	lists := nearest(y, x, 7)
	for i, list := range lists {
		last := float32(2)
		for _, n := range list {
			s := float32(0)
			for d := range 6 {
				s += tx[int(n.row)*6+d] * vy[i*6+d]
			}
			if math.Abs(float64(s-n.similarity)) > 1e-5 || n.similarity > last {
				t.Fatalf("image %d: neighbour %d has similarity %g, listed %g after %g", i, n.row, s, n.similarity, last)
			}
			last = n.similarity
		}
		better := 0
		for m := range train.Len() {
			s := float64(0)
			for d := range 6 {
				s += float64(tx[m*6+d]) * float64(vy[i*6+d])
			}
			if s > float64(last)+1e-6 {
				better++
			}
		}
		if len(list) != 7 || better > 6 {
			t.Fatalf("image %d: %d neighbours, %d training images are nearer than the last", i, len(list), better)
		}
	}
}

func TestClosestKeepsTheFirstOnTies(t *testing.T) {
	list := closest(nil, []float32{0.5, 0.9, 0.5, 0.9}, 10, 3)
	list = closest(list, []float32{0.9, 0.1}, 14, 3)
	want := []neighbour{{11, 0.9}, {13, 0.9}, {14, 0.9}}
	if diff := cmp.Diff(want, list, cmp.AllowUnexported(neighbour{})); diff != "" {
		t.Error(diff)
	}
}

func TestScores(t *testing.T) {
	best := [][]int32{{0, 1}, {1, 0}, {0, 1}, {2, 0}}
	got := newScore(best, []int32{0, 0, 0, 2}, 4)
	want := Score{Top1: 0.75, Top5: 1, MacroAccuracy: (2.0/3 + 1) / 2}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int32{3, 1, 4, 0, 2}, bestClasses([]float32{2, 5, 1, 7, 5, 0, 0.5})); diff != "" {
		t.Error(diff)
	}
}

func TestProbeErrors(t *testing.T) {
	good := clouds(20, 4, 2, 1, 1)
	bad := clouds(20, 4, 2, 1, 1)
	bad.X[13] = float32(math.NaN())
	unlabelled := clouds(20, 4, 2, 1, 1)
	unlabelled.Labels[3] = -1
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name       string
		ctx        context.Context
		train, val Features
		want       string
	}{
		{"not finite", t.Context(), bad, good, "number 1 of image 3 is not finite"},
		{"no label", t.Context(), good, unlabelled, "image 3 has label -1"},
		{"empty", t.Context(), Features{Dim: 4, Classes: 2}, good, "no images"},
		{"cancelled", cancelled, good, good, "context canceled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Linear(c.ctx, tensor.CPU(), c.train, c.val, LinearDefaults)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Linear: error %v, want one with %q", err, c.want)
			}
			_, err = KNN(c.ctx, tensor.CPU(), c.train, c.val, 20, 0.07)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("KNN: error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestLinearDiverges(t *testing.T) {
	f := clouds(20, 4, 2, 1, 1)
	_, err := Linear(t.Context(), tensor.CPU(), f, f, LinearConfig{Epochs: 1, Batch: 20, LRs: []float64{math.Inf(1)}, Seeds: 2, Norm: NormStandardize})
	if err == nil || !strings.Contains(err.Error(), "classifier 1: a score is not a number") {
		t.Errorf("error %v", err)
	}
}

// flats is a set of images of one colour, the class, with a corner of another colour.
type flats struct{ n, size int }

func (f flats) Len() int          { return f.n }
func (f flats) Name(int) string   { return "flat" }
func (f flats) Label(i int) int   { return i % 3 }
func (f flats) Classes() []string { return []string{"r", "g", "b"} }

func (f flats) Sample(i int) (data.Sample, error) {
	m := data.NewRGB(f.size, f.size)
	for p := f.Label(i); p < len(m.Pix); p += 3 {
		m.Pix[p] = 255
	}
	corner := image.Rect(0, 0, f.size/2, f.size/2)
	for y := corner.Min.Y; y < corner.Max.Y; y++ {
		for x := corner.Min.X; x < corner.Max.X; x++ {
			m.Pix[3*(y*m.W+x)] = uint8(i)
		}
	}
	return data.Sample{Image: m, Label: f.Label(i)}, nil
}

func TestExtract(t *testing.T) {
	c := beit.ViTConfig{
		ImageSize: 16, PatchSize: 4, Channels: 3, Width: 16, Depth: 1, Heads: 2, MLPRatio: 2, QKVBias: true, RelPos: beit.RelPosShared,
	}
	set := nn.NewSet()
	m := beit.NewMIM(set.Scope(), beit.MIMConfig{ViT: c, Vocab: 8})
	set.Build(tensor.CPU(), 1, nn.Inference)
	hog, err := beit.NewHOG(16, 4, 0)
	if err != nil {
		t.Fatal(err)
	}
	ds := flats{batch + 5, 16}
	all, err := Extract(t.Context(), tensor.CPU(), ds, Pipeline(16), nil, Network(m, data.ImageNet, Pools...), Pixels(16, 2, Pools...), Teacher(hog, Pools...))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range all {
		names = append(names, f.Name)
		if err := f.check("extracted"); err != nil {
			t.Error(err)
		}
		if f.Len() != ds.n || f.Labels[batch+1] != int32((batch+1)%3) || f.Classes != 3 {
			t.Errorf("%s: %d images of %d classes, label %d", f.Name, f.Len(), f.Classes, f.Labels[batch+1])
		}
	}
	if diff := cmp.Diff([]string{"cls", "mean", "grid", "mean", "grid", "mean", "grid"}, names); diff != "" {
		t.Error(diff)
	}
	// Four squares of 8x8 pixels, three colours each: image 4 is green, the red of its first square is 4.
	want := []float32{4.0 / 255, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0}
	if diff := cmp.Diff(want, all[4].row(4), cmpopts.EquateApprox(0, 1e-6)); diff != "" {
		t.Errorf("averaged pixels:\n%s", diff)
	}
	if diff := cmp.Diff([]float32{1.0 / 255, 1, 0}, all[3].row(4), cmpopts.EquateApprox(0, 1e-6)); diff != "" {
		t.Errorf("mean colour:\n%s", diff)
	}
	for i, want := range []int{16, 16, 16 * 16, 3, 12, 84, 16 * 84} {
		if all[i].Dim != want {
			t.Errorf("%s is %d wide, want %d", all[i].Name, all[i].Dim, want)
		}
	}
	// The mean of a network's patches is that of its cells, of as many patches each.
	mean, grid := all[1].row(4), all[2].row(4)
	for d, want := range mean {
		sum := float32(0)
		for cell := range 16 {
			sum += grid[16*cell+d] / 16
		}
		if math.Abs(float64(sum-want)) > 1e-5 {
			t.Errorf("number %d: the cells' mean is %g, that of all patches %g", d, sum, want)
		}
	}
	if cmp.Equal(all[0].X, all[1].X) {
		t.Error("class token and mean of patches are the same numbers")
	}
}

// unlabelled is flats without classes.
type unlabelled struct{ flats }

func (unlabelled) Classes() []string { return nil }

func TestExtractNeedsLabels(t *testing.T) {
	_, err := Extract(t.Context(), tensor.CPU(), unlabelled{flats{5, 16}}, Pipeline(16), nil, Pixels(16, 4, PoolGrid))
	if err == nil || !strings.Contains(err.Error(), "no labels") {
		t.Errorf("error %v", err)
	}
}

// The features of a teacher are average-pooled.
func TestTeacherGrid(t *testing.T) {
	x := numbered{grid: 8}
	e := Teacher(x, PoolGrid)
	images := tensor.Zeros(tensor.CPU(), 2, 3, 8, 8)
	got := e.Run(images)[0].Float32s()
	// Patch (y, x) has the feature [y, x]; cell (i, j) of 4x4 averages rows 2i and 2i+1, columns 2j and 2j+1.
	if len(got) != 2*16*2 {
		t.Fatalf("%d numbers", len(got))
	}
	for i := range 16 {
		row, col := got[32+2*i], got[32+2*i+1]
		if row != float32(2*(i/4))+0.5 || col != float32(2*(i%4))+0.5 {
			t.Errorf("cell %d: mean row %g, mean column %g", i, row, col)
		}
	}
	if d := Teacher(numbered{grid: 14}, PoolGrid).Run(images)[0].Dim(1); d != 2*2*2 {
		t.Errorf("a grid of 14 gives %d numbers, want those of 2x2 cells", d)
	}
}

type numbered struct{ grid int }

func (n numbered) Name() string { return "numbered" }
func (n numbered) Dim() int     { return 2 }

func (n numbered) Features(_ nn.Context, images *tensor.Tensor) *tensor.Tensor {
	b := images.Dim(0)
	var x []float32
	for range b {
		for i := range n.grid * n.grid {
			x = append(x, float32(i/n.grid), float32(i%n.grid))
		}
	}
	return tensor.FromSlice(images.Device(), x, b, n.grid*n.grid, 2)
}

func BenchmarkLinear(b *testing.B) {
	train, val := clouds(20000, 192, 10, 1, 1), clouds(4000, 192, 10, 1, 2)
	cfg := LinearDefaults
	cfg.Seeds = 1
	for b.Loop() {
		if _, err := Linear(b.Context(), tensor.CPU(), train, val, cfg); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKNN(b *testing.B) {
	train, val := clouds(20000, 192, 10, 1, 1), clouds(4000, 192, 10, 1, 2)
	for b.Loop() {
		if _, err := KNN(b.Context(), tensor.CPU(), train, val, 20, 0.07); err != nil {
			b.Fatal(err)
		}
	}
}
