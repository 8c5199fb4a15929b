package autograd

import "github.com/gobeit/gobeit/tensor"

// savedIndex is the place of what MaxPool saves.
const savedIndex = 0

var maxPoolRule = newRule(rule{name: "MaxPool", grad: func(n *node, dy *tensor.Tensor) {
	s := n.in[only].Shape()
	n.in[only].accept(tensor.MaxPoolGrad(dy, n.saved[savedIndex], s[2], s[3], n.attr.(tensor.Window)))
}})

// MaxPool returns the maximum of each window of x [B, C, H, W]; see tensor.MaxPool. The gradient of a window goes to its first maximum in row-major
// order.
func MaxPool(x *Var, w tensor.Window) *Var {
	t := begin("MaxPool", "x", x)
	y, index := tensor.MaxPool(x.value, w)
	return t.result(maxPoolRule, y, w, []*tensor.Tensor{savedIndex: index}, x)
}
