// Package beit has the models of BEiT v2 (arXiv 2208.06366): the VQ-KD tokenizer, masked image modelling with patch aggregation, and
// the vision transformer that is fine-tuned in the end, with masking and the published settings; and teachers: HOG, CLIP, DINO with its
// self-distillation, and the models themselves.
//
// A model is declared under the authors' parameter names, then built on a device:
//
//	recipe, err := beit.MIMPreset("small32")
//	if err != nil {
//		return err
//	}
//	set := nn.NewSet()
//	model := beit.NewMIM(set.Scope(), recipe.Model)
//	set.Build(dev, seed, nn.Training)
//
//	ctx := nn.Context{Tape: autograd.NewTape(dev), Train: true, Seed: seed}
//	labels := beit.CodeTarget{Tokenizer: tokenizer}.Labels(ctx, view)
//	r := model.Forward(ctx, ctx.Tape.Constant(student), mask, labels)
//	ctx.Tape.Backward(r.Loss)
//
// Models know neither files nor devices: pictures come as tensors, [B, 3, S, S], and weights are in the set.
//
// A config from outside is checked by its Check method, whose error names the keys; constructors and forward passes panic on
// misuse, as package tensor does. A built model may be used by many goroutines at once, each with its own tape, as long as
// nothing trains it.
//
// "The authors" are those of the paper, and "the authors' code" is the folder beit2 of github.com/microsoft/unilm.
package beit
