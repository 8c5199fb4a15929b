package beit_test

import (
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// A classifier with random weights; load a file into set.Params for trained ones.
func ExampleNewViT() {
	cfg := beit.ViTPreset("small32")
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

// A pretraining step: the model predicts the tokenizer's codes of the masked patches.
func ExampleMIM_Forward() {
	encoder := beit.ViTPreset("small32")
	encoder.RelPos, encoder.AbsPos, encoder.LayerScale = beit.RelPosNone, true, 0
	decoder := encoder // of an image of codes
	decoder.ImageSize, decoder.PatchSize, decoder.Channels, decoder.Depth = encoder.Grid(), 1, 16, 1
	tokens := beit.VQKDConfig{Encoder: encoder, Decoder: decoder, Codes: 512, CodeDim: 16, TargetDim: 84, Decay: 0.99, Beta: 1}

	vit := beit.ViTPreset("small32")
	vit.RelPos = beit.RelPosShared
	cfg := beit.MIMConfig{ViT: vit, Vocab: tokens.Codes, Aggregation: beit.AggregationConfig{Layer: 3, Depth: 1, SharedHead: true}}

	dev := tensor.CPU()
	frozen, set := nn.NewSet(), nn.NewSet()
	tokenizer := beit.NewVQKD(frozen.Scope(), tokens) // its codes are random here
	frozen.Build(dev, 1, nn.Inference)
	model := beit.NewMIM(set.Scope(), cfg)
	set.Build(dev, 1, nn.Training)

	view := tensor.Full(dev, 0.5, 1, 3, 32, 32)
	student := beit.Normalize(view, beit.ImageNetMean, beit.ImageNetStd)
	mask := make([]bool, 64)
	beit.BlockMask(beit.MaskConfig{Rows: 8, Cols: 8, Count: 26, MinBlock: 5}, tensor.NewRand(1), mask)

	ctx := nn.Context{Tape: autograd.NewTape(dev), Train: true}
	defer ctx.Tape.Reset()
	labels := beit.CodeTarget{Tokenizer: tokenizer}.Labels(ctx, view)
	r := model.Forward(ctx, ctx.Tape.Own(student), mask, labels)
	ctx.Tape.Backward(r.Loss)
	fmt.Printf("%d masked patches, %d codes to choose from, loss %.0f\n", r.Rows.Size(), cfg.Vocab, r.Loss.Value().Item())
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
