package optim

import (
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// SGDConfig holds the settings of SGD that are constant over a run. Decay is added to the gradient (not decoupled), as in PyTorch.
type SGDConfig struct {
	Momentum, Decay float64
	Nesterov        bool
	Clip            float64 // 0: none
}

// SGD is stochastic gradient descent with momentum. tensor.SGDHyper has the formula.
type SGD struct {
	Buffer *tensor.Tensor // momentum, laid out as set.Values()
	Count  int            // steps taken

	set      *nn.Set
	config   SGDConfig
	segments []segment
}

// NewSGD returns an optimizer with zero momentum. It panics when the set was not built for training.
func NewSGD(set *nn.Set, c SGDConfig) *SGD {
	mustTrain("NewSGD", set)
	return &SGD{Buffer: tensor.Zeros(set.Device(), set.Values().Size()), set: set, config: c, segments: segments(set, nil)}
}

// Release releases the momentum.
func (o *SGD) Release() { o.Buffer.Release() }

// Step clips the gradients and updates the parameters with learning rate lr. When the gradient is not finite the parameters are not
// changed.
func (o *SGD) Step(lr float64) {
	mustTrain("Step", o.set)
	o.Count++
	state := tensor.GradNorm(o.set.Grads(), float32(o.config.Clip))
	defer state.Release()
	for _, s := range o.segments {
		h := tensor.SGDHyper{LR: lr, Momentum: o.config.Momentum, Nesterov: o.config.Nesterov, Step: o.Count}
		if s.decays {
			h.Decay = o.config.Decay
		}
		cut := func(t *tensor.Tensor) *tensor.Tensor { return t.Slice(0, s.lo, s.hi) }
		tensor.SGD(cut(o.set.Values()), cut(o.set.Grads()), cut(o.Buffer), state, h)
	}
}
