package nn_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// blockConfig describes a block with everything that a block may have.
func blockConfig(rate float64) nn.BlockConfig {
	return nn.BlockConfig{
		Width: 12, Heads: 3, Hidden: 20, QKVBias: true, LayerScale: 0.5, Eps: 1e-6, RelPosRows: 2, RelPosCols: 3, DropPath: rate,
		Depth: 1, Init: nn.Normal(0.3, -2, 2),
	}
}

// blocks builds two blocks and an input of b samples of 1 + 2·3 tokens.
func blocks(rate float64, b int) (*nn.Set, nn.Blocks, *tensor.Tensor) {
	set := nn.NewSet()
	var list nn.Blocks
	for i := range 2 {
		c := blockConfig(rate)
		c.Depth, c.Layer = i+1, uint64(i)
		list = append(list, nn.NewBlock(set.Scope().Sub("blocks").Index(i), c))
	}
	dev := tensor.CPU()
	set.Build(dev, 1, nn.Training)
	r := tensor.NewRand(2)
	for _, p := range set.Params() { // nothing may hide behind a zero
		v := p.Value.Float32s()
		for i := range v {
			v[i] += float32(0.1 * r.Norm())
		}
		p.Value.Upload(v)
	}
	x := make([]float32, b*7*12)
	for i := range x {
		x[i] = float32(r.Norm())
	}
	return set, list, tensor.FromSlice(dev, x, b, 7, 12)
}

