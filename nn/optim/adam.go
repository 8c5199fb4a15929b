package optim

import (
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// DefaultAdam returns the defaults of PyTorch's torch.optim.Adam: betas 0.9 and 0.999, eps 1e-8, no weight decay, no clipping.
func DefaultAdam() AdamWConfig { return AdamWConfig{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8} }

// Adam is the Adam optimizer with bias correction (arXiv 1412.6980), for all trainable parameters of a set. It is AdamW except for weight
// decay, which is added to the clipped gradient as in PyTorch (an L2 penalty). Fields and methods are those of AdamW.
type Adam struct{ AdamW }

// NewAdam returns an optimizer with zero moments. It panics where NewAdamW does.
func NewAdam(set *nn.Set, c AdamWConfig) *Adam {
	mustTrain("NewAdam", set)
	c.mustFit("NewAdam")
	return &Adam{*newAdamW(set, c)}
}

// Step clips the gradients and updates the parameters, with learning rate lr and the configured weight decay. When the gradient is not
// finite the parameters are not changed; see State. The gradients are clipped and decayed afterwards.
func (o *Adam) Step(lr float64) { o.StepDecay(lr, o.config.Decay) }

// StepDecay is Step with a weight decay for this step.
func (o *Adam) StepDecay(lr, decay float64) {
	mustTrain("Step", o.set)
	o.dropState()
	grads := o.set.Grads()
	o.state = tensor.GradNorm(grads, float32(o.config.Clip))
	clipped := o.state.Clone()
	defer clipped.Release()
	if o.config.Clip > 0 {
		factor := clipped.Slice(0, 1, 2)
		tensor.BinaryInto(grads, tensor.BinaryMul, grads, factor)
		factor.Fill(1)
	}
	for _, s := range o.segments {
		if s.decays && decay != 0 {
			tensor.AddScaled(grads.Slice(0, s.lo, s.hi), o.set.Values().Slice(0, s.lo, s.hi), float32(decay))
		}
	}
	o.update(lr, 0, clipped)
}
