//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/opcase"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

// Pipeline is a shader and its specialization constants.
type Pipeline struct {
	Shader string
	Spec   []uint32
}

// Asked lists the pipelines that a device has been asked for.
func Asked(dev *tensor.Device) []Pipeline {
	b := dev.Backend().(*backend)
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []Pipeline
	for key := range b.pipes.built {
		all = append(all, Pipeline{key.shader.Name, key.spec[:key.n]})
	}
	return all
}

// AskForAll makes a device of OpenTrace build every pipeline that operations have a use for: those of the cases that operations are tested by, and
// what these leave out because it depends on sizes or takes many options.
func AskForAll(dev *tensor.Device) {
	for _, c := range opcase.Cases() {
		opcase.Prepare(c).Run(dev, 0)
	}
	for _, side := range []int{32, 512, 1024} { // which lead to tiles of 32, 64 and 128
		for _, p := range []tensor.Precision{tensor.Highest, tensor.Medium} {
			askForMatMuls(dev, side, p)
			askForLinears(dev, side, p)
		}
	}
	askForKept(dev)
	for _, head := range []int{32, 64, 80} { // columns of a head, as configurations have them
		askForAttention(dev, head)
	}
	for _, op := range []tensor.ReduceOp{tensor.ReduceSum, tensor.ReduceMax} { // of many columns
		tensor.Reduce(op, tensor.New(dev, 200, 4000), 0)
	}
	small := tensor.Cast(tensor.New(dev, 4, 4), tensor.BFloat16)
	tensor.CopyInto(tensor.Cast(tensor.New(dev, 4, 4), tensor.BFloat16), small.T())
}

// flags calls f with all values of n flags.
func flags(n int, f func(on []bool)) {
	for k := range 1 << n {
		on := make([]bool, n)
		for i := range on {
			on[i] = k>>i&1 == 1
		}
		f(on)
	}
}

// askForMatMuls asks for products of all layouts.
func askForMatMuls(dev *tensor.Device, side int, p tensor.Precision) {
	dst, x := tensor.New(dev, side, side), tensor.New(dev, side, side)
	flags(3, func(on []bool) {
		a, b := x, x
		if on[0] {
			a = x.T()
		}
		if on[1] {
			b = x.T()
		}
		tensor.MatMulInto(dst, a, b, on[2], p)
	})
}

// askForLinears asks for all that Linear does to a product.
func askForLinears(dev *tensor.Device, side int, p tensor.Precision) {
	x, v := tensor.New(dev, side, side), tensor.New(dev, side)
	use := func(on bool, t *tensor.Tensor) *tensor.Tensor {
		if on {
			return t
		}
		return nil
	}
	flags(3, func(on []bool) {
		a := tensor.LinearArgs{X: x, W: x, Bias: use(on[0], v), Precision: p}
		tensor.Linear(a)
		a.GELU = true
		tensor.Linear(a)
		a.GELU = false
		a.Residual, a.Gamma, a.Keep = x, use(on[1], v), use(on[2], v)
		tensor.Linear(a)
	})
}

// askForKept asks for GELU and its gradient where its input was kept in BFloat16.
func askForKept(dev *tensor.Device) {
	x, pre, dBias := tensor.New(dev, 8, 8), tensor.NewOf(dev, tensor.BFloat16, 8, 8), tensor.New(dev, 8)
	tensor.LinearGrad(tensor.LinearGradArgs{DX: tensor.Grad{To: tensor.GELU(pre)}, DBias: tensor.Grad{To: dBias}, DY: x, X: x, W: x, Pre: pre})
}

