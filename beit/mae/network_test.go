package mae

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// network has images of 12 in 3 x 3 patches.
var network = NetworkConfig{
	ViT:     beit.ViTConfig{ImageSize: 12, PatchSize: 4, Channels: 3, Width: 16, Depth: 2, Heads: 2, MLPRatio: 2},
	Decoder: DecoderConfig{Width: 12, Depth: 1, Heads: 3},
}

// build declares and builds a network on the CPU.
func build(t *testing.T, c NetworkConfig, mode nn.Mode) (*Network, *nn.Set) {
	t.Helper()
	set := nn.NewSet()
	m := NewNetwork(set.Scope(), c)
	set.Build(tensor.CPU(), 7, mode)
	t.Cleanup(set.Release)
	return m, set
}

// The numbers of the published models were worked out from the authors' definitions (facebookresearch/mae), apart from this code.
func TestParameterCounts(t *testing.T) {
	for name, want := range map[string]struct{ trained, all int }{
		"base": {111_655_680, 111_907_840}, "large": {329_239_296, 329_541_888}, "huge": {656_613_964, 657_074_508},
	} {
		set := nn.NewSet()
		NewNetwork(set.Scope(), SectionOf(Method.Preset(name)).Model)
		all := 0
		for _, p := range set.Params() {
			all += p.Shape.Size()
		}
		if set.Count() != want.trained || all != want.all {
			t.Errorf("%s: %d parameters, %d with tables; want %d and %d", name, set.Count(), all, want.trained, want.all)
		}
	}
}

// Of the patch in the first row and second column the first half of the table tells column 1, the second row 0.
func TestPositions(t *testing.T) {
	v := Positions(768, 14)
	if !slices.Equal(v[:768], make([]float32, 768)) {
		t.Error("the class token has a position")
	}
	row := v[2*768:][:768]
	for i, want := range map[int]float64{0: math.Sin(1), 192: math.Cos(1), 384: 0, 575: 0, 576: 1, 767: 1, 1: math.Sin(math.Pow(10000, -1.0/192))} {
		if math.Abs(float64(row[i])-want) > 1e-6 {
			t.Errorf("element %d is %g, want %g", i, row[i], want)
		}
	}
}

