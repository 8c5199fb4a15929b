package bench_test

import (
	"context"
	"fmt"

	"github.com/gobeit/gobeit/bench"
	"github.com/gobeit/gobeit/tensor"
)

// The speed of the first case on this machine.
func ExampleMeasure() {
	r, err := bench.Measure(context.Background(), bench.Suite(tensor.CPU())[0], 5)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Runs >= 5, r.Median >= r.Best, r.Best > 0)
	// Output: true true true
}
