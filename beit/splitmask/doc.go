// Package splitmask pretrains a backbone like SplitMask (arXiv 2112.10740). The patches of an image are split into two random halves. One encoder sees
// each half on its own, and a small decoder predicts the codes of the other half. Means over the decoder's tokens of both halves are a pair: InfoNCE makes
// them alike, and unlike those of the other images of the micro-batch.
//
//	result, err := train.Run(ctx, "runs/splitmask", splitmask.Method, cfg, env)
//
// It is like SplitMask, not the authors' code: that was not at hand. Ours are the decoder's width, positions (fixed, as in MAE), the weight and the
// temperature of InfoNCE, that it goes both ways, the optimiser's settings, and the tokenizer, which is any of package tokenizer. Encoder and decoder
// are those of package mae.
//
// The files: network.go (both halves, codes to predict), contrast.go (InfoNCE), section.go (configuration), presets.go, task.go (training), validate.go
// (figures beside baselines), cost.go, verdict.go, method.go.
package splitmask