func TestMasks(t *testing.T) {
	k := ByNoise([]float64{0.5, 0.1, 0.9, 0.3, 0.2, 0.2, 0.1, 0.4}, 4, 2)
	if d := cmp.Diff(Masks{Patches: 4, Keep: 2, Order: []int32{1, 3, 0, 2, 2, 0, 1, 3}}, k); d != "" {
		t.Errorf("masks (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]bool{true, false, true, false, false, true, false, true}, k.Masked()); d != "" {
		t.Errorf("masked (-want +got):\n%s", d)
	}
	for _, c := range []struct {
		n     int
		ratio float64
		want  int
	}{{196, 0.75, 49}, {256, 0.75, 64}, {25, 0.8, 4}, {16, 0.75, 4}} {
		if got := Kept(c.n, c.ratio); got != c.want {
			t.Errorf("%d of %d patches are kept at %g, want %d", got, c.n, c.ratio, c.want)
		}
	}
}

// TestTarget compares with float64, pixel by pixel, and puts the pixels back into the image.
func TestTarget(t *testing.T) {
	const side, p = 8, 4
	pixels := traintest.Pixels(2 * 3 * side * side)
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	images := tape.Own(tensor.FromSlice(tensor.CPU(), pixels, 2, 3, side, side))
	raw, normal := Target(images, p, false).Value(), Target(images, p, true).Value().Float32s()
	values := raw.Float32s()
	for patch := range 2 * 4 {
		of := func(y, x, c int) float64 {
			image, row, col := patch/4, patch%4/2*p+y, patch%2*p+x
			return float64(pixels[((image*3+c)*side+row)*side+col])
		}
		var list []float64
		for i := range p * p * 3 {
			list = append(list, of(i/(3*p), i/3%p, i%3))
		}
		mean, variance := 0.0, 0.0
		for _, v := range list {
			mean += v / float64(len(list))
		}
		for _, v := range list {
			variance += (v - mean) * (v - mean) / float64(len(list)-1)
		}
		for i, v := range list {
			at := patch*len(list) + i
			if want := (v - mean) / math.Sqrt(variance+1e-6); float64(values[at]) != v || math.Abs(float64(normal[at])-want) > 1e-5 {
				t.Fatalf("patch %d, value %d: %g and %g, want %g and %g", patch, i, values[at], normal[at], v, want)
			}
		}
	}
	back := Images(raw, p, side)
	defer back.Release()
	if d := cmp.Diff(pixels, back.Float32s()); d != "" {
		t.Errorf("put back:\n%s", d)
	}
}

// Without masks the network as an encoder gives what the encoder gives of all patches in their order.
func TestEncoderSeesWhatItIsShown(t *testing.T) {
	m, _ := build(t, network, nn.Inference)
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	c := nn.Context{Tape: tape}
	pixels := traintest.Pixels(2 * 3 * 12 * 12)
	images := tape.Own(tensor.FromSlice(tensor.CPU(), pixels, 2, 3, 12, 12))
	order := make([]float64, 18)
	for i := range order {
		order[i] = float64(i)
	}
	want, got := m.AllTokens(c, images).Value().Float32s(), m.Encode(c, images, ByNoise(order, 9, 9)).Value().Float32s()
	for i := range want {
		if math.Abs(float64(want[i]-got[i])) > 1e-5 {
			t.Fatalf("element %d is %g, want %g", i, got[i], want[i])
		}
	}
	// Masked patches do not change what the encoder gives, visible ones do.
	k := ByNoise(order, 9, 4)
	latent := func(change int) []float32 {
		other := slices.Clone(pixels)
		other[change] += 1
		return m.Encode(c, tape.Own(tensor.FromSlice(tensor.CPU(), other, 2, 3, 12, 12)), k).Value().Float32s()
	}
	before := m.Encode(c, images, k).Value().Float32s()
	if !slices.Equal(before, latent(12*12-1)) {
		t.Error("a masked patch is seen")
	}
	if slices.Equal(before, latent(0)) {
		t.Error("a visible patch is not seen")
	}
}

// TestGradients compares with central differences, of the loss by the images.
func TestGradients(t *testing.T) {
	m, _ := build(t, network, nn.Training)
	images := tensor.FromSlice(tensor.CPU(), traintest.Pixels(3*12*12), 1, 3, 12, 12)
	noise := []float64{5, 2, 7, 1, 8, 3, 4, 9, 6}
	for _, normalise := range []bool{false, true} {
		err := autograd.CheckGradients(tensor.CPU(), 2e-2, func(in []*autograd.Var) *autograd.Var {
			return m.Forward(nn.Context{Tape: in[0].Tape()}, in[0], ByNoise(noise, 9, 3), normalise).Loss
		}, images)
		if err != nil {
			t.Errorf("normalise = %v: %v", normalise, err)
		}
	}
}

// Initial weights are uniform after Glorot and Bengio, and no layer starts smaller than that.
func TestInitialWeights(t *testing.T) {
	c := network
	c.ViT.Width, c.ViT.Heads, c.Decoder.Width, c.Decoder.Heads = 64, 4, 48, 4
	_, set := build(t, c, nn.Training)
	for _, p := range set.Params() {
		v := p.Value.Float32s()
		var most, square float64
		for _, x := range v {
			most = max(most, math.Abs(float64(x)))
			square += float64(x) * float64(x) / float64(len(v))
		}
		switch {
		case strings.HasSuffix(p.Name, "token"):
			if std := math.Sqrt(square); std < 0.012 || std > 0.028 {
				t.Errorf("%s: deviation %g", p.Name, std)
			}
		case strings.HasSuffix(p.Name, "weight") && len(p.Shape) > 1:
			bound := math.Sqrt(6 / float64(p.Shape[0]+p.Shape[1:].Size()))
			if most > bound || most < 0.95*bound || math.Abs(math.Sqrt(3*square)/bound-1) > 0.05 {
				t.Errorf("%s: at most %g and deviation %g, want %g and %g", p.Name, most, math.Sqrt(square), bound, bound/math.Sqrt(3))
			}
		case p.Name == "patch_embed.proj.bias":
			if bound := 1 / math.Sqrt(48); most > bound || most < 0.8*bound {
				t.Errorf("%s: at most %g, want %g", p.Name, most, bound)
			}
		case strings.HasSuffix(p.Name, "bias") && most != 0:
			t.Errorf("%s starts with %g", p.Name, most)
		}
	}
	for _, name := range []string{"cls_token", "mask_token"} {
		if !set.Lookup(name).Decays() {
			t.Errorf("%s does not decay", name)
		}
	}
}

// Masks of another number of images are refused.
func TestMasksOfOtherImages(t *testing.T) {
	m, _ := build(t, network, nn.Inference)
	tape := autograd.NewTape(tensor.CPU())
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "mae: Encode: masks of 1 images of 9 patches for images [2 3 12 12]") {
			t.Errorf("panic %q", got)
		}
	}()
	m.Encode(nn.Context{Tape: tape}, tape.Own(tensor.Zeros(tensor.CPU(), 2, 3, 12, 12)), ByNoise(make([]float64, 9), 9, 3))
}
