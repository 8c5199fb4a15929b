package autograd

import "github.com/gobeit/gobeit/tensor"

// dropout is what the gradient of Dropout needs: the mask is drawn again.
type dropout struct {
	r     *tensor.Rand
	rate  float64
	inner int
}

var dropoutRule = newRule(rule{name: "Dropout", grad: func(n *node, dy *tensor.Tensor) {
	f := n.attr.(dropout)
	n.in[only].accept(tensor.Dropout(dy, f.r, f.rate, f.inner))
}})

// Dropout returns x with a part of its elements replaced by 0, as r decides, and the others multiplied by 1/(1 − rate). r is a generator that is used for
// nothing else. Runs of inner elements are dropped together; see tensor.Dropout.
func Dropout(x *Var, r *tensor.Rand, rate float64, inner int) *Var {
	t := begin("Dropout", "x", x)
	return t.result(dropoutRule, tensor.Dropout(x.value, r, rate, inner), dropout{r, rate, inner}, nil, x)
}
