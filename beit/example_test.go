package beit_test

import (
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// A classifier that anybody may call: the weights are random here; a loaded file fills set.Params.
func ExampleNewViT() {
	cfg, err := beit.ViTPreset("small32")
	if err != nil {
		panic(err)
	}
	cfg.Classes = 10
	dev := tensor.CPU()
	set := nn.NewSet()
	model := beit.NewViT(set.Scope(), cfg)
	set.Build(dev, 1, nn.Inference)

	tape := autograd.NewTape(dev)
	defer tape.Reset()
	images := tape.Own(tensor.Zeros(dev, 2, 3, 32, 32))
	logits := tape.Scope(func() *autograd.Var { return model.Logits(nn.Context{Tape: tape}, images) })
	fmt.Println(logits.Shape(), set.Count(), "parameters")
	// Output: [2 10] 2686354 parameters
}

// One step of pretraining: the tokenizer says which codes the masked patches have, the model guesses them.
func ExampleMIM_Forward() {
	recipe, err := beit.MIMPreset("small32")
	if err != nil {
		panic(err)
	}
	tokens, err := beit.TokenizerPreset(recipe.Tokenizer)
	if err != nil {
		panic(err)
	}
	dev := tensor.CPU()
	tokens.Model.KMeansInit = false // random codes will do here
	frozen, set := nn.NewSet(), nn.NewSet()
	tokenizer := beit.NewVQKD(frozen.Scope(), tokens.Model)
	frozen.Build(dev, 1, nn.Inference)
	model := beit.NewMIM(set.Scope(), recipe.Model)
	set.Build(dev, 1, nn.Training)

	view := tensor.Full(dev, 0.5, 1, 3, 32, 32)
	student := beit.Normalize(view, beit.ImageNetMean, beit.ImageNetStd)
	mask := make([]bool, 64)
	beit.BlockMask(recipe.Mask, tensor.NewRand(1), mask)

	ctx := nn.Context{Tape: autograd.NewTape(dev), Train: true}
	defer ctx.Tape.Reset()
	labels := beit.CodeTarget{Tokenizer: tokenizer}.Labels(ctx, view)
	r := model.Forward(ctx, ctx.Tape.Own(student), mask, labels)
	ctx.Tape.Backward(r.Loss)
	fmt.Printf("%d masked patches, %d codes to choose from, loss %.0f\n", r.Rows.Size(), recipe.Model.Vocab, r.Loss.Value().Item())
	// Output: 26 masked patches, 512 codes to choose from, loss 12
}

func ExampleBlockMask() {
	cfg := beit.MaskConfig{Rows: 8, Cols: 8, Count: 26, MinBlock: 5}
	mask := make([]bool, 64)
	beit.BlockMask(cfg, tensor.NewRand(3), mask)
	n := 0
	for _, on := range mask {
		if on {
			n++
		}
	}
	fmt.Println(n, "of", len(mask), "patches")
	// Output: 26 of 64 patches
}
