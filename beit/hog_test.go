package beit_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// testImages returns b synthetic images of side s in [0, 1]: smooth waves with noise, and one of constant colour.
func testImages(b, s int) []float32 {
	r := tensor.NewRand(7, uint64(b), uint64(s))
	out := make([]float32, 0, b*3*s*s)
	for i := range b {
		for range 3 {
			fx, fy, phase, noise := r.Uniform(0, 0.7), r.Uniform(0, 0.7), r.Uniform(0, 6), 0.1
			if i == 1 {
				fx, fy, noise = 0, 0, 0
			}
			for y := range s {
				for x := range s {
					v := 0.5 + 0.35*math.Sin(fx*float64(x)+fy*float64(y)+phase) + noise*r.Uniform(-1, 1)
					out = append(out, float32(v))
				}
			}
		}
	}
	return out
}

// hogReference implements the definition in the comment of HOG in float64, one cell at a time.
func hogReference(img []float32, s, p int, ref bool, eps float64) []float64 {
	at := func(c, y, x int) float64 {
		reflect := func(i int) int {
			if i < 0 {
				return -i
			}
			if i >= s {
				return 2*s - 2 - i
			}
			return i
		}
		return float64(img[(c*s+reflect(y))*s+reflect(x)])
	}
	factor, shift, sides := 0.5, 0.0, []int{p, 2 * p, 4 * p}
	if ref {
		factor, shift, sides = 1, 0.5, []int{p}
	}
	var out []float64
	for py := 0; py < s; py += p {
		for px := 0; px < s; px += p {
			for _, side := range sides {
				y0, x0 := py+p/2-side/2, px+p/2-side/2
				for c := range 3 {
					var bins [9]float64
					pixels := 0.0
					for y := max(y0, 0); y < min(y0+side, s); y++ {
						for x := max(x0, 0); x < min(x0+side, s); x++ {
							gx, gy := factor*(at(c, y, x+1)-at(c, y, x-1)), factor*(at(c, y+1, x)-at(c, y-1, x))
							bin := int(math.Floor(math.Atan2(gx, gy)/math.Pi*9)) % 9
							bins[(bin+9)%9] += math.Hypot(gx, gy)
							pixels++
						}
					}
					norm := 0.0
					for _, v := range bins {
						norm += v * v
					}
					for _, v := range bins {
						out = append(out, v/(math.Sqrt(norm)+0.01+eps*pixels))
					}
				}
			}
			for c := range 3 {
				sum := 0.0
				for y := range p {
					for x := range p {
						sum += at(c, py+y, px+x)
					}
				}
				out = append(out, sum/float64(p*p)-shift)
			}
		}
	}
	return out
}

func TestHOGFollowsItsDefinition(t *testing.T) {
	for _, c := range []struct {
		size, patch int
		ref         bool
		dim         int
		eps         float64
	}{
		{32, 4, false, 84, 0}, {32, 4, true, 30, 0}, {48, 16, false, 84, 0}, {28, 14, false, 84, 0}, {12, 6, true, 30, 0}, {2, 2, false, 84, 0},
		{32, 4, false, 84, 0.03}, {32, 8, true, 30, 0.02}, {28, 14, false, 84, 0.5},
	} {
		build := beit.NewHOG
		if c.ref {
			build = beit.NewHOGRef
		}
		h, err := build(c.size, c.patch, c.eps)
		if err != nil {
			t.Fatal(err)
		}
		if h.Dim() != c.dim {
			t.Fatalf("%s has %d dimensions, want %d", h.Name(), h.Dim(), c.dim)
		}
		const b = 3
		img := testImages(b, c.size)
		images := tensor.FromSlice(tensor.CPU(), img, b, 3, c.size, c.size)
		got := h.Features(nn.Context{}, images).Float32s()
		n := len(got) / b
		for i := range b {
			want := hogReference(img[i*3*c.size*c.size:(i+1)*3*c.size*c.size], c.size, c.patch, c.ref, c.eps)
			if len(want) != n {
				t.Fatalf("%s: %d numbers for an image, want %d", h.Name(), n, len(want))
			}
			for j, w := range want {
				if d := math.Abs(float64(got[i*n+j]) - w); !(d < 2e-5) {
					t.Fatalf("%s of %d/%d: image %d patch %d number %d is %v, want %v", h.Name(), c.size, c.patch, i, j/c.dim, j%c.dim, got[i*n+j], w)
				}
			}
		}
	}
}

