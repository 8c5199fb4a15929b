package pretrain

import (
	"context"
	"math"
	"slices"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/tensor"
)

// codeCache keeps the codes of images that are always shown alike, in 16 bits each: 392 bytes for an image of 14 x 14 patches.
type codeCache struct {
	from  target.Slow
	n     int      // patches of an image
	codes []uint16 // n of each image
	known []bool   // of each image
	full  bool     // all images were gone through
}

// codeCaches are those of training and validation images. Images are shown alike in validation, and in training without augmentation: a random crop
// has codes of its own. Nil where codes cost little, or do not fit.
func codeCaches(t *task) (list [2]*codeCache) {
	slow, ok := t.target.(target.Slow)
	if !ok || slow.Dim() > math.MaxUint16+1 {
		return list
	}
	n := SectionOf(t.Config).Model.ViT.Tokens()
	if keepsCodes(t.Config) {
		list[0] = newCodeCache(slow, n, t.Train)
	}
	list[1] = newCodeCache(slow, n, t.Val)
	return list
}

// keepsCodes says whether training shows an image alike in every epoch.
func keepsCodes(c *config.Config) bool { return c.Data.Augment == config.AugmentNone }

// newCodeCache has room for the images of a data set, which may be nil.
func newCodeCache(from target.Slow, n int, images data.Dataset) *codeCache {
	if images == nil {
		return nil
	}
	return &codeCache{from: from, n: n, codes: make([]uint16, n*images.Len()), known: make([]bool, images.Len())}
}

// Ready makes the codes of training images once more where a run is resumed that has steps left, and those of the shuffled-codes control.
func (t *task) Ready(ctx context.Context) error {
	if t.Step < t.Steps() {
		if err := t.keepCodes(ctx); err != nil {
			return err
		}
	}
	return t.shuffleCodes(ctx)
}

// keepCodes makes all codes of training images where they are kept and not there yet. Each process of a group makes those of its part.
func (t *task) keepCodes(ctx context.Context) error {
	kept := t.kept[0]
	if kept == nil || kept.full {
		return nil
	}
	loader, err := t.EvalLoader(t.Train, t.Method.Train(t.Config))
	if err != nil {
		return err
	}
	loader.Share(t.Group.Rank(), t.Group.Size())
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return err
		}
		t.Keep(b)
		t.Phase("encode", b.Number+1, loader.Len())
	}
	return kept.join(t.Group)
}

// KeptBytes implements method.Keeper, with the codes of the shuffled-codes control.
func (t *task) KeptBytes(train, val int) (bytes int64) {
	s := SectionOf(t.Config)
	n := int64(s.Model.ViT.Tokens())
	for i, images := range []int{train, val} {
		if t.kept[i] != nil {
			bytes += int64(images) * (2*n + 1)
		}
		if s.ShuffleCodes {
			bytes += int64(images) * 4 * n
		}
	}
	return bytes
}

// Lacks implements method.Keeper.
func (t *task) Lacks(b *data.Batch) bool { return t.kept[0] != nil && !t.kept[0].knows(b) }

// Keep implements method.Keeper.
func (t *task) Keep(b *data.Batch) {
	c := t.EvalContext()
	t.kept[0].learn(c, b, method.Upload(c, b, method.FieldTarget).Value())
	t.Tape.Reset()
}

// joined is how many images have their codes brought together at a time: of 14 x 14 patches they take 13 MB meanwhile.
const joined = 1 << 13

// join adds what the other processes of a group know. It fills the cache but for images that cannot be read.
func (k *codeCache) join(g dist.Group) error {
	k.full = true
	if g.Size() == 1 {
		return nil
	}
	for first := 0; first < len(k.known); first += joined {
		last := min(first+joined, len(k.known))
		if err := joinPart(g, k.codes[first*k.n:last*k.n], k.known[first:last], k.n); err != nil {
			return err
		}
	}
	return nil
}

// joinPart is join for some images, of n codes each.
func joinPart(g dist.Group, codes []uint16, known []bool, n int) error {
	above := make([]int64, len(codes)) // code + 1, or 0
	for i, code := range codes {
		if known[i/n] {
			above[i] = int64(code) + 1
		}
	}
	if err := g.AllReduceInt64(above); err != nil {
		return err
	}
	for i, v := range above {
		if v > 0 {
			codes[i], known[i/n] = uint16(v-1), true
		}
	}
	return nil
}

// knows reports whether the codes of all images of a batch are there.
func (k *codeCache) knows(b *data.Batch) bool {
	return !slices.ContainsFunc(b.Index, func(image int) bool { return !k.known[image] })
}

// learn computes the codes of a batch, whose images the tokenizer sees as view.
func (k *codeCache) learn(c nn.Context, b *data.Batch, view *tensor.Tensor) {
	codes := k.from.CodesOf(c, view)
	for i, image := range b.Index {
		for p, code := range codes[i*k.n : (i+1)*k.n] {
			k.codes[image*k.n+p] = uint16(code)
		}
		k.known[image] = true
	}
}

// labels are those of a batch that is known.
func (k *codeCache) labels(b *data.Batch) *beit.CodeLabels {
	codes := make([]int32, 0, len(b.Index)*k.n)
	for _, image := range b.Index {
		for _, code := range k.codes[image*k.n : (image+1)*k.n] {
			codes = append(codes, int32(code))
		}
	}
	return beit.GivenCodes(codes)
}
