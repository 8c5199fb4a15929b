package nn_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// newNet declares a network that maps points [M, 2] to the scores of two classes.
func newNet(s nn.Scope) nn.Sequential {
	return nn.Sequential{
		nn.NewLinear(s.Index(0), 2, 32, nn.LibraryDefault).Module(),
		nn.ReLU{},
		nn.NewLinear(s.Index(2), 32, 2, nn.LibraryDefault).Module(),
	}
}

// Example_network writes, trains, saves and loads a small network. README.md of this folder shows it.
func Example_network() {
	dev := tensor.CPU()
	r := tensor.NewRand(1)
	var points []float32
	var classes []int32
	for range 500 { // class 1: both coordinates have the same sign
		a, b := r.Uniform(-1, 1), r.Uniform(-1, 1)
		class := int32(0)
		if a*b > 0 {
			class = 1
		}
		points, classes = append(points, float32(a), float32(b)), append(classes, class)
	}
	x, y := tensor.FromSlice(dev, points, 500, 2), tensor.FromInts(dev, classes, 500)

	set := nn.NewSet() // of parameters
	net := newNet(set.Scope())
	set.Build(dev, 1, nn.Training)
	opt := optim.NewAdam(set, optim.DefaultAdam())

	tape := autograd.NewTape(dev) // owns what a step makes
	for step := range 401 {
		set.ZeroGrad()
		scores := net.Forward(nn.Context{Tape: tape, Train: true}, tape.Constant(x))
		loss := autograd.CrossEntropy(scores, y, 0)
		tape.Backward(loss)
		opt.Step(0.01)
		if step%100 == 0 {
			fmt.Printf("step %d: loss %.2f\n", step, loss.Value().Item())
		}
		tape.Reset() // returns the memory of the step
	}

	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "net.safetensors")
	if err := set.Save(path); err != nil {
		log.Fatal(err)
	}
	again := nn.NewSet()
	net = newNet(again.Scope())
	again.Build(dev, 1, nn.Inference)
	if err := again.Load(path); err != nil {
		log.Fatal(err)
	}
	for _, p := range again.Params() {
		fmt.Println(p.Name, p.Shape)
	}
	corner := tape.Constant(tensor.FromSlice(dev, []float32{0.5, 0.5, 0.5, -0.5}, 2, 2))
	scores := tape.Scope(func() *autograd.Var { return net.Forward(nn.Context{Tape: tape}, corner) })
	fmt.Println(tensor.ArgMax(scores.Value()))
	// Output:
	// step 0: loss 0.74
	// step 100: loss 0.11
	// step 200: loss 0.06
	// step 300: loss 0.04
	// step 400: loss 0.03
	// 0.weight [32 2]
	// 0.bias [32]
	// 2.weight [2 32]
	// 2.bias [2]
	// [1 0]
}
