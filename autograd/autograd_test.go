package autograd

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/tensor"
)

// random returns a tensor of numbers between lo and hi.
func random(dev *tensor.Device, stream uint64, lo, hi float64, shape ...int) *tensor.Tensor {
	r := tensor.NewRand(11, stream)
	data := make([]float32, tensor.Shape(shape).Size())
	for i := range data {
		data[i] = float32(r.Uniform(lo, hi))
	}
	return tensor.FromSlice(dev, data, shape...)
}

// TestRules checks every rule by differences.
func TestRules(t *testing.T) {
	dev := tensor.CPU()
	x := func(stream uint64, shape ...int) *tensor.Tensor { return random(dev, stream, -1, 1, shape...) }
	index := tensor.FromInts(dev, []int32{2, 0, 2, 1}, 4)
	labels := tensor.FromInts(dev, []int32{1, -1, 4}, 3)
	soft := tensor.Softmax(x(90, 3, 5))
	keep := tensor.FromSlice(dev, []float32{0, 1.25}, 2)
	kinks := tensor.FromSlice(dev, []float32{-0.9, -0.6, -0.1, 0.2, 0.7}, 5) // apart from where gradients jump
	some := tensor.FromSlice(dev, []float32{0, 1, 0, 1, 1}, 5)
	mean, variance := x(91, 3), random(dev, 92, 0.5, 2, 3)
	distinct := tensor.New(dev, 1, 2, 5, 4) // apart from where a maximum moves
	values := make([]float32, distinct.Size())
	for i := range values {
		values[i] = float32(i*7%40) / 20
	}
	distinct.Upload(values)
	keyMask := tensor.FromSlice(dev, []float32{1, 0, 1, 1, 0, 0, 0, 0, 0, 0}, 2, 5) // of the second sample no key is seen
	parts := random(dev, 92, 0, 1, 3, 4)
	cases := []struct {
		rule *rule
		name string
		in   []*tensor.Tensor
		f    func(in []*Var) *Var
	}{
		{addRule, "same shape", []*tensor.Tensor{x(1, 2, 3), x(2, 2, 3)}, func(in []*Var) *Var { return Add(in[0], in[1]) }},
		{addRule, "twice the same", []*tensor.Tensor{x(1, 2, 3)}, func(in []*Var) *Var { return Add(in[0], in[0]) }},
		{addRule, "broadcast", []*tensor.Tensor{x(1, 2, 1, 3), x(2, 4, 1)}, func(in []*Var) *Var { return Add(in[0], in[1]) }},
		{subRule, "broadcast", []*tensor.Tensor{x(1, 3), x(2, 2, 3)}, func(in []*Var) *Var { return Sub(in[0], in[1]) }},
		{mulRule, "broadcast", []*tensor.Tensor{x(1, 2, 3), x(2, 2, 1)}, func(in []*Var) *Var { return Mul(in[0], in[1]) }},
		{mulRule, "square", []*tensor.Tensor{x(1, 2, 3)}, func(in []*Var) *Var { return Mul(in[0], in[0]) }},
		{divRule, "broadcast", []*tensor.Tensor{x(1, 2, 3), random(dev, 3, 0.5, 1.5, 2, 1)}, func(in []*Var) *Var { return Div(in[0], in[1]) }},
		{maximumRule, "broadcast", []*tensor.Tensor{x(1, 2, 5), x(2, 5)}, func(in []*Var) *Var { return Maximum(in[0], in[1]) }},
		{minimumRule, "broadcast", []*tensor.Tensor{x(1, 2, 1), x(2, 5)}, func(in []*Var) *Var { return Minimum(in[0], in[1]) }},
		{whereRule, "broadcast", []*tensor.Tensor{x(1, 3, 5), x(2, 1)}, func(in []*Var) *Var { return Where(some, in[0], in[1]) }},
		{powRule, "cube", []*tensor.Tensor{x(1, 7)}, func(in []*Var) *Var { return Pow(in[0], 3) }},
		{powRule, "constant", []*tensor.Tensor{x(1, 7)}, func(in []*Var) *Var { return Pow(in[0], 0) }},
		{powRule, "root", []*tensor.Tensor{random(dev, 3, 0.5, 1.5, 7)}, func(in []*Var) *Var { return Pow(in[0], -0.5) }},
		{clipRule, "", []*tensor.Tensor{kinks}, func(in []*Var) *Var { return Clip(in[0], -0.4, 0.3) }},
		{unaryRule, "abs", []*tensor.Tensor{kinks}, func(in []*Var) *Var { return Abs(in[0]) }},
		{affineRule, "", []*tensor.Tensor{x(1, 5)}, func(in []*Var) *Var { return Affine(in[0], -1.5, 2) }},
		{unaryRule, "gelu", []*tensor.Tensor{x(1, 7)}, func(in []*Var) *Var { return GELU(in[0]) }},
		{unaryRule, "tanh", []*tensor.Tensor{x(1, 7)}, func(in []*Var) *Var { return Tanh(in[0]) }},
		{unaryRule, "exp", []*tensor.Tensor{x(1, 7)}, func(in []*Var) *Var { return Unary(tensor.UnaryExp, in[0]) }},
		{unaryRule, "sigmoid", []*tensor.Tensor{x(1, 7)}, func(in []*Var) *Var { return Unary(tensor.UnarySigmoid, in[0]) }},
		{unaryRule, "quick gelu", []*tensor.Tensor{x(1, 7)}, func(in []*Var) *Var { return Unary(tensor.UnaryQuickGELU, in[0]) }},
		{unaryRule, "log", []*tensor.Tensor{random(dev, 3, 1, 2, 7)}, func(in []*Var) *Var { return Unary(tensor.UnaryLog, in[0]) }},
		{unaryRule, "sqrt", []*tensor.Tensor{random(dev, 3, 1, 2, 7)}, func(in []*Var) *Var { return Unary(tensor.UnarySqrt, in[0]) }},
		{unaryRule, "relu", []*tensor.Tensor{random(dev, 3, 0.5, 1, 7)}, func(in []*Var) *Var { return Unary(tensor.UnaryReLU, Affine(in[0], 1, -0.4)) }},
		{matMulRule, "batched", []*tensor.Tensor{x(1, 2, 3, 4), x(2, 2, 4, 5)}, func(in []*Var) *Var { return MatMul(in[0], in[1]) }},
		{matMulRule, "broadcast", []*tensor.Tensor{x(1, 2, 3, 4), x(2, 4, 5)}, func(in []*Var) *Var { return MatMul(in[0], in[1]) }},
		{matMulRule, "vector, matrix", []*tensor.Tensor{x(1, 3), x(2, 2, 3, 4)}, func(in []*Var) *Var { return MatMul(in[0], in[1]) }},
		{matMulRule, "matrix, vector", []*tensor.Tensor{x(1, 2, 3, 4), x(2, 4)}, func(in []*Var) *Var { return MatMul(in[0], in[1]) }},
		{matMulRule, "vectors", []*tensor.Tensor{x(1, 5)}, func(in []*Var) *Var { return MatMul(in[0], in[0]) }},
		{linearRule, "bias", []*tensor.Tensor{x(1, 2, 3, 4), x(2, 5, 4), x(3, 5)},
			func(in []*Var) *Var { return Linear(in[0], in[1], in[2], LinearOptions{}) }},
		{linearRule, "gelu", []*tensor.Tensor{x(1, 3, 4), x(2, 5, 4), x(3, 5)},
			func(in []*Var) *Var { return Linear(in[0], in[1], in[2], LinearOptions{GELU: true}) }},
		{linearRule, "residual, gamma, keep", []*tensor.Tensor{x(1, 2, 3, 4), x(2, 5, 4), x(3, 5), x(4, 2, 3, 5), x(5, 5)},
			func(in []*Var) *Var {
				return Linear(in[0], in[1], in[2], LinearOptions{Residual: in[3], Gamma: in[4], Keep: keep})
			}},
		{linearRule, "residual is the input", []*tensor.Tensor{x(1, 3, 4), x(2, 4, 4)},
			func(in []*Var) *Var { return Linear(in[0], in[1], nil, LinearOptions{Residual: in[0]}) }},
		{attentionRule, "bias", []*tensor.Tensor{x(1, 2, 3, 12), x(2, 2, 3, 3)}, func(in []*Var) *Var { return Attention(in[0], in[1], 2, 0.7) }},
		{attentionRule, "no bias", []*tensor.Tensor{x(1, 2, 3, 12)}, func(in []*Var) *Var { return Attention(in[0], nil, 1, 0.5) }},
		{conv2DRule, "bias, groups", []*tensor.Tensor{x(1, 2, 4, 5, 6), x(2, 6, 2, 3, 2), x(3, 6)}, func(in []*Var) *Var {
			return Conv2D(in[0], in[1], in[2], tensor.ConvOptions{Stride: [2]int{2, 1}, Padding: [2]int{1, 2}, Dilation: [2]int{1, 2}, Groups: 2})
		}},
		{conv2DRule, "kernels are the images", []*tensor.Tensor{x(1, 2, 2, 3, 3)}, func(in []*Var) *Var {
			return Conv2D(in[0], in[0], nil, tensor.ConvOptions{Padding: [2]int{1, 1}})
		}},
		{convTranspose2DRule, "bias", []*tensor.Tensor{x(1, 2, 3, 2, 4), x(2, 3, 2, 2, 2), x(3, 2)}, func(in []*Var) *Var {
			return ConvTranspose2D(in[0], in[1], in[2], tensor.ConvOptions{Stride: [2]int{2, 2}})
		}},
		{attentionRule, "causal, bias, key mask", []*tensor.Tensor{x(1, 2, 5, 12), x(2, 2, 5, 5)}, func(in []*Var) *Var {
			return SelfAttention(in[0], 2, 0.7, AttentionOptions{Bias: in[1], KeyMask: keyMask, Causal: true})
		}},
		{crossAttentionRule, "bias, key mask", []*tensor.Tensor{x(1, 2, 3, 4), x(2, 2, 5, 8), x(3, 2, 3, 5)}, func(in []*Var) *Var {
			return CrossAttention(in[0], in[1], 2, 0.7, AttentionOptions{Bias: in[2], KeyMask: keyMask})
		}},
		{crossAttentionRule, "of one tensor", []*tensor.Tensor{x(1, 2, 3, 4)}, func(in []*Var) *Var {
			return CrossAttention(in[0], Concat(2, in[0], in[0]), 2, 0.7, AttentionOptions{})
		}},
		{layerNormRule, "", []*tensor.Tensor{x(1, 3, 6), x(2, 6), x(3, 6)}, func(in []*Var) *Var { return LayerNorm(in[0], in[1], in[2], 1e-6) }},
		{softmaxRule, "", []*tensor.Tensor{x(1, 3, 4)}, func(in []*Var) *Var { return Softmax(in[0]) }},
		{logSoftmaxRule, "", []*tensor.Tensor{x(1, 3, 4)}, func(in []*Var) *Var { return LogSoftmax(in[0]) }},
		{topKRule, "", []*tensor.Tensor{kinks.Reshape(1, 5)}, func(in []*Var) *Var {
			rows := Concat(0, in[0], Flip(in[0], 1)) // elements are apart, so none changes places
			values, _ := TopK(Mul(rows, rows), 2)
			return values
		}},
		{cumSumRule, "middle axis", []*tensor.Tensor{x(1, 2, 3, 4)}, func(in []*Var) *Var { return CumSum(Mul(in[0], in[0]), 1) }},
		{padRule, "", []*tensor.Tensor{x(1, 2, 3)}, func(in []*Var) *Var {
			return Mul(Pad(in[0], 0.5, [2]int{1, 0}, [2]int{2, 1}), Pad(in[0], 0.5, [2]int{0, 1}, [2]int{0, 3}))
		}},
		{flipRule, "", []*tensor.Tensor{x(1, 2, 3)}, func(in []*Var) *Var { return Mul(Flip(in[0], 0, -1), in[0]) }},
		{concatRule, "stack", []*tensor.Tensor{x(1, 2, 3), x(2, 2, 3)}, func(in []*Var) *Var { return Mul(Stack(-1, in[0], in[1]), Stack(2, in[1], in[1])) }},
		{l2NormalizeRule, "", []*tensor.Tensor{random(dev, 1, 0.5, 1, 3, 4)}, func(in []*Var) *Var { return L2Normalize(in[0]) }},
		{crossEntropyRule, "labels", []*tensor.Tensor{x(1, 3, 5)}, func(in []*Var) *Var { return CrossEntropy(in[0], labels, 0.1) }},
		{crossEntropyRule, "pixels", []*tensor.Tensor{x(1, 1, 5, 1, 3)}, func(in []*Var) *Var {
			return PixelCrossEntropy(in[0], labels.Reshape(1, 1, 3), false)
		}},
		{crossEntropyRule, "all pixels", []*tensor.Tensor{x(1, 1, 5, 1, 3)}, func(in []*Var) *Var {
			return PixelCrossEntropy(in[0], labels.Reshape(1, 1, 3), true)
		}},
		{crossEntropyRule, "soft", []*tensor.Tensor{x(1, 3, 5)}, func(in []*Var) *Var { return SoftCrossEntropy(in[0], soft) }},
		{cosineLossRule, "", []*tensor.Tensor{random(dev, 1, 0.5, 1, 3, 4)}, func(in []*Var) *Var { return CosineLoss(in[0], x(8, 3, 4)) }},
		{elementLossRule, "bce, mean", []*tensor.Tensor{x(1, 3, 4)}, func(in []*Var) *Var { return BCEWithLogits(in[0], parts, ReductionMean) }},
		{elementLossRule, "bce, none", []*tensor.Tensor{x(1, 3, 4)}, func(in []*Var) *Var { return BCEWithLogits(in[0], parts, ReductionNone) }},
		{elementLossRule, "l1, sum", []*tensor.Tensor{kinks}, func(in []*Var) *Var { return L1Loss(in[0], some, ReductionSum) }},
		{elementLossRule, "huber, mean", []*tensor.Tensor{kinks}, func(in []*Var) *Var { return HuberLoss(in[0], some, 0.5, ReductionMean) }},
		{diceRule, "mean", []*tensor.Tensor{random(dev, 3, 0.1, 0.9, 3, 4)}, func(in []*Var) *Var { return DiceLoss(in[0], parts, 0.1, ReductionMean) }},
		{diceRule, "none", []*tensor.Tensor{random(dev, 3, 0.1, 0.9, 1, 3, 2, 2)}, func(in []*Var) *Var {
			return DiceLoss(in[0], parts.Reshape(1, 3, 2, 2), 1, ReductionNone)
		}},
		{meanRule, "middle axis", []*tensor.Tensor{x(1, 2, 3, 4)}, func(in []*Var) *Var { return Mean(in[0], 1) }},
		{meanRule, "mean square", []*tensor.Tensor{x(1, 2, 3), x(2, 2, 3)}, func(in []*Var) *Var { return MeanSquare(in[0], in[1]) }},
		{sumRule, "last axis", []*tensor.Tensor{x(1, 2, 3)}, func(in []*Var) *Var { return Sum(in[0], -1) }},
		{reshapeRule, "used twice", []*tensor.Tensor{x(1, 2, 3)}, func(in []*Var) *Var {
			return Add(Reshape(in[0], 6), Reshape(Mul(in[0], in[0]), 6))
		}},
		{permuteRule, "", []*tensor.Tensor{x(1, 2, 3, 4)}, func(in []*Var) *Var { return Permute(in[0], 2, 0, 1) }},
		{sliceRule, "", []*tensor.Tensor{x(1, 2, 5, 2)}, func(in []*Var) *Var { return Slice(in[0], 1, 1, 4) }},
		{concatRule, "", []*tensor.Tensor{x(1, 2, 1, 2), x(2, 2, 3, 2)}, func(in []*Var) *Var { return Concat(1, in[0], in[1]) }},
		{gatherRowsRule, "repeats", []*tensor.Tensor{x(1, 3, 2)}, func(in []*Var) *Var {
			return Add(GatherRows(in[0], index), GatherRows(Mul(in[0], in[0]), index))
		}},
		{patchifyRule, "", []*tensor.Tensor{x(1, 1, 2, 4, 6)}, func(in []*Var) *Var { return Patchify(in[0], 2) }},
		{maxPoolRule, "overlapping", []*tensor.Tensor{distinct}, func(in []*Var) *Var {
			return MaxPool(in[0], tensor.SquareWindow(3, 2, 1))
		}},
		{resampleRule, "bilinear", []*tensor.Tensor{x(1, 1, 2, 3, 4)}, func(in []*Var) *Var { return ResizeBilinear(in[0], 5, 6) }},
		{resampleRule, "nearest", []*tensor.Tensor{x(1, 1, 2, 3, 4)}, func(in []*Var) *Var { return ResizeNearest(in[0], 5, 2) }},
		{resampleRule, "adaptive", []*tensor.Tensor{x(1, 1, 2, 5, 4)}, func(in []*Var) *Var { return AdaptiveAvgPool(in[0], 3, 3) }},
		{resampleRule, "windows", []*tensor.Tensor{x(1, 1, 2, 5, 4)}, func(in []*Var) *Var { return AvgPool(in[0], tensor.SquareWindow(3, 1, 1)) }},
		{batchNormRule, "given", []*tensor.Tensor{x(1, 2, 3, 2, 2), x(2, 3), x(3, 3)}, func(in []*Var) *Var {
			return BatchNorm(in[0], in[1], in[2], mean, variance, 1e-5)
		}},
		{batchNormRule, "of the batch", []*tensor.Tensor{x(1, 2, 3, 2, 2), x(2, 3), x(3, 3)}, func(in []*Var) *Var {
			y, _ := BatchNormTrain(in[0], in[1], in[2], 1e-5, nil)
			return y
		}},
		{layerNormRule, "groups", []*tensor.Tensor{x(1, 2, 6, 2, 2), x(2, 6), x(3, 6)}, func(in []*Var) *Var {
			return GroupNorm(in[0], in[1], in[2], 3, 1e-5)
		}},
		{dropoutRule, "", []*tensor.Tensor{x(1, 5, 3)}, func(in []*Var) *Var { return Dropout(in[0], tensor.NewRand(1), 0.4, 1) }},
		{dropoutRule, "channels", []*tensor.Tensor{x(1, 2, 3, 2, 2)}, func(in []*Var) *Var { return Dropout(in[0], tensor.NewRand(1), 0.4, 4) }},
		{straightThroughRule, "identity", []*tensor.Tensor{x(1, 3)}, func(in []*Var) *Var {
			return StraightThrough(in[0], in[0].Value().Clone())
		}},
		{checkpointRule, "", []*tensor.Tensor{x(1, 3, 4), x(2, 4, 4)}, func(in []*Var) *Var {
			return Checkpoint(in[0], func(v *Var) *Var { return Add(v, GELU(Mul(v, v))) })
		}},
		{customRule, "product", []*tensor.Tensor{x(1, 3, 4), x(2, 3, 4)}, func(in []*Var) *Var {
			return Custom(in,
				func(in []*tensor.Tensor) *tensor.Tensor { return tensor.Mul(in[0], in[1]) },
				func(dy *tensor.Tensor, in []*tensor.Tensor, y *tensor.Tensor) []*tensor.Tensor {
					return []*tensor.Tensor{tensor.Mul(dy, in[1]), tensor.Mul(dy, in[0])}
				})
		}},
	}
	dev.SetPoison(true)
	defer dev.SetPoison(false)
	seen := map[*rule]bool{}
	for _, c := range cases {
		t.Run(c.rule.name+"/"+c.name, func(t *testing.T) {
			inputs := c.in
			if c.rule == checkpointRule {
				inputs = inputs[:1]
			}
			if err := CheckGradients(dev, 1e-3, c.f, inputs...); err != nil {
				t.Error(err)
			}
		})
		seen[c.rule] = true
	}
	for _, r := range rules {
		if !seen[r] {
			t.Errorf("the rule of %s is not tested", r.name)
		}
	}
}

