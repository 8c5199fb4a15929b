package autograd

import (
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// kind is the kind of an operation in the table of rules.
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

// String returns the name of the package's function.
func (k kind) String() string { return names[k] }

var names = [kinds]string{
	kAdd: "Add", kSub: "Sub", kMul: "Mul", kAffine: "Affine", kUnary: "Unary", kMatMul: "MatMul", kLinear: "Linear",
	kAttention: "Attention", kLayerNorm: "LayerNorm", kSoftmax: "Softmax", kL2Normalize: "L2Normalize",
	kCrossEntropy: "CrossEntropy", kCosineLoss: "CosineLoss", kMean: "Mean", kSum: "Sum", kReshape: "Reshape",
	kPermute: "Permute", kSlice: "Slice", kConcat: "Concat", kGatherRows: "GatherRows", kPatchify: "Patchify",
	kStraightThrough: "StraightThrough", kCheckpoint: "Checkpoint",
}

// The places of a node's inputs, node.in, and of what it saved, node.saved. Kinds that are not named here have one input, or like Concat a list.
const (
	only = 0 // the input of kinds that have one

	left, right = 0, 1 // Add, Sub, Mul, MatMul

	linearX, linearW, linearBias, linearResidual, linearGamma = 0, 1, 2, 3, 4

	attentionQKV, attentionBias = 0, 1

	layerNormX, layerNormW, layerNormB = 0, 1, 2

	savedPre  = 0 // Linear with GELU: what GELU was applied to
	savedNorm = 0 // L2Normalize: the norms
)

// rules is the table of all backward rules. A rule gets the node and the gradient dy of its output, which it must not change. It computes
// the gradient of each input in one of three ways: dest (a backend writes it), accept (a new tensor) or pass (dy itself).
var rules [kinds]func(n *node, dy *tensor.Tensor)

func init() { // not a literal, because the rule of Checkpoint walks the table itself
	rules = [kinds]func(n *node, dy *tensor.Tensor){
		// y = a + b
		kAdd: func(n *node, dy *tensor.Tensor) {
			n.broadcastGrad(n.in[right], dy, 1)
			n.broadcastGrad(n.in[left], dy, 1)
		},
		// y = a − b
		kSub: func(n *node, dy *tensor.Tensor) {
			n.broadcastGrad(n.in[right], dy, -1)
			n.broadcastGrad(n.in[left], dy, 1)
		},
		// y = a·b: da = dy·b, db = dy·a
		kMul: func(n *node, dy *tensor.Tensor) {
			a, b := n.in[left], n.in[right]
			a.acceptSummed(func() *tensor.Tensor { return tensor.Mul(dy, b.value) })
			b.acceptSummed(func() *tensor.Tensor { return tensor.Mul(dy, a.value) })
		},
		// y = x·scale + shift
		kAffine: func(n *node, dy *tensor.Tensor) {
			n.in[only].accept(tensor.Affine(dy, n.attr.(float32), 0))
		},
		kUnary: func(n *node, dy *tensor.Tensor) {
			op := n.attr.(tensor.UnaryOp)
			x, y := n.in[only].value, n.out.value
			if needX, needY := op.Needs(); !needX {
				x = nil
			} else if !needY {
				y = nil
			}
			n.in[only].accept(tensor.UnaryGrad(op, dy, x, y))
		},
		// y = a·b: da = dy·bᵀ, db = aᵀ·dy
		kMatMul: func(n *node, dy *tensor.Tensor) {
			a, b, p := n.in[left], n.in[right], n.attr.(tensor.Precision)
			n.acceptMatMul(left, dy, b.value.T(), p)
			n.acceptMatMul(right, a.value.T(), dy, p)
		},
		kLinear: func(n *node, dy *tensor.Tensor) {
			f := n.attr.(tensor.LinearArgs)
			tensor.LinearGrad(tensor.LinearGradArgs{
				DX: n.dest(linearX), DW: n.dest(linearW), DBias: n.dest(linearBias), DGamma: n.dest(linearGamma),
				DY: dy, X: n.in[linearX].value, W: n.in[linearW].value, Bias: n.in[linearBias].tensor(), Gamma: n.in[linearGamma].tensor(),
				Pre: f.Pre, Keep: f.Keep, Precision: f.Precision,
			})
			n.pass(n.in[linearResidual], dy)
		},
		kAttention: func(n *node, dy *tensor.Tensor) {
			f := n.attr.(tensor.AttentionArgs)
			tensor.AttentionGrad(tensor.AttentionGradArgs{
				DQKV: n.dest(attentionQKV), DBias: n.dest(attentionBias),
				DOut: dy, Out: n.out.value, LSE: f.LSE, QKV: n.in[attentionQKV].value, Bias: n.in[attentionBias].tensor(),
				Heads: f.Heads, Scale: f.Scale, Precision: f.Precision,
			})
		},
		kLayerNorm: func(n *node, dy *tensor.Tensor) {
			f := n.attr.(tensor.LayerNormArgs)
			tensor.LayerNormGrad(tensor.LayerNormGradArgs{
				DX: n.dest(layerNormX), DW: n.dest(layerNormW), DB: n.dest(layerNormB),
				DY: dy, X: n.in[layerNormX].value, W: n.in[layerNormW].value, Mean: f.Mean, Rstd: f.Rstd,
			})
		},
		kSoftmax: func(n *node, dy *tensor.Tensor) {
			n.in[only].accept(tensor.SoftmaxGrad(dy, n.out.value))
		},
		kL2Normalize: func(n *node, dy *tensor.Tensor) {
			n.in[only].accept(tensor.L2NormalizeGrad(dy, n.out.value, n.saved[savedNorm], normEps))
		},
		kCrossEntropy: func(n *node, dy *tensor.Tensor) {
			a := n.attr.(tensor.CrossEntropyArgs)
			a.Logits = n.in[only].value
			n.in[only].accept(tensor.CrossEntropyGrad(dy, a))
		},
		kCosineLoss: func(n *node, dy *tensor.Tensor) {
			n.in[only].accept(tensor.CosineLossGrad(dy, n.in[only].value, n.attr.(*tensor.Tensor)))
		},
		// y = Σ x along one axis, or Σ x / n
		kSum:  func(n *node, dy *tensor.Tensor) { n.spread(dy, 1) },
		kMean: func(n *node, dy *tensor.Tensor) { n.spread(dy, 1/float32(max(1, n.in[only].Shape()[n.attr.(int)]))) },

		kReshape: func(n *node, dy *tensor.Tensor) { n.pass(n.in[only], dy) },
		kPermute: func(n *node, dy *tensor.Tensor) {
			order := n.attr.([]int)
			inverse := make([]int, len(order))
			for i, a := range order {
				inverse[a] = i
			}
			n.in[only].accept(dy.Permute(inverse...).Clone())
		},
		kSlice: func(n *node, dy *tensor.Tensor) {
			at := n.attr.([2]int)
			x := n.in[only]
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
			d := n.dest(only)
			if !d.Add {
				d.To.Zero()
			}
			tensor.ScatterAddRows(d.To, dy, n.attr.(*tensor.Tensor))
		},
		kPatchify: func(n *node, dy *tensor.Tensor) {
			s := n.in[only].Shape()
			n.in[only].accept(tensor.Unpatchify(dy, n.attr.(int), s[2], s[3]))
		},
		// The input gets the gradient as if the value had not been replaced.
		kStraightThrough: func(n *node, dy *tensor.Tensor) { n.pass(n.in[only], dy) },
		kCheckpoint:      checkpointGrad,
	}
}

// readsOutput reports whether the rule of the node's kind uses the value of its output.
func (n *node) readsOutput() bool {
	switch n.kind {
	case kUnary:
		_, needsY := n.attr.(tensor.UnaryOp).Needs()
		return needsY
	case kAttention, kSoftmax, kL2Normalize:
		return true
	}
	return false
}

// broadcastGrad adds scale·dy, summed over broadcast axes, to the gradient of v.
func (n *node) broadcastGrad(v *Var, dy *tensor.Tensor, scale float32) {
	if !v.needs {
		return
	}
	if scale == 1 && v.Shape().Equal(dy.Shape()) && v == n.in[left] && n.in[left] != n.in[right] {
		n.pass(v, dy)
		return
	}
	g := tensor.Affine(dy, scale, 0)
	v.accept(tensor.SumTo(g, v.Shape()))
	g.Release()
}

// acceptSummed is accept for a gradient of the broadcast shape. The gradient is computed only when v needs it.
func (v *Var) acceptSummed(product func() *tensor.Tensor) {
	if !v.needs {
		return
	}
	g := product()
	v.accept(tensor.SumTo(g, v.Shape()))
	g.Release()
}

// acceptMatMul adds the matmul a·b, summed over broadcast leading axes, to the gradient of input i.
func (n *node) acceptMatMul(i int, a, b *tensor.Tensor, p tensor.Precision) {
	v := n.in[i]
	if !v.needs {
		return
	}
	shape := tensor.MatMulShape(a, b)
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

// spread is the rule of Sum and Mean: it repeats dy·scale along the axis that the forward reduction removed.
func (n *node) spread(dy *tensor.Tensor, scale float32) {
	x, axis := n.in[only], n.attr.(int)
	wide := dy.Reshape(slices.Insert(slices.Clone(dy.Shape()), axis, 1)...).Expand(x.Shape()...)
	g := wide.Clone()
	if scale != 1 {
		s := tensor.Affine(g, scale, 0)
		g.Release()
		g = s
	}
	x.accept(g)
}
