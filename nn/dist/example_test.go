package dist_test

import (
	"fmt"
	"sync"

	"github.com/gobeit/gobeit/nn/dist"
)

func ExampleLocal() {
	sums := make([]float32, 2)
	var wait sync.WaitGroup
	for _, g := range dist.Local(2) {
		wait.Go(func() {
			gradient := []float32{float32(g.Rank() + 1)}
			if err := g.AllReduce(gradient); err != nil {
				fmt.Println(err)
			}
			sums[g.Rank()] = gradient[0]
		})
	}
	wait.Wait()
	fmt.Println(sums)
	// Output: [3 3]
}
