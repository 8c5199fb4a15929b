package bench_test

import (
	"context"
	"fmt"

	"github.com/gobeit/gobeit/bench"
	"github.com/gobeit/gobeit/tensor"
)

// The speed of the smallest case on this machine.
func ExampleMeasure() {
	r, err := bench.Measure(context.Background(), tensor.CPU(), bench.Suite()[0], 5)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Runs >= 5, r.Median >= r.Best, r.Best > 0)
	// Output: true true true
}
