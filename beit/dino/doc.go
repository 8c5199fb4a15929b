// Package dino trains a vision transformer by self-distillation after DINO (arXiv 2104.14294). A student predicts, from any crop of an image,
// what a teacher says of its large crops. The teacher is an EMA of the student. The result can teach a tokenizer.
//
//	result, err := train.Run(ctx, "runs/dino", dino.Method, cfg, env)
//
// The files: section.go (configuration), presets.go, task.go (training), validate.go, cost.go, health.go (signs of collapse), verdict.go.
package dino
