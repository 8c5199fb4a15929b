package data

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"github.com/gobeit/gobeit/tensor"
)

// Dataset is a numbered collection of pictures. It may be used by several goroutines at once.
type Dataset interface {
	// Len is the number of pictures.
	Len() int
	// Name tells a person which picture i is: a path inside the folder or archive.
	Name(i int) string
	// Label is the class of picture i, an index into Classes, or -1 where there are no classes.
	Label(i int) int
	// Classes are the names of the classes, or nil where the pictures are not labelled.
	Classes() []string
	// Image reads and decodes picture i. The caller must not write into it.
	Image(i int) (*Image, error)
}

// pictureOf reads and decodes picture i of ds, unconverted where ds can leave it so.
func pictureOf(ds Dataset, i int) (Picture, error) {
	if d, ok := ds.(interface{ picture(i int) (Picture, error) }); ok {
		return d.picture(i)
	}
	m, err := ds.Image(i)
	if err != nil {
		return nil, err // and not a Picture that holds a nil *Image
	}
	return m, nil
}

// ErrNoPictures is wrapped by the error for a folder or archive without a picture.
var ErrNoPictures = errors.New("no pictures found")

// subset is a choice of another dataset's pictures.
type subset struct {
	Dataset
	index []int
}

// Subset is the dataset of those pictures of ds that index lists, in that order. It panics when an
// index lies outside ds.
func Subset(ds Dataset, index []int) Dataset {
	for _, i := range index {
		if i < 0 || i >= ds.Len() {
			panic(fmt.Sprintf("data: Subset: index %d of a dataset of %d", i, ds.Len()))
		}
	}
	return &subset{ds, slices.Clone(index)}
}

func (s *subset) Len() int                    { return len(s.index) }
func (s *subset) Name(i int) string           { return s.Dataset.Name(s.index[i]) }
func (s *subset) Label(i int) int             { return s.Dataset.Label(s.index[i]) }
func (s *subset) Image(i int) (*Image, error) { return s.Dataset.Image(s.index[i]) }

func (s *subset) picture(i int) (Picture, error) { return pictureOf(s.Dataset, s.index[i]) }

// relabelled is another dataset with its classes numbered differently.
type relabelled struct {
	Dataset
	classes []string
	number  []int // of each class of Dataset in classes
}

// Relabel is ds with its classes numbered as in classes, so that two datasets that were opened apart can be compared. A class of ds
// that classes does not have is an error. Without classes on either side, it is ds itself.
func Relabel(ds Dataset, classes []string) (Dataset, error) {
	own := ds.Classes()
	if len(own) == 0 || len(classes) == 0 || slices.Equal(own, classes) {
		return ds, nil
	}
	r := &relabelled{ds, classes, make([]int, len(own))}
	for i, c := range own {
		if r.number[i] = slices.Index(classes, c); r.number[i] < 0 {
			return nil, fmt.Errorf("class %q has no counterpart among %d other classes, from %q to %q", c, len(classes), classes[0], classes[len(classes)-1])
		}
	}
	return r, nil
}

func (r *relabelled) Classes() []string { return r.classes }

func (r *relabelled) picture(i int) (Picture, error) { return pictureOf(r.Dataset, i) }

func (r *relabelled) Label(i int) int {
	if own := r.Dataset.Label(i); own >= 0 {
		return r.number[own]
	}
	return -1
}

// Split sets a fraction of ds aside for validation: which pictures depends on ds.Len and the seed alone.
// Both parts keep the order of ds, and each has at least one picture.
func Split(ds Dataset, fraction float64, seed uint64) (train, val Dataset, err error) {
	n := ds.Len()
	if !(fraction > 0 && fraction < 1) {
		return nil, nil, fmt.Errorf("validation fraction %g: must lie between 0 and 1", fraction)
	}
	if n < 2 {
		return nil, nil, fmt.Errorf("cannot split %d pictures into training and validation: at least 2 are needed", n)
	}
	count := min(max(int(math.Round(fraction*float64(n))), 1), n-1)
	order := tensor.NewRand(seed, streamSplit).Perm(n)
	held, kept := order[:count], order[count:]
	slices.Sort(held)
	slices.Sort(kept)
	return &subset{ds, kept}, &subset{ds, held}, nil
}

// cached keeps decoded pictures while they fit.
type cached struct {
	Dataset
	images []atomic.Pointer[Image]
	room   atomic.Int64
}

// Cached keeps pictures of ds decoded, the first ones read until limit bytes are full. Small pictures
// cost more to decode than to augment, so a set that fits is decoded once instead of once an epoch.
func Cached(ds Dataset, limit int64) Dataset {
	c := &cached{Dataset: ds, images: make([]atomic.Pointer[Image], ds.Len())}
	c.room.Store(limit)
	return c
}

func (c *cached) Image(i int) (*Image, error) {
	p, err := c.picture(i)
	if err != nil {
		return nil, err
	}
	return whole(p), nil
}

func (c *cached) picture(i int) (Picture, error) {
	if m := c.images[i].Load(); m != nil {
		return m, nil
	}
	p, err := pictureOf(c.Dataset, i)
	if err != nil {
		return nil, err
	}
	w, h := p.Size()
	size := 3 * int64(w) * int64(h)
	if c.room.Add(-size) < 0 {
		c.room.Add(size)
		return p, nil
	}
	m := whole(p)
	if !c.images[i].CompareAndSwap(nil, m) {
		c.room.Add(size)
	}
	return m, nil
}
