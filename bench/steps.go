package bench

import (
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// steps are whole training steps on random pictures: forward, backward, optimizer, codebook.
func steps() []Case {
	all := []Case{
		tokenizerStep("small32", 128, tensor.Highest),
		tokenizerStep("small32", 128, tensor.Medium),
		mimStep("small32", 128, tensor.Highest, false),
		mimStep("small32", 128, tensor.Medium, false),
		mimStep("base_300e", 2, tensor.Highest, true),
		givenCodes("base_300e", 8, tensor.Highest),
		givenCodes("base_300e", 8, tensor.High),
		givenCodes("base_300e", 8, tensor.Medium),
		givenForward("base_300e", 8, tensor.Highest),
		givenForward("base_300e", 8, tensor.High),
		givenForward("base_300e", 8, tensor.Medium),
	}
	for _, batch := range []int{1, 2, 4, 16, 32, 64} { // what a picture costs should not depend on how many there are
		all = append(all, givenCodes("base_300e", batch, tensor.Medium))
	}
	return all
}

func tokenizerStep(preset string, batch int, p tensor.Precision) Case {
	return Case{
		Name: fmt.Sprintf("TokenizerStep/preset=%s/batch=%d/precision=%s", preset, batch, p), Images: batch,
		Setup: func(dev *tensor.Device) (run, release func()) {
			recipe := must(beit.TokenizerPreset(preset))
			c := recipe.Model
			c.KMeansInit = false
			set := nn.NewSet()
			m := beit.NewVQKD(set.Scope(), c)
			teacher := beit.NewStandard(set.Scope(), must(beit.NewHOG(c.Encoder.ImageSize, c.Encoder.PatchSize)))
			set.Build(dev, 1, nn.Training)
			opt := adamw(set, recipe.Train)
			images := pictures(dev, batch, c.Encoder.ImageSize)
			x := nn.Context{Tape: autograd.NewTape(dev), Train: true, Seed: 1}
			x.Tape.Precision = p
			run = func() {
				set.ZeroGrad()
				target := x.Tape.Own(teacher.Features(x, images)).Value()
				r := m.Forward(x, x.Tape.Constant(images), target)
				m.Accumulate(r)
				x.Tape.Backward(r.Loss)
				opt.Step(recipe.Train.LR)
				m.UpdateCodebook()
				x.Tape.Reset()
				x.Step++
			}
			return run, func() { images.Release(); opt.Release(); set.Release() }
		},
	}
}

func mimStep(preset string, batch int, p tensor.Precision, slow bool) Case {
	return Case{
		Name: fmt.Sprintf("MIMStep/preset=%s/batch=%d/precision=%s", preset, batch, p), Images: batch, Slow: slow,
		Setup: func(dev *tensor.Device) (run, release func()) {
			recipe := must(beit.MIMPreset(preset))
			c := must(beit.TokenizerPreset(recipe.Tokenizer)).Model
			c.KMeansInit = false
			frozen := nn.NewSet()
			target := beit.CodeTarget{Tokenizer: beit.NewVQKD(frozen.Scope(), c)}
			frozen.Build(dev, 1, nn.Inference)
			set := nn.NewSet()
			m := beit.NewMIM(set.Scope(), recipe.Model)
			set.Build(dev, 2, nn.Training)
			opt := adamw(set, recipe.Train)
			images := pictures(dev, batch, recipe.Model.ViT.ImageSize)
			mask := masks(recipe.Mask, batch)
			x := nn.Context{Tape: autograd.NewTape(dev), Train: true, Seed: 1}
			x.Tape.Precision = p
			run = func() {
				set.ZeroGrad()
				student := x.Tape.Own(beit.Normalize(images, beit.ImageNetMean, beit.ImageNetStd))
				r := m.Forward(x, student, mask, target.Labels(x, images))
				x.Tape.Backward(r.Loss)
				opt.Step(recipe.Train.LR)
				x.Tape.Reset()
				x.Step++
			}
			return run, func() { images.Release(); opt.Release(); set.Release(); frozen.Release() }
		},
	}
}

func adamw(set *nn.Set, t beit.Training) *optim.AdamW {
	return optim.NewAdamW(set, optim.AdamWConfig{Beta1: t.Beta1, Beta2: t.Beta2, Eps: t.Eps, Decay: t.Decay, Clip: t.Clip})
}

// pictures draws pixels in [0, 1].
func pictures(dev *tensor.Device, batch, size int) *tensor.Tensor {
	x := random(dev, 3, batch, 3, size, size)
	defer x.Release()
	return tensor.Affine(x, 1, 0.5)
}

func masks(c beit.MaskConfig, batch int) []bool {
	n := c.Rows * c.Cols
	mask := make([]bool, batch*n)
	for b := range batch {
		beit.BlockMask(c, tensor.NewRand(4, uint64(b)), mask[b*n:(b+1)*n])
	}
	return mask
}

// must unwraps what depends on names written here.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// givenCodes is the pretraining step that bench/compare's torch_mim.py measures: codes are given, so no tokenizer runs.
func givenCodes(preset string, batch int, p tensor.Precision) Case {
	return Case{
		Name: fmt.Sprintf("MIMStep/preset=%s/codes=given/batch=%d/precision=%s", preset, batch, p), Images: batch, Slow: true,
		Setup: func(dev *tensor.Device) (run, release func()) {
			g := newGiven(dev, preset, batch, p)
			return g.step, g.release
		},
	}
}

// givenForward is the forward half of givenCodes.
func givenForward(preset string, batch int, p tensor.Precision) Case {
	return Case{
		Name: fmt.Sprintf("MIMForward/preset=%s/codes=given/batch=%d/precision=%s", preset, batch, p), Images: batch, Slow: true,
		Setup: func(dev *tensor.Device) (run, release func()) {
			g := newGiven(dev, preset, batch, p)
			return g.forward, g.release
		},
	}
}

// given is a pretraining model with pictures and their codes.
type given struct {
	model  *beit.MIM
	set    *nn.Set
	opt    *optim.AdamW
	images *tensor.Tensor
	codes  []int32
	mask   []bool
	x      nn.Context
	lr     float64
}

func newGiven(dev *tensor.Device, preset string, batch int, p tensor.Precision) *given {
	recipe := must(beit.MIMPreset(preset))
	c := recipe.Model
	g := &given{set: nn.NewSet(), lr: recipe.Train.LR, x: nn.Context{Tape: autograd.NewTape(dev), Train: true, Seed: 1}}
	g.x.Tape.Precision = p
	g.model = beit.NewMIM(g.set.Scope(), c)
	g.set.Build(dev, 2, nn.Training)
	g.opt = adamw(g.set, recipe.Train)
	g.images = pictures(dev, batch, c.ViT.ImageSize)
	g.mask = masks(recipe.Mask, batch)
	g.codes = make([]int32, len(g.mask))
	for i := range g.codes {
		g.codes[i] = int32(i * 40503 % c.Vocab)
	}
	return g
}

func (g *given) step() {
	g.set.ZeroGrad()
	r := g.model.Forward(g.x, g.x.Tape.Constant(g.images), g.mask, beit.GivenCodes(g.codes))
	g.x.Tape.Backward(r.Loss)
	g.opt.Step(g.lr)
	g.x.Tape.Reset()
	g.x.Step++
}

func (g *given) forward() {
	g.x.Tape.NoGrad(func() {
		g.model.Forward(g.x, g.x.Tape.Constant(g.images), g.mask, beit.GivenCodes(g.codes))
	})
	g.x.Tape.Reset()
}

func (g *given) release() {
	g.images.Release()
	g.opt.Release()
	g.set.Release()
}