func TestCheckGradientsFindsAWrongRule(t *testing.T) {
	dev := tensor.CPU()
	err := CheckGradients(dev, 1e-3, func(in []*Var) *Var {
		return Mul(in[0], StopGradient(in[0])) // the gradient is x, the truth is 2x
	}, random(dev, 1, 0.5, 1, 3))
	if err == nil {
		t.Fatal("a wrong gradient passed")
	}
}

func TestStopGradientAndStraightThrough(t *testing.T) {
	dev := tensor.CPU()
	tape := NewTape(dev)
	defer tape.Reset()
	x := tape.Leaf(tensor.FromSlice(dev, []float32{2, 3}, 2))
	q := StraightThrough(x, tensor.FromSlice(dev, []float32{10, 20}, 2)).Keep()
	y := Sum(Mul(q, Affine(StopGradient(x), 1, 1)), 0).Keep()
	tape.Backward(y)
	if diff := cmp.Diff([]float32{3, 4}, x.Grad().Float32s()); diff != "" {
		t.Errorf("gradient (-want +got):\n%s", diff)
	}
	if got := y.Value().Item(); got != 10*3+20*4 {
		t.Errorf("value %v", got)
	}
}

// mlp is a small network used by the tests of memory.
func mlp(tape *Tape, x *Var, w, dw *tensor.Tensor, checkpoint bool) *Var {
	segment := func(h *Var) *Var {
		n := Linear(h, tape.Param(w, dw), nil, LinearOptions{GELU: true})
		return Linear(n, tape.Param(w, dw), nil, LinearOptions{Residual: h})
	}
	h := x
	for range 4 {
		if checkpoint {
			h = Checkpoint(h, segment)
		} else {
			h = segment(h)
		}
	}
	return Mean(Reshape(Mul(h, h), -1), 0)
}

