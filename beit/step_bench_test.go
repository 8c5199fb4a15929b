package beit_test

import (
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// Steps of the small32 recipes at batch 128, everything but data loading.

func BenchmarkTokenizerStep(b *testing.B) {
	recipe, err := beit.TokenizerPreset("small32")
	if err != nil {
		b.Fatal(err)
	}
	recipe.Model.KMeansInit = false
	dev := tensor.CPU()
	set := nn.NewSet()
	model := beit.NewVQKD(set.Scope(), recipe.Model)
	set.Build(dev, 1, nn.Training)
	opt := optim.NewAdamW(set, optim.AdamWConfig{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8})
	hog, err := beit.NewHOG(32, 4)
	if err != nil {
		b.Fatal(err)
	}
	images := tensor.FromSlice(dev, pictures(128, 32), 128, 3, 32, 32)
	tape := autograd.NewTape(dev)
	b.ReportAllocs()
	for b.Loop() {
		set.ZeroGrad()
		ctx := nn.Context{Tape: tape, Train: true}
		r := model.Forward(ctx, tape.Constant(images), tape.Own(hog.Features(ctx, images)).Value())
		tape.Backward(r.Loss)
		model.Accumulate(r)
		model.UpdateCodebook()
		opt.Step(1e-3)
		tape.Reset()
	}
	b.ReportMetric(128*float64(b.N)/b.Elapsed().Seconds(), "img/s")
}

func BenchmarkMIMStep(b *testing.B) {
	recipe, err := beit.MIMPreset("small32")
	if err != nil {
		b.Fatal(err)
	}
	tokens, err := beit.TokenizerPreset("small32")
	if err != nil {
		b.Fatal(err)
	}
	tokens.Model.KMeansInit = false
	dev := tensor.CPU()
	frozen, set := nn.NewSet(), nn.NewSet()
	target := beit.CodeTarget{Tokenizer: beit.NewVQKD(frozen.Scope(), tokens.Model)}
	frozen.Build(dev, 1, nn.Inference)
	model := beit.NewMIM(set.Scope(), recipe.Model)
	set.Build(dev, 1, nn.Training)
	opt := optim.NewAdamW(set, optim.AdamWConfig{Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, Clip: 3})
	images := tensor.FromSlice(dev, pictures(128, 32), 128, 3, 32, 32)
	mask := make([]bool, 128*64)
	for i := range 128 {
		beit.BlockMask(recipe.Mask, tensor.NewRand(uint64(i)), mask[i*64:(i+1)*64])
	}
	tape := autograd.NewTape(dev)
	b.ReportAllocs()
	for b.Loop() {
		set.ZeroGrad()
		ctx := nn.Context{Tape: tape, Train: true}
		r := model.Forward(ctx, tape.Constant(images), mask, target.Labels(ctx, images))
		tape.Backward(r.Loss)
		opt.Step(1e-3)
		tape.Reset()
	}
	b.ReportMetric(128*float64(b.N)/b.Elapsed().Seconds(), "img/s")
}
