package optim

import (
	"fmt"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// SGDConfig holds the settings of SGD that are constant over a run. Decay is added to the gradient (not decoupled), as in PyTorch.
type SGDConfig struct {
	Momentum, Decay float64
	Nesterov        bool
	Clip            float64                   // bound on the gradient's global 2-norm; 0: none
	LRScale         func(p *nn.Param) float64 // factor on the learning rate; nil: 1 for all
}

// mustFit panics when a setting makes no sense.
func (c SGDConfig) mustFit() {
	reason := ""
	switch {
	case !(c.Momentum >= 0) || !(c.Decay >= 0) || !(c.Clip >= 0):
		reason = fmt.Sprintf("Momentum, Decay and Clip are %v, %v and %v, want numbers of 0 and more", c.Momentum, c.Decay, c.Clip)
	case c.Nesterov && c.Momentum == 0:
		reason = "Nesterov needs a Momentum above 0"
	}
	if reason != "" {
		panic(&tensor.Error{Op: "NewSGD", Reason: reason})
	}
}

// SGD is stochastic gradient descent with momentum. tensor.SGDHyper has the formula.
type SGD struct {
	Buffer *tensor.Tensor // momentum, laid out as set.Values()
	Count  int            // steps taken

	set      *nn.Set
	config   SGDConfig
	segments []segment
	state    *tensor.Tensor // [norm, factor, finite] of the last step
}

// NewSGD returns an optimizer with zero momentum. It panics when the set was not built for training, and when a setting makes no sense.
func NewSGD(set *nn.Set, c SGDConfig) *SGD {
	mustTrain("NewSGD", set)
	c.mustFit()
	return &SGD{Buffer: tensor.Zeros(set.Device(), set.Values().Size()), set: set, config: c, segments: segments(set, c.LRScale)}
}

// Step clips the gradients and updates the parameters with learning rate lr. When the gradient is not finite the parameters are not
// changed; see State.
func (o *SGD) Step(lr float64) {
	mustTrain("Step", o.set)
	o.Count++
	o.dropState()
	o.state = tensor.GradNorm(o.set.Grads(), float32(o.config.Clip))
	for _, s := range o.segments {
		h := tensor.SGDHyper{LR: lr * s.scale, Momentum: o.config.Momentum, Nesterov: o.config.Nesterov, Step: o.Count}
		if s.decays {
			h.Decay = o.config.Decay
		}
		cut := func(t *tensor.Tensor) *tensor.Tensor { return t.Slice(0, s.lo, s.hi) }
		tensor.SGD(cut(o.set.Values()), cut(o.set.Grads()), cut(o.Buffer), o.state, h)
	}
}

// State returns [norm, factor, finite] of the last step, as AdamW.State does. It is valid until the next step.
func (o *SGD) State() *tensor.Tensor { return o.state }

// Release releases the momentum.
func (o *SGD) Release() {
	o.Buffer.Release()
	o.dropState()
}

func (o *SGD) dropState() {
	if o.state != nil {
		o.state.Release()
		o.state = nil
	}
}
