package pretrain

import (
	"context"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

// shuffleCodes makes the codes of the shuffled-codes control.
func (t *task) shuffleCodes(ctx context.Context) error {
	if !SectionOf(t.Config).ShuffleCodes {
		return nil
	}
	for i, ds := range []data.Dataset{t.Train, t.Val} {
		if ds == nil {
			continue
		}
		progress := func(done, total int) { t.Phase("encode", done, total) }
		codes, err := t.sources.tokenizer.Encode(ctx, ds, t.Config.Data.Eval, t.Skipped, progress)
		if err != nil {
			return err
		}
		shuffleReadable(codes, tensor.NewRand(t.Config.Seed, streamShuffle, uint64(i)))
		t.shuffled[i] = codes
	}
	return nil
}

// shuffleReadable exchanges codes between all patches but those of unreadable images, which keep their -1.
func shuffleReadable(codes []int32, random *tensor.Rand) {
	var at []int
	for i, c := range codes {
		if c >= 0 {
			at = append(at, i)
		}
	}
	random.Shuffle(len(at), func(a, b int) { codes[at[a]], codes[at[b]] = codes[at[b]], codes[at[a]] })
}

// given are the labels of the control for a batch of training (which = 0) or validation images.
func (t *task) given(b *data.Batch, which int) *beit.CodeLabels {
	n := t.model.Config.ViT.Tokens()
	var codes []int32
	for _, i := range b.Index {
		codes = append(codes, t.shuffled[which][i*n:(i+1)*n]...)
	}
	return beit.GivenCodes(codes)
}
