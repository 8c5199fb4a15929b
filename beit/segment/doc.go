// Package segment trains networks for semantic segmentation: UperNet, or a linear head, on a backbone that some other method pretrained or on one
// from scratch. The recipe is that of BEiT v2 on ADE20K.
//
//	result, err := train.Run(ctx, "runs/segment", segment.Method, cfg, env)
//
// Each class of a mask is an output of the network; pixels without a class count in no loss and no metric. Statistics of batch norm follow after each
// step of the optimiser, so that a forward pass changes nothing.
//
// The files: section.go (configuration), presets.go, start.go (the backbone that training starts from), weighting.go (class weights), loss.go, task.go
// (training), infer.go (classes of the pixels of an image), trained.go (a finished segmenter), eval.go (its scores), cost.go and verdict.go.
package segment
