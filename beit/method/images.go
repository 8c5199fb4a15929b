package method

import (
	"errors"
	"fmt"
	"math"
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
	Path       string       // where they are, for people
	Train, Val data.Dataset // Val may be nil
	Split      bool         // Val was set aside from the training images
	closers    []func() error
	survey     *data.Survey // nil for images that are not files
	transposed bool         // EXIF orientation is followed
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

// OpenImages opens the images of a configuration, of training and of validation. They are decoded whole. size is the side of the squares that the
// network sees. given are used in place of data.path, where they are not nil.
func OpenImages(c *config.Config, size int, given *data.Source) (*Images, error) {
	return openImages(c, size, given, data.Open)
}

// OpenImagesToTrain is OpenImages for a run that trains: images of both parts, its validation's too, are decoded smaller where data.reduce says so.
func OpenImagesToTrain(c *config.Config, size int, given *data.Source) (*Images, error) {
	if !c.Data.Reduce {
		return OpenImages(c, size, given)
	}
	reduced := func(name string, limits data.Limits, options ...data.Option) (*data.Source, error) {
		return data.Open(name, limits, append([]data.Option{data.Reduce(shortestSide(c, size))}, options...)...)
	}
	return openImages(c, size, given, reduced)
}

// OpenImagesAsBefore is OpenImagesToTrain for a run of version 0.1, which found fewer images in a folder or .tar file, and decoded them whole: see
// data.OpenAsBefore.
func OpenImagesAsBefore(c *config.Config, size int) (*Images, error) {
	return openImages(c, size, nil, data.OpenAsBefore)
}

// openSource opens one folder, archive or list.
type openSource func(name string, limits data.Limits, options ...data.Option) (*data.Source, error)

func openImages(c *config.Config, size int, given *data.Source, open openSource) (i *Images, err error) {
	i = &Images{Path: c.Data.Path.String()}
	defer func() {
		if err != nil {
			i.Close()
		}
	}()
	opened, err := i.open(c, size, given, open)
	if err != nil {
		return i, err
	}
	if err := i.choose(c); err != nil {
		return i, err
	}
	if opened != nil {
		i.survey, i.transposed = data.NewSurvey(opened, i.Train, i.Val), c.Data.ExifTranspose
	}
	d := c.Data
	i.Train = data.Cached(i.Train, int64(d.CacheMB)<<20)
	if i.Val != nil {
		i.Val = data.Cached(i.Val, int64(d.CacheMB)<<20)
	}
	return i, nil
}

// choose sets images aside for validation, and leaves out those that are not wanted.
func (i *Images) choose(c *config.Config) (err error) {
	d := c.Data
	if i.Train == nil || i.Train.Len() == 0 {
		return fmt.Errorf("%s: %w", d.Path, data.ErrNoImages)
	}
	seed, besides := c.ImageSeed(), d.ValFromTrain && i.Val != nil // images for validation, which are to stay unread
	if i.Val == nil && d.ValFraction > 0 {
		if err := i.split(d.ValFraction, seed); err != nil {
			return err
		}
	}
	if d.LabelFraction < 1 {
		if i.Train, err = data.Fraction(i.Train, d.LabelFraction, seed); err != nil {
			return fmt.Errorf("data.label_fraction: %w", err)
		}
	}
	i.Train = AtMost(i.Train, d.Limit, seed)
	if besides { // of the images that a run would learn from
		if err := i.split(d.ValFraction, seed); err != nil {
			return err
		}
	}
	if i.Val != nil {
		i.Val = AtMost(i.Val, d.Eval.Limit, seed)
	}
	return nil
}

// split sets a part of the training images aside for validation.
func (i *Images) split(fraction float64, seed uint64) (err error) {
	if i.Train, i.Val, err = data.Split(i.Train, fraction, seed); err != nil {
		return fmt.Errorf("data.val_fraction: %w", err)
	}
	i.Split = true
	return nil
}

// ShortSide is the median of the shorter sides of some training images, in pixels: by their headers, or else that of the first image.
func (i *Images) ShortSide() (int, error) {
	if i.survey != nil && i.survey.Looked > 0 {
		return i.survey.ShortSide, nil
	}
	first, err := data.Decoded(i.Train, 0)
	if err != nil {
		return 0, err
	}
	return min(first.W, first.H), nil
}

// Tell tells what the images are, in a few lines, where they are files: what commands say before they work with them.
func (i *Images) Tell(r Reporter) {
	if i.survey == nil {
		return
	}
	for _, line := range i.survey.Lines(i.transposed) {
		r.Notice(line)
	}
	i.Warn(r)
}

// Warn tells what Tell does only if images were left out.
func (i *Images) Warn(r Reporter) {
	if i.survey != nil && i.survey.Warns() {
		r.Warning(i.survey.LeftOutText())
	}
}

// open finds the images. opened is what they were found in; nil for images that are not files.
func (i *Images) open(c *config.Config, size int, given *data.Source, open openSource) (opened *data.Source, err error) {
	path := c.Data.Path
	kind, count, drawn := synthetic(string(path))
	switch {
	case given != nil:
		i.Train, i.Val = given.Train, given.Val
		return nil, nil
	case path == "":
		return nil, fmt.Errorf("data.path: name a folder or archive of images, or shapes:N, procedural:N")
	case !drawn:
		return i.openPaths(c, open)
	case c.Data.EvalPath != "":
		return nil, fmt.Errorf("data.eval_path = %q: synthetic images bring their own for validation", c.Data.EvalPath)
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 || n > config.MostOfAny {
		return nil, fmt.Errorf("data.path = %q: wanted is %s:N with a number of images from 1 to %d", path, kind, config.MostOfAny)
	}
	if size < data.MinProceduralSize {
		return nil, fmt.Errorf("data.path = %q: synthetic images need an image_size of at least %d, the model has %d", path, data.MinProceduralSize, size)
	}
	if c.Raw() {
		return nil, fmt.Errorf("data.path = %q: synthetic images are red, green and blue with 8 bits: the network wants %d channels, and data.keep_16_bits is %v", path, c.Channels(), c.Data.Keep16Bits)
	}
	draw := synthetics[kind]
	i.Train, i.Val = draw(n, size, c.ImageSeed()), draw(max(n/5, 1), size, c.ImageSeed()+1)
	return nil, nil
}

// synthetics are the kinds of synthetic images, by what their paths begin with, before a colon and their number.
var synthetics = map[string]func(n, size int, seed uint64) data.Dataset{"procedural": data.Procedural, "shapes": data.Shapes}

// synthetic takes the path of synthetic images apart; ok is false for another one.
func synthetic(path string) (kind, count string, ok bool) {
	kind, count, colon := strings.Cut(path, ":")
	return kind, count, colon && synthetics[kind] != nil
}

// Masker is a Section of a method that learns from the pixels' classes: images come with masks.
type Masker interface {
	// MaskOptions says what the values of mask files mean; false where no masks are wanted: those beside images are left out.
	MaskOptions() (data.MaskOptions, bool)
}

// Enlarger is a Section of a method that shows images larger than the network sees them.
type Enlarger interface {
	// LargestView is the side of the largest squares that are made of an image.
	LargestView() int
}

// openPaths opens folders, archives and lists.
func (i *Images) openPaths(c *config.Config, open openSource) (*data.Source, error) {
	d := c.Data
	var options []data.Option
	if d.ExifTranspose {
		options = append(options, data.ExifTranspose())
	}
	if c.Raw() {
		options = append(options, data.Channels(c.Channels()))
	}
	if m, ok := c.Section.(Masker); ok {
		if masks, wanted := m.MaskOptions(); wanted {
			options = append(options, data.Masks(masks))
		} else {
			options = append(options, data.SkipMasks())
		}
	}
	for _, path := range append(d.Path.List(), d.EvalPath.List()...) {
		if _, _, ok := synthetic(path); ok {
			return nil, fmt.Errorf("%s: synthetic images stand alone: leave the other paths of images away", path)
		}
	}
	openAll := func(paths config.Paths) (*data.Source, error) {
		return data.OpenAll(paths.List(), func(name string) (*data.Source, error) {
			return open(name, data.DefaultLimits.AtMost(d.MaxPixels), options...)
		})
	}
	src, err := openAll(d.Path)
	if err != nil {
		return nil, err
	}
	i.Train, i.Val = src.Train, src.Val
	i.closers = append(i.closers, src.Close)
	if d.EvalPath == "" {
		return src, nil
	}
	eval, err := openAll(d.EvalPath)
	if err != nil {
		return nil, fmt.Errorf("data.eval_path: %w", err)
	}
	i.closers = append(i.closers, eval.Close)
	both := src.WithVal(eval)
	i.Val = both.Val
	return both, nil
}

// shortestSide returns how many pixels the shorter side of an image must have, so that no crop of it is enlarged to the network's size, or to that of a
// larger view, unless it would be without data.reduce. The smallest random crop has an aspect ratio of 3/4.
func shortestSide(c *config.Config, size int) int {
	if s, ok := c.Section.(Enlarger); ok {
		size = max(size, s.LargestView())
	}
	share := 0.875 // of the central crop of validation
	if scale := c.Train.MinCropScale; scale > 0 && (c.Data.Augment == config.AugmentCrop || c.Data.Augment == config.AugmentMulti) {
		share = min(share, math.Sqrt(scale*3/4))
	}
	return int(math.Ceil(float64(size) / share))
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
	n, h := NamesOf(i.Train)
	m, g := NamesOf(i.Val)
	return fmt.Sprintf("%d training images (%016x), %d validation images (%016x)", n, h, m, g)
}

// NamesOf is the number of a data set's images and a hash of their names in their order. Of nil both are 0.
func NamesOf(ds data.Dataset) (n int, hash uint64) {
	if ds == nil {
		return 0, 0
	}
	for i := range ds.Len() {
		hash = hash*0x9e3779b97f4a7c15 + tensor.HashString(ds.Name(i))
	}
	return ds.Len(), hash
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
