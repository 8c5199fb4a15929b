package oracletest

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// notBuilt has the prefixes of the cases of operations that the engine does not have. Only segmentation needs them.
var notBuilt = []string{"conv_bn_relu_", "poly_lr"}

// opRunners has the checks of ops.safetensors by prefix of the case; the longest prefix counts. The rest of the name, and the meaning in
// the manifest, give the settings.
var opRunners = map[string]func(c *opCase){
	"linear":               func(c *opCase) { c.check(autograd.Linear(c.in("x"), c.in("w"), c.in("b"), autograd.LinearOptions{})) },
	"layernorm":            (*opCase).layerNorm,
	"gelu":                 func(c *opCase) { c.check(autograd.GELU(c.in("x"))) },
	"tanh":                 func(c *opCase) { c.check(autograd.Tanh(c.in("x"))) },
	"quickgelu":            func(c *opCase) { c.check(autograd.Unary(tensor.UnaryQuickGELU, c.in("x"))) },
	"relu":                 func(c *opCase) { c.check(autograd.Unary(tensor.UnaryReLU, c.in("x"))) },
	"softmax":              func(c *opCase) { c.check(autograd.Softmax(c.in("x"))) },
	"l2_normalize":         func(c *opCase) { c.check(autograd.L2Normalize(c.in("x"))) },
	"cross_entropy":        (*opCase).crossEntropy,
	"cosine_loss":          func(c *opCase) { c.check(autograd.CosineLoss(c.in("rec"), c.in("target").Value())) },
	"mse_loss":             func(c *opCase) { c.check(autograd.MeanSquare(c.in("x"), c.in("target"))) },
	"embedding":            func(c *opCase) { c.check(autograd.GatherRows(c.in("w"), c.index("index"))) },
	"matmul_":              (*opCase).matMul,
	"attention":            (*opCase).attention,
	"conv":                 (*opCase).conv,
	"conv_patch_embed":     func(c *opCase) { c.patchEmbed(); c.again().conv() },
	"conv1x1":              func(c *opCase) { c.patchEmbed(); c.again().conv() },
	"conv_transpose_":      (*opCase).convTranspose,
	"bicubic_":             (*opCase).bicubic,
	"bilinear_":            (*opCase).bilinear,
	"maxpool_":             (*opCase).maxPool,
	"adaptive_avg_pool_":   (*opCase).adaptiveAvgPool,
	"batchnorm2d_":         (*opCase).batchNorm,
	"dropout2d_given":      (*opCase).dropChannels,
	"pixel_cross_entropy_": (*opCase).pixelCrossEntropy,
	"drop_path":            (*opCase).dropPath,
	"adamw":                (*opCase).adamW,
	"sgd":                  (*opCase).sgd,
	"clip_":                (*opCase).clip,
}

func runOps(t *testing.T, f *file, dev *tensor.Device) {
	for _, op := range f.variants() {
		t.Run(op, func(t *testing.T) {
			fits := func(prefix string) bool { return strings.HasPrefix(op, prefix) }
			if slices.ContainsFunc(notBuilt, fits) {
				t.Skip("the engine does not have this operation yet")
			}
			best := ""
			for prefix := range opRunners {
				if fits(prefix) && len(prefix) > len(best) {
					best = prefix
				}
			}
			if best == "" {
				f.set.Unknown(t, "%s: no check for an operation of this name", op)
			}
			c := &opCase{file: f, t: t, op: op, tape: autograd.NewTape(dev), inputs: map[string]*autograd.Var{}}
			defer c.tape.Reset()
			opRunners[best](c)
			f.complete(t, op+"/")
		})
	}
}

// opCase is one operation with its inputs.
type opCase struct {
	*file
	t      *testing.T
	op     string
	tape   *autograd.Tape
	inputs map[string]*autograd.Var
}

// in returns a float input, or nil if the case has none of that name.
func (c *opCase) in(name string) *autograd.Var {
	if !c.has(c.op + "/in/" + name) {
		return nil
	}
	if c.inputs[name] == nil {
		c.inputs[name] = c.tape.Leaf(c.tensor(c.t, c.tape.Device(), c.op+"/in/"+name))
	}
	return c.inputs[name]
}

// index returns an integer input.
func (c *opCase) index(name string) *tensor.Tensor {
	v := c.int32s(c.t, c.op+"/in/"+name)
	return tensor.FromInts(c.tape.Device(), v, len(v))
}

