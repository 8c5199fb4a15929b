package beit_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/tensor"
)

// Processes that share the batches have, after Gather, the ring buffer of one that observes all.
func TestReseederGather(t *testing.T) {
	set := nn.NewSet()
	model := beit.NewVQKD(set.Scope(), tinyVQKD(16))
	set.Build(tensor.CPU(), 1, nn.Inference)
	defer set.Release()
	batch := func(i int) *tensor.Tensor {
		return tensor.Full(tensor.CPU(), float32(i+1), 3, model.Config.CodeDim)
	}
	observe := func(r *beit.Reseeder, i int) {
		z := batch(i)
		r.Observe(beit.VQKDResult{Z: z})
		z.Release()
	}
	for _, batches := range []int{6, 12, 36} {
		one := beit.NewReseeder(model, 1, dist.Single())
		for i := range batches {
			observe(one, i)
		}
		for _, n := range []int{1, 2, 3} {
			var wait sync.WaitGroup
			for _, g := range dist.Local(n) {
				wait.Go(func() {
					r := beit.NewReseeder(model, 1, g)
					defer r.Release()
					for i := g.Rank(); i < batches; i += n {
						observe(r, i)
					}
					if err := r.Gather(); err != nil {
						t.Error(err)
					}
					if d := cmp.Diff(one.Ring.Float32s(), r.Ring.Float32s()); d != "" || r.Seen != one.Seen {
						t.Errorf("%d batches, rank %d of %d, seen %d (-one process +rank):\n%s", batches, g.Rank(), n, r.Seen, d)
					}
				})
			}
			wait.Wait()
		}
		one.Release()
	}
}
