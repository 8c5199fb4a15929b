package splitmask

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// network has images of 6 in 3 x 3 patches, so that halves have 4 and 5.
var network = NetworkConfig{
	ViT:     beit.ViTConfig{ImageSize: 6, PatchSize: 2, Channels: 3, Width: 16, Depth: 2, Heads: 2, MLPRatio: 2},
	Decoder: mae.DecoderConfig{Width: 12, Depth: 1, Heads: 3}, Vocab: 7,
}

func build(t *testing.T, mode nn.Mode) *Network {
	t.Helper()
	set := nn.NewSet()
	m := NewNetwork(set.Scope(), network)
	set.Build(tensor.CPU(), 7, mode)
	t.Cleanup(set.Release)
	return m
}

// labels of patches, and a split of two images.
var (
	codes = []int32{0, 1, 2, 3, 4, 5, 6, 0, 1, 6, 5, 4, 3, 2, 1, 0, 6, 5}
	noise = []float64{5, 2, 7, 1, 8, 3, 4, 9, 6, 1, 2, 3, 4, 5, 6, 7, 8, 9}
)

func TestHalvesAreDisjoint(t *testing.T) {
	a := mae.ByNoise(noise, 9, 4)
	b := a.Others()
	if a.Keep != 4 || b.Keep != 5 {
		t.Errorf("%d and %d patches", a.Keep, b.Keep)
	}
	for i, on := range a.Masked() {
		if on == b.Masked()[i] {
			t.Errorf("patch %d is in both halves or in none", i)
		}
	}
}

// What is predicted from a half depends on its own patches alone.
func TestHalvesAreEncodedAlone(t *testing.T) {
	m := build(t, nn.Inference)
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	k := mae.ByNoise(noise[:9], 9, 4) // patches 3, 1, 5 and 6 are the first half
	run := func(change int) Result {
		pixels := traintest.Pixels(3 * 6 * 6)
		if change >= 0 {
			pixels[change] += 1
		}
		images := tape.Own(tensor.FromSlice(tensor.CPU(), pixels, 1, 3, 6, 6))
		return m.Forward(nn.Context{Tape: tape}, images, k, beit.GivenCodes(codes[:9]), ContrastConfig{Weight: 1, Temperature: 0.2})
	}
	before, after := run(-1), run(0) // of patch 0, which is in the second half
	same := func(i int) bool {
		return slices.Equal(before.Halves[i].Logits.Value().Float32s(), after.Halves[i].Logits.Value().Float32s()) &&
			slices.Equal(before.Halves[i].Pooled.Value().Float32s(), after.Halves[i].Pooled.Value().Float32s())
	}
	if !same(0) || same(1) {
		t.Errorf("a change in the second half leaves the first: %v, the second: %v", same(0), same(1))
	}
	if d := before.Halves[0].Rows.Ints(); !slices.Equal(d, []int32{0, 8, 2, 4, 7}) {
		t.Errorf("the first half predicts patches %v", d)
	}
}

// TestInfoNCE compares with float64, for vectors that are not normalised.
func TestInfoNCE(t *testing.T) {
	const b, d, temperature = 3, 4, 0.3
	x, y := traintest.Pixels(b*d), traintest.Pixels(2 * b * d)[b*d:]
	cosine := func(i, j int) float64 {
		var dot, xx, yy float64
		for k := range d {
			u, v := float64(x[i*d+k]), float64(y[j*d+k])
			dot, xx, yy = dot+u*v, xx+u*u, yy+v*v
		}
		return dot / math.Sqrt(xx*yy)
	}
	want := 0.0
	for i := range b {
		row, col := 0.0, 0.0
		for j := range b {
			row += math.Exp(cosine(i, j) / temperature)
			col += math.Exp(cosine(j, i) / temperature)
		}
		want += (math.Log(row) + math.Log(col) - 2*cosine(i, i)/temperature) / (2 * b)
	}
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	leaf := func(v []float32) *autograd.Var { return tape.Own(tensor.FromSlice(tensor.CPU(), v, b, d)) }
	r := InfoNCE(nn.Context{Tape: tape}, leaf(x), leaf(y), temperature)
	if got := float64(r.Loss.Value().Item()); math.Abs(got-want) > 1e-5 {
		t.Errorf("loss %g, want %g", got, want)
	}
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "splitmask: InfoNCE: vectors [3 4] and [6 2]") {
			t.Errorf("panic %q", got)
		}
	}()
	InfoNCE(nn.Context{Tape: tape}, leaf(x), autograd.Reshape(leaf(y), 6, 2), temperature)
}

// TestGradients compares with central differences, of the whole loss by the images.
func TestGradients(t *testing.T) {
	m := build(t, nn.Training)
	images := tensor.FromSlice(tensor.CPU(), traintest.Pixels(2*3*6*6), 2, 3, 6, 6)
	err := autograd.CheckGradients(tensor.CPU(), 2e-2, func(in []*autograd.Var) *autograd.Var {
		k := mae.ByNoise(noise, 9, 4)
		return m.Forward(nn.Context{Tape: in[0].Tape()}, in[0], k, beit.GivenCodes(codes), ContrastConfig{Weight: 0.5, Temperature: 0.2}).Loss
	}, images)
	if err != nil {
		t.Error(err)
	}
}
