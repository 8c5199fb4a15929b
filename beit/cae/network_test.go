package cae

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
	ViT:   beit.ViTConfig{ImageSize: 12, PatchSize: 4, Channels: 3, Width: 16, Depth: 2, Heads: 2, MLPRatio: 2, LayerScale: 0.1},
	Neck:  NeckConfig{Width: 12, Heads: 3, RegressorDepth: 2, DecoderDepth: 1, LayerScale: 0.1},
	Vocab: 7, Glorot: true,
}

// masks hide four of nine patches.
var masks = []bool{true, false, true, false, false, true, false, false, true}

// built is a network with the encoder's copy on the CPU.
type built struct {
	*Network
	set     *nn.Set
	teacher *beit.ViT
}

func build(t *testing.T, c NetworkConfig, mode nn.Mode) built {
	t.Helper()
	b := built{set: nn.NewSet()}
	b.Network, b.teacher = NewNetwork(b.set.Scope(), c), NewTeacher(b.set.Scope(), c)
	b.set.Build(tensor.CPU(), 7, mode)
	Follow(b.set, b.set)
	t.Cleanup(b.set.Release)
	return b
}

// The numbers of the published models, and of their parts, were worked out from the authors' definitions (lxtGH/CAE), apart from this code.
func TestParameterCounts(t *testing.T) {
	parts := func(set *nn.Set, prefixes ...string) (n int) {
		for _, p := range set.Params() {
			if slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(p.Name, prefix) }) && !p.Buffer {
				n += p.Shape.Size()
			}
		}
		return n
	}
	for name, want := range map[string]int{"base": 148_681_472, "large": 412_320_768} {
		set := nn.NewSet()
		NewNetwork(set.Scope(), SectionOf(Method.Preset(name)).Model)
		if set.Count() != want {
			t.Errorf("%s: %d parameters, want %d", name, set.Count(), want)
		}
		if name != "base" {
			continue
		}
		for _, c := range []struct {
			prefix string
			want   int
		}{
			{"encoder.", 85_656_576}, {"pretext_neck.regressor_blocks.", 28_366_848}, {"pretext_neck.decoder_blocks.", 28_354_560},
			{"pretext_neck.head.", 6_299_648},
		} {
			if got := parts(set, c.prefix); got != c.want {
				t.Errorf("%s: %d parameters, want %d", c.prefix, got, c.want)
			}
		}
	}
}

// Of the patch in the first row and second column the first half of the table tells row 0, the second column 1.
func TestPositions(t *testing.T) {
	v := Positions(768, 14)
	if !slices.Equal(v[:768], make([]float32, 768)) {
		t.Error("the class token has a position")
	}
	row := v[2*768:][:768]
	for i, want := range map[int]float64{0: 0, 191: 0, 192: 1, 383: 1, 384: math.Sin(1), 576: math.Cos(1), 385: math.Sin(math.Pow(10000, -1.0/192))} {
		if math.Abs(float64(row[i])-want) > 1e-6 {
			t.Errorf("element %d is %g, want %g", i, row[i], want)
		}
	}
}

func TestMasks(t *testing.T) {
	k := NewMasks([]bool{true, false, false, true, false, true, true, false}, 4)
	if d := cmp.Diff(Masks{Patches: 4, visible: []int32{1, 2, 0, 3}, masked: []int32{0, 3, 1, 2}}, k, cmp.AllowUnexported(Masks{})); d != "" {
		t.Errorf("masks (-want +got):\n%s", d)
	}
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	if rows := k.rows(tape).Ints(); k.Images() != 2 || !slices.Equal(rows, []int32{0, 3, 5, 6}) {
		t.Errorf("%d images, rows %v", k.Images(), rows)
	}
	for want, masked := range map[string][]bool{
		"must be as many":             {true, false, true, true},
		"0 of 2 patches of image 0":   {false, false},
		"2 of 2 patches of image 1":   {true, false, true, true},
		"3 values for images of 2":    {true, false, true},
		"0 values for images of 2 pa": {},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("%v: panic %q, want %q", masked, got, want)
				}
			}()
			NewMasks(masked, 2)
		}()
	}
}

// forward predicts masked patches of an image of these pixels.
func (b built) forward(t *autograd.Tape, pixels []float32) Result {
	images := t.Own(tensor.FromSlice(tensor.CPU(), pixels, 1, 3, 12, 12))
	return b.Forward(nn.Context{Tape: t}, b.teacher, images, NewMasks(masks, 9), beit.GivenCodes([]int32{1, 2, 3, 4, 5, 6, 0, 1, 2}))
}

// What is predicted depends on visible patches alone, and target latents on masked ones alone.
func TestWhatIsSeen(t *testing.T) {
	b := build(t, network, nn.Inference)
	pixels := traintest.Pixels(3 * 12 * 12)
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	before := b.forward(tape, pixels)
	for patch, masked := range masks {
		other := slices.Clone(pixels)
		other[patch/3*4*12+patch%3*4]++ // red, in its first row and column
		after := b.forward(tape, other)
		same := func(x, y *autograd.Var) bool { return slices.Equal(x.Value().Float32s(), y.Value().Float32s()) }
		if same(before.Logits, after.Logits) != masked || same(before.Predicted, after.Predicted) != masked || same(before.Visible, after.Visible) != masked {
			t.Errorf("patch %d is masked: %v, and is seen: %v", patch, masked, !same(before.Logits, after.Logits))
		}
		if same(before.Target, after.Target) == masked {
			t.Errorf("patch %d is masked: %v, and changes the target: %v", patch, masked, masked)
		}
	}
}

