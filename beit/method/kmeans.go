package method

import (
	"context"
	"fmt"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// TokensForKMeans gathers rows [M, D] from the first batches of training, until there are need of them. Without augmentation these come from one epoch:
// the next would repeat its rows. of makes rows [.., D] of a batch, without gradients. Each process of a group does all of it, with the same images.
// The caller releases the result.
func (e *Env) TokensForKMeans(ctx context.Context, need int, of func(c nn.Context, b *data.Batch) *tensor.Tensor) (*tensor.Tensor, error) {
	e.Phase("k-means", 0, need)
	loader, err := e.TrainLoader(tensor.HashString(e.Method.Stream))
	if err != nil {
		return nil, err
	}
	var rows []float32
	n, d := 0, 0
	augmented := e.Config.Data.Augment != config.AugmentNone
	for epoch := 0; n < need && (augmented || epoch == 0); epoch++ {
		for b, err := range loader.Batches(ctx, epoch, 0) {
			if err != nil {
				return nil, fmt.Errorf("k-means: %w", err)
			}
			c := e.Context()
			c.Train = false
			e.Tape.NoGrad(func() {
				z := of(c, b)
				rows, d = append(rows, z.Float32s()...), z.Dim(-1)
			})
			e.Tape.Reset()
			n = len(rows) / d
			e.Phase("k-means", min(n, need), need)
			if n >= need {
				break
			}
		}
	}
	return tensor.FromSlice(e.Device, rows, n, d), nil
}

// TellKMeans tells how many codes k-means made from so many tokens. counts has how many tokens each of them got.
func (e *Env) TellKMeans(counts []float32, tokens int) {
	empty := 0
	for _, c := range counts {
		if c == 0 {
			empty++
		}
	}
	note := fmt.Sprintf("k-means made %d codes from %d tokens", len(counts), tokens)
	if empty > 0 {
		note += fmt.Sprintf(", %d of them of no token", empty)
	}
	e.Reporter.Notice(note)
}
