package probe_test

import (
	"context"
	"fmt"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/tensor"
)

// k-NN on raw pixels, average-pooled to 8 x 8, of synthetic images in ten classes. For a model use probe.Backbone.
func Example() {
	ctx, dev := context.Background(), tensor.CPU()
	var both []probe.Features // of training and validation images
	for i, n := range []int{400, 100} {
		images := data.Procedural(n, 16, uint64(i))
		f, err := probe.Extract(ctx, dev, images, probe.Pipeline(16), nil, probe.Pixels(16, 8, probe.PoolGrid))
		if err != nil {
			fmt.Println(err)
			return
		}
		both = append(both, f[0])
	}
	score, err := probe.KNN(ctx, dev, both[0], both[1], 20, 0.07)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(both[0].Name, both[0].Dim, score.Top1 > 0.05, score.Top1 < 0.5)
	// Output: grid 192 true true
}
