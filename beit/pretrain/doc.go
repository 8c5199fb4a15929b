// Package pretrain trains a backbone by masked image modelling with patch aggregation (arXiv 2208.06366, section 2.3). 40 % of the patches of an
// image are hidden. A vision transformer predicts what stands there, once from the patches and once through the class token.
//
//	result, err := train.Run(ctx, "runs/backbone", pretrain.Method, cfg, env)
//
// What masked patches are to be is a value of pretrain.target; see package target. The files: section.go (configuration), presets.go, task.go
// (training), sources.go (the networks that make targets), codecache.go (codes that are kept), start.go (weights to begin with), masks.go, shuffle.go (the shuffled-codes control), validate.go (figures beside baselines),
// cost.go, health.go (signs that there is nothing to predict), verdict.go.
package pretrain
