// Package mae pretrains a backbone as a masked autoencoder (arXiv 2111.06377). 75 % of the patches of an image are hidden. The encoder sees the
// others alone, which takes a quarter of the time. A small decoder predicts the pixels of the hidden patches; what comes after pretraining does
// not need it.
//
//	result, err := train.Run(ctx, "runs/mae", mae.Method, cfg, env)
//
// The files: network.go (encoder, decoder, pixels to predict), positions.go (fixed tables), masks.go,
// rebuild.go (images from predicted pixels), section.go (configuration), presets.go,
// task.go (training), validate.go (figures beside a baseline), cost.go, health.go (signs that nothing is rebuilt), verdict.go, files.go (published files, export), method.go.
package mae
