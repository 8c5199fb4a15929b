package pretrain

import (
	"math"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/tensor"
)

// Random numbers of this package: never changed, for old runs would continue with others.
const (
	streamMask       uint64 = 0x747261696e03
	streamMaskVal    uint64 = 0x747261696e04
	streamShuffle    uint64 = 0x747261696e05
	streamHidden     uint64 = 0x747261696e09
	streamHiddenVal  uint64 = 0x747261696e0a
	streamCLSShuffle uint64 = 0x73776170
)

// trainInput is what the model sees of a batch of training images, other patches in each epoch.
func (t *task) trainInput(b *data.Batch) beit.MIMInput {
	epoch := uint64(b.Epoch)
	return t.input(t.masks(b, streamMask, epoch), t.hidden(b, streamHidden, epoch))
}

// evalInput is what the model sees of a batch of validation images, always the same.
func (t *task) evalInput(b *data.Batch) beit.MIMInput {
	return t.input(t.masks(b, streamMaskVal), t.hidden(b, streamHiddenVal))
}

func (t *task) input(masked, hidden []bool) beit.MIMInput {
	s := SectionOf(t.Config)
	return beit.MIMInput{Masked: masked, Hidden: hidden, Visible: s.Visible, Over: s.over()}
}

// hidden chooses the patches of a batch that the aggregation blocks do not see, as masks does; nil where they see all.
func (t *task) hidden(b *data.Batch, path ...uint64) []bool {
	c := t.model.Config
	if c.Aggregation.Depth == 0 || c.Aggregation.Hide == 0 {
		return nil
	}
	n := c.ViT.Tokens()
	hide := make([]bool, len(b.Index)*n)
	for i, image := range b.Index {
		random := tensor.NewRand(t.Config.Seed, append(path, uint64(image))...)
		for _, p := range random.Perm(n)[:int(math.Round(c.Aggregation.Hide*float64(n)))] {
			hide[i*n+p] = true
		}
	}
	return hide
}

// masks chooses the masked patches of a batch, each image's by the run's seed, the path and the image's number alone.
func (t *task) masks(b *data.Batch, path ...uint64) []bool {
	return beit.BlockMasks(SectionOf(t.Config).Mask, b.Index, t.Config.Seed, path...)
}

// masking are the masks of validation.
func masking(c *config.Config) method.Masking {
	s := SectionOf(c)
	kind, _ := target.Find(s.Target)
	return method.Masking{Codes: kind.Codes && kind.Tokenizer != "", Of: func(image int) []bool { return beit.BlockMasks(s.Mask, []int{image}, c.Seed, streamMaskVal) }}
}
