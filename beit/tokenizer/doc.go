// Package tokenizer trains and measures visual tokenizers by vector-quantised knowledge distillation (VQ-KD; arXiv 2208.06366, section 2.2). An
// encoder turns patches into codes, and a small decoder has to rebuild a teacher's features from them.
//
//	result, err := train.Run(ctx, "runs/tokenizer", tokenizer.Method, cfg, env)
//
// Method is the whole of it for the training loop. The files: section.go (configuration), presets.go, teacher.go (who teaches), pixels.go (tokenizers like PeCo's: pixels are rebuilt), task.go
// (training), init.go (k-means and the teacher's statistics), checkpoint.go, eval.go (figures beside baselines), encode.go (codes of a data set),
// cost.go, health.go (signs of dying codes), verdict.go.
//
// Errors name the key of the configuration, the file or the tensor. Evaluate and Encode may run at the same time with an Env each.
package tokenizer
