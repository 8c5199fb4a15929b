package optim

import (
	"fmt"
	"math"
	"strings"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// AdamWConfig holds the settings of AdamW that are constant over a run. A field that is zero means zero: begin with DefaultAdamW.
type AdamWConfig struct {
	Beta1, Beta2, Eps float64
	Decay             float64
	Clip              float64                   // bound on the gradient's global 2-norm; 0: none
	LRScale           func(p *nn.Param) float64 // factor on the learning rate, see LayerDecay; nil: 1 for all
}

// DefaultAdamW returns the defaults of PyTorch's torch.optim.AdamW: betas 0.9 and 0.999, eps 1e-8, weight decay 0.01, no clipping.
func DefaultAdamW() AdamWConfig { return AdamWConfig{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.01} }

// mustFit panics in a call of op when a setting makes no sense.
func (c AdamWConfig) mustFit(op string) {
	reason := ""
	switch {
	case !(float32(c.Eps) > 0) || math.IsInf(c.Eps, 1): // the update is computed in float32
		reason = fmt.Sprintf("Eps is %v, want a number above 0: Default%s has 1e-8", c.Eps, strings.TrimPrefix(op, "New"))
	case !(c.Beta1 >= 0 && c.Beta1 < 1 && c.Beta2 >= 0 && c.Beta2 < 1):
		reason = fmt.Sprintf("Beta1 and Beta2 are %v and %v, want numbers from 0 to below 1", c.Beta1, c.Beta2)
	case !(c.Decay >= 0) || !(c.Clip >= 0):
		reason = fmt.Sprintf("Decay and Clip are %v and %v, want numbers of 0 and more", c.Decay, c.Clip)
	}
	if reason != "" {
		panic(&tensor.Error{Op: op, Reason: reason})
	}
}

// AdamW is the AdamW optimizer with bias correction (arXiv 1711.05101), for all trainable parameters of a set.
type AdamW struct {
	M, V  *tensor.Tensor // moments, laid out as set.Values()
	Count int            // steps taken

	set      *nn.Set
	config   AdamWConfig
	segments []segment
	state    *tensor.Tensor // [norm, factor, finite] of the last step
}

// NewAdamW returns an optimizer with zero moments. It panics when the set was not built for training, and when Eps is 0 or another setting
// makes no sense.
func NewAdamW(set *nn.Set, c AdamWConfig) *AdamW {
	mustTrain("NewAdamW", set)
	c.mustFit("NewAdamW")
	return newAdamW(set, c)
}

// newAdamW is NewAdamW for settings that were checked.
func newAdamW(set *nn.Set, c AdamWConfig) *AdamW {
	n := set.Values().Size()
	return &AdamW{
		M: tensor.Zeros(set.Device(), n), V: tensor.Zeros(set.Device(), n),
		set: set, config: c, segments: segments(set, c.LRScale),
	}
}

// Step clips the gradients and updates the parameters, with learning rate lr and the configured weight decay. When the gradient is not
// finite the parameters are not changed; see State.
func (o *AdamW) Step(lr float64) { o.StepDecay(lr, o.config.Decay) }

// StepDecay is Step with a weight decay for this step.
func (o *AdamW) StepDecay(lr, decay float64) {
	mustTrain("Step", o.set)
	o.dropState()
	o.state = tensor.GradNorm(o.set.Grads(), float32(o.config.Clip))
	o.update(lr, decay, o.state)
}

// update moves the parameters by the gradients. It reads the clipping factor and the finite flag of state.
func (o *AdamW) update(lr, decay float64, state *tensor.Tensor) {
	o.Count++
	for _, s := range o.segments {
		h := tensor.AdamWHyper{
			LR: lr * s.scale, Beta1: o.config.Beta1, Beta2: o.config.Beta2, Eps: o.config.Eps, Step: o.Count,
		}
		if s.decays {
			h.Decay = decay
		}
		cut := func(t *tensor.Tensor) *tensor.Tensor { return t.Slice(0, s.lo, s.hi) }
		tensor.AdamW(cut(o.set.Values()), cut(o.set.Grads()), cut(o.M), cut(o.V), state, h)
	}
}

// State returns [norm, factor, finite] of the last step, on the device: the gradient norm before clipping, the clipping factor, and 1
// when the norm was finite, else 0. It is valid until the next step.
func (o *AdamW) State() *tensor.Tensor { return o.state }

// Release releases the moments.
func (o *AdamW) Release() {
	o.M.Release()
	o.V.Release()
	o.dropState()
}

func (o *AdamW) dropState() {
	if o.state != nil {
		o.state.Release()
		o.state = nil
	}
}
