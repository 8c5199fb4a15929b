package autograd

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

// dice is what the rule of DiceLoss keeps: the target [R, N], and the sums of each row.
type dice struct {
	target, overlap, total *tensor.Tensor
	reduction              Reduction
}

// With I = 2·Σ p·t + s and U = Σ p + Σ t + s, the loss is 1 − I/U, and its derivative −2·t/U + I/U².
var diceRule = newRule(rule{name: "DiceLoss", grad: func(n *node, dy *tensor.Tensor) {
	d := n.attr.(dice)
	rows := d.overlap.Size()
	up := d.reduction.upstream(dy, rows)
	perRow := tensor.Div(up.Reshape(-1), d.total) // dy/U
	ratio := tensor.Div(d.overlap, d.total)
	tensor.BinaryInto(ratio, tensor.BinaryMul, ratio, perRow)
	slope := tensor.Affine(perRow, -2, 0)
	g := tensor.Mul(d.target.Reshape(rows, -1), slope.Reshape(rows, 1))
	tensor.BinaryInto(g, tensor.BinaryAdd, g, ratio.Reshape(rows, 1))
	for _, t := range []*tensor.Tensor{up, perRow, ratio, slope} {
		t.Release()
	}
	n.in[only].accept(g.Reshape(n.in[only].Shape()...))
}})

// DiceLoss returns the soft Dice loss 1 − (2·Σ p·t + smooth)/(Σ p + Σ t + smooth) of each sample and class, summed over the other axes (Milletari et
// al., "V-Net", 2016, without their squares; Sudre et al., arXiv 1707.03237). p [B, C, ..] are probabilities, target has the same shape and gets no
// gradient. smooth, usually 1e-5, is above 0, so that a class that is nowhere has no loss where p is 0. Without reduction the result is [B, C].
func DiceLoss(p *Var, target *tensor.Tensor, smooth float32, r Reduction) *Var {
	const op = "DiceLoss"
	t := begin(op, "p", p)
	checkTarget(op, p, target)
	r.check(op, p)
	shape := p.Shape()
	if len(shape) < 2 || shape.Size() == 0 {
		panic(&tensor.ShapeError{Op: op, Shapes: []tensor.Shape{shape}, Reason: "want p [B, C, ..] with elements"})
	}
	if !(smooth > 0) {
		panic(&tensor.ShapeError{Op: op, Shapes: []tensor.Shape{shape}, Reason: fmt.Sprintf("smooth is %g, want more than 0", smooth)})
	}
	flat := func(x *tensor.Tensor) *tensor.Tensor {
		whole := x.Contiguous()
		t.Own(whole)
		return whole.Reshape(shape[0]*shape[1], -1)
	}
	x, y := flat(p.value), flat(target)
	d := dice{target: y, reduction: r}
	product := tensor.Mul(x, y)
	d.overlap = rowSums(2, smooth, product)
	d.total = rowSums(1, smooth, x, y)
	product.Release()
	ratio := tensor.Div(d.overlap, d.total)
	losses := tensor.Affine(ratio, -1, 1)
	ratio.Release()
	return t.result(diceRule, r.of(losses.Reshape(shape[0], shape[1])), d, []*tensor.Tensor{d.overlap, d.total}, p)
}

// rowSums returns scale·Σ + shift of the sums of the rows of all xs.
func rowSums(scale, shift float32, xs ...*tensor.Tensor) *tensor.Tensor {
	var sum *tensor.Tensor
	for _, x := range xs {
		s := tensor.Sum(x, 1)
		next := tensor.Affine(s, scale, shift)
		s.Release()
		if sum != nil {
			tensor.AddScaled(next, sum, 1)
			sum.Release()
		}
		sum, shift = next, 0
	}
	return sum
}
