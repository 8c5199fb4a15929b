package tokenizer

import (
	"context"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
)

// Encode returns the codes of all images of ds, N for each in the order of ds: codes[i·N+n]. eval says how images are shown, and how many go
// through the network together. progress hears of each batch.
//
// Images that cannot be read have codes of -1 and are named to skipped, however many. It is an error when none can be read.
func (t *Trained) Encode(ctx context.Context, ds data.Dataset, eval config.Eval, skipped func(data.Skipped), progress func(done, total int)) ([]int32, error) {
	input := t.Model.Input
	input.Whole = eval.Whole
	loader, err := data.NewLoader(ds, data.LoaderOptions{
		Batch: eval.Batch, Sequential: true, Pipeline: input.Pipeline(), MaxUnreadable: 1, Skipped: skipped,
	})
	if err != nil {
		return nil, err
	}
	n := t.Config.Encoder.Tokens()
	codes := make([]int32, ds.Len()*n)
	for i := range codes {
		codes[i] = -1
	}
	tape := autograd.NewTape(t.Set.Device())
	c := nn.Context{Tape: tape}
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return nil, err
		}
		found := t.Codes(c, method.Upload(c, b, method.FieldImage))
		list := found.Ints()
		found.Release()
		tape.Reset()
		for i, image := range b.Index {
			copy(codes[image*n:(image+1)*n], list[i*n:(i+1)*n])
		}
		progress(b.Number+1, loader.Len())
	}
	return codes, nil
}