// check compares the output y and, if the case has them, the gradients of all inputs.
func (c *opCase) check(y *autograd.Var) {
	c.t.Helper()
	c.equalTensor(c.t, c.op+"/out/y", y.Value())
	if len(c.names(c.op+"/grad/")) == 0 {
		return
	}
	if c.has(c.op + "/in/dy") {
		c.tape.BackwardFrom(y, c.tensor(c.t, c.tape.Device(), c.op+"/in/dy"))
	} else {
		c.tape.Backward(y)
	}
	for _, name := range c.names(c.op + "/grad/d") {
		c.equalTensor(c.t, c.op+"/grad/d"+name, c.inputs[name].Grad())
	}
}

// meaning returns the description of the case in the manifest. It is the same for all tensors of a case except for the last words.
func (c *opCase) meaning() string {
	return c.Tensors[c.op+"/"+c.names(c.op + "/")[0]].Meaning
}

// setting returns the number after a word, as in eps1e-5 or "smoothing 0.1". It looks in the name of the case, then in its meaning.
func (c *opCase) setting(word string, otherwise float64) float64 {
	number := regexp.MustCompile(`(?:^|[^a-zA-Z])` + word + ` ?([0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?)`)
	for _, text := range []string{c.op, c.meaning()} {
		if found := number.FindStringSubmatch(text); found != nil {
			v, err := strconv.ParseFloat(found[1], 64)
			if err != nil {
				c.t.Fatalf("%s: %q: %v", c.op, found[0], err)
			}
			return v
		}
	}
	return otherwise
}

func (c *opCase) layerNorm() {
	c.check(autograd.LayerNorm(c.in("x"), c.in("w"), c.in("b"), float32(c.setting("eps", 1e-6))))
}

func (c *opCase) crossEntropy() {
	if target := c.in("target"); target != nil {
		c.check(autograd.SoftCrossEntropy(c.in("logits"), target.Value()))
		return
	}
	c.check(autograd.CrossEntropy(c.in("logits"), c.index("labels"), float32(c.setting("smooth(?:ing)?", 0))))
}

// swapLast swaps the last two axes.
func swapLast(x *autograd.Var) *autograd.Var {
	n := len(x.Shape())
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	order[n-1], order[n-2] = n-2, n-1
	return autograd.Permute(x, order...)
}

// matMul multiplies two matrices. The two letters N or T in the name say which are transposed.
func (c *opCase) matMul() {
	a, b := c.in("a"), c.in("b")
	parts := strings.Split(c.op, "_")
	i := slices.IndexFunc(parts, regexp.MustCompile("^[NT][NT]$").MatchString)
	if i < 0 {
		c.set.Unknown(c.t, "%s: the name does not tell which matrices are transposed", c.op)
	}
	letters := parts[i]
	if letters[0] == 'T' {
		a = swapLast(a)
	}
	if letters[1] == 'T' {
		b = swapLast(b)
	}
	c.check(autograd.MatMul(a, b))
}

// attention packs q, k and v [B, H, N, D] into one tensor for the fused operation.
func (c *opCase) attention() {
	s := c.in("q").Shape()
	b, heads, n, d := s[0], s[1], s[2], s[3]
	pack := func(name string) *autograd.Var {
		return autograd.Reshape(autograd.Permute(c.in(name), 0, 2, 1, 3), b, n, heads*d)
	}
	y := autograd.Attention(autograd.Concat(2, pack("q"), pack("k"), pack("v")), c.in("bias"), heads, float32(1/math.Sqrt(float64(d))))
	c.check(autograd.Permute(autograd.Reshape(y, b, n, heads, d), 0, 2, 1, 3))
}

// patchEmbed computes a convolution with kernel size equal to stride as a linear layer on patches.
func (c *opCase) patchEmbed() {
	w := c.in("w")
	out, p := w.Shape()[0], w.Shape()[2]
	y := autograd.Linear(autograd.Patchify(c.in("x"), p), autograd.Reshape(w, out, -1), c.in("b"), autograd.LinearOptions{})
	c.check(autograd.Reshape(swapLast(y), c.shape(c.t, c.op+"/out/y")...))
}

