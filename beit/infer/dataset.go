package infer

import (
	"context"
	"iter"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
)

// Item is the result for one image of a dataset. Unreadable images have none. They are passed to the function skipped, which may be nil;
// it is an error only if no image is readable. After an error nothing follows.
type Item[T any] struct {
	Index int    // of the image in the dataset
	Name  string // path of the image inside the folder or archive
	Value T
}

// over runs encode on the batches of ds.
func over[T any](
	ctx context.Context, n *network, ds data.Dataset, skipped func(data.Skipped), encode func(nn.Context, *autograd.Var) ([]T, error),
) iter.Seq2[Item[T], error] {
	return func(yield func(Item[T], error) bool) {
		if err := n.opened(); err != nil {
			yield(Item[T]{}, err)
			return
		}
		loader, err := data.NewLoader(ds, data.LoaderOptions{
			Batch: batch, Pipeline: n.pipeline, Sequential: true, MaxUnreadable: 1, Skipped: skipped,
		})
		if err != nil {
			yield(Item[T]{}, err)
			return
		}
		for b, err := range loader.Batches(ctx, 0, 0) {
			var list []T
			if err == nil {
				pixels, _ := b.Tensor("image")
				list, err = forward(n, pixels, encode)
			}
			if err != nil {
				yield(Item[T]{}, err)
				return
			}
			for i, at := range b.Index {
				if !yield(Item[T]{at, ds.Name(at), list[i]}, nil) {
					return
				}
			}
		}
	}
}