func TestBlockParameterNames(t *testing.T) {
	set := nn.NewSet()
	nn.NewBlock(set.Scope().Sub("blocks").Index(3), blockConfig(0))
	var got []string
	for _, p := range set.Params() {
		got = append(got, fmt.Sprint(p.Name, " ", p.Shape))
	}
	slices.Sort(got)
	want := []string{
		"blocks.3.attn.proj.bias [12]", "blocks.3.attn.proj.weight [12 12]", "blocks.3.attn.q_bias [12]",
		"blocks.3.attn.qkv.weight [36 12]", "blocks.3.attn.relative_position_bias_table [18 3]", "blocks.3.attn.v_bias [12]",
		"blocks.3.gamma_1 [12]", "blocks.3.gamma_2 [12]", "blocks.3.mlp.fc1.bias [20]", "blocks.3.mlp.fc1.weight [20 12]",
		"blocks.3.mlp.fc2.bias [12]", "blocks.3.mlp.fc2.weight [12 20]", "blocks.3.norm1.bias [12]", "blocks.3.norm1.weight [12]",
		"blocks.3.norm2.bias [12]", "blocks.3.norm2.weight [12]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestBlocksWithoutRecording checks that inference, which frees as it goes, gives the bytes of training.
func TestBlocksWithoutRecording(t *testing.T) {
	_, list, x := blocks(0, 2)
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	ctx := nn.Context{Tape: tape}
	recorded := list.Forward(ctx, tape.Constant(x), nil)
	var quiet *autograd.Var
	tape.NoGrad(func() { quiet = list.Forward(ctx, tape.Constant(x), nil) })
	if diff := cmp.Diff(recorded.Value().Float32s(), quiet.Value().Float32s()); diff != "" {
		t.Error(diff)
	}
}

// TestAttentionWeightsExplainMix checks that the attention shown is the attention used: its rows sum to 1, and with it the values
// give the fused result.
func TestAttentionWeightsExplainMix(t *testing.T) {
	for _, causal := range []bool{false, true} {
		attentionWeightsExplainMix(t, causal)
	}
}

func attentionWeightsExplainMix(t *testing.T, causal bool) {
	_, list, x := blocks(0, 2)
	list[0].Attn.Causal = causal
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	ctx := nn.Context{Tape: tape}
	a := list[0].Attn
	weights := a.Weights(ctx, tape.Constant(x), nil).Value().Float32s() // [2, 3, 7, 7]
	mixed := a.Mix(ctx, tape.Constant(x), nil).Value().Float32s()       // [2, 7, 12]
	w, vb, in := a.QKV.Value.Float32s(), a.VBias.Value.Float32s(), x.Float32s()
	value := func(b, n, j int) float64 { // element j of token n's value
		sum := float64(vb[j])
		for i := range 12 {
			sum += float64(w[(24+j)*12+i]) * float64(in[(b*7+n)*12+i])
		}
		return sum
	}
	for b := range 2 {
		for q := range 7 {
			for j := range 12 {
				row := weights[((b*3+j/4)*7+q)*7:][:7]
				total, want := 0.0, 0.0
				for k, p := range row {
					if causal && k > q && p != 0 {
						t.Fatalf("query %d sees key %d", q, k)
					}
					total += float64(p)
					want += float64(p) * value(b, k, j)
				}
				if math.Abs(total-1) > 1e-5 {
					t.Fatalf("the weights of query %d sum to %g", q, total)
				}
				if got := float64(mixed[(b*7+q)*12+j]); math.Abs(got-want) > 1e-4 {
					t.Fatalf("picture %d query %d element %d: %g, want %g", b, q, j, got, want)
				}
			}
		}
	}
}

// TestKeep checks the factors of stochastic depth: their values and frequency, and what they depend on.
func TestKeep(t *testing.T) {
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	ctx := nn.Context{Tape: tape, Train: true, Seed: 3, Step: 5, Micro: 1}
	const n, rate = 4000, 0.25
	keep := ctx.Keep(2, rate, n).Float32s()
	dropped := 0
	for _, k := range keep {
		switch k {
		case 0:
			dropped++
		case float32(1 / (1 - rate)):
		default:
			t.Fatalf("a factor is %g", k)
		}
	}
	if p := float64(dropped) / n; math.Abs(p-rate) > 5*math.Sqrt(rate*(1-rate)/n) {
		t.Errorf("%.3f of the samples are dropped, want %.3f", p, rate)
	}
	if diff := cmp.Diff(keep[:10], ctx.Keep(2, rate, 10).Float32s()); diff != "" {
		t.Errorf("the factors of a smaller batch differ: %s", diff)
	}
	for name, other := range map[string]*tensor.Tensor{
		"layer": ctx.Keep(3, rate, n),
		"step":  nn.Context{Tape: tape, Train: true, Seed: 3, Step: 6, Micro: 1}.Keep(2, rate, n),
		"micro": nn.Context{Tape: tape, Train: true, Seed: 3, Step: 5, Micro: 2}.Keep(2, rate, n),
		"seed":  nn.Context{Tape: tape, Train: true, Seed: 4, Step: 5, Micro: 1}.Keep(2, rate, n),
	} {
		if slices.Equal(keep, other.Float32s()) {
			t.Errorf("the factors do not depend on the %s", name)
		}
	}
	if ctx.Keep(2, 0, n) != nil || (nn.Context{Tape: tape}).Keep(2, rate, n) != nil {
		t.Error("factors without a rate or without training")
	}
}

// TestDroppedBranches checks that a sample whose branches are all dropped passes the blocks unchanged, and that others do not.
func TestDroppedBranches(t *testing.T) {
	const b, rate = 32, 0.6
	_, list, x := blocks(rate, b)
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	ctx := nn.Context{Tape: tape, Train: true}
	y, in := list.Forward(ctx, tape.Constant(x), nil).Value().Float32s(), x.Float32s()
	kept := make([]bool, b)
	for branch := range uint64(4) {
		for i, k := range ctx.Keep(branch, rate, b).Float32s() {
			kept[i] = kept[i] || k > 0
		}
	}
	if !slices.Contains(kept, false) {
		t.Fatal("the seed drops no sample in every branch")
	}
	const size = 7 * 12
	for i, k := range kept {
		if same := slices.Equal(y[i*size:(i+1)*size], in[i*size:(i+1)*size]); same == k {
			t.Errorf("sample %d: kept %v, unchanged %v", i, k, same)
		}
	}
}

// TestPatchEmbedIsAConvolution compares with the sum of a convolution, one output at a time.
func TestPatchEmbedIsAConvolution(t *testing.T) {
	const c, p, d, h, w = 2, 3, 4, 6, 9
	set := nn.NewSet()
	e := nn.NewPatchEmbed(set.Scope(), c, p, d, nn.LibraryDefault)
	dev := tensor.CPU()
	set.Build(dev, 1, nn.Training)
	r := tensor.NewRand(1)
	img := make([]float32, c*h*w)
	for i := range img {
		img[i] = float32(r.Norm())
	}
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	y := e.Forward(nn.Context{Tape: tape}, tape.Constant(tensor.FromSlice(dev, img, 1, c, h, w)))
	if want := (tensor.Shape{1, 6, d}); !y.Shape().Equal(want) {
		t.Fatalf("shape %v, want %v", y.Shape(), want)
	}
	got, weight, bias := y.Value().Float32s(), e.W.Value.Float32s(), e.B.Value.Float32s()
	for n := range 6 {
		for o := range d {
			want := float64(bias[o])
			for ch := range c {
				for i := range p {
					for j := range p {
						want += float64(weight[((o*c+ch)*p+i)*p+j]) * float64(img[(ch*h+n/3*p+i)*w+n%3*p+j])
					}
				}
			}
			if math.Abs(float64(got[n*d+o])-want) > 1e-5 {
				t.Fatalf("patch %d output %d: %g, want %g", n, o, got[n*d+o], want)
			}
		}
	}
}

func ExampleLinear() {
	dev := tensor.CPU()
	set := nn.NewSet()
	head := nn.NewLinear(set.Scope().Sub("head"), 3, 2, nn.Normal(0.02, -2, 2))
	set.Build(dev, 1, nn.Inference)
	set.Lookup("head.weight").Value.Upload([]float32{1, 0, 0, 0, 1, 1})

	tape := autograd.NewTape(dev)
	x := tape.Constant(tensor.FromSlice(dev, []float32{1, 2, 3}, 1, 3))
	y := head.Forward(nn.Context{Tape: tape}, x, autograd.LinearOptions{})
	fmt.Println(y.Value().Float32s(), set.Count(), "parameters")
	// Output: [1 5] 8 parameters
}

func ExampleRelPosIndex() {
	fmt.Println(nn.RelPosRows(1, 2), "rows")
	fmt.Println(nn.RelPosIndex(1, 2)) // class token, left patch, right patch
	// Output:
	// 6 rows
	// [5 3 3 4 1 0 4 2 1]
}