// TestGradients compares with central differences, of the codes' loss and of the predicted latents by the images. The oracle has the gradients of the
// loss of latents, whose target has none.
func TestGradients(t *testing.T) {
	for _, width := range []int{12, 16} {
		c := network
		c.Neck.Width, c.Neck.Heads = width, 2
		b := build(t, c, nn.Training)
		images := tensor.FromSlice(tensor.CPU(), traintest.Pixels(3*12*12), 1, 3, 12, 12)
		for _, loss := range []func(Result) *autograd.Var{
			func(r Result) *autograd.Var { return r.Codes },
			func(r Result) *autograd.Var {
				return autograd.Mean(autograd.Reshape(autograd.Mul(r.Predicted, r.Predicted), -1), 0)
			},
		} {
			err := autograd.CheckGradients(tensor.CPU(), 2e-2, func(in []*autograd.Var) *autograd.Var {
				k, labels := NewMasks(masks, 9), beit.GivenCodes([]int32{1, 2, 3, 4, 5, 6, 0, 1, 2})
				return loss(b.Forward(nn.Context{Tape: in[0].Tape()}, b.teacher, in[0], k, labels))
			}, images)
			if err != nil {
				t.Errorf("neck of width %d: %v", width, err)
			}
		}
	}
}

// Stochastic depth of encoder, copy, regressor and decoder is drawn apart: no two of their blocks share a number, and each stack begins at 0.
func TestStochasticDepth(t *testing.T) {
	c := network
	c.ViT.DropPath, c.Neck.DecoderDepth = 0.1, 2
	b := build(t, c, nn.Training)
	seen := map[uint64]bool{}
	note := func(stack string, i, n int, layer uint64, rate float64) {
		if want := 0.1 * float64(i) / float64(n-1); seen[layer] || math.Abs(rate-want) > 1e-12 {
			t.Errorf("%s %d: layer %d, rate %g, want %g", stack, i, layer, rate, want)
		}
		seen[layer] = true
	}
	for stack, blocks := range map[string]nn.Blocks{"encoder": b.Blocks, "copy": b.teacher.Blocks, "decoder": b.Decoder} {
		for i, x := range blocks {
			note(stack, i, len(blocks), x.Layer, x.DropPath)
		}
	}
	for i, x := range b.Regressor {
		note("regressor", i, len(b.Regressor), x.Layer, x.DropPath)
	}
}

// Initial weights are uniform after Glorot and Bengio, or narrow and smaller from block to block; tokens and the patch embedding are narrow.
func TestInitialWeights(t *testing.T) {
	for _, glorot := range []bool{true, false} {
		c := network
		c.ViT.Width, c.ViT.Heads, c.Neck.Width, c.Neck.Heads, c.Neck.DecoderDepth, c.Vocab, c.Glorot = 64, 4, 48, 4, 2, 60, glorot
		b := build(t, c, nn.Training)
		for _, p := range b.set.Params() {
			v := p.Value.Float32s()
			var most float64
			for _, x := range v {
				most = max(most, math.Abs(float64(x)))
			}
			matrix := len(p.Shape) == 2 && strings.HasSuffix(p.Name, "weight")
			bound := 0.02
			switch {
			case p.Buffer:
				continue
			case matrix && glorot:
				bound = math.Sqrt(6 / float64(p.Shape[0]+p.Shape[1]))
			case strings.Contains(p.Name, "proj.weight") && matrix || strings.Contains(p.Name, "fc2.weight"):
				if bound /= math.Sqrt2; strings.Contains(p.Name, "blocks.1.") {
					bound /= math.Sqrt2
				}
			case strings.HasSuffix(p.Name, "bias"):
				bound = 0
			case !matrix && len(p.Shape) == 1:
				continue // norms and LayerScale
			}
			if most > bound*1.0001 || most < 0.9*bound {
				t.Errorf("Glorot %v: %s is at most %g, want %g", glorot, p.Name, most, bound)
			}
		}
		for _, name := range []string{"encoder.cls_token", "mask_token"} {
			if !b.set.Lookup(name).Decays() {
				t.Errorf("%s does not decay", name)
			}
		}
	}
}

// Masks of another number of images are refused.
func TestMasksOfOtherImages(t *testing.T) {
	b := build(t, network, nn.Inference)
	tape := autograd.NewTape(tensor.CPU())
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "cae: Forward: masks of 1 images of 9 patches for images [2 3 12 12]") {
			t.Errorf("panic %q", got)
		}
	}()
	b.Forward(nn.Context{Tape: tape}, b.teacher, tape.Own(tensor.Zeros(tensor.CPU(), 2, 3, 12, 12)), NewMasks(masks, 9), beit.GivenCodes(make([]int32, 18)))
}