// An epsilon for each pixel makes a teacher that does not see noise on flat patches: histograms of one of 1/255 are short, those of an edge
// keep most of their length.
func TestHOGEpsilonPerPixel(t *testing.T) {
	const s, p, eps = 16, 8, 0.03
	r := tensor.NewRand(3)
	flat, edge := make([]float32, 3*s*s), make([]float32, 3*s*s)
	for i := range flat {
		flat[i] = 0.5 + float32(r.IntN(2))/255
		edge[i] = float32(i % s / (p / 2) % 2) // vertical edges
	}
	length := func(img []float32, eps float64) float64 {
		h, err := beit.NewHOG(s, p, eps)
		if err != nil {
			t.Fatal(err)
		}
		y := make([]float32, h.Dim()*s/p*s/p)
		h.Compute(y, img)
		sum := 0.0
		for _, v := range y[:9] { // the first cell's first colour
			sum += float64(v * v)
		}
		return math.Sqrt(sum)
	}
	if a, b := length(flat, 0), length(edge, 0); a < 0.8 || b < 0.9 {
		t.Errorf("without an epsilon: histograms of length %.3f and %.3f, want about 1", a, b)
	}
	if a, b := length(flat, eps), length(edge, eps); a > 0.1 || b < 0.8 {
		t.Errorf("with %g: a flat patch has a histogram of length %.3f, an edge one of %.3f", eps, a, b)
	}
	for _, bad := range []float64{-1, math.NaN()} {
		if _, err := beit.NewHOG(s, p, bad); err == nil {
			t.Errorf("epsilon %g: no error", bad)
		}
	}
}

func TestHOGRefusesOddPatches(t *testing.T) {
	for _, c := range [][2]int{{32, 5}, {32, 3}, {30, 4}, {32, 0}, {2, 4}} {
		if _, err := beit.NewHOG(c[0], c[1], 0); err == nil {
			t.Errorf("size %d patch %d: no error", c[0], c[1])
		}
	}
}

// TestStandardizedTeacher checks that features have mean 0 and standard deviation 1 over the images of Fit, and that a second Fit gives
// the same bytes.
func TestStandardizedTeacher(t *testing.T) {
	dev := tensor.CPU()
	hog, err := beit.NewHOG(16, 4, 0)
	if err != nil {
		t.Fatal(err)
	}
	set := nn.NewSet()
	teacher := beit.NewStandardized(set.Scope(), hog)
	set.Build(dev, 0, nn.Inference)
	images := tensor.FromSlice(dev, testImages(8, 16), 8, 3, 16, 16)
	batches := func(yield func(*tensor.Tensor, error) bool) {
		for i := range 4 {
			if !yield(images.Slice(0, 2*i, 2*i+2), nil) {
				return
			}
		}
	}
	fit := func() ([]float32, []float32) {
		if err := teacher.Fit(nn.Context{}, batches); err != nil {
			t.Fatal(err)
		}
		return set.Lookup("teacher.mean").Value.Float32s(), set.Lookup("teacher.std").Value.Float32s()
	}
	mean, std := fit()
	again, againStd := fit()
	for i := range mean {
		if mean[i] != again[i] || std[i] != againStd[i] {
			t.Fatalf("dimension %d: %v and %v after a second fit, were %v and %v", i, again[i], againStd[i], mean[i], std[i])
		}
	}
	y := teacher.Features(nn.Context{}, images).Float32s()
	if host := beit.FeaturesOf(nn.Context{}, teacher, images, testImages(8, 16)).Float32s(); !slices.Equal(host, y) {
		t.Error("images of the host have other features")
	}
	d := teacher.Dim()
	for i := range d {
		var sum, squares, n float64
		for j := i; j < len(y); j += d {
			sum, squares, n = sum+float64(y[j]), squares+float64(y[j])*float64(y[j]), n+1
		}
		if m := sum / n; math.Abs(m) > 1e-4 || math.Abs(squares/n-m*m-1) > 1e-3 {
			t.Errorf("dimension %d: mean %g, variance %g", i, m, squares/n-m*m)
		}
	}
	none := func(func(*tensor.Tensor, error) bool) {}
	if err := teacher.Fit(nn.Context{}, none); err == nil {
		t.Error("no images give no error")
	}
}

func TestRunTeacherTakesTheMiddle(t *testing.T) {
	dev := tensor.CPU()
	cfg := beit.ViTConfig{ImageSize: 8, PatchSize: 4, Channels: 3, Width: 8, Depth: 4, Heads: 2, MLPRatio: 2, MeanPool: true}
	set := nn.NewSet()
	vit := beit.NewViT(set.Scope(), cfg)
	set.Build(dev, 3, nn.Inference)
	teacher, err := beit.NewRunTeacher(vit, cfg, 0)
	if err != nil {
		t.Fatal(err)
	}
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	ctx := nn.Context{Tape: tape}
	images := tensor.FromSlice(dev, testImages(2, 8), 2, 3, 8, 8)
	got := teacher.Features(ctx, images)
	defer got.Release()
	view := tape.Own(beit.Normalize(images, beit.ImageNetMean, beit.ImageNetStd))
	want := tape.Scope(func() *autograd.Var { return vit.BlockTokens(ctx, view, 3) }) // ⌈2·4/3⌉
	if diff := cmp.Diff(want.Value().Float32s(), got.Float32s()); diff != "" {
		t.Error(diff)
	}
	if _, err := beit.NewRunTeacher(vit, cfg, 5); err == nil {
		t.Error("block 5 of 4 gives no error")
	}
}

func BenchmarkHOG(b *testing.B) {
	h, err := beit.NewHOG(32, 4, 0)
	if err != nil {
		b.Fatal(err)
	}
	img := testImages(128, 32)
	dst := make([]float32, 128*64*h.Dim())
	for b.Loop() {
		h.Compute(dst, img)
	}
}
