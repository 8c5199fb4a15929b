package data_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
	"github.com/google/go-cmp/cmp"
)

func imageOf(t testing.TB, ds data.Dataset, i int) *data.RGB {
	t.Helper()
	m, err := data.Decoded(ds, i)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// drawn are the kinds of synthetic images.
var drawn = map[string]func(n, size int, seed uint64) data.Dataset{"procedural": data.Procedural, "shapes": data.Shapes}

func TestDrawn(t *testing.T) {
	for name, draw := range drawn {
		t.Run(name, func(t *testing.T) {
			ds := draw(100, 32, 1)
			count := map[int]int{}
			for i := range ds.Len() {
				count[ds.Label(i)]++
			}
			if len(ds.Classes()) != 10 || len(count) != 10 {
				t.Fatalf("%d classes, %d labels in use; want 10", len(ds.Classes()), len(count))
			}
			for label, n := range count {
				if n != 10 {
					t.Errorf("class %d has %d images, want 10", label, n)
				}
			}
			first := imageOf(t, ds, 0)
			if !cmp.Equal(first, imageOf(t, draw(1, 32, 1), 0)) {
				t.Error("image 0 depends on more than size, seed and index")
			}
			for name, other := range map[string]*data.RGB{"index": imageOf(t, ds, 10), "seed": imageOf(t, draw(1, 32, 2), 0)} {
				if cmp.Equal(first, other) {
					t.Errorf("another %s gave the same image", name)
				}
			}
		})
	}
}

// The mask of a synthetic image has a class for the figure and 0 for its ground, which differ in colour.
func TestDrawnMasks(t *testing.T) {
	for name, draw := range drawn {
		ds := draw(20, 32, 1)
		for i := range ds.Len() {
			s, err := ds.Sample(i)
			if err != nil {
				t.Fatal(err)
			}
			class := uint8(1 + s.Label)
			if name == "procedural" { // two arrangements of each shape
				class = uint8(1 + s.Label/2)
			}
			var sum, pixels [2]float64 // of the ground, of the figure
			for p, c := range s.Mask.Class {
				part := 0
				if c == class {
					part = 1
				} else if c != 0 {
					t.Fatalf("%s, image %d: class %d in the mask, want 0 and %d", name, i, c, class)
				}
				for _, v := range s.RGB().Pix[3*p : 3*p+3] {
					sum[part] += float64(v)
				}
				pixels[part]++
			}
			if share := pixels[1] / (32 * 32); s.Mask.W != 32 || s.Mask.H != 32 || share < 0.03 || share > 0.6 {
				t.Errorf("%s, image %d: mask of %dx%d, the figure has a share of %.3f", name, i, s.Mask.W, s.Mask.H, share)
			}
			if apart := math.Abs(sum[1]/pixels[1]-sum[0]/pixels[0]) / 3; apart < 20 {
				t.Errorf("%s, image %d: figure and ground differ by %.1f", name, i, apart)
			}
		}
	}
}

// TestDrawnSizes: a larger image shows the same scene. Averaged down to 32x32, it differs by noise and edges only.
func TestDrawnSizes(t *testing.T) {
	for name, draw := range drawn {
		for i := range 20 {
			small, large := imageOf(t, draw(20, 32, 1), i), imageOf(t, draw(20, 64, 1), i)
			large = data.Resize(large, large.Bounds(), 32, 32, data.Bilinear)
			sum := 0
			for k, v := range small.Pix {
				sum += max(int(v), int(large.Pix[k])) - min(int(v), int(large.Pix[k]))
			}
			if mean := float64(sum) / float64(len(small.Pix)); mean > 10 {
				t.Errorf("%s, image %d: mean difference of %g levels", name, i, mean)
			}
		}
	}
}

// hogProbe takes the teacher's features of all patches, averaged over grid x grid cells.
func hogProbe(t *testing.T, size, patch, grid int) probe.Extractor {
	hog, err := beit.NewHOG(size, patch, 0)
	if err != nil {
		t.Fatal(err)
	}
	side, dim := size/patch, hog.Dim()
	n := side / grid
	return probe.Extractor{
		Names: []string{fmt.Sprintf("hog of patches of %d over %dx%d cells", patch, grid, grid)},
		Run: func(images *tensor.Tensor) []*tensor.Tensor {
			b := images.Dim(0)
			y := hog.Features(nn.Context{}, images)
			defer y.Release()
			rows := tensor.Reduce(tensor.ReduceMean, y.Reshape(b*side*grid, n, dim), 1)
			defer rows.Release()
			return []*tensor.Tensor{tensor.Reduce(tensor.ReduceMean, rows.Reshape(b*grid, n, grid*dim), 1).Reshape(b, -1)}
		},
	}
}

// TestProceduralIsNotTrivial: linear probes on pixels stay below 20 % and on the teacher's features, at any
// spatial resolution, below 60 %, where chance is 10 %. The features tell something, or the set would be
// hopeless. (Measured, 10,000 training images: pixels 11 %, features 22 to 29 %.)
func TestProceduralIsNotTrivial(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains classifiers for seconds")
	}
	dev := tensor.CPU()
	extractors := []probe.Extractor{probe.Pixels(32, 32, probe.PoolGrid), hogProbe(t, 32, 4, 4), hogProbe(t, 32, 8, 4), hogProbe(t, 32, 4, 1)}
	features := func(ds data.Dataset) []probe.Features {
		f, err := probe.Extract(t.Context(), dev, ds, probe.Pipeline(32), nil, extractors...)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	train, val := features(data.Procedural(2000, 32, 1)), features(data.Procedural(1000, 32, 2))
	config := probe.LinearDefaults
	config.Seeds = 1
	best := 0.0
	for i := range train {
		r, err := probe.Linear(t.Context(), dev, train[i], val[i], config)
		if err != nil {
			t.Fatal(err)
		}
		bound := 0.6
		if i == 0 {
			bound = 0.2
		}
		t.Logf("%s: %.1f %%", train[i].Name, 100*r.Top1)
		if !(r.Top1 < bound) {
			t.Errorf("linear probe on %s: %.1f %%, want less than %g %%", train[i].Name, 100*r.Top1, 100*bound)
		}
		best = max(best, r.Top1)
	}
	if best < 0.15 {
		t.Errorf("no probe is better than %.1f %%: the classes cannot be seen", 100*best)
	}
}

func BenchmarkProcedural(b *testing.B) {
	for _, size := range []int{32, 128} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			ds := data.Procedural(1000, size, 1)
			i := 0
			for b.Loop() {
				if _, err := ds.Sample(i % 1000); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
