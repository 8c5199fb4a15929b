package target

import (
	"math"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// openPixels is the target of patches of 4 pixels with so many codes. Its centroids are k-means' of images [B, 3, S, S].
func openPixels(t *testing.T, images *tensor.Tensor, codes int) pixelTarget {
	t.Helper()
	set := nn.NewSet()
	network := beit.MIMConfig{ViT: beit.ViTConfig{PatchSize: 4}, Vocab: codes}
	made := pixelCodes.New(Sources{Network: network, State: set.Scope().Sub("target")}).(pixelTarget)
	set.Build(tensor.CPU(), 1, nn.Training)
	t.Cleanup(set.Release)
	if p := set.Lookup("target.centroids"); p != made.centroids || set.Count() != 0 {
		t.Fatalf("buffer %v, %d trainable values", p, set.Count())
	}
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	z := made.patches(nn.Context{Tape: tape}, images)
	centroids, counts := beit.KMeansEuclidean(z, beit.SampleRows(tensor.NewRand(1), z.Dim(0), codes), 10)
	tensor.CopyInto(made.centroids.Value, centroids)
	centroids.Release()
	counts.Release()
	return made
}

// nearest64 are the codes in float64 of patches of 4 pixels in images [B, 3, S, S], and how much farther the second nearest centroid is.
func nearest64(pixels []float32, side int, centroids [][]float32) (codes []int32, gaps []float64) {
	grid := side / 4
	for first := 0; first < len(pixels); first += 3 * side * side {
		for patch := range grid * grid {
			best, gap := -1, math.Inf(1)
			least := math.Inf(1)
			for k, e := range centroids {
				sum := 0.0
				for i, want := range e {
					y, x := 4*(patch/grid)+i%16/4, 4*(patch%grid)+i%4
					d := 2*float64(pixels[first+(i/16*side+y)*side+x]) - 1 - float64(want)
					sum += d * d
				}
				if sum < least {
					best, gap, least = k, least-sum, sum
				} else {
					gap = min(gap, sum-least)
				}
			}
			codes, gaps = append(codes, int32(best)), append(gaps, gap)
		}
	}
	return codes, gaps
}

// The code of a patch is the centroid that is nearest to its pixels, as float64 has it, and the loss of given predictions their mean cross-entropy.
func TestPixelCodes(t *testing.T) {
	const images, grid, codes = 5, 6, 12
	view := shown(images, data.View{Size: 4 * grid, Filter: data.Bicubic, Norm: data.Unit})
	defer view.Release()
	target := openPixels(t, view, codes)
	if target.Dim() != codes {
		t.Fatalf("%d codes", target.Dim())
	}
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	labels := target.Labels(nn.Context{Tape: tape}, view).(*beit.CodeLabels)
	got := labels.All()
	want, gaps := nearest64(view.Float32s(), 4*grid, slices.Collect(slices.Chunk(target.centroids.Value.Float32s(), 48)))
	if len(got) != len(want) {
		t.Fatalf("%d codes, want %d", len(got), len(want))
	}
	seen := map[int32]bool{}
	for i := range want {
		if seen[want[i]] = true; got[i] != want[i] && gaps[i] > 1e-4 { // distances are about 10
			t.Errorf("patch %d: code %d, want %d, which is nearer by %g", i, got[i], want[i], gaps[i])
		}
	}
	if len(seen) < codes/2 {
		t.Errorf("only %d codes occur", len(seen))
	}
	checkCrossEntropy(t, tape, labels, got, codes, images*grid*grid)
}

// A network learns eight images with their masks by heart, from codes of their pixels.
func TestPixelCodesOverfitEightImages(t *testing.T) {
	view := shown(8, data.View{Size: 16, Filter: data.Bicubic, Norm: data.Unit})
	defer view.Release()
	overfit(t, openPixels(t, view, 23), view, 450)
}