// bicubic resizes to the size in the case.
func (c *opCase) bicubic() {
	x, size := c.in("x"), c.ints(c.t, c.op+"/in/size")
	h, w := float64(x.Shape()[2]), float64(x.Shape()[3])
	c.check(nn.ResizeBicubic(nn.Context{Tape: c.tape}, x, size[0], size[1], h/float64(size[0]), w/float64(size[1])))
}

// dropPath scales samples by the factors that belong to the given uniform random numbers.
func (c *opCase) dropPath() {
	rate := 1 - c.setting("keep probability", 0.7)
	var keep []float32
	for _, u := range c.floats(c.t, c.op+"/in/uniform") {
		keep = append(keep, nn.KeepFactor(float64(u), rate))
	}
	c.check(autograd.Mul(c.in("x"), c.tape.Own(tensor.FromSlice(c.tape.Device(), keep, c.shape(c.t, c.op+"/in/uniform")...))))
}

// parameters returns a set of the tensors prefix0, prefix1, … Only the first has weight decay.
func (c *opCase) parameters(prefix string) *nn.Set {
	set := nn.NewSet()
	var names []string
	for _, name := range c.names(c.op + "/in/" + prefix) {
		names = append(names, prefix+name)
		set.Scope().Param(prefix+name, nn.Zeros, c.shape(c.t, c.op+"/in/"+prefix+name)...).NoDecay = name != "0"
	}
	set.Build(c.tape.Device(), 0, nn.Training)
	for _, name := range names {
		set.Lookup(name).Value.Upload(c.floats(c.t, c.op+"/in/"+name))
	}
	return set
}

// optimise makes a step for each learning rate of the case and checks the weights after each.
func (c *opCase) optimise(set *nn.Set, step func(lr float64)) {
	got := map[string][]float32{}
	for i, lr := range c.floats(c.t, c.op+"/in/lr") {
		for _, p := range set.Params() {
			g := c.part(c.t, c.tape.Device(), c.op+"/in/g"+strings.TrimPrefix(p.Name, "w"), i)
			p.Grad.Upload(g.Float32s())
		}
		step(float64(lr))
		for _, p := range set.Params() {
			got[p.Name] = append(got[p.Name], p.Value.Float32s()...)
		}
	}
	for name, values := range got {
		c.equal(c.t, c.op+"/out/"+name+"_each_step", values)
	}
}

// moments compares the state of an optimiser, which has the layout of the set's values.
func (c *opCase) moments(set *nn.Set, name string, flat *tensor.Tensor) {
	for _, p := range set.Params() {
		at := p.Value.Offset()
		c.equal(c.t, c.op+"/out/"+name+"_"+strings.TrimPrefix(p.Name, "w"), flat.Slice(0, at, at+p.Shape.Size()).Float32s())
	}
}

// decay is the weight decay of the optimiser cases.
func (c *opCase) decay() float64 {
	var config struct{ WD float64 }
	c.config(c.t, &config)
	return config.WD
}

func (c *opCase) adamW() {
	cfg := optim.AdamWConfig{Beta1: c.setting(`betas \(`, 0.9), Beta2: c.setting(`betas \([0-9.]+,`, 0.999), Eps: c.setting("eps", 1e-8), Decay: c.decay()}
	set := c.parameters("w")
	opt := optim.NewAdamW(set, cfg)
	c.optimise(set, opt.Step)
	c.moments(set, "exp_avg", opt.M)
	c.moments(set, "exp_avg_sq", opt.V)
}

func (c *opCase) sgd() {
	set := c.parameters("w")
	nesterov := strings.Contains(c.op, "nesterov")
	opt := optim.NewSGD(set, optim.SGDConfig{Momentum: c.setting("momentum", 0.9), Decay: c.decay(), Nesterov: nesterov})
	c.optimise(set, opt.Step)
	c.moments(set, "momentum_buffer", opt.Buffer)
}

// clip checks the global gradient norm and the clipped gradients.
func (c *opCase) clip() {
	set := c.parameters("g")
	state := tensor.GradNorm(set.Values(), c.floats(c.t, c.op+"/in/max_norm")[0]).Float32s()
	c.equal(c.t, c.op+"/out/total_norm", state[:1])
	for _, p := range set.Params() {
		c.equalTensor(c.t, c.op+"/out/"+p.Name, tensor.Affine(p.Value, state[1], 0))
	}
}
