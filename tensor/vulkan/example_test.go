package vulkan_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan"
)

// A program that takes the GPU where there is one.
func ExampleOpen() {
	dev, err := vulkan.Open(context.Background(), vulkan.Options{})
	if errors.Is(err, vulkan.ErrUnavailable) {
		dev = tensor.CPU() // err says why
	} else if err != nil {
		fmt.Println(err)
		return
	}
	defer vulkan.Close(dev)
	x := tensor.FromSlice(dev, []float32{1, 2, 3, 4}, 2, 2)
	fmt.Println(tensor.MatMul(x, x).Float32s())
	// Output: [7 10 15 22]
}
