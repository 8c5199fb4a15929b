package bench

import (
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// trainSteps are whole training steps on random images: forward, backward, optimiser, codebook. Those of a ViT-B take seconds, and run on request.
func trainSteps(dev *tensor.Device) []Case {
	var all []Case
	at := precisions(dev, "MatMul")
	for _, p := range at {
		all = append(all, vqkdStep(dev, "small32", 128, p))
	}
	for _, p := range at {
		all = append(all, mimStep(dev, "small32", 128, p))
	}
	base := []Case{mimStep(dev, "base_300e", 2, tensor.Highest)}
	for _, p := range at {
		base = append(base, givenStep(dev, "base_300e", 8, p), givenForward(dev, "base_300e", 8, p))
	}
	for _, batch := range []int{1, 2, 4, 16, 32, 64} { // throughput should not depend on the batch size
		base = append(base, givenStep(dev, "base_300e", batch, at[len(at)-1]))
	}
	for i := range base {
		base[i].OnRequest = true
	}
	return append(all, base...)
}

// params is the part of a name that all training steps have.
func params(preset string, batch int, p tensor.Precision) string {
	return fmt.Sprintf("preset=%s/batch=%d/precision=%s", preset, batch, p)
}

// vqkdStep is a training step of a tokenizer with the teacher HOG.
func vqkdStep(dev *tensor.Device, preset string, batch int, p tensor.Precision) Case {
	return Case{
		Benchmark: TrainStep, Params: "model=vqkd/" + params(preset, batch, p), Images: batch, Precision: p,
		Setup: func() (run, release func()) {
			r := recipes[preset]
			c := r.tokenizer
			c.KMeansInit = false
			hog, err := beit.NewHOG(c.Encoder.ImageSize, c.Encoder.PatchSize, 0)
			if err != nil {
				panic(err) // a preset's sizes are right
			}
			set := nn.NewSet()
			m := beit.NewVQKD(set.Scope(), c)
			teacher := beit.NewStandardized(set.Scope(), hog)
			set.Build(dev, 1, nn.Training)
			opt := optim.NewAdamW(set, r.tokenizerOptim)
			images := randomImages(dev, batch, c.Encoder.ImageSize)
			x := nn.Context{Tape: autograd.NewTape(dev), Train: true, Seed: 1}
			x.Tape.Precision = p
			run = func() {
				set.ZeroGrad()
				target := x.Tape.Own(teacher.Features(x, images)).Value()
				out := m.Forward(x, x.Tape.Constant(images), target)
				m.Accumulate(out)
				x.Tape.Backward(out.Loss)
				opt.Step(r.tokenizerLR)
				m.UpdateCodebook()
				x.Tape.Reset()
				x.Step++
			}
			return run, func() { images.Release(); opt.Release(); set.Release() }
		},
	}
}

// mimStep is a pretraining step whose codes come from a tokenizer.
func mimStep(dev *tensor.Device, preset string, batch int, p tensor.Precision) Case {
	return Case{
		Benchmark: TrainStep, Params: "model=mim/codes=vqkd/" + params(preset, batch, p), Images: batch, Precision: p,
		Setup: func() (run, release func()) {
			r := recipes[preset]
			c := r.tokenizer
			c.KMeansInit = false
			frozen := nn.NewSet()
			target := beit.CodeTarget{Tokenizer: beit.NewVQKD(frozen.Scope(), c)}
			frozen.Build(dev, 1, nn.Inference)
			set := nn.NewSet()
			m := beit.NewMIM(set.Scope(), r.mim)
			set.Build(dev, 2, nn.Training)
			opt := optim.NewAdamW(set, r.mimOptim)
			images := randomImages(dev, batch, r.mim.ViT.ImageSize)
			mask := masks(r.mask, batch)
			x := nn.Context{Tape: autograd.NewTape(dev), Train: true, Seed: 1}
			x.Tape.Precision = p
			run = func() {
				set.ZeroGrad()
				student := x.Tape.Own(beit.Normalize(images, beit.ImageNetMean, beit.ImageNetStd))
				out := m.Forward(x, student, mask, target.Labels(x, images))
				x.Tape.Backward(out.Loss)
				opt.Step(r.mimLR)
				x.Tape.Reset()
				x.Step++
			}
			return run, func() { images.Release(); opt.Release(); set.Release(); frozen.Release() }
		},
	}
}

// randomImages returns images of uniform random pixels in [0, 1].
func randomImages(dev *tensor.Device, batch, size int) *tensor.Tensor {
	x := random(dev, 3, batch, 3, size, size)
	defer x.Release()
	return tensor.Affine(x, 1, 0.5)
}

// masks returns block-wise masks of a batch.
func masks(c beit.MaskConfig, batch int) []bool {
	n := c.Rows * c.Cols
	mask := make([]bool, batch*n)
	for b := range batch {
		beit.BlockMask(c, tensor.NewRand(4, uint64(b)), mask[b*n:(b+1)*n])
	}
	return mask
}

// givenStep is the pretraining step that torch_mim.py of bench/compare measures: codes are given, so no tokenizer runs.
func givenStep(dev *tensor.Device, preset string, batch int, p tensor.Precision) Case {
	return Case{
		Benchmark: TrainStep, Params: "model=mim/codes=given/" + params(preset, batch, p), Images: batch, Precision: p,
		Setup: func() (run, release func()) {
			g := newGiven(dev, preset, batch, p)
			return g.step, g.release
		},
	}
}

// givenForward is the forward pass of givenStep alone.
func givenForward(dev *tensor.Device, preset string, batch int, p tensor.Precision) Case {
	return Case{
		Benchmark: TrainStep, Params: "model=mim/codes=given/pass=forward/" + params(preset, batch, p), Images: batch, Precision: p,
		Setup: func() (run, release func()) {
			g := newGiven(dev, preset, batch, p)
			return g.forward, g.release
		},
	}
}

// given is a pretraining model with images and given codes.
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
	r := recipes[preset]
	c := r.mim
	g := &given{set: nn.NewSet(), lr: r.mimLR, x: nn.Context{Tape: autograd.NewTape(dev), Train: true, Seed: 1}}
	g.x.Tape.Precision = p
	g.model = beit.NewMIM(g.set.Scope(), c)
	g.set.Build(dev, 2, nn.Training)
	g.opt = optim.NewAdamW(g.set, r.mimOptim)
	g.images = randomImages(dev, batch, c.ViT.ImageSize)
	g.mask = masks(r.mask, batch)
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