// askForAttention asks for all kinds of attention and its gradient; but for heads of 64 columns, only with a bias and without.
func askForAttention(dev *tensor.Device, head int) {
	const rows = 40
	qkv, out, lse := tensor.New(dev, 1, rows, 3*head), tensor.New(dev, 1, rows, head), tensor.New(dev, 1, 1, rows)
	kept := tensor.NewOf(dev, tensor.BFloat16, 1, rows, 3*head)
	dQKV, dBias := tensor.New(dev, 1, rows, 3*head), tensor.New(dev, 1, rows, rows)
	flags(4, func(on []bool) {
		if head != 64 && (on[0] || on[1] || on[2]) {
			return
		}
		a := tensor.AttentionArgs{QKV: qkv, Out: out, LSE: lse, Heads: 1, Scale: 1, Causal: on[0]}
		g := tensor.AttentionGradArgs{DQKV: tensor.Grad{To: dQKV, Add: on[1]}, DOut: out, Out: out, LSE: lse, QKV: qkv, Heads: 1, Scale: 1, Causal: on[0]}
		if on[2] {
			a.KeyMask = tensor.New(dev, 1, rows)
			g.KeyMask = a.KeyMask
		}
		if on[3] {
			a.Bias = tensor.New(dev, 1, rows, rows)
			g.Bias, g.DBias = a.Bias, tensor.Grad{To: dBias, Add: on[1]}
		}
		tensor.Attention(a)
		tensor.AttentionGrad(g)
		if !on[0] && !on[2] {
			g.QKV = kept
			tensor.AttentionGrad(g)
		}
	})
}

// Compile compiles pipelines by the driver's compiler, calls each with its numbers and its assembly of each, and returns the driver's name. Nothing else
// of the device is used, so the driver may be one without a GPU.
func Compile(pipelines []Pipeline, each func(p Pipeline, statistics map[string]uint64, assembly string)) (driver string, err error) {
	i, err := getInstance("compile", false)
	if err != nil {
		return "", err
	}
	p, err := i.choose(Options{Device: "0"})
	if err != nil {
		return "", err
	}
	p.caps.Statistics = true
	b := &backend{physical: p}
	var code int
	if b.calls, code = i.NewDevice(b.handle, b.family, b.physical.caps); code != 0 {
		return "", fault("open", b.info.Name, code)
	}
	if err := b.sets.open(b); err != nil {
		return "", err
	}
	if err := b.pipes.open(b); err != nil {
		return "", err
	}
	named := map[string]*shaders.Shader{}
	for _, s := range shaders.All() {
		named[s.Name] = s
	}
	for _, one := range pipelines {
		_, pipeline, code := b.pipes.get(b, named[one.Shader], one.Spec)
		if code != 0 {
			return "", fault(one.String(), b.info.Name, code)
		}
		each(one, b.calls.Statistics(pipeline), b.calls.Assembly(pipeline))
	}
	return p.info.Driver, nil
}

// String is the shader's name and the constants, which PipelineOf reads.
func (p Pipeline) String() string { return pipelineName(p.Shader, p.Spec) }

// PipelineOf is the inverse of String.
func PipelineOf(name string) Pipeline {
	words := strings.Fields(name)
	p := Pipeline{Shader: words[0]}
	for _, word := range words[1:] {
		c, err := strconv.ParseUint(word, 10, 32)
		if err != nil {
			panic(err)
		}
		p.Spec = append(p.Spec, uint32(c))
	}
	return p
}

// OnMatrices is what takes the place of a product at float16 on a device that multiplies on cooperative matrices of side x side x side with subgroups of so
// many lanes; it is false without lanes, for other pipelines, and where the matrices do not fit the tile.
func OnMatrices(p Pipeline, side, subgroup int) (Pipeline, bool) {
	if subgroup == 0 {
		return Pipeline{}, false
	}
	c := caps{shared: 64 << 10, threads: 1024, matrices: []vk.Shape{{M: u(side), N: u(side), K: u(side)}}}
	half, coop := c.float16s(), c.coopmats(subgroup)
	var s *shaders.Shader
	switch p.Shader {
	case half.plain.Name:
		s = coop.plain
	case half.followed.Name:
		s = coop.followed
	}
	if s == nil {
		return Pipeline{}, false
	}
	for _, t := range coop.tiles {
		if ours := coop.spec(t); t.m == int(p.Spec[1]) && t.n == int(p.Spec[2]) {
			return Pipeline{s.Name, append(ours, p.Spec[len(ours):]...)}, true
		}
	}
	return Pipeline{}, false
}
