package optim

import (
	"fmt"
	"math"

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

// check returns what is wrong with the settings, "" for nothing.
func (c AdamWConfig) check() string {
	switch {
	case !(float32(c.Eps) > 0) || math.IsInf(c.Eps, 1): // the update is computed in float32
		return fmt.Sprintf("Eps is %v, want a number above 0: DefaultAdamW has 1e-8", c.Eps)
	case !(c.Beta1 >= 0 && c.Beta1 < 1 && c.Beta2 >= 0 && c.Beta2 < 1):
		return fmt.Sprintf("Beta1 and Beta2 are %v and %v, want numbers from 0 to below 1", c.Beta1, c.Beta2)
	case !(c.Decay >= 0) || !(c.Clip >= 0):
		return fmt.Sprintf("Decay and Clip are %v and %v, want numbers of 0 and more", c.Decay, c.Clip)
	}
	return ""
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

// segment is a range of the flat storage whose parameters have the same settings.
type segment struct {
	lo, hi int
	decays bool
	scale  float64
}

// NewAdamW returns an optimizer with zero moments. It panics when the set was not built for training, and when Eps is 0 or another setting
// makes no sense.
func NewAdamW(set *nn.Set, c AdamWConfig) *AdamW {
	mustTrain("NewAdamW", set)
	if reason := c.check(); reason != "" {
		panic(&tensor.Error{Op: "NewAdamW", Reason: reason})
	}
	n := set.Values().Size()
	return &AdamW{
		M: tensor.Zeros(set.Device(), n), V: tensor.Zeros(set.Device(), n),
		set: set, config: c, segments: segments(set, c.LRScale),
	}
}

func mustTrain(op string, set *nn.Set) {
	if set == nil {
		panic(&tensor.Error{Op: op, Reason: "the set is nil"})
	}
	if set.Grads() == nil {
		panic(&tensor.Error{Op: op, Reason: "the set was not built for training"})
	}
}

// segments joins adjacent parameters with the same settings.
func segments(set *nn.Set, scale func(p *nn.Param) float64) []segment {
	var list []segment
	for _, p := range set.Flat() {
		if p.Shape.Size() == 0 {
			continue
		}
		s := segment{lo: p.Value.Offset(), hi: p.Value.Offset() + p.Shape.Size(), decays: p.Decays(), scale: 1}
		if scale != nil {
			s.scale = scale(p)
		}
		if i := len(list) - 1; i >= 0 && list[i].decays == s.decays && list[i].scale == s.scale {
			list[i].hi = s.hi
			continue
		}
		list = append(list, s)
	}
	return list
}

// Step clips the gradients and updates the parameters, with learning rate lr and the configured weight decay. When the gradient is not
// finite the parameters are not changed; see State.
func (o *AdamW) Step(lr float64) { o.StepDecay(lr, o.config.Decay) }

// StepDecay is Step with a weight decay for this step.
func (o *AdamW) StepDecay(lr, decay float64) {
	mustTrain("Step", o.set)
	o.Count++
	o.dropState()
	o.state = tensor.GradNorm(o.set.Grads(), float32(o.config.Clip))
	for _, s := range o.segments {
		h := tensor.AdamWHyper{
			LR: lr * s.scale, Beta1: o.config.Beta1, Beta2: o.config.Beta2, Eps: o.config.Eps, Step: o.Count,
		}
		if s.decays {
			h.Decay = decay
		}
		cut := func(t *tensor.Tensor) *tensor.Tensor { return t.Slice(0, s.lo, s.hi) }
		tensor.AdamW(cut(o.set.Values()), cut(o.set.Grads()), cut(o.M), cut(o.V), o.state, h)
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
