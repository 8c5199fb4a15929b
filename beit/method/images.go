package method

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/tensor"
)

// streamLimit separates the choice of images by data.limit from other random numbers.
const streamLimit uint64 = 0x747261696e00

// Images are the data sets of a run. Close them when they are no longer needed.
type Images struct {
	Train, Val data.Dataset // Val may be nil
	Split      bool         // Val was set aside from the training images
	closers    []func() error
}

// Close releases archives. The data sets must not be used afterwards.
func (i *Images) Close() error {
	var first error
	for _, c := range i.closers {
		if err := c(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// OpenImages opens the images of a configuration, for training and for validation. size is the side of the squares that the network sees. given
// are used in place of data.path, where they are not nil.
func OpenImages(c *config.Config, size int, given *data.Source) (i *Images, err error) {
	i = &Images{}
	defer func() {
		if err != nil {
			i.Close()
		}
	}()
	if err := i.open(c, size, given); err != nil {
		return i, err
	}
	d := c.Data
	if i.Train == nil || i.Train.Len() == 0 {
		return i, fmt.Errorf("%s: %w", d.Path, data.ErrNoImages)
	}
	if i.Val == nil && d.ValFraction > 0 {
		if i.Train, i.Val, err = data.Split(i.Train, d.ValFraction, c.Seed); err != nil {
			return i, fmt.Errorf("data.val_fraction: %w", err)
		}
		i.Split = true
	}
	if d.LabelFraction < 1 {
		if i.Train, err = data.Fraction(i.Train, d.LabelFraction, c.Seed); err != nil {
			return i, fmt.Errorf("data.label_fraction: %w", err)
		}
	}
	i.Train = data.Cached(AtMost(i.Train, d.Limit, c.Seed), int64(d.CacheMB)<<20)
	if i.Val != nil {
		i.Val = data.Cached(AtMost(i.Val, d.Eval.Limit, c.Seed), int64(d.CacheMB)<<20)
	}
	return i, nil
}

// open finds the images.
func (i *Images) open(c *config.Config, size int, given *data.Source) error {
	path := c.Data.Path
	count, synthetic := strings.CutPrefix(path, "procedural:")
	switch {
	case given != nil:
		i.Train, i.Val = given.Train, given.Val
		return nil
	case path == "":
		return fmt.Errorf("data.path: name a folder or .tar file of images, or procedural:N")
	case !synthetic:
		return i.openPaths(c.Data)
	case c.Data.EvalPath != "":
		return fmt.Errorf("data.eval_path = %q: synthetic images bring their own for validation", c.Data.EvalPath)
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 || n > config.MostOfAny {
		return fmt.Errorf("data.path = %q: wanted is procedural:N with a number of images from 1 to %d", path, config.MostOfAny)
	}
	if size < data.MinProceduralSize {
		return fmt.Errorf("data.path = %q: synthetic images need an image_size of at least %d, the model has %d", path, data.MinProceduralSize, size)
	}
	i.Train = data.Procedural(n, size, c.Seed)
	i.Val = data.Procedural(max(n/5, 1), size, c.Seed+1)
	return nil
}

// openPaths opens folders and archives.
func (i *Images) openPaths(d config.Data) error {
	var options []data.Option
	if d.ExifTranspose {
		options = append(options, data.ExifTranspose())
	}
	src, err := data.Open(d.Path, data.DefaultLimits, options...)
	if err != nil {
		return err
	}
	i.Train, i.Val = src.Train, src.Val
	i.closers = append(i.closers, src.Close)
	if d.EvalPath == "" {
		return nil
	}
	eval, err := data.Open(d.EvalPath, data.DefaultLimits, options...)
	if err != nil {
		return fmt.Errorf("data.eval_path: %w", err)
	}
	i.closers = append(i.closers, eval.Close)
	if i.Val = eval.Val; i.Val == nil {
		i.Val = eval.Train
	}
	return nil
}

// AtMost chooses limit of the images of ds at random, kept in order; 0 means all.
func AtMost(ds data.Dataset, limit int, seed uint64) data.Dataset {
	if limit == 0 || limit >= ds.Len() {
		return ds
	}
	index := tensor.NewRand(seed, streamLimit).Perm(ds.Len())[:limit]
	slices.Sort(index)
	return data.Subset(ds, index)
}

// Fingerprint tells data sets apart that must not be exchanged in the middle of a run. Checkpoints hold it: its words are compared.
func (i *Images) Fingerprint() string {
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
	n, h := sum(i.Train)
	m, g := sum(i.Val)
	return fmt.Sprintf("%d training images (%016x), %d validation images (%016x)", n, h, m, g)
}

// SkippedText says that an image was left out.
func SkippedText(s data.Skipped) string { return fmt.Sprintf("image left out: %v", s.Err) }

// ErrNoneReadable ends a validation without a single image.
var ErrNoneReadable = errors.New("no validation image could be read")

// Tell reports the warnings of an opened model: of Model.Warnings, or of Model.Damaged.
func Tell(r Reporter, warnings []error) {
	for _, err := range warnings {
		var note *weights.Note
		switch {
		case !errors.As(err, &note):
			r.Warning(fmt.Sprintf("left out a damaged checkpoint: %v", err))
		case note.Assumed:
			r.Warning(note.Text)
		default:
			r.Notice(note.Text)
		}
	}
}