func TestCheckpointGivesEqualBitsInLessMemory(t *testing.T) {
	dev := tensor.CPULevel("generic") // a pool of its own
	x, w := random(dev, 1, -1, 1, 256, 32), random(dev, 2, -0.2, 0.2, 32, 32)
	var grads [2][]float32
	var held [2]int64
	for i, checkpoint := range []bool{false, true} {
		tape := NewTape(dev)
		dw := tensor.Zeros(dev, 32, 32)
		before := dev.MemStats().InUse
		loss := mlp(tape, tape.Constant(x), w, dw, checkpoint)
		held[i] = dev.MemStats().InUse - before
		tape.Backward(loss)
		grads[i] = dw.Float32s()
		tape.Reset()
		dw.Release()
	}
	if diff := cmp.Diff(grads[0], grads[1]); diff != "" {
		t.Error("gradients differ")
	}
	if held[1]*2 > held[0] {
		t.Errorf("holds %d bytes with checkpoints, %d without", held[1], held[0])
	}
}

// The input of a checkpoint may have other uses, before and after it: contributions to its gradient are added in the order in which they are
// without a checkpoint, so the sum has the same bytes.
func TestCheckpointAddsGradientsInOrder(t *testing.T) {
	dev := tensor.CPULevel("generic") // a pool of its own
	dev.SetPoison(true)
	w, dw := random(dev, 2, -0.2, 0.2, 32, 32), tensor.Zeros(dev, 32, 32)
	norm, dnorm := random(dev, 3, 0.5, 1.5, 32), tensor.Zeros(dev, 32)
	start, up := random(dev, 1, -1, 1, 64, 32), random(dev, 4, -1, 1, 64, 32)
	var grads [2][][]float32
	for i, checkpoint := range []bool{false, true} {
		dw.Zero()
		dnorm.Zero()
		tape := NewTape(dev)
		segment := func(h *Var) *Var {
			n := LayerNorm(h, tape.Param(norm, dnorm), tape.Constant(norm), 1e-6)
			return Linear(n, tape.Param(w, dw), nil, LinearOptions{Residual: h})
		}
		leaf := tape.Leaf(start)
		x := Tanh(leaf)
		early := Affine(x, 0.3, 0)
		var y *Var
		if checkpoint {
			y = Checkpoint(x, segment)
		} else {
			y = segment(x)
		}
		tape.BackwardFrom(Add(Add(y, Affine(x, 0.7, 0)), early), up.Clone())
		grads[i] = [][]float32{leaf.Grad().Float32s(), dw.Float32s(), dnorm.Float32s()}
		tape.Reset()
	}
	if diff := cmp.Diff(grads[0], grads[1]); diff != "" {
		t.Error("gradients differ")
	}
}

