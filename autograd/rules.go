package autograd

import (
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// kind names an operation in the table of rules.
type kind uint8

const (
	kAdd kind = iota
	kSub
	kMul
	kAffine
	kUnary
	kMatMul
	kLinear
	kAttention
	kLayerNorm
	kSoftmax
	kL2Normalize
	kCrossEntropy
	kCosineLoss
	kMean
	kSum
	kReshape
	kPermute
	kSlice
	kConcat
	kGatherRows
	kPatchify
	kStraightThrough
	kCheckpoint
	kinds
)

// String names the operation as in the package's functions.
func (k kind) String() string { return names[k] }

var names = [kinds]string{
	kAdd: "Add", kSub: "Sub", kMul: "Mul", kAffine: "Affine", kUnary: "Unary", kMatMul: "MatMul", kLinear: "Linear",
	kAttention: "Attention", kLayerNorm: "LayerNorm", kSoftmax: "Softmax", kL2Normalize: "L2Normalize",
	kCrossEntropy: "CrossEntropy", kCosineLoss: "CosineLoss", kMean: "Mean", kSum: "Sum", kReshape: "Reshape",
	kPermute: "Permute", kSlice: "Slice", kConcat: "Concat", kGatherRows: "GatherRows", kPatchify: "Patchify",
	kStraightThrough: "StraightThrough", kCheckpoint: "Checkpoint",
}

// rules is the table of all backward rules. A rule is given the node and the gradient dy of its output and hands each
// input its gradient: through dest (a backend writes it), accept (a fresh tensor) or pass (dy itself). It must not change dy.
var rules [kinds]func(n *node, dy *tensor.Tensor)

func init() { // not a literal, because the rule of Checkpoint walks the table itself
	rules = [kinds]func(n *node, dy *tensor.Tensor){
		// y = a + b
		kAdd: func(n *node, dy *tensor.Tensor) {
			n.broadcastGrad(n.in[1], dy, 1)
			n.broadcastGrad(n.in[0], dy, 1)
		},
		// y = a − b
		kSub: func(n *node, dy *tensor.Tensor) {
			n.broadcastGrad(n.in[1], dy, -1)
			n.broadcastGrad(n.in[0], dy, 1)
		},
		// y = a·b: da = dy·b, db = dy·a
		kMul: func(n *node, dy *tensor.Tensor) {
			a, b := n.in[0], n.in[1]
			a.acceptSummed(func() *tensor.Tensor { return tensor.Mul(dy, b.value) })
			b.acceptSummed(func() *tensor.Tensor { return tensor.Mul(dy, a.value) })
		},
		// y = x·scale + shift
		kAffine: func(n *node, dy *tensor.Tensor) {
			n.in[0].accept(tensor.Affine(dy, n.attr.(float32), 0))
		},
		kUnary: func(n *node, dy *tensor.Tensor) {
			op := n.attr.(tensor.UnaryOp)
			x, y := n.in[0].value, n.out.value
			if needX, needY := op.Needs(); !needX {
				x = nil
			} else if !needY {
				y = nil
			}
			n.in[0].accept(tensor.UnaryGrad(op, dy, x, y))
		},
		// y = a·b: da = dy·bᵀ, db = aᵀ·dy
		kMatMul: func(n *node, dy *tensor.Tensor) {
			a, b, p := n.in[0], n.in[1], n.attr.(tensor.Precision)
			n.acceptProduct(0, dy, b.value.T(), p)
			n.acceptProduct(1, a.value.T(), dy, p)
		},
		kLinear: func(n *node, dy *tensor.Tensor) {
			f := n.attr.(tensor.LinearArgs)
			tensor.LinearGrad(tensor.LinearGradArgs{
				DX: n.dest(0), DW: n.dest(1), DBias: n.dest(2), DGamma: n.dest(4),
				DY: dy, X: n.in[0].value, W: n.in[1].value, Bias: f.Bias, Pre: f.Pre, Gamma: f.Gamma, Keep: f.Keep, Precision: f.Precision,
			})
			n.pass(n.in[3], dy)
		},
		kAttention: func(n *node, dy *tensor.Tensor) {
			f := n.attr.(tensor.AttentionArgs)
			n.out.recall()
			tensor.AttentionGrad(tensor.AttentionGradArgs{
				DQKV: n.dest(0), DBias: n.dest(1), DOut: dy, Out: n.out.value, LSE: f.LSE, QKV: n.in[0].value, Bias: f.Bias,
				Heads: f.Heads, Scale: f.Scale, Precision: f.Precision,
			})
		},
		kLayerNorm: func(n *node, dy *tensor.Tensor) {
			f := n.attr.(tensor.LayerNormArgs)
			tensor.LayerNormGrad(tensor.LayerNormGradArgs{
				DX: n.dest(0), DW: n.dest(1), DB: n.dest(2), DY: dy, X: n.in[0].value, W: n.in[1].value, Mean: f.Mean, Rstd: f.Rstd,
			})
		},
		kSoftmax: func(n *node, dy *tensor.Tensor) {
			n.in[0].accept(tensor.SoftmaxGrad(dy, n.out.value))
		},
		kL2Normalize: func(n *node, dy *tensor.Tensor) {
			n.in[0].accept(tensor.L2NormalizeGrad(dy, n.out.value, n.saved[0], normEps))
		},
		kCrossEntropy: func(n *node, dy *tensor.Tensor) {
			a := n.attr.(tensor.CrossEntropyArgs)
			a.Logits = n.in[0].value
			n.in[0].accept(tensor.CrossEntropyGrad(dy, a))
		},
		kCosineLoss: func(n *node, dy *tensor.Tensor) {
			n.in[0].accept(tensor.CosineLossGrad(dy, n.in[0].value, n.attr.(*tensor.Tensor)))
		},
		// y = Σ x along one axis, or Σ x / n
		kSum:  func(n *node, dy *tensor.Tensor) { n.spread(dy, 1) },
		kMean: func(n *node, dy *tensor.Tensor) { n.spread(dy, 1/float32(max(1, n.in[0].Shape()[n.attr.(int)]))) },

		kReshape: func(n *node, dy *tensor.Tensor) { n.pass(n.in[0], dy) },
		kPermute: func(n *node, dy *tensor.Tensor) {
			order := n.attr.([]int)
			inverse := make([]int, len(order))
			for i, a := range order {
				inverse[a] = i
			}
			n.in[0].accept(dy.Permute(inverse...).Clone())
		},
		kSlice: func(n *node, dy *tensor.Tensor) {
			at := n.attr.([2]int)
			x := n.in[0]
			dx := tensor.Zeros(x.tape.dev, x.Shape()...)
			tensor.CopyInto(dx.Slice(at[0], at[1], at[1]+n.out.Shape()[at[0]]), dy)
			x.accept(dx)
		},
		kConcat: func(n *node, dy *tensor.Tensor) {
			axis, at := n.attr.(int), 0
			for _, v := range n.in {
				size := v.Shape()[axis]
				if v.needs {
					v.accept(dy.Slice(axis, at, at+size).Clone())
				}
				at += size
			}
		},
		kGatherRows: func(n *node, dy *tensor.Tensor) {
			d := n.dest(0)
			if !d.Add {
				d.To.Zero()
			}
			tensor.ScatterAddRows(d.To, dy, n.attr.(*tensor.Tensor))
		},
		kPatchify: func(n *node, dy *tensor.Tensor) {
			s := n.in[0].Shape()
			n.in[0].accept(tensor.Unpatchify(dy, n.attr.(int), s[2], s[3]))
		},
		// The gradient goes to the input as if the value had not been replaced.
		kStraightThrough: func(n *node, dy *tensor.Tensor) { n.pass(n.in[0], dy) },
		kCheckpoint:      checkpointGrad,
	}
}

// broadcastGrad hands scale·dy, summed over broadcast axes, to v.
func (n *node) broadcastGrad(v *Var, dy *tensor.Tensor, scale float32) {
	if !v.needs {
		return
	}
	if scale == 1 && v.Shape().Equal(dy.Shape()) && v == n.in[0] && n.in[0] != n.in[1] {
		n.pass(v, dy)
		return
	}
	g := tensor.Affine(dy, scale, 0)
	v.accept(tensor.SumTo(g, v.Shape()))
	g.Release()
}

// acceptSummed is accept for a gradient of the broadcast shape, which is worked out only when v needs it.
func (v *Var) acceptSummed(product func() *tensor.Tensor) {
	if !v.needs {
		return
	}
	g := product()
	v.accept(tensor.SumTo(g, v.Shape()))
	g.Release()
}

// acceptProduct hands a·b, summed over broadcast leading axes, to input i.
func (n *node) acceptProduct(i int, a, b *tensor.Tensor, p tensor.Precision) {
	v := n.in[i]
	if !v.needs {
		return
	}
	shape := slices.Concat(leading(a, b), []int{a.Dim(-2), b.Dim(-1)})
	if v.Shape().Equal(shape) {
		d := n.dest(i)
		tensor.MatMulInto(d.To, a, b, d.Add, p)
		return
	}
	g := tensor.New(v.tape.dev, shape...)
	tensor.MatMulInto(g, a, b, false, p)
	v.accept(tensor.SumTo(g, v.Shape()))
	g.Release()
}

// spread repeats dy·scale along the axis that the forward reduction removed.
func (n *node) spread(dy *tensor.Tensor, scale float32) {
	x, axis := n.in[0], n.attr.(int)
	wide := dy.Reshape(slices.Insert(slices.Clone(dy.Shape()), axis, 1)...).Expand(x.Shape()...)
	g := wide.Clone()
	if scale != 1 {
		s := tensor.Affine(g, scale, 0)
		g.Release()
		g = s
	}
	x.accept(g)
}
