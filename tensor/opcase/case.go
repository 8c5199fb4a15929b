package opcase

import "github.com/gobeit/gobeit/tensor"

// Case is one use of an operation.
type Case struct {
	// Name is the operation and what distinguishes the case: "Linear/m=3/k=17/n=5/gelu". Names are unique.
	Name   string
	Inputs []Input
	// Forward runs the operation. The first output is the result; others are what it keeps for its gradient. It leaves in as it is.
	Forward func(dev *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor
	// Reference computes the same outputs with plain loops.
	Reference func(in [][]float64) [][]float64
	// Backward returns the gradient of Σ dy·out[0] with respect to each input, nil for an input that has none.
	// It is nil when the operation has no gradient of its own.
	Backward func(dev *tensor.Device, in, out []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor
	// Tolerance bounds |got − want| by Tolerance·(|want| + root mean square of the wanted output). 0 asks for equality.
	Tolerance float64
	// FLOPs is about how many floating-point operations Forward takes; 0 when it moves data only.
	FLOPs float64
}

// Input describes one input of a case.
type Input struct {
	Shape []int
	DType tensor.DType // Float32 or Int32
	Gen   Gen
}

// Gen yields element i of an input.
type Gen func(r *tensor.Rand, i int) float64

func uniform(lo, hi float64) Gen {
	return func(r *tensor.Rand, _ int) float64 { return r.Uniform(lo, hi) }
}

func oneOf(values ...float64) Gen {
	return func(r *tensor.Rand, _ int) float64 { return values[r.IntN(len(values))] }
}

// f is a Float32 input of numbers in [-1, 1).
func f(shape ...int) Input { return Input{Shape: shape, Gen: uniform(-1, 1)} }

// in is a Float32 input from a generator.
func in(g Gen, shape ...int) Input { return Input{Shape: shape, Gen: g} }

// ints is an Int32 input of integers in [lo, hi).
func ints(lo, hi int, shape ...int) Input {
	return Input{Shape: shape, DType: tensor.Int32, Gen: func(r *tensor.Rand, _ int) float64 { return float64(lo + r.IntN(hi-lo)) }}
}

// values are the numbers of the input, as the device will hold them.
func (in Input) values(r *tensor.Rand) []float64 {
	v := make([]float64, tensor.Shape(in.Shape).Size())
	for i := range v {
		v[i] = float64(float32(in.Gen(r, i)))
	}
	return v
}

// families make the cases of the files of this package.
var families []func() []Case

// family adds the cases that a file has. Its result means nothing.
func family(cases func() []Case) struct{} {
	families = append(families, cases)
	return struct{}{}
}

// Cases returns the whole table, family after family in the order of their files.
func Cases() (all []Case) {
	for _, cases := range families {
		all = append(all, cases()...)
	}
	return all
}

// sizes are those at which kernels tend to break: none, one, odd, just off a vector or a tile, more than one task.
var sizes = []int{0, 1, 3, 17, 65, 197, 33001}

// one wraps a single result.
func one[T any](x T) []T { return []T{x} }

// gradient makes a destination: a new tensor, or with add one that holds prior already. taken subtracts that again.
func gradient(dev *tensor.Device, add bool, shape []int) tensor.Grad {
	if add {
		return tensor.Grad{To: tensor.Full(dev, prior, shape...), Add: true}
	}
	return tensor.Grad{To: tensor.New(dev, shape...)}
}

const prior = 0.25

func taken(g tensor.Grad) *tensor.Tensor {
	if g.Add {
		return tensor.Affine(g.To, 1, -prior)
	}
	return g.To
}
