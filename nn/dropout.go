package nn

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// streamDropout separates the random numbers of dropout from others of the same seed.
const streamDropout = 0xd309

// Dropout replaces a part of the elements by 0 in training, and multiplies the others by 1/(1 − Rate). What is dropped depends only on (seed, step,
// micro-batch, name, place), so a pass that runs again drops the same.
type Dropout struct {
	Rate     float64 // from 0 to less than 1
	Channels bool    // whole channels of [B, C, ..] are dropped
	layer    uint64
}

// NewDropout declares a dropout of elements. The scope tells it from others of the model: it declares no parameter.
func NewDropout(s Scope, rate float64) *Dropout {
	return &Dropout{Rate: rate, layer: s.layer("Dropout")}
}

// NewDropout2d declares a dropout of whole channels.
func NewDropout2d(s Scope, rate float64) *Dropout {
	return &Dropout{Rate: rate, Channels: true, layer: s.layer("Dropout2d")}
}

// Forward drops elements of x, or channels of x [B, C, ..]. When not training, or when the rate is 0, it returns x.
func (d *Dropout) Forward(c Context, x *autograd.Var) *autograd.Var {
	if x.Value() == nil {
		panic(&tensor.Error{Op: "Dropout", Reason: "x is nil"})
	}
	if !c.Train || d.Rate == 0 {
		return x
	}
	inner := 1
	if s := x.Shape(); d.Channels {
		if len(s) < 2 {
			panic(&tensor.ShapeError{Op: "Dropout2d", Shapes: []tensor.Shape{s}, Reason: "want [B, C, ..]"})
		}
		inner = max(1, s[2:].Size())
	}
	r := tensor.NewRand(c.Seed, streamDropout, uint64(c.Step), uint64(c.Micro), d.layer)
	return autograd.Dropout(x, r, d.Rate, inner)
}
