// Package beit has the networks of BEiT v2 (arXiv 2208.06366): the VQ-KD tokenizer, the model for masked image modelling with patch
// aggregation, and the vision transformer for fine-tuning. It also has block-wise masking, teachers (HOG, CLIP and DINO with its
// self-distillation), the encoder of DALL-E, whose codes BEiT v1 predicts, and UperNet for semantic segmentation.
//
// It has networks only. Training recipes are presets of the methods in beit/tokenizer, beit/pretrain, beit/dino, beit/finetune and beit/segment. Model
// files are read in beit/weights and beit/model.
//
// A model is declared under the authors' parameter names, then built on a device:
//
//	vit := beit.ViTPreset("small32")
//	vit.RelPos = beit.RelPosShared
//	set := nn.NewSet()
//	model := beit.NewMIM(set.Scope(), beit.MIMConfig{ViT: vit, Vocab: 512})
//	set.Build(dev, seed, nn.Training)
//
//	ctx := nn.Context{Tape: autograd.NewTape(dev), Train: true, Seed: seed}
//	labels := beit.CodeTarget{Tokenizer: tokenizer}.Labels(ctx, view)
//	r := model.Forward(ctx, ctx.Tape.Constant(student), mask, labels)
//	ctx.Tape.Backward(r.Loss)
//
// Images are tensors, [B, 3, S, S]. Weights are parameters of the set.
//
// In comments B is the batch size, N the number of patches and D the width of a code. H is the number of heads and K the size of the
// codebook. d is the width of a token and C the width of a teacher's features.
//
// Check methods check configurations from outside, with errors that name the keys. Constructors and forward passes panic on misuse, as
// package tensor does. Many goroutines may use a built model at once, each with its own tape, if nothing trains it.
//
// "The authors" are the authors of the paper. "The authors' code" is the folder beit2 of github.com/microsoft/unilm.
package beit
