package opcase

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/gobeit/gobeit/tensor"
)

// Check compares the case's results on dev with its reference, and its gradients with central differences of the reference.
func Check(dev *tensor.Device, c Case) error { return Prepare(c).Check(dev) }

// Prepared is a case with its numbers. What Check needs of the reference is worked out once, for any number of devices.
type Prepared struct {
	Case
	in     [][]float64
	once   sync.Once
	out    [][]float64
	probes [][]probe // by input
}

// Prepare makes the case's inputs.
func Prepare(c Case) *Prepared {
	p := &Prepared{Case: c}
	r := c.rand(inputs)
	for _, in := range c.Inputs {
		p.in = append(p.in, in.values(r))
	}
	return p
}

// Streams of random numbers of a case.
const (
	inputs = iota
	upstream
	probing
)

func (c Case) rand(stream uint64) *tensor.Rand {
	return tensor.NewRand(1, tensor.HashString(c.Name), stream)
}

// upstream is dy, the gradient of a loss with respect to out[0] of n elements.
func (c Case) upstream(n int) []float64 { return f(n).values(c.rand(upstream)) }

// Upload makes the inputs, offset elements from where their memory starts.
func (p *Prepared) Upload(dev *tensor.Device, offset int) []*tensor.Tensor {
	in := make([]*tensor.Tensor, len(p.in))
	for i, values := range p.in {
		in[i] = upload(dev, p.Inputs[i], values, offset)
	}
	return in
}

// Run uploads the inputs and returns the outputs and the gradients (nil without Backward).
func (p *Prepared) Run(dev *tensor.Device, offset int) (out, grads []*tensor.Tensor) {
	in := p.Upload(dev, offset)
	out = p.Forward(dev, in)
	if p.Backward != nil {
		dy := upload(dev, Input{Shape: out[0].Shape()}, p.upstream(out[0].Size()), offset)
		grads = p.Backward(dev, in, out, dy)
	}
	return out, grads
}

// Check runs the case on dev, once with inputs that start where the pool puts them and once with inputs that start
// at an odd place, and compares.
func (p *Prepared) Check(dev *tensor.Device) error {
	p.once.Do(func() {
		p.out = p.Reference(p.in)
		if p.Backward != nil {
			p.differentiate()
		}
	})
	for _, offset := range []int{0, 3} {
		if err := p.check(dev, offset); err != nil {
			return fmt.Errorf("%s on %s, inputs at offset %d: %w", p.Name, dev.Name(), offset, err)
		}
	}
	return nil
}

func (p *Prepared) check(dev *tensor.Device, offset int) error {
	out, grads := p.Run(dev, offset)
	for i, want := range p.out {
		if err := compare(numbers(out[i]), want, p.Tolerance); err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
	}
	for i, g := range grads {
		if g == nil {
			continue
		}
		got := numbers(g)
		if len(got) != len(p.in[i]) {
			return fmt.Errorf("gradient of input %d has shape %v, the input %v", i, g.Shape(), p.Inputs[i].Shape)
		}
		for _, probe := range p.probes[i] {
			if err := probe.check(got, 4*p.Tolerance); err != nil {
				return fmt.Errorf("gradient of input %d: %w", i, err)
			}
		}
	}
	return nil
}

// differentiate takes central differences of the reference: in one dense direction of each input, and at up to 40 elements,
// fewer where the reference is slow.
func (p *Prepared) differentiate() {
	r, dy := p.rand(probing), p.upstream(len(p.out[0]))
	elements := int(max(2, min(40, 1e7/(p.FLOPs+1))))
	for i, in := range p.Inputs {
		var probes []probe
		if n := len(p.in[i]); n > 0 && in.DType == tensor.Float32 {
			probes = append(probes, probe{index: -1, direction: f(n).values(r)})
			for range min(elements, n) {
				probes = append(probes, probe{index: r.IntN(n)})
			}
		}
		for k := range probes {
			probes[k].want = p.derivative(i, probes[k], dy)
		}
		p.probes = append(p.probes, probes)
	}
}

func (p *Prepared) derivative(input int, probe probe, dy []float64) float64 {
	const h = 1e-4
	in := slices.Clone(p.in)
	at := func(h float64) float64 {
		moved := slices.Clone(p.in[input])
		if probe.index >= 0 {
			moved[probe.index] += h
		}
		for i, d := range probe.direction {
			moved[i] += h * d
		}
		in[input] = moved
		loss := 0.0
		for i, y := range p.Reference(in)[0] {
			loss += dy[i] * y
		}
		return loss
	}
	return (at(h) - at(-h)) / (2 * h)
}

// probe is one derivative of the loss Σ dy·out[0] in a direction of an input's space.
type probe struct {
	index     int       // of the only element that moves; -1: all move
	direction []float64 // how they move, when index is -1
	want      float64
}

// upload makes a contiguous tensor of an input, a view when offset is not 0.
func upload(dev *tensor.Device, in Input, values []float64, offset int) *tensor.Tensor {
	n := len(values)
	t := tensor.NewOf(dev, in.DType, offset+n)
	if in.DType == tensor.Int32 {
		v := make([]int32, offset+n)
		for i, x := range values {
			v[offset+i] = int32(x)
		}
		t.UploadInts(v)
	} else {
		v := make([]float32, offset+n)
		for i, x := range values {
			v[offset+i] = float32(x)
		}
		t.Upload(v)
	}
	return t.Slice(0, offset, offset+n).Reshape(in.Shape...)
}

// numbers reads any tensor.
func numbers(t *tensor.Tensor) []float64 {
	if t.DType() == tensor.Int32 {
		return float64s(t.Ints())
	}
	return float64s(t.Float32s())
}

func float64s[T int32 | float32](x []T) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func compare(got, want []float64, tolerance float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d elements, want %d", len(got), len(want))
	}
	scale := rms(want)
	for i, w := range want {
		g := got[i]
		if g == w || math.IsNaN(g) && math.IsNaN(w) {
			continue
		}
		if bound := tolerance * (math.Abs(w) + scale); !(math.Abs(g-w) <= bound) || math.IsInf(w, 0) {
			return fmt.Errorf("element %d is %g, want %g within %.2g", i, g, w, bound)
		}
	}
	return nil
}

// check compares the derivative of a gradient in the probe's direction. Rounding adds up like a random walk over the elements that move.
func (p probe) check(gradient []float64, tolerance float64) error {
	got, scale, what := 0.0, rms(gradient), fmt.Sprintf("element %d", p.index)
	if p.index >= 0 {
		got = gradient[p.index]
	} else {
		what = "the derivative in a dense direction"
		scale *= math.Sqrt(float64(len(gradient)))
		for i, d := range p.direction {
			got += gradient[i] * d
		}
	}
	const noise = 1e-8 // of the central differences
	if bound := tolerance*(math.Abs(p.want)+scale) + noise; !(math.Abs(got-p.want) <= bound) {
		return fmt.Errorf("%s is %g, want %g within %.2g", what, got, p.want, bound)
	}
	return nil
}

// rms is the root mean square of the finite elements.
func rms(x []float64) float64 {
	sum, n := 0.0, 0
	for _, v := range x {
		if !math.IsInf(v, 0) && !math.IsNaN(v) {
			sum += v * v
			n++
		}
	}
	return math.Sqrt(sum / float64(max(n, 1)))
}
