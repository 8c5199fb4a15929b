package optim

import (
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// segment is a range of the flat storage whose parameters have the same settings.
type segment struct {
	lo, hi int
	decays bool
	scale  float64
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
