package nn_test

import (
	"math"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// random returns a tensor of numbers in [-1, 1).
func random(stream uint64, shape ...int) *tensor.Tensor {
	r, data := tensor.NewRand(5, stream), make([]float32, tensor.Shape(shape).Size())
	for i := range data {
		data[i] = float32(r.Uniform(-1, 1))
	}
	return tensor.FromSlice(tensor.CPU(), data, shape...)
}

// A causal block gives the tokens that come first what it gives them alone; another one does not.
func TestCausalBlockSeesNoLaterToken(t *testing.T) {
	for _, causal := range []bool{false, true} {
		set := nn.NewSet()
		block := nn.NewBlock(set.Scope(), nn.BlockConfig{Width: 12, Heads: 3, Hidden: 24, Causal: causal, Depth: 1, Init: nn.LibraryDefault})
		set.Build(tensor.CPU(), 1, nn.Inference)
		tape := autograd.NewTape(tensor.CPU())
		defer tape.Reset()
		x := random(3, 2, 7, 12)
		whole := block.Forward(nn.Context{Tape: tape}, tape.Constant(x), nil).Value().Slice(1, 0, 4).Clone().Float32s()
		first := block.Forward(nn.Context{Tape: tape}, tape.Constant(x.Slice(1, 0, 4).Clone()), nil).Value().Float32s()
		far := 0.0
		for i, v := range whole {
			far = max(far, math.Abs(float64(v-first[i])))
		}
		if causal != (far < 1e-5) {
			t.Errorf("causal %v: first tokens move by %g when later ones are there", causal, far)
		}
	}
}

// Cross-attention, by plain loops: keys of their own, values of their own, and hidden keys.
func TestCrossAttention(t *testing.T) {
	const width, context, heads, nq, nk = 6, 5, 2, 3, 4
	set := nn.NewSet()
	a := nn.NewCrossAttention(set.Scope(), width, context, heads, nn.LibraryDefault)
	set.Build(tensor.CPU(), 1, nn.Training)
	x, keys, values := random(1, 1, nq, width), random(2, 1, nk, context), random(3, 1, nk, context)
	seen := []float32{1, 0, 1, 1}
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	got := a.Forward(nn.Context{Tape: tape}, tape.Constant(x), tape.Constant(keys), tape.Constant(values),
		tensor.FromSlice(tensor.CPU(), seen, 1, nk), autograd.LinearOptions{}).Value().Float32s()
	linear := func(l *nn.Linear, x []float32, n int) []float32 {
		w, b, in, out := l.W.Value.Float32s(), l.B.Value.Float32s(), l.W.Shape[1], l.W.Shape[0]
		y := make([]float32, n*out)
		for i := range y {
			y[i] = b[i%out]
			for e := range in {
				y[i] += w[i%out*in+e] * x[i/out*in+e]
			}
		}
		return y
	}
	q, k, v := linear(a.Q, x.Float32s(), nq), linear(a.K, keys.Float32s(), nk), linear(a.V, values.Float32s(), nk)
	mixed := make([]float32, nq*width)
	for i := range mixed {
		row, head := i/width, i%width/(width/heads)
		sum, total := 0.0, 0.0
		for key := range nk {
			score := 0.0
			for e := head * (width / heads); e < (head+1)*(width/heads); e++ {
				score += float64(q[row*width+e]) * float64(k[key*width+e])
			}
			p := float64(seen[key]) * math.Exp(score/math.Sqrt(width/heads))
			sum, total = sum+p*float64(v[key*width+i%width]), total+p
		}
		mixed[i] = float32(sum / total)
	}
	for i, want := range linear(a.Proj, mixed, nq) {
		if math.Abs(float64(got[i]-want)) > 1e-5 {
			t.Errorf("element %d is %g, want %g", i, got[i], want)
		}
	}
}
