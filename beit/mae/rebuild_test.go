package mae

import (
	"math"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// TestRebuild compares each pixel: of a visible patch the image's, of a masked one the prediction, with mean and deviation of the patch where it is
// relative to them.
func TestRebuild(t *testing.T) {
	const side, p = 12, 4
	m, _ := build(t, network, nn.Inference)
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	c := nn.Context{Tape: tape}
	pixels := traintest.Pixels(2 * 3 * side * side)
	images := tape.Own(tensor.FromSlice(tensor.CPU(), pixels, 2, 3, side, side))
	masked := []bool{true, false, true, false, true, true, false, true, true, false, true, true, true, true, true, false, false, true}
	k := ofMasked(masked, 9)
	predicted := m.Decode(c, m.Encode(c, images, k), k).Value().Float32s()
	for _, standardised := range []bool{false, true} {
		out := m.Rebuild(c, images, masked, standardised)
		got := out.Float32s()
		out.Release()
		for i, v := range got {
			image, channel, y, x := i/(3*side*side), i/(side*side)%3, i/side%side, i%side
			patch := image*9 + y/p*3 + x/p
			want := float64(pixels[i])
			if masked[patch] {
				want = float64(predicted[patch*p*p*3+(y%p*p+x%p)*3+channel])
			}
			if masked[patch] && standardised {
				mean, deviation := ofPatch(pixels, image, y/p, x/p, side, p)
				want = want*deviation + mean
			}
			if math.Abs(float64(v)-want) > 1e-5 {
				t.Fatalf("standardised %v: element %d is %g, want %g", standardised, i, v, want)
			}
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("images with different numbers of visible patches are taken")
		}
	}()
	masked[1] = true
	m.Rebuild(c, images, masked, false)
}

// ofPatch are mean and deviation of the values of a patch.
func ofPatch(pixels []float32, image, row, col, side, p int) (mean, deviation float64) {
	var values []float64
	for c := range 3 {
		for y := range p {
			for x := range p {
				values = append(values, float64(pixels[((image*3+c)*side+row*p+y)*side+col*p+x]))
			}
		}
	}
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		deviation += (v - mean) * (v - mean) / float64(len(values)-1)
	}
	return mean, math.Sqrt(deviation + 1e-6)
}
