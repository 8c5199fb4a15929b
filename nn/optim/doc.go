// Package optim provides optimizers and learning-rate schedules: AdamW, Adam and SGD over the flat storage of an nn.Set, with clipping of the
// global gradient norm, and the schedules Cosine, Linear, Polynomial, StepDecay and Milestones, with Warmup.
//
//	opt := optim.NewAdamW(set, optim.AdamWConfig{Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, Decay: 0.05, Clip: 3}) // or optim.DefaultAdamW()
//	schedule := optim.Cosine{Peak: 1.5e-3, Min: 1e-5, Warmup: 156, Total: 1560}
//	for step := range 1560 {
//		set.ZeroGrad()
//		… // forward and backward
//		opt.Step(schedule.At(step))
//	}
//
// For those who know torch.optim: the learning rate is an argument of Step, so a schedule is only a function of the step. clip_grad_norm_ is the
// setting Clip. The learning rates of parameter groups are LRScale. Weight decay does not apply to biases, to parameters with one axis, and to
// those with nn.Param.NoDecay. state_dict is Save, or the exported fields.
//
// Gradients of several backward passes add up. For gradient accumulation, divide each loss by the number of passes.
//
// The gradient norm, the clipping factor and the finite flag stay on the device. A step with a gradient that is not finite changes no parameter
// and no moment. It counts as a step in the bias correction of AdamW and Adam.
//
// Only Save and Load return errors. Sets that were not built for training panic, and so do settings that make no sense: a field that is zero
// means zero, and AdamW and Adam refuse an Eps of 0. An optimizer belongs to one goroutine, and no other may use the parameters of the set during a
// step.
package optim
