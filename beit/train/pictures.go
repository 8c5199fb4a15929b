package train

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

// First numbers of the random paths of this package.
const (
	streamLimit uint64 = 0x747261696e_00 + iota
	streamKMeans
	streamTeacher
	streamMask
	streamMaskVal
	streamShuffle
	streamMarks
	streamDistillVal
	streamMix
)

// pictures are the data sets of a run.
type pictures struct {
	train, val data.Dataset // val may be nil
	close      func() error
}

// OpenPictures opens the pictures that a configuration names: what it trains on, and those for validation, nil where there are none.
// Call done when both are no longer needed.
func OpenPictures(c Config) (train, val data.Dataset, done func() error, err error) {
	p, err := openPictures(c, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	return p.train, p.val, p.close, nil
}

func openPictures(c Config, given *data.Source) (p *pictures, err error) {
	p = &pictures{close: func() error { return nil }}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	switch n, drawn := strings.CutPrefix(c.Data.Path, "procedural:"); {
	case given != nil:
		p.train, p.val = given.Train, given.Val
	case drawn && c.Data.EvalPath != "":
		return p, fmt.Errorf("data.eval_path = %q: drawn pictures bring their own for validation", c.Data.EvalPath)
	case drawn:
		count, err := strconv.Atoi(n)
		if err != nil || count < 1 || count > mostOfAny {
			return p, fmt.Errorf("data.path = %q: wanted is procedural:N with a number of pictures from 1 to %d", c.Data.Path, mostOfAny)
		}
		if size := c.imageSize(); size < data.MinProceduralSize {
			return p, fmt.Errorf("data.path = %q: drawn pictures need an image_size of at least %d, the model has %d", c.Data.Path, data.MinProceduralSize, size)
		}
		p.train = data.Procedural(count, c.imageSize(), c.Seed)
		p.val = data.Procedural(max(count/5, 1), c.imageSize(), c.Seed+1)
	case c.Data.Path == "":
		return p, fmt.Errorf("data.path: name a folder or .tar file of pictures, or procedural:N")
	default:
		if err := p.open(c.Data); err != nil {
			return p, err
		}
	}
	if p.train == nil || p.train.Len() == 0 {
		return p, fmt.Errorf("%s: %w", c.Data.Path, data.ErrNoImages)
	}
	if p.val == nil && c.Data.ValFraction > 0 {
		if p.train, p.val, err = data.Split(p.train, c.Data.ValFraction, c.Seed); err != nil {
			return p, fmt.Errorf("data.val_fraction: %w", err)
		}
	}
	if c.Data.Labelled < 1 && c.Data.Labelled != 0 { // 0: a configuration made by hand
		if p.train, err = data.Fraction(p.train, c.Data.Labelled, c.Seed); err != nil {
			return p, fmt.Errorf("data.labelled: %w", err)
		}
	}
	p.train = data.Cached(atMost(p.train, c.Data.Limit, c.Seed), int64(c.Data.CacheMB)<<20)
	if p.val != nil {
		p.val = data.Cached(atMost(p.val, c.Data.Eval.Limit, c.Seed), int64(c.Data.CacheMB)<<20)
	}
	return p, nil
}

func (p *pictures) open(c DataConfig) error {
	var options []data.Option
	if c.Upright {
		options = append(options, data.ExifTranspose())
	}
	src, err := data.Open(c.Path, data.DefaultLimits, options...)
	if err != nil {
		return err
	}
	p.train, p.val, p.close = src.Train, src.Val, src.Close
	if c.EvalPath == "" {
		return nil
	}
	eval, err := data.Open(c.EvalPath, data.DefaultLimits, options...)
	if err != nil {
		return fmt.Errorf("data.eval_path: %w", err)
	}
	if p.val = eval.Val; p.val == nil {
		p.val = eval.Train
	}
	p.close = func() error {
		eval.Close()
		return src.Close()
	}
	return nil
}

// atMost draws limit of ds's pictures, kept in order; 0 means all.
func atMost(ds data.Dataset, limit int, seed uint64) data.Dataset {
	if limit == 0 || limit >= ds.Len() {
		return ds
	}
	index := tensor.NewRand(seed, streamLimit).Perm(ds.Len())[:limit]
	slices.Sort(index)
	return data.Subset(ds, index)
}

// fingerprint tells data sets apart that must not be exchanged in the middle of a run.
func (p *pictures) fingerprint() string {
	sum := func(ds data.Dataset) (int, uint64) {
		if ds == nil {
			return 0, 0
		}
		h := uint64(0)
		for i := range ds.Len() {
			h = h*0x9e3779b97f4a7c15 + tensor.HashString(ds.Name(i))
		}
		return ds.Len(), h
	}
	n, h := sum(p.train)
	m, g := sum(p.val)
	return fmt.Sprintf("%d training pictures (%016x), %d validation pictures (%016x)", n, h, m, g)
}

// The views of a batch.
const (
	viewImage  = "image"  // that the model is trained on
	viewTarget = "target" // that its target is computed from, in pre-training
)

// views are the forms in which the stage's models get a picture: the tokenizer's alone, or the student's first, or the student's
// alone.
func (c Config) views() []data.View {
	plain := data.View{Name: viewImage, Size: c.imageSize(), Filter: data.Bicubic, Norm: data.Unit}
	if c.Stage == Tokenizer {
		return []data.View{plain}
	}
	if c.Stage == Finetune {
		plain.Norm = norms[c.Finetune.Norm]
		return []data.View{plain}
	}
	student := plain
	student.Norm = data.ImageNet
	if c.Stage == Teacher {
		return []data.View{student}
	}
	plain.Name = viewTarget
	return []data.View{student, plain}
}

// augmentation is the pipeline of training.
func (c Config) augmentation() data.Pipeline {
	if c.Stage == Finetune && c.Data.Augment != augmentNone {
		return c.supervised()
	}
	switch c.Data.Augment {
	case augmentPad:
		return &data.PadCrop{Pad: c.Data.Pad, Views: c.views()}
	case augmentMulti:
		large, crops := c.views()[0], c.Teacher.Crops
		small := large
		small.Size = crops.SmallSize
		return &data.MultiCrop{
			Large: large, Small: small, Count: crops.Small, LargeScale: [2]float64{crops.Split, 1},
			SmallScale: [2]float64{c.Train.MinCropScale, crops.Split}, Jitter: c.Data.Jitter,
		}
	case augmentNone:
		return &data.Eval{Whole: c.Data.Eval.Whole, Views: c.views()}
	}
	return &data.RandomCrop{Scale: [2]float64{c.Train.MinCropScale, 1}, Jitter: c.Data.Jitter, Views: c.views()}
}

// supervised is the augmentation of fine-tuning.
func (c Config) supervised() data.Pipeline {
	f := c.Finetune
	p := &data.FineTune{
		View: c.views()[0], Scale: [2]float64{c.Train.MinCropScale, 1}, Padded: c.Data.Augment == augmentPad, Pad: c.Data.Pad, Jitter: c.Data.Jitter,
		Erase: f.Erase,
	}
	if f.RandMagnitude > 0 {
		p.Rand = &data.RandAugment{Magnitude: f.RandMagnitude, Ops: f.RandOps, Fill: data.ImageNetFill}
	}
	return p
}

// trainLoader makes augmented micro-batches; stream separates loaders of one run, skipped is told of unreadable pictures.
func (c Config) trainLoader(ds data.Dataset, stream uint64, skipped func(data.Skipped)) (*data.Loader, error) {
	return data.NewLoader(ds, data.LoaderOptions{
		Batch: c.Train.Batch / c.Train.Accum, Pipeline: c.augmentation(), Seed: c.Seed, Stream: stream, MaxUnreadable: c.Data.Unreadable,
		Skipped: skipped, Multiple: c.Train.Accum,
	})
}

// evalLoader reads ds once in its order.
func (c Config) evalLoader(ds data.Dataset, e EvalConfig, views []data.View, skipped func(data.Skipped)) (*data.Loader, error) {
	return data.NewLoader(ds, data.LoaderOptions{
		Batch: e.Batch, Sequential: true, Pipeline: &data.Eval{Whole: e.Whole, Views: views}, MaxUnreadable: c.Data.Unreadable,
		Skipped: skipped,
	})
}
