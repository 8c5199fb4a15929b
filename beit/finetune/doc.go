// Package finetune trains classifiers on labelled images, from a pretrained network or from scratch. The recipe is that of BEiT v2: layer-wise decay
// of the learning rate, mixup and CutMix, RandAugment, random erasing, label smoothing and an EMA of the weights.
//
//	result, err := train.Run(ctx, "runs/classifier", finetune.Method, cfg, env)
//
// The files: section.go (configuration), presets.go, start.go (the network that training starts from), augment.go, task.go
// (training), trained.go (a finished classifier), eval.go (its accuracy), cost.go and verdict.go.
package finetune
