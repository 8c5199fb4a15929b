package data

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"github.com/gobeit/gobeit/tensor"
)

// Dataset is a numbered collection of images. It may be used by several goroutines at once.
type Dataset interface {
	// Len returns the number of items.
	Len() int
	// Name identifies item i to a person: a path inside the folder or archive.
	Name(i int) string
	// Label returns the class of item i, an index into Classes, or -1 where there are no classes.
	Label(i int) int
	// Classes returns the names of the classes, or nil where the images have no labels.
	Classes() []string
	// Sample reads and decodes item i. Its label is Label(i).
	Sample(i int) (Sample, error)
}

// ErrNoImages is wrapped by errors about folders, archives and datasets without an image.
var ErrNoImages = errors.New("no images found")

// subset is a selection of another dataset's items.
type subset struct {
	Dataset
	index []int
}

// Subset selects the items of ds that index lists, in that order. It panics when an index lies outside ds.
func Subset(ds Dataset, index []int) Dataset {
	for _, i := range index {
		if i < 0 || i >= ds.Len() {
			panic(fmt.Sprintf("data: Subset: index %d of a dataset of %d", i, ds.Len()))
		}
	}
	return &subset{ds, slices.Clone(index)}
}

func (s *subset) Len() int                     { return len(s.index) }
func (s *subset) Name(i int) string            { return s.Dataset.Name(s.index[i]) }
func (s *subset) Label(i int) int              { return s.Dataset.Label(s.index[i]) }
func (s *subset) Sample(i int) (Sample, error) { return s.Dataset.Sample(s.index[i]) }

// relabelled is another dataset with its classes in another order.
type relabelled struct {
	Dataset
	classes []string
	number  []int // of each class of Dataset in classes
}

// Relabel renumbers the classes of ds as in classes, so that two datasets that were opened separately can be compared. A class of ds that
// classes does not have is an error. Without classes on either side, Relabel returns ds itself.
func Relabel(ds Dataset, classes []string) (Dataset, error) {
	own := ds.Classes()
	if len(own) == 0 || len(classes) == 0 || slices.Equal(own, classes) {
		return ds, nil
	}
	number := make(map[string]int, len(classes))
	for i, c := range slices.Backward(classes) { // of two classes of a name, the first counts
		number[c] = i
	}
	r := &relabelled{ds, classes, make([]int, len(own))}
	for i, c := range own {
		var ok bool
		if r.number[i], ok = number[c]; !ok {
			return nil, fmt.Errorf("class %q has no counterpart among %d other classes, from %q to %q", c, len(classes), classes[0], classes[len(classes)-1])
		}
	}
	return r, nil
}

func (r *relabelled) Classes() []string { return r.classes }
func (r *relabelled) Label(i int) int   { return r.renumber(r.Dataset.Label(i)) }

func (r *relabelled) Sample(i int) (Sample, error) {
	s, err := r.Dataset.Sample(i)
	s.Label = r.renumber(s.Label)
	return s, err
}

func (r *relabelled) renumber(label int) int {
	if label < 0 {
		return -1
	}
	return r.number[label]
}

// ErrTooFew is wrapped by the error of Split for fewer than two items.
var ErrTooFew = errors.New("at least 2 are needed")

// Split sets a fraction of ds aside for validation. The choice depends on ds.Len and the seed alone. Both parts keep the order of ds, and each
// has at least one item.
func Split(ds Dataset, fraction float64, seed uint64) (train, val Dataset, err error) {
	n := ds.Len()
	if !(fraction > 0 && fraction < 1) {
		return nil, nil, fmt.Errorf("validation fraction %g: must lie between 0 and 1", fraction)
	}
	if n < 2 {
		return nil, nil, fmt.Errorf("cannot split %d images into training and validation: %w", n, ErrTooFew)
	}
	count := min(max(int(math.Round(fraction*float64(n))), 1), n-1)
	order := tensor.NewRand(seed, streamSplit).Perm(n)
	held, kept := order[:count], order[count:]
	slices.Sort(held)
	slices.Sort(kept)
	return &subset{ds, kept}, &subset{ds, held}, nil
}

// cached keeps decoded samples while they fit.
type cached struct {
	Dataset
	samples []atomic.Pointer[Sample]
	room    atomic.Int64 // bytes left
}

// Cached keeps decoded samples of ds in memory, the first ones read until limit bytes are full. Small images cost more to decode than to
// augment: a dataset that fits is decoded once instead of once an epoch.
func Cached(ds Dataset, limit int64) Dataset {
	c := &cached{Dataset: ds, samples: make([]atomic.Pointer[Sample], ds.Len())}
	c.room.Store(limit)
	return c
}

func (c *cached) Sample(i int) (Sample, error) {
	if s := c.samples[i].Load(); s != nil {
		return *s, nil
	}
	s, err := c.Dataset.Sample(i)
	if err != nil {
		return Sample{}, err
	}
	size := s.Bytes()
	if c.room.Add(-size) < 0 {
		c.room.Add(size)
		return s, nil
	}
	if _, ok := s.Image.(*Raster); !ok {
		s.Image = whole(s.Image)
	}
	if !c.samples[i].CompareAndSwap(nil, &s) { // another goroutine was faster
		c.room.Add(size)
	}
	return s, nil
}