func TestStepsLeaveNothingBehind(t *testing.T) {
	dev := tensor.CPULevel("generic") // a pool of its own
	dev.SetPoison(true)
	x, w, dw := random(dev, 1, -1, 1, 64, 32), random(dev, 2, -0.2, 0.2, 32, 32), tensor.Zeros(dev, 32, 32)
	tape := NewTape(dev)
	var after [10]tensor.MemStats
	for i := range after {
		loss := mlp(tape, tape.Constant(x), w, dw, false)
		tape.Backward(loss)
		if v := loss.Value().Item(); math.IsNaN(float64(v)) {
			t.Fatal("the loss was freed in Backward")
		}
		tape.Reset()
		after[i] = dev.MemStats()
	}
	if after[9].InUse != after[0].InUse || after[9].Held != after[2].Held {
		t.Errorf("memory grows: after step 0 %+v, 2 %+v, 9 %+v", after[0], after[2], after[9])
	}
}

// Vectors of zeros are shared until Reset, which releases them, also those that a Scope asked for.
func TestZerosAreSharedUntilReset(t *testing.T) {
	dev := tensor.NewPlanner()
	tape := NewTape(dev)
	var inside *Var
	tape.Scope(func() *Var { inside = tape.Zeros(100); return nil })
	if tape.Zeros(100) != inside || tape.Zeros(101) == inside {
		t.Error("equal sizes do not share a vector, or others do")
	}
	tape.Reset()
	if got := dev.MemStats().InUse; got != 0 {
		t.Errorf("%d bytes after Reset", got)
	}
	if tape.Zeros(100) == inside {
		t.Error("a released vector is used again")
	}
}

func TestScopeKeepsOnlyItsResult(t *testing.T) {
	dev := tensor.CPULevel("generic") // a pool of its own
	tape := NewTape(dev)
	before := dev.MemStats().InUse
	x := tape.Constant(random(dev, 1, -1, 1, 64, 64))
	y := tape.Scope(func() *Var { return Reshape(GELU(GELU(x)), -1) })
	if y.NeedsGrad() || len(y.Value().Float32s()) != 64*64 {
		t.Error("the result is wrong")
	}
	if got := dev.MemStats().InUse - before; got > 2*64*64*4 {
		t.Errorf("%d bytes stay in use", got)
	}
	tape.Reset()
}

func TestUseAfterResetPanicsNamingTheOp(t *testing.T) {
	dev := tensor.CPU()
	tape := NewTape(dev)
	y := Tanh(tape.Constant(random(dev, 1, -1, 1, 3)))
	value := y.Value()
	tape.Reset()
	defer func() {
		err, ok := recover().(*tensor.Error)
		if !ok || err.Error() != "tensor: Float32s: a tensor [3] made by Tanh is used after its release" {
			t.Errorf("recovered %v", err)
		}
	}()
	value.Float32s()
}
