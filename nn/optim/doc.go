// Package optim updates parameters: AdamW and SGD over the flat storage of an nn.Set, with clipping of the global gradient norm, and
// the learning-rate schedules of the recipes.
//
//	opt := optim.NewAdamW(set, optim.AdamWConfig{Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, Decay: 0.05, Clip: 3})
//	schedule := optim.Cosine{Peak: 1.5e-3, Min: 1e-5, Warmup: 156, Total: 1560}
//	for step := range 1560 {
//		set.ZeroGrad()
//		… // forward and backward
//		opt.Step(schedule.At(step))
//	}
//
// Gradients of several backward passes add up, which is how accumulation works: scale each loss by one over their number. The norm,
// the clipping factor and the finite flag stay on the device; a step with a gradient that is not finite changes no parameter and no moment,
// but counts as a step where AdamW corrects the moments' bias.
//
// Nothing here returns an error; sets that were not built for training panic. An optimizer belongs to one goroutine, and no other may use
// the set's parameters during a step.
package optim
