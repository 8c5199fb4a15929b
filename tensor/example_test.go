package tensor_test

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

func Example() {
	dev := tensor.CPU()
	a := tensor.FromSlice(dev, []float32{1, 2, 3, 4}, 2, 2)
	b := tensor.MatMul(a, a.T()) // shapes are checked here; a mistake panics with both shapes
	fmt.Println(b)
	// Output:
	// [[ 5 11]
	//  [11 25]]
}

func ExampleNearestCode() {
	dev := tensor.CPU()
	codebook := tensor.FromSlice(dev, []float32{1, 0, 0, 1, -1, 0}, 3, 2)
	z := tensor.FromSlice(dev, []float32{0.6, 0.8, -0.8, 0.6}, 2, 2)
	fmt.Println(tensor.NearestCode(z, codebook))
	// Output: [1 2]
}
