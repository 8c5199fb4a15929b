package autograd

import "github.com/gobeit/gobeit/tensor"

var gatherRowsRule = newRule(rule{name: "GatherRows", grad: func(n *node, dy *tensor.Tensor) {
	d := n.dest(only)
	if !d.Add {
		d.To.Zero()
	}
	tensor.ScatterAddRows(d.To, dy, n.attr.(*tensor.Tensor))
}})

// GatherRows returns x[index[r]] for each r. x is [S, ..], and index Int32 [R]. Rows may repeat.
func GatherRows(x *Var, index *tensor.Tensor) *Var {
	t := begin("GatherRows", "x", x)
	return t.result(gatherRowsRule, tensor.GatherRows(x.value, index), index, nil, x)
}

var patchifyRule = newRule(rule{name: "Patchify", grad: func(n *node, dy *tensor.Tensor) {
	s := n.in[only].Shape()
	n.in[only].accept(tensor.Unpatchify(dy, n.attr.(int), s[2], s[3]))
}})

// Patchify cuts images [B, C, H, W] into tokens [B, H/P·W/P, C·P·P]; see tensor.Patchify.
func Patchify(img *Var, p int) *Var {
	t := begin("Patchify", "img", img)
	return t.result(patchifyRule, tensor.Patchify(img.value, p), p, nil, img)
}
