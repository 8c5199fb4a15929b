// Package cae pretrains a backbone as a context autoencoder (arXiv 2202.03026). Half of the patches of an image are masked. The encoder sees the others
// alone. A regressor predicts what the encoder would make of the masked patches, and a decoder the codes that a tokenizer gives them. What comes after
// pretraining needs neither: the encoder is left to represent.
//
//	result, err := train.Run(ctx, "runs/cae", cae.Method, cfg, env)
//
// The files: network.go (the whole, its losses), regressor.go (a block of it), init.go (initial weights), positions.go (the fixed table), masks.go,
// section.go (configuration), presets.go, task.go (training), follow.go (the encoder's copy, which gives the target latents), validate.go (figures beside
// baselines), cost.go, health.go (signs of trouble), verdict.go, files.go (published files, export), method.go.
package cae
